#include "sample/poison.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::sample {
namespace {

constexpr size_t kTextBytesMax = 1 << 20;

// Tries to break `row` and gives the line, or nothing if the fault cannot happen to this row.
using Apply = std::optional<std::string> (*)(const PoisonContext&, Fields*, Prng*, int* broken_entry);

struct Fault {
  std::string_view name;
  std::string_view reason;
  Apply apply;
};

std::string Joined(const Fields& row) {
  std::string line;
  row.Join(&line);
  return line;
}

// The row with one more member, given as JSON source.
std::string WithMember(const Fields& row, std::string_view member) {
  std::string line = Joined(row);
  line.pop_back();
  line += ',';
  line += member;
  return line + "}";
}

// A random column of this type, or -1.
int PickType(const Fields& row, FieldType type, Prng* rng) {
  std::vector<int> found;
  for (size_t i = 0; i < row.entries().size(); ++i)
    if (row.entries()[i].type == type) found.push_back(static_cast<int>(i));
  return found.empty() ? -1 : rng->Pick(found);
}

std::optional<std::string> ReplaceAt(Fields* row, int index, std::string_view json, int* broken_entry) {
  if (index < 0) return std::nullopt;
  *broken_entry = index;
  row->Replace(static_cast<size_t>(index), json);
  return Joined(*row);
}

template <FieldType type, size_t n>
std::optional<std::string> ReplaceType(const std::string_view (&values)[n], Fields* row, Prng* rng, int* entry) {
  return ReplaceAt(row, PickType(*row, type, rng), rng->Pick(values), entry);
}

// The column missing, as null, or (where that means the same) as an empty text.
template <Role role, bool empty_is_absent>
std::optional<std::string> Miss(const PoisonContext&, Fields* row, Prng* rng, int*) {
  const int index = row->Find(role);
  if (index < 0) return std::nullopt;
  const uint64_t way = rng->Below(empty_is_absent ? 3 : 2);
  if (way == 0)
    row->Drop(static_cast<size_t>(index));
  else
    row->Replace(static_cast<size_t>(index), way == 1 ? "null" : "\"\"");
  return Joined(*row);
}

std::optional<std::string> BadUtf8(const PoisonContext&, Fields* row, Prng* rng, int*) {
  constexpr std::string_view kBad[] = {"\"n\":\"\xFF\"", "\"n\":\"\xC3(\"", "\"n\":\"\xED\xA0\x80\"", "\"n\":\"\xC0\x80\""};
  return WithMember(*row, rng->Pick(kBad));
}

std::optional<std::string> Truncated(const PoisonContext&, Fields* row, Prng* rng, int*) {
  const std::string line = Joined(*row);
  return line.substr(0, 1 + rng->Below(line.size() - 1));
}

std::optional<std::string> BadSyntax(const PoisonContext&, Fields* row, Prng* rng, int*) {
  constexpr std::string_view kBad[] = {"\"n\":\"\x01\"", "\"n\":\"a\tb\"", R"("n":"\ud800")", R"("n":"\x41")",
                                       R"("n":01)", R"("n":+1)", R"("n":.5)", R"("n":tru)", R"("n":[1,])", R"('n':1)"};
  return WithMember(*row, rng->Pick(kBad));
}

std::optional<std::string> Trailing(const PoisonContext&, Fields* row, Prng* rng, int*) {
  return Joined(*row) + (rng->Percent(50) ? " {}" : ",");
}

std::optional<std::string> BigNumber(const PoisonContext&, Fields* row, Prng* rng, int*) {
  constexpr std::string_view kBad[] = {"18446744073709551616", "-9223372036854775809", "1e400",
                                       "123456789012345678901234567890"};
  return WithMember(*row, "\"run_number\":" + std::string(rng->Pick(kBad)));
}

// One level more than the 64 allowed; the row's object is level 1.
std::optional<std::string> Deep(const PoisonContext&, Fields* row, Prng* rng, int*) {
  const size_t levels = rng->Percent(50) ? 64 : 5'000;
  return WithMember(*row, "\"n\":" + std::string(levels, '[') + std::string(levels, ']'));
}

std::optional<std::string> NotAnObject(const PoisonContext&, Fields* row, Prng* rng, int*) {
  constexpr std::string_view kBad[] = {"null", "12", "\"row\"", "true"};
  return rng->Percent(30) ? "[" + Joined(*row) + "]" : std::string(rng->Pick(kBad));
}

std::optional<std::string> Duplicate(const PoisonContext&, Fields* row, Prng* rng, int*) {
  const Fields::Entry& entry = rng->Pick(row->entries());
  std::string name(entry.column);
  if (rng->Percent(30)) name = fmt::format("\\u{:04x}{}", static_cast<int>(name[0]), name.substr(1));
  return WithMember(*row, "\"" + name + "\":" + (rng->Percent(50) ? "null" : "\"again\""));
}

std::optional<std::string> UnknownColumn(const PoisonContext& context, Fields* row, Prng*, int*) {
  if (!context.has_schema) return std::nullopt;
  return WithMember(*row, R"("surprise":"1")");
}

std::optional<std::string> Huge(const PoisonContext&, Fields* row, Prng* rng, int* entry) {
  if (rng->Below(64) != 0) return std::nullopt;  // they make an estate large
  return ReplaceAt(row, PickType(*row, FieldType::kText, rng), "\"" + std::string(kTextBytesMax + 1, 'x') + "\"", entry);
}

std::optional<std::string> Nul(const PoisonContext&, Fields* row, Prng* rng, int* entry) {
  return ReplaceAt(row, PickType(*row, FieldType::kText, rng), R"("ab\u0000cd")", entry);
}

std::optional<std::string> BadText(const PoisonContext&, Fields* row, Prng* rng, int* entry) {
  static constexpr std::string_view kBad[] = {"17", "true", "{}", "[\"a\"]", "1.5"};
  return ReplaceType<FieldType::kText>(kBad, row, rng, entry);
}

std::optional<std::string> BadTime(const PoisonContext&, Fields* row, Prng* rng, int* entry) {
  static constexpr std::string_view kBad[] = {
      R"("2026-02-30 10:00:00 UTC")", R"("yesterday")", R"("2026-01-01 24:00:00 UTC")",
      R"("2026-01-01 23:59:60 UTC")", R"("2026-01-01")", "1767225600", R"("2026-01-01T00:00:00+2:00")",
      R"("2026-01-01 00:00:00.1234567 UTC")", R"("10000-01-01 00:00:00 UTC")", R"("2026-1-1 00:00:00")",
      R"("2026-01-01 00:00:00 CET")", R"("0000-01-01 00:00:00 UTC")"};
  return ReplaceType<FieldType::kTime>(kBad, row, rng, entry);
}

std::optional<std::string> BadInt(const PoisonContext&, Fields* row, Prng* rng, int* entry) {
  static constexpr std::string_view kBad[] = {R"("12.5")", R"("9223372036854775808")", "9223372036854775808",
                                              R"("1e3")", "1.5", R"(" 5")", R"("+5")"};
  return ReplaceType<FieldType::kInt>(kBad, row, rng, entry);
}

std::optional<std::string> BadBool(const PoisonContext&, Fields* row, Prng* rng, int* entry) {
  static constexpr std::string_view kBad[] = {"1", R"("yes")", R"("TRUE")", "[]"};
  return ReplaceType<FieldType::kBool>(kBad, row, rng, entry);
}

std::optional<std::string> BadTexts(const PoisonContext&, Fields* row, Prng* rng, int* entry) {
  static constexpr std::string_view kBad[] = {R"("pipelines:read")", R"(["a",1])", R"(["a",null])", "{}"};
  return ReplaceType<FieldType::kTexts>(kBad, row, rng, entry);
}

std::optional<std::string> ForeignTenant(const PoisonContext& context, Fields* row, Prng*, int* entry) {
  if (context.shared) return std::nullopt;
  return ReplaceAt(row, row->Find(Role::kTenant), "\"" + std::string(context.foreign) + "\"", entry);
}

std::optional<std::string> NoTenant(const PoisonContext& context, Fields* row, Prng* rng, int* entry) {
  const int index = row->Find(Role::kTenant);
  if (!context.shared || index < 0) return std::nullopt;
  if (rng->Percent(50)) return ReplaceAt(row, index, rng->Percent(50) ? "null" : "\"\"", entry);
  row->Drop(static_cast<size_t>(index));
  return Joined(*row);
}

std::optional<std::string> UnknownTenant(const PoisonContext& context, Fields* row, Prng* rng, int* entry) {
  if (!context.shared) return std::nullopt;
  return ReplaceAt(row, row->Find(Role::kTenant), "\"ghost_customer_" + std::to_string(rng->Below(100)) + "\"", entry);
}

std::optional<std::string> MissingIsActive(const PoisonContext& context, Fields* row, Prng* rng, int* entry) {
  if (!context.has_is_active) return std::nullopt;
  return Miss<Role::kIsActive, false>(context, row, rng, entry);
}

std::optional<std::string> MissingHash(const PoisonContext& context, Fields* row, Prng* rng, int* entry) {
  if (row->Find(Role::kHash) >= 0) return Miss<Role::kHash, true>(context, row, rng, entry);
  return Miss<Role::kApiKey, true>(context, row, rng, entry);
}

std::optional<std::string> BadHash(const PoisonContext&, Fields* row, Prng* rng, int* entry) {
  const int index = row->Find(Role::kHash);
  std::string bad;
  switch (rng->Below(4)) {
    case 0: bad = rng->Hex(63); break;
    case 1: bad = rng->Hex(63) + "g"; break;
    case 2: bad = Base64Encode(rng->Bytes(20)); break;
    default: bad = Base64Encode(rng->Bytes(33)); break;
  }
  return ReplaceAt(row, index, "\"" + bad + "\"", entry);
}

std::optional<std::string> FutureTime(const PoisonContext& context, Fields* row, Prng* rng, int* entry) {
  const int index = std::max(row->Find(Role::kCreatedAt), row->Find(Role::kStart));
  const Micros ways[] = {context.as_of + kDay + 1, context.as_of + 400 * kDay, kTimeMax};
  std::string json = "\"";
  AppendTime(rng->Pick(ways), TimeStyle::kBigQuery, &json);
  return ReplaceAt(row, index, json + "\"", entry);
}

std::optional<std::string> UnknownStatus(const PoisonContext&, Fields* row, Prng* rng, int* entry) {
  static constexpr std::string_view kBad[] = {R"("EXPLODED")", R"("DONE")", R"("PENDING ")", R"("läuft")"};
  return ReplaceAt(row, row->Find(Role::kStatus), rng->Pick(kBad), entry);
}

std::optional<std::string> NegativeDuration(const PoisonContext&, Fields* row, Prng* rng, int* entry) {
  return ReplaceAt(row, row->Find(Role::kDuration), rng->Percent(50) ? "\"-1\"" : "-86400000", entry);
}

std::optional<std::string> MissingRunId(const PoisonContext& context, Fields* row, Prng* rng, int* entry) {
  if (context.kind != Kind::kRuns) return std::nullopt;
  return Miss<Role::kId, false>(context, row, rng, entry);
}

constexpr Fault kFaults[] = {
    {"bad_utf8", "invalid_json", BadUtf8},
    {"truncated_json", "invalid_json", Truncated},
    {"bad_syntax", "invalid_json", BadSyntax},
    {"trailing_text", "invalid_json", Trailing},
    {"number_beyond_int64", "invalid_json", BigNumber},
    {"deep_json", "invalid_json", Deep},
    {"not_an_object", "not_an_object", NotAnObject},
    {"duplicate_field", "duplicate_field", Duplicate},
    {"unknown_column", "unknown_column", UnknownColumn},
    {"huge_value", "value_too_large", Huge},
    {"nul", "nul_in_text", Nul},
    {"bad_text", "bad_text", BadText},
    {"bad_time", "bad_time", BadTime},
    {"bad_int", "bad_int", BadInt},
    {"bad_bool", "bad_bool", BadBool},
    {"bad_texts", "bad_texts", BadTexts},
    {"foreign_tenant", "foreign_tenant", ForeignTenant},
    {"no_tenant", "no_tenant", NoTenant},
    {"unknown_tenant", "unknown_tenant", UnknownTenant},
    {"missing_created_at", "missing_created_at", Miss<Role::kCreatedAt, false>},
    {"missing_is_active", "missing_is_active", MissingIsActive},
    {"missing_hash", "missing_hash", MissingHash},
    {"missing_provider", "missing_provider", Miss<Role::kProvider, true>},
    {"missing_run_id", "missing_run_id", MissingRunId},
    {"missing_status", "missing_status", Miss<Role::kStatus, false>},
    {"missing_start_time", "missing_start_time", Miss<Role::kStart, false>},
    {"future_date", "future_time", FutureTime},
    {"bad_hash", "bad_hash", BadHash},
    {"unknown_status", "unknown_status", UnknownStatus},
    {"negative_duration", "negative_duration", NegativeDuration},
};

// Whether the reader can still say whose row it is.
bool NamesTenant(const Fault& fault, const Fields& row, int broken_entry) {
  static constexpr std::string_view kNameless[] = {"invalid_json", "not_an_object", "duplicate_field",
                                                   "no_tenant", "unknown_tenant"};
  if (std::find(std::begin(kNameless), std::end(kNameless), fault.reason) != std::end(kNameless)) return false;
  return broken_entry < 0 || row.entries()[static_cast<size_t>(broken_entry)].role != Role::kTenant;
}

Broken BreakWith(const Fault& fault, std::string line, const Fields& row, int entry) {
  return {std::move(line), fault.name, fault.reason, NamesTenant(fault, row, entry)};
}

}  // namespace

Broken Break(const PoisonContext& context, Fields* row, Prng* rng) {
  for (;;) {
    const Fault& fault = rng->Pick(kFaults);
    int entry = -1;
    std::optional<std::string> line = fault.apply(context, row, rng, &entry);
    if (line) return BreakWith(fault, std::move(*line), *row, entry);
  }
}

std::vector<std::string_view> BreakReasons() {
  std::vector<std::string_view> reasons;
  for (const Fault& fault : kFaults) reasons.push_back(fault.reason);
  std::sort(reasons.begin(), reasons.end());
  reasons.erase(std::unique(reasons.begin(), reasons.end()), reasons.end());
  return reasons;
}

Broken BreakByHugeValue(Fields* row, Prng* rng) {
  const int index = PickType(*row, FieldType::kText, rng);
  REEVE_ASSERT(index >= 0);
  row->Replace(static_cast<size_t>(index), "\"" + std::string(kTextBytesMax + 1, 'x') + "\"");
  return {Joined(*row), "huge_value", "value_too_large", row->entries()[static_cast<size_t>(index)].role != Role::kTenant};
}

}  // namespace reeve::sample
