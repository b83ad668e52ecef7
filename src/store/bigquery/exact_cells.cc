#include "store/bigquery/exact_cells.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/encoding.h"
#include "base/error.h"
#include "base/time_text.h"
#include "catalog/json_scan.h"
#include "catalog/ndjson.h"

namespace reeve::store {

using catalog::Cell;
using catalog::Column;
using catalog::Table;
using catalog::Type;

namespace {

template <typename Number>
std::optional<Number> Parse(std::string_view token) {
  Number value{};
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return value;
}

bool AppendNumber(std::string_view token, std::string* out) {
  const bool whole = token.find_first_of(".eE") == std::string_view::npos;
  if (token == "-0") token = "0";
  if (whole && (Parse<int64_t>(token) || Parse<uint64_t>(token))) {
    out->append(token);
    return true;
  }
  const auto value = Parse<double>(token);
  if (!value || !std::isfinite(*value)) return false;
  constexpr double kWholeMax = 9.2e18;  // below it an engine may as well say it as a whole number
  if (std::trunc(*value) == *value && std::fabs(*value) < kWholeMax) {
    fmt::format_to(std::back_inserter(*out), "{}", static_cast<int64_t>(*value));
  } else {
    fmt::format_to(std::back_inserter(*out), "{}", *value);
  }
  return true;
}

bool AppendForm(std::string_view token, std::string* out);

bool AppendObject(std::string_view token, std::string* out) {
  std::vector<catalog::JsonMember> members;
  if (!catalog::ScanJsonObject(token, &members)) return false;
  const auto before = [](const catalog::JsonMember& a, const catalog::JsonMember& b) { return a.name < b.name; };
  const auto same = [](const catalog::JsonMember& a, const catalog::JsonMember& b) { return a.name == b.name; };
  std::stable_sort(members.begin(), members.end(), before);
  members.erase(std::unique(members.begin(), members.end(), same), members.end());
  out->push_back('{');
  for (size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendJsonString(members[i].name, out);
    out->push_back(':');
    if (!AppendForm(members[i].value, out)) return false;
  }
  out->push_back('}');
  return true;
}

bool AppendArray(std::string_view token, std::string* out) {
  std::vector<std::string_view> elements;
  if (!catalog::ScanJsonArray(token, &elements)) return false;
  out->push_back('[');
  for (size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) out->push_back(',');
    if (!AppendForm(elements[i], out)) return false;
  }
  out->push_back(']');
  return true;
}

// REQUIRES: `token` is one JSON value without spaces around it
bool AppendForm(std::string_view token, std::string* out) {
  switch (token.front()) {
    case '{': return AppendObject(token, out);
    case '[': return AppendArray(token, out);
    case '"': {
      std::string text;
      catalog::UnescapeJsonString(token, &text);
      AppendJsonString(text, out);
      return true;
    }
    case 't':
    case 'f':
    case 'n': out->append(token); return true;
    default: return AppendNumber(token, out);
  }
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::optional<std::string> FormOfText(const Column& column, std::string_view text) {
  return column.type == Type::kStrings ? ArrayForm(text) : JsonForm(text);
}

std::string KeyText(const Column& column, const Cell& cell) {
  if (cell.is_null) return {};
  if (column.type == Type::kDate) return FormatDate(static_cast<Days>(cell.num));
  return catalog::IsNumeric(column.type) ? std::to_string(cell.num) : std::string(cell.text);
}

std::string_view UnstorableCell(const Column& column, const Cell& cell) {
  if (cell.is_null) return {};
  switch (column.type) {
    case Type::kString: return IsUtf8(cell.text) && cell.text.find('\0') == std::string_view::npos ? "" : "is no text that BigQuery keeps";
    case Type::kJson: return JsonForm(cell.text) ? "" : "is no JSON text that BigQuery keeps";
    case Type::kStrings: return ArrayForm(cell.text) ? "" : "is no array of texts";
    case Type::kTimestamp: return cell.num >= kTimeMin && cell.num <= kTimeMax ? "" : "is no time that BigQuery keeps";
    case Type::kDate: return cell.num >= DateOf(kTimeMin) && cell.num <= DateOf(kTimeMax) ? "" : "is no date that BigQuery keeps";
    case Type::kNumeric: {
      const int64_t limit = catalog::NumericLimit(column.precision);
      return cell.num < limit && cell.num > -limit ? "" : "has too many digits";
    }
    case Type::kInt64:
    case Type::kBool:
    case Type::kBytes: return {};
  }
  return {};
}

}  // namespace

std::optional<std::string> JsonForm(std::string_view text) {
  if (!catalog::IsJson(text)) return std::nullopt;
  std::string form;
  if (!AppendForm(Trimmed(text), &form)) return std::nullopt;
  return form;
}

std::optional<std::string> ArrayForm(std::string_view text) {
  const auto values = catalog::StringsFromJson(text);
  if (!values) return std::nullopt;
  return catalog::StringsToJson(*values);
}

bool HasForm(const Table& table) {
  return std::ranges::any_of(table.columns, [](const Column& column) { return HasForm(column); });
}

std::optional<std::string> FormOf(const Column& column, const Cell& cell) {
  if (cell.is_null) return std::nullopt;
  auto form = FormOfText(column, cell.text);
  REEVE_ASSERT(form.has_value());
  return form;
}

bool NeedsExactText(const Column& column, const Cell& cell) {
  if (cell.is_null) return column.type == Type::kStrings;
  return FormOf(column, cell) != cell.text;
}

std::optional<std::string> Restored(const Column& column, std::optional<std::string> stored, const std::optional<std::string>* exact) {
  std::optional<std::string> form;
  if (stored) form = FormOfText(column, *stored);
  if (exact != nullptr) {
    if (!*exact) {
      if (column.type == Type::kStrings && (!stored || form == "[]")) return std::nullopt;
    } else if (form && FormOfText(column, **exact) == form) {
      return *exact;
    }
  }
  return form ? form : stored;
}

std::string ExactRowKey(const Table& table, std::span<const Cell> row) {
  std::vector<std::string> key;
  for (std::string_view name : table.merge_key) {
    const int index = table.Index(name);
    key.push_back(KeyText(table.columns[index], row[index]));
  }
  return catalog::StringsToJson(key);
}

std::string Unstorable(const Table& table, std::span<const Cell> row) {
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string_view why = UnstorableCell(table.columns[i], row[i]);
    if (!why.empty()) return fmt::format("{} {}", table.columns[i].name, why);
  }
  return {};
}

}  // namespace reeve::store
