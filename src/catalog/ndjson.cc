#include "catalog/ndjson.h"

#include <charconv>

#include "base/encoding.h"
#include "base/time_text.h"
#include "catalog/json_scan.h"

namespace reeve::catalog {
namespace {

// A JSON text on one line: line breaks can only be between tokens, where a space says the same.
void AppendJsonOnOneLine(std::string_view json, std::string* out) {
  const size_t start = out->size();
  out->append(json);
  for (size_t i = start; i < out->size(); ++i) {
    char& c = (*out)[i];
    if (c == '\n' || c == '\r') c = ' ';
  }
}

void AppendValue(const Column& column, const Cell& cell, std::string* out) {
  switch (column.type) {
    case Type::kString: AppendJsonString(cell.text, out); return;
    case Type::kInt64: fmt::format_to(std::back_inserter(*out), "\"{}\"", cell.num); return;
    case Type::kBool: out->append(cell.num != 0 ? "true" : "false"); return;
    case Type::kTimestamp: out->append("\"").append(FormatTime(cell.num)).append("\""); return;
    case Type::kDate:
      out->append("\"").append(FormatDate(static_cast<Days>(cell.num))).append("\"");
      return;
    case Type::kNumeric:
      out->append("\"").append(FormatNumeric(cell.num, column.scale)).append("\"");
      return;
    case Type::kBytes: out->append("\"").append(Base64Encode(cell.text)).append("\""); return;
    case Type::kJson:
    case Type::kStrings: AppendJsonOnOneLine(cell.text, out); return;
  }
}

std::optional<int64_t> ParseInt(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The value of a column from its JSON token; nullopt if it is none of the column's type.
// `text` is the token's content if it is a string, else the token itself.
std::optional<int64_t> ParseNumber(const Column& column, std::string_view text, bool is_string) {
  switch (column.type) {
    case Type::kInt64: return ParseInt(text);
    case Type::kNumeric: {
      const auto value = ParseNumeric(text, column.scale);
      const int64_t limit = NumericLimit(column.precision);
      return value && *value < limit && *value > -limit ? value : std::nullopt;
    }
    case Type::kBool:
      if (text == "true") return 1;
      if (text == "false") return 0;
      return std::nullopt;
    case Type::kTimestamp: return is_string ? ParseTime(text) : std::nullopt;
    case Type::kDate:
      if (const auto days = is_string ? ParseDate(text) : std::nullopt) return *days;
      return std::nullopt;
    default: return std::nullopt;
  }
}

Result<> ParseStrings(std::string_view token, RowBatch* batch, Cell* cell) {
  std::vector<std::string> values;
  if (!ParseJsonStrings(token, &values)) return Fail(Code::kFailed, "is no array of texts");
  *cell = batch->Own(StringsToJson(values));
  return {};
}

Result<> ParseCell(const Column& column, std::string_view token, RowBatch* batch, Cell* cell) {
  if (token == "null") return {};
  if (column.type == Type::kJson) {
    *cell = batch->Own(token);
    return {};
  }
  if (column.type == Type::kStrings) return ParseStrings(token, batch, cell);
  const bool is_string = token.front() == '"';
  std::string text(token);
  if (is_string) UnescapeJsonString(token, &text);
  if (IsNumeric(column.type)) {
    const auto value = ParseNumber(column, text, is_string);
    if (!value) return Fail(Code::kFailed, "is no {}", TypeName(column.type));
    *cell = Cell::Int(*value);
    return {};
  }
  if (!is_string) return Fail(Code::kFailed, "is no text");
  if (column.type == Type::kBytes) {
    std::string bytes;
    if (!Base64Decode(text, &bytes)) return Fail(Code::kFailed, "is no canonical base64");
    *cell = batch->Own(bytes);
    return {};
  }
  if (text.find('\0') != std::string::npos) return Fail(Code::kFailed, "holds U+0000");
  *cell = batch->Own(text);
  return {};
}

Result<> ParseInto(std::string_view line, RowBatch* batch, std::span<Cell> row) {
  const Table& table = batch->table();
  std::vector<JsonMember> members;
  if (!ScanJsonObject(line, &members)) return Fail(Code::kFailed, "the line is no JSON object");
  std::vector<bool> seen(table.columns.size());
  for (const JsonMember& member : members) {
    const int index = table.Find(member.name);
    if (index < 0) return Fail(Code::kFailed, "{} has no column {}", table.name, member.name);
    if (seen[index]) return Fail(Code::kFailed, "{} occurs twice", member.name);
    seen[index] = true;
    if (auto parsed = ParseCell(table.columns[index], member.value, batch, &row[index]); !parsed) {
      return Unexpected(Error{Code::kFailed, fmt::format("{} {}", member.name, parsed.error().message), {}});
    }
  }
  for (size_t i = 0; i < row.size(); ++i) {
    if (table.columns[i].required && row[i].is_null) {
      return Fail(Code::kFailed, "{} is missing", table.columns[i].name);
    }
  }
  return {};
}

}  // namespace

void AppendRow(const Table& table, std::span<const Cell> row, std::string* out) {
  REEVE_ASSERT(row.size() == table.columns.size());
  out->push_back('{');
  bool first = true;
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i].is_null) continue;
    if (!first) out->push_back(',');
    first = false;
    out->append("\"").append(table.columns[i].name).append("\":");
    AppendValue(table.columns[i], row[i], out);
  }
  out->append("}\n");
}

Result<> ParseRow(std::string_view line, RowBatch* batch) {
  const std::span<Cell> row = batch->AddRow();
  auto parsed = ParseInto(line, batch, row);
  if (!parsed) batch->DropRow();
  return parsed;
}

int64_t NumericLimit(int precision) {
  REEVE_ASSERT(precision > 0 && precision <= 18);
  int64_t limit = 1;
  for (int i = 0; i < precision; ++i) limit *= 10;
  return limit;
}

std::optional<int64_t> ParseNumeric(std::string_view text, int scale) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && fraction.empty())) return std::nullopt;
  if (fraction.size() > static_cast<size_t>(scale)) return std::nullopt;
  std::string digits(whole);
  digits.append(fraction).append(scale - fraction.size(), '0');
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return ParseInt(negative ? "-" + digits : digits);
}

std::string FormatNumeric(int64_t scaled, int scale) {
  std::string digits = fmt::format("{}", scaled < 0 ? -static_cast<uint64_t>(scaled) : static_cast<uint64_t>(scaled));
  if (digits.size() <= static_cast<size_t>(scale)) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, 1, '.');
  return scaled < 0 ? "-" + digits : digits;
}

std::string StringsToJson(std::span<const std::string> values) {
  std::string json = "[";
  for (const std::string& value : values) {
    if (json.size() > 1) json.push_back(',');
    AppendJsonString(value, &json);
  }
  json.push_back(']');
  return json;
}

std::optional<std::vector<std::string>> StringsFromJson(std::string_view json) {
  std::vector<std::string> values;
  if (!ParseJsonStrings(json, &values)) return std::nullopt;
  return values;
}

}  // namespace reeve::catalog
