#include "drivers/bigquery/json.h"

#include <charconv>

namespace reeve::bigquery::json {
namespace {

std::string_view View(const boost::json::string& text) { return {text.data(), text.size()}; }

template <typename T>
std::optional<T> Number(const object& from, std::string_view name) {
  const value* const found = from.if_contains(name);
  if (found == nullptr) return std::nullopt;
  if (const auto* const text = found->if_string()) {
    T number{};
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
    return number;
  }
  boost::json::error_code error;
  const T number = found->to_number<T>(error);
  if (error.failed()) return std::nullopt;
  return number;
}

}  // namespace

Result<object> ParseObject(std::string_view text, std::string_view what) {
  boost::json::parse_options options;
  options.max_depth = kDepthMax;
  boost::json::error_code error;
  value parsed = boost::json::parse(boost::json::string_view(text.data(), text.size()), error, {}, options);
  if (error.failed()) return Fail(Code::kFailed, "{}: the answer is no JSON that we can read ({})", what, error.message());
  if (!parsed.is_object()) return Fail(Code::kFailed, "{}: the answer is no JSON object", what);
  return std::move(parsed.as_object());
}

const object* FindObject(const object& from, std::string_view name) {
  const value* const found = from.if_contains(name);
  return found == nullptr ? nullptr : found->if_object();
}

const array* FindArray(const object& from, std::string_view name) {
  const value* const found = from.if_contains(name);
  return found == nullptr ? nullptr : found->if_array();
}

std::string Text(const object& from, std::string_view name) {
  const value* const found = from.if_contains(name);
  if (found == nullptr || !found->is_string()) return {};
  return std::string(View(found->get_string()));
}

std::optional<uint64_t> Unsigned(const object& from, std::string_view name) { return Number<uint64_t>(from, name); }
std::optional<int64_t> Signed(const object& from, std::string_view name) { return Number<int64_t>(from, name); }

std::optional<bool> Bool(const object& from, std::string_view name) {
  const value* const found = from.if_contains(name);
  if (found == nullptr || !found->is_bool()) return std::nullopt;
  return found->get_bool();
}

std::map<std::string, std::string> Texts(const object& from, std::string_view name) {
  std::map<std::string, std::string> texts;
  const object* const found = FindObject(from, name);
  if (found == nullptr) return texts;
  for (const auto& member : *found)
    if (const auto* const text = member.value().if_string()) texts.emplace(std::string(member.key()), std::string(View(*text)));
  return texts;
}

object ToObject(const std::map<std::string, std::string>& texts) {
  object made;
  for (const auto& [name, text] : texts) made[name] = text;
  return made;
}

}  // namespace reeve::bigquery::json
