#include "migrate/witness/row.h"

#include <cstring>

#include "base/error.h"
#include "migrate/witness/text.h"

namespace reeve::migrate::witness {
namespace {

using Raw = RawValue::Type;

constexpr uint8_t kHasIsActive = 1;
constexpr uint8_t kRejected = 2;

Reason CheckText(std::string_view text) {
  if (std::memchr(text.data(), '\0', text.size()) != nullptr) return Reason::kNulInText;
  return text.size() > kTextBytesMax ? Reason::kValueTooLarge : Reason::kNone;
}

Reason ReadText(const RawValue& raw, FieldValue* value) {
  if (raw.type != Raw::kText) return Reason::kBadText;
  if (raw.text.empty()) return Reason::kNone;
  *value = {true, 0, raw.text};
  return CheckText(raw.text);
}

Reason ReadInstant(const RawValue& raw, FieldValue* value) {
  const auto instant = raw.type == Raw::kText ? ReadTime(raw.text) : std::nullopt;
  if (!instant) return Reason::kBadTime;
  *value = {true, *instant, {}};
  return Reason::kNone;
}

Reason ReadNumber(const RawValue& raw, FieldValue* value) {
  std::optional<int64_t> number;
  if (raw.type == Raw::kInteger) number = raw.number;
  if (raw.type == Raw::kText) number = ReadInt(raw.text);
  if (!number) return Reason::kBadInt;
  *value = {true, *number, {}};
  return Reason::kNone;
}

Reason ReadBool(const RawValue& raw, FieldValue* value) {
  std::optional<bool> truth;
  if (raw.type == Raw::kBool) truth = raw.number != 0;
  if (raw.type == Raw::kText && raw.text == "true") truth = true;
  if (raw.type == Raw::kText && raw.text == "false") truth = false;
  if (!truth) return Reason::kBadBool;
  *value = {true, *truth ? 1 : 0, {}};
  return Reason::kNone;
}

Reason ReadTexts(const RawValue& raw, FieldValue* value) {
  if (raw.type != Raw::kTexts) return Reason::kBadTexts;
  if (raw.nul) return Reason::kNulInText;
  if (raw.too_large) return Reason::kValueTooLarge;
  if (raw.text != "[]") *value = {true, 0, raw.text};
  return Reason::kNone;
}

Reason ReadField(FieldType type, const RawValue& raw, FieldValue* value) {
  switch (type) {
    case FieldType::kText: return ReadText(raw, value);
    case FieldType::kTime: return ReadInstant(raw, value);
    case FieldType::kInt: return ReadNumber(raw, value);
    case FieldType::kBool: return ReadBool(raw, value);
    case FieldType::kTexts: return ReadTexts(raw, value);
    case FieldType::kMetadata:
      if (raw.type != Raw::kObjectOrArray) return ReadText(raw, value);
      *value = {true, 0, raw.text};
      return Reason::kNone;
  }
  return Reason::kBadText;
}

bool HoldsText(FieldType type) {
  return type == FieldType::kText || type == FieldType::kTexts || type == FieldType::kMetadata;
}

template <typename Number>
void Append(Number number, std::string* out) {
  out->append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <typename Number>
Number Take(std::string_view* bytes) {
  Number number;
  REEVE_ASSERT(bytes->size() >= sizeof number);
  std::memcpy(&number, bytes->data(), sizeof number);
  bytes->remove_prefix(sizeof number);
  return number;
}

}  // namespace

Reason ReadRow(const JsonRow& json, Kind kind, Row* out) {
  const auto fields = FieldsOf(kind);
  for (size_t i = 0; i < fields.size(); ++i) {
    FieldValue& value = out->fields[i];
    value = {};
    const RawValue& raw = json.Value(i);
    if (raw.type == Raw::kAbsent) continue;
    if (const Reason reason = ReadField(fields[i].type, raw, &value); reason != Reason::kNone) return reason;
  }
  return Reason::kNone;
}

std::string_view TenantOf(const JsonRow& json, Kind kind) {
  const RawValue& raw = json.Value(static_cast<size_t>(TenantField(kind)));
  FieldValue value;
  return raw.type == Raw::kText && ReadText(raw, &value) == Reason::kNone ? value.text : std::string_view();
}

void PackRow(Kind kind, bool has_is_active, const Row& row, std::string* out) {
  Append(static_cast<uint8_t>(kind), out);
  Append(static_cast<uint8_t>(has_is_active ? kHasIsActive : 0), out);
  const auto fields = FieldsOf(kind);
  for (size_t i = 0; i < fields.size(); ++i) {
    const FieldValue& value = row.fields[i];
    Append(static_cast<uint8_t>(value.present ? 1 : 0), out);
    if (!value.present) continue;
    if (HoldsText(fields[i].type)) {
      Append(static_cast<uint32_t>(value.text.size()), out);
      out->append(value.text);
    } else {
      Append(value.number, out);
    }
  }
}

void PackRejected(Kind kind, std::string* out) {
  Append(static_cast<uint8_t>(kind), out);
  Append(kRejected, out);
}

void UnpackRow(std::string_view* bytes, PackedRow* out) {
  out->kind = static_cast<Kind>(Take<uint8_t>(bytes));
  const auto flags = Take<uint8_t>(bytes);
  out->has_is_active = (flags & kHasIsActive) != 0;
  out->rejected = (flags & kRejected) != 0;
  if (out->rejected) return;
  const auto fields = FieldsOf(out->kind);
  for (size_t i = 0; i < fields.size(); ++i) {
    FieldValue& value = out->row.fields[i];
    value = {};
    if (Take<uint8_t>(bytes) == 0) continue;
    value.present = true;
    if (HoldsText(fields[i].type)) {
      const auto size = Take<uint32_t>(bytes);
      value.text = bytes->substr(0, size);
      REEVE_ASSERT(value.text.size() == size);
      bytes->remove_prefix(size);
    } else {
      value.number = Take<int64_t>(bytes);
    }
  }
}

}  // namespace reeve::migrate::witness
