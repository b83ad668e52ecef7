#include "migrate/backup/key_book.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace reeve::migrate {
namespace {

constexpr std::string_view kActive = "is_active";
constexpr std::array<std::string_view, 2> kTimes = {"deactivated_at", "revoked_at"};  // in order of precedence

bool SaysFalse(std::string_view value) { return value == "false" || AsciiLower(TextOf(value).value_or("")) == "false"; }

std::optional<Micros> Earliest(std::optional<Micros> a, std::optional<Micros> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// Which column of the row gets `since`: the one that counts, a null one, or the first that the table has; empty if none.
std::string_view TimeColumn(const RowText& row, const Columns& columns) {
  for (const bool null_ones : {false, true})
    for (const std::string_view name : kTimes)
      for (const RowText::Field& field : row.fields())
        if (field.name == name && IsNull(field.value) == null_ones) return name;
  for (const std::string_view name : kTimes)
    if (columns.Has(name)) return name;
  return {};
}

// True if a column with this value must be set to `since`.
bool IsLater(std::string_view value, Micros since) {
  if (IsNull(value)) return true;
  const std::optional<std::string> text = TextOf(value);
  const std::optional<Micros> time = text ? ParseTime(*text) : std::nullopt;
  return time && *time > since;  // what is no time stays: it is revoked, and the migration will report the row
}

}  // namespace

void KeyBook::Merge(const KeyFacts& row, Entry* entry) {
  entry->denied = entry->denied || row.denied;
  if (row.denied) entry->since = Earliest(entry->since, row.denied_at);
}

void KeyBook::AddBackupRow(const KeyFacts& row) {
  Merge(row, &keys_[row.hash]);
  if (!row.other_hash.empty()) Merge(row, &keys_[row.other_hash]);
}

void KeyBook::AddTargetRow(const KeyFacts& row) {
  for (const std::string* hash : {&row.hash, &row.other_hash})
    if (const auto found = keys_.find(*hash); found != keys_.end()) Merge(row, &found->second);
}

void KeyBook::AddCentral(const RevokedHash& revoked) {
  for (auto& [hash, entry] : keys_) entry.denied = revoked(hash) || entry.denied;
}

std::optional<Denial> KeyBook::Find(const KeyFacts& row) const {
  bool denied = false;
  std::optional<Micros> since;
  for (const std::string* hash : {&row.hash, &row.other_hash}) {
    const auto found = keys_.find(*hash);
    if (found == keys_.end() || !found->second.denied) continue;
    denied = true;
    since = Earliest(since, found->second.since);
  }
  return denied ? std::optional(Denial{since}) : std::nullopt;
}

std::optional<std::string> DenyRow(const RowText& row, const Denial& denial, const Columns& columns) {
  std::vector<RowText::Edit> edits;
  bool has_active = false;
  bool has_time = false;
  const std::string_view time_column = denial.since ? TimeColumn(row, columns) : std::string_view();
  const std::string since = denial.since ? '"' + FormatTime(*denial.since) + '"' : "";
  for (const RowText::Field& field : row.fields()) {
    if (field.name == kActive) {
      has_active = true;
      if (!SaysFalse(field.value)) edits.push_back({field.value, "false"});
    } else if (!time_column.empty() && field.name == time_column) {
      has_time = true;
      if (IsLater(field.value, *denial.since)) edits.push_back({field.value, since});
    }
  }
  if (!has_active && columns.Has(kActive)) edits.push_back({{}, "\"is_active\":false"});
  if (!has_time && !time_column.empty()) edits.push_back({{}, '"' + std::string(time_column) + "\":" + since});
  if (edits.empty()) return std::nullopt;
  return row.With(edits);
}

}  // namespace reeve::migrate
