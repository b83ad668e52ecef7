// Which differences between legacy and central are no differences: what the store's merge keeps on purpose. Each is counted under its
// class in Verdict::declared.
#include <unordered_map>

#include "migrate/witness/compare.h"

namespace reeve::migrate::witness {
namespace {

using catalog::Cell;
using catalog::RowBatch;
using Row = std::span<const Cell>;

constexpr std::string_view kGone = "reeve:gone-from-legacy";
constexpr std::string_view kKept = "kept from an earlier migration";

size_t At(const RowBatch& batch, std::string_view column) { return static_cast<size_t>(batch.table().Index(column)); }

// Positions of the rows by the text of one column.
std::unordered_map<std::string_view, size_t> ByText(const RowBatch& rows, std::string_view column) {
  std::unordered_map<std::string_view, size_t> by_text;
  for (size_t i = 0; i < rows.size(); ++i) by_text.emplace(rows.Row(i)[At(rows, column)].text, i);
  return by_text;
}

bool Earlier(const Cell& a, const Cell& b) { return !a.is_null && (b.is_null || a.num < b.num); }
bool Later(const Cell& a, const Cell& b) { return !a.is_null && (b.is_null || a.num > b.num); }
bool Smaller(const Cell& a, const Cell& b) { return !a.is_null && (b.is_null || a.text < b.text); }

// Makes expected rows like the found ones, cell by cell.
class Adopter {
 public:
  Adopter(const RowBatch& found, RowBatch* expected) : found_(found), expected_(*expected) {}

  void TakeCell(size_t from, size_t into, std::string_view column) {
    const size_t at = At(found_, column);
    const Cell& cell = found_.Row(from)[at];
    Cell copy = cell;
    if (!cell.text.empty()) copy = expected_.Own(cell.text);
    expected_.Row(into)[at] = copy;
  }
  void TakeRow(size_t from) {
    expected_.AddRow();
    for (const auto& column : found_.table().columns) TakeCell(from, expected_.size() - 1, column.name);
  }
  [[nodiscard]] const Cell& Found(size_t row, std::string_view column) const { return found_.Row(row)[At(found_, column)]; }
  [[nodiscard]] const Cell& Expected(size_t row, std::string_view column) const {
    return expected_.Row(row)[At(found_, column)];
  }

 private:
  const RowBatch& found_;
  RowBatch& expected_;
};

// A row of central that legacy does not have: it may stay if it lets nobody in, or if legacy could not all be read.
void AdmitGone(const Identity& who, const Leave& leave, size_t row, Adopter* rows, Verdict* verdict) {
  const bool mine = rows->Found(row, "customer_id").text == who.customer_id && rows->Found(row, "tenant_id").text == who.tenant;
  const bool inactive = rows->Found(row, "is_active").num == 0;
  if (!mine || (!inactive && !leave.unread)) return;
  rows->TakeRow(row);
  ++verdict->declared[inactive ? "gone from legacy" : "not readable in legacy"];
}

// Central may know of a dated revocation that legacy does not.
bool RevokedInCentral(size_t found, size_t expected, const Adopter& rows) {
  const Cell& since = rows.Found(found, "revoked_at");
  if (rows.Found(found, "is_active").num != 0 || since.is_null) return false;
  if (rows.Expected(expected, "is_active").num != 0) return true;
  return Earlier(since, rows.Expected(expected, "revoked_at")) && rows.Found(found, "revoked_by").text == kGone;
}

// The state that an earlier row left in a key: the merge never takes a revocation back, nor a shorter life.
bool AdmitKeptKey(size_t found, size_t expected, Adopter* rows) {
  const auto f = [&](std::string_view column) -> const Cell& { return rows->Found(found, column); };
  const auto e = [&](std::string_view column) -> const Cell& { return rows->Expected(expected, column); };
  std::vector<std::string_view> kept;
  for (const std::string_view column : {"created_at", "expires_at"}) {
    if (Earlier(f(column), e(column))) kept.push_back(column);
  }
  if (Later(f("last_used_at"), e("last_used_at"))) kept.push_back("last_used_at");
  const bool revoked = f("is_active").num == 0 && e("is_active").num != 0;
  const bool dated = f("is_active").num == 0 && Earlier(f("revoked_at"), e("revoked_at"));
  const bool same_time = f("revoked_at") == e("revoked_at");
  if (revoked) kept.push_back("is_active");
  if (dated) kept.push_back("revoked_at");
  if (revoked || dated || (same_time && Smaller(f("revoked_by"), e("revoked_by")))) kept.push_back("revoked_by");
  bool differs = false;
  for (const std::string_view column : kept) {
    differs |= !(f(column) == e(column));
    rows->TakeCell(found, expected, column);
  }
  return differs;
}

bool AdmitKeptCredential(size_t found, size_t expected, Adopter* rows) {
  const bool inactive = rows->Found(found, "is_active").num == 0 && rows->Expected(expected, "is_active").num != 0;
  const bool later = Later(rows->Found(found, "updated_at"), rows->Expected(expected, "updated_at"));
  if (inactive) rows->TakeCell(found, expected, "is_active");
  if (later) rows->TakeCell(found, expected, "updated_at");
  return inactive || later;
}

}  // namespace

void AdmitDeclaredKeys(const Identity& who, const Leave& leave, const RowBatch& found, RowBatch* expected, Verdict* verdict) {
  const auto wanted = ByText(*expected, "api_key_hash");
  Adopter rows(found, expected);
  for (size_t i = 0; i < found.size(); ++i) {
    const std::string_view hash = rows.Found(i, "api_key_hash").text;
    const auto match = wanted.find(hash);
    if (match == wanted.end()) {
      if (ReadHexDigest(hash)) AdmitGone(who, leave, i, &rows, verdict);
      continue;
    }
    if (RevokedInCentral(i, match->second, rows)) {
      ++verdict->declared["revoked in central"];
      for (const std::string_view column : {"is_active", "revoked_at", "revoked_by"}) rows.TakeCell(i, match->second, column);
    }
    if (leave.merged_before && AdmitKeptKey(i, match->second, &rows)) ++verdict->declared[std::string(kKept)];
  }
}

void AdmitDeclaredCredentials(const Identity& who, const Leave& leave, const RowBatch& found, RowBatch* expected,
                              Verdict* verdict) {
  const auto wanted = ByText(*expected, "credential_id");
  Adopter rows(found, expected);
  for (size_t i = 0; i < found.size(); ++i) {
    const auto match = wanted.find(rows.Found(i, "credential_id").text);
    if (match == wanted.end()) AdmitGone(who, leave, i, &rows, verdict);
    else if (leave.merged_before && AdmitKeptCredential(i, match->second, &rows)) ++verdict->declared[std::string(kKept)];
  }
}

}  // namespace reeve::migrate::witness
