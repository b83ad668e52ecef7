#include "migrate/ops/legacy_keys.h"

#include <algorithm>
#include <limits>

#include "base/encoding.h"
#include "catalog/json_scan.h"
#include "catalog/legacy.h"
#include "crypto/sha256.h"

namespace reeve::migrate::ops {
namespace {

using catalog::Field;
using catalog::JsonMember;

constexpr size_t kChunkBytes = 256 * 1024;

std::optional<catalog::LegacyColumn> ColumnOf(std::string_view name) {
  return catalog::FindLegacyColumn(catalog::LegacyKind::kKeys, name);
}

std::optional<std::string> TextOf(std::string_view token) {
  if (token.empty() || token.front() != '"') return std::nullopt;
  std::string text;
  catalog::UnescapeJsonString(token, &text);
  return text;
}

bool IsHex64(std::string_view text) { return text.size() == 64 && HexDecode(text).has_value(); }

// A hash column: hex of any case, or base64 of 32 bytes.
std::optional<std::string> HashOf(const std::string& text) {
  if (IsHex64(text)) return AsciiLower(text);
  std::string bytes;
  if (text.size() == 44 && Base64Decode(text, &bytes) && bytes.size() == 32) return HexEncode(bytes);
  return std::nullopt;
}

bool IsTrue(std::string_view token) { return token == "true" || token == "\"true\""; }

// The members that mean something, those with the lowest rank first, so that the first one seen of
// a field counts.
std::vector<std::pair<catalog::LegacyColumn, std::string_view>> Meanings(const std::vector<JsonMember>& members) {
  std::vector<std::pair<catalog::LegacyColumn, std::string_view>> found;
  for (const JsonMember& member : members) {
    const auto column = ColumnOf(member.name);
    if (column && column->field != Field::kIgnored && member.value != "null") found.emplace_back(*column, member.value);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first.rank < b.first.rank; });
  return found;
}

template <typename T>
void KeepFirst(std::optional<T> value, std::optional<T>* slot) {
  if (!*slot) *slot = std::move(value);
}

void KeepFirst(const std::optional<std::string>& value, std::string* slot) {
  if (slot->empty() && value) *slot = *value;
}

void AddKeyText(const std::optional<std::string>& text, LegacyKey* key) {
  if (!text || text->empty()) return;
  key->hashes.push_back(crypto::Sha256Hex(*text));
  if (IsHex64(*text)) key->hashes.push_back(AsciiLower(*text));
}

void Take(Field field, std::string_view token, LegacyKey* key) {
  const std::optional<std::string> text = TextOf(token);
  const auto time = [&]() { return text ? ParseTime(*text) : std::nullopt; };
  switch (field) {
    case Field::kId: return KeepFirst(text, &key->id);
    case Field::kTenant: return KeepFirst(text, &key->tenant);
    case Field::kIsActive: key->active = key->active || IsTrue(token); return;
    case Field::kCreatedAt: return KeepFirst(time(), &key->created_at);
    case Field::kExpiresAt: return KeepFirst(time(), &key->expires_at);
    case Field::kRevokedAt: return KeepFirst(time(), &key->revoked_at);
    case Field::kLastUsedAt: return KeepFirst(time(), &key->last_used_at);
    case Field::kRevokedBy: return KeepFirst(text, &key->revoked_by);
    case Field::kScopes: (void)catalog::ParseJsonStrings(token, &key->scopes); return;
    case Field::kHash:
      if (const auto hash = text ? HashOf(*text) : std::nullopt) key->hashes.push_back(*hash);
      return;
    case Field::kPlainKey: return AddKeyText(text, key);
    default: return;
  }
}

}  // namespace

std::optional<LegacyKey> ParseLegacyKey(std::string_view line) {
  std::vector<JsonMember> members;
  if (!catalog::ScanJsonObject(line, &members)) return std::nullopt;
  LegacyKey key;
  for (const auto& [column, token] : Meanings(members)) Take(column.field, token, &key);
  if (key.hashes.empty()) return std::nullopt;
  return key;
}

void DenialColumns::LookAt(std::string_view name) {
  const auto column = ColumnOf(name);
  if (!column) return;
  std::string* slot = column->field == Field::kRevokedAt ? &at : column->field == Field::kRevokedBy ? &by : nullptr;
  if (slot == nullptr || (!slot->empty() && ColumnOf(*slot)->rank <= column->rank)) return;
  *slot = name;
}

void DenialColumns::Look(std::string_view line) {
  std::vector<JsonMember> members;
  if (!catalog::ScanJsonObject(line, &members)) return;
  for (const JsonMember& member : members) LookAt(member.name);
}

std::string DenyInLine(std::string_view line, const Denial& denial, const DenialColumns& columns) {
  std::vector<JsonMember> members;
  REEVE_ASSERT(catalog::ScanJsonObject(line, &members));
  const LegacyKey before = *ParseLegacyKey(line);
  const std::string at = denial.at && !before.revoked_at ? columns.at : std::string();
  const std::string by = !denial.by.empty() && before.revoked_by.empty() ? columns.by : std::string();
  const auto value_of = [&](std::string_view column) {
    std::string json;
    AppendJsonString(column == at ? FormatTime(*denial.at) : denial.by, &json);
    return json;
  };
  std::string text(line), added;
  for (const std::string& column : {at, by}) {
    const bool there = std::any_of(members.begin(), members.end(), [&](const JsonMember& member) { return member.name == column; });
    if (column.empty() || there) continue;
    added += ",";
    AppendJsonString(column, &added);
    added += ":" + value_of(column);
  }
  // From the end to the beginning, so that places found in `line` stay right.
  text.insert(text.rfind('}'), added);
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    const std::string_view token = member->value;
    const auto column = ColumnOf(member->name);
    std::string with;
    if (column && column->field == Field::kIsActive && IsTrue(token)) with = token.front() == '"' ? "\"false\"" : "false";
    if (!member->name.empty() && (member->name == at || member->name == by) && (token == "null" || token == "\"\"")) with = value_of(member->name);
    if (!with.empty()) text.replace(static_cast<size_t>(token.data() - line.data()), token.size(), with);
  }
  return text;
}

Result<> ForEachRawLine(legacy::LegacyEstate& estate, const legacy::LegacyTable& table,
                        const std::function<Result<>(std::string_view line)>& visit) {
  std::string chunk(kChunkBytes, '\0');
  for (size_t part = 0; part < table.parts.size(); ++part) {
    REEVE_ASSIGN(const std::unique_ptr<legacy::RawReader> reader, estate.OpenRaw(table, part));
    std::string pending;
    for (;;) {
      REEVE_ASSIGN(const size_t count, reader->Read(chunk.data(), chunk.size()));
      if (count == 0) break;
      size_t searched = pending.size(), start = 0;
      pending.append(chunk, 0, count);
      for (size_t end; (end = pending.find('\n', searched)) != std::string::npos; searched = start = end + 1)
        REEVE_TRY(visit(std::string_view(pending).substr(start, end - start)));
      pending.erase(0, start);
      if (pending.size() > kRewriteBytesMax)
        return Fail(Code::kRefused, "{}: a line is longer than {} bytes", table.parts[part].name, kRewriteBytesMax);
    }
    if (!pending.empty()) REEVE_TRY(visit(pending));
  }
  return {};
}

}  // namespace reeve::migrate::ops
