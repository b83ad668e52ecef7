#include "migrate/backup/natural_key.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "legacy/estate.h"

namespace reeve::migrate {
namespace {

using catalog::Field;
using catalog::LegacyKind;

// The value as written of the first column that means `field` and is present; empty if none is.
std::string_view FieldValue(LegacyKind kind, const RowText& row, Field field) {
  std::string_view value;
  int rank = 0;
  for (const RowText::Field& candidate : row.fields()) {
    const std::optional<catalog::LegacyColumn> column = catalog::FindLegacyColumn(kind, candidate.name);
    if (!column || column->field != field || IsNull(candidate.value)) continue;
    if (!value.empty() && column->rank >= rank) continue;
    value = candidate.value;
    rank = column->rank;
  }
  return value;
}

bool IsHashHex(std::string_view text) { return text.size() == 64 && HexDecode(text).has_value(); }

// 64 lower-case hex digits of a hash in any of its encodings.
std::optional<std::string> NormalHash(std::string_view text) {
  if (IsHashHex(text)) return AsciiLower(text);
  std::string bytes;
  if (text.size() == 44 && Base64Decode(text, &bytes) && bytes.size() == 32) return HexEncode(bytes);
  return std::nullopt;
}

// Any of the values of `field` that says something else than true: also a second one, also a wrong type.
bool SaysInactive(const RowText& row) {
  return std::any_of(row.fields().begin(), row.fields().end(), [](const RowText::Field& field) {
    if (field.name != "is_active" || IsNull(field.value)) return false;
    return field.value != "true" && AsciiLower(TextOf(field.value).value_or("")) != "true";
  });
}

std::string Joined(std::string_view tag, std::initializer_list<std::string_view> parts) {
  std::string key(tag);
  for (const std::string_view part : parts) key.append(1, '\0').append(part);
  return key;
}

std::string WholeLine(std::string_view line) { return Joined("line", {line}); }

}  // namespace

std::optional<std::string> FieldText(LegacyKind kind, const RowText& row, Field field) {
  std::optional<std::string> text = TextOf(FieldValue(kind, row, field));
  if (text && text->empty()) text.reset();
  return text;
}

std::optional<KeyFacts> ReadKey(const RowText& row) {
  KeyFacts facts;
  if (!FieldValue(LegacyKind::kKeys, row, Field::kHash).empty() &&
      TextOf(FieldValue(LegacyKind::kKeys, row, Field::kHash)) != "") {
    const auto text = FieldText(LegacyKind::kKeys, row, Field::kHash);
    const auto hash = text ? NormalHash(*text) : std::nullopt;
    if (!hash) return std::nullopt;
    facts.hash = *hash;
  } else {
    const auto plain = FieldText(LegacyKind::kKeys, row, Field::kPlainKey);
    if (!plain) return std::nullopt;
    facts.hash = crypto::Sha256Hex(*plain);
    if (IsHashHex(*plain)) facts.other_hash = AsciiLower(*plain);
  }
  const std::string_view revoked = FieldValue(LegacyKind::kKeys, row, Field::kRevokedAt);
  facts.denied = SaysInactive(row) || !revoked.empty();
  if (const auto text = TextOf(revoked)) facts.denied_at = ParseTime(*text);
  return facts;
}

std::string NaturalKey(LegacyKind kind, bool shared, std::string_view line) {
  if (line.size() > legacy::kLineBytesMax) return WholeLine(crypto::Sha256Of(line));
  const std::optional<RowText> row = RowText::Parse(line);
  if (!row) return WholeLine(line);
  const std::string tenant = FieldText(kind, *row, Field::kTenant).value_or("");
  const std::string_view scope = shared ? std::string_view(tenant) : std::string_view();
  const auto id = FieldText(kind, *row, Field::kId);
  switch (kind) {
    case LegacyKind::kKeys:
      if (const auto facts = ReadKey(*row)) return Joined("key", {scope, facts->hash});
      break;
    case LegacyKind::kCredentials:
      if (id) return Joined("credential", {scope, *id});
      break;
    case LegacyKind::kRuns:
      if (const auto status = FieldText(kind, *row, Field::kStatus); id && status)
        return Joined("run", {scope, *id, AsciiUpper(*status)});
      break;
    case LegacyKind::kRecord:
      if (!tenant.empty()) return Joined("record", {tenant});
      break;
  }
  return WholeLine(line);
}

}  // namespace reeve::migrate
