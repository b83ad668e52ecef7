// A JSON value under construction, for what reeve prints. Members keep the order in which they were set, numbers keep their type, and text that
// is no UTF-8 is made valid. Not a parser. Values; not safe for concurrent use of one object.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace reeve::cli {

class Json {
 public:
  Json() : value_(nullptr) {}
  Json(std::nullptr_t) : value_(nullptr) {}             // NOLINT: literals read better
  Json(bool value) : value_(value) {}                   // NOLINT
  Json(int value) : value_(int64_t{value}) {}           // NOLINT
  Json(int64_t value) : value_(value) {}                // NOLINT
  Json(uint64_t value) : value_(value) {}               // NOLINT
  Json(std::string value) : value_(std::move(value)) {} // NOLINT
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT

  [[nodiscard]] static Json Object() { return Json(Members{}); }
  [[nodiscard]] static Json Array() { return Json(Items{}); }
  template <typename Value, typename Compare>
  [[nodiscard]] static Json Object(const std::map<std::string, Value, Compare>& map) {
    Json object = Object();
    for (const auto& [name, value] : map) object.Set(name, Json(value));
    return object;
  }
  template <typename Range>
  [[nodiscard]] static Json Array(const Range& range) {
    Json array = Array();
    for (const auto& value : range) array.Add(Json(value));
    return array;
  }

  // Adds a member. REQUIRES: this is an object, and it has no member `name` yet.
  Json& Set(std::string_view name, Json value);
  // Adds an item. REQUIRES: this is an array.
  Json& Add(Json value);
  // Makes this a member whose text is already JSON (one value, on one line).
  [[nodiscard]] static Json Raw(std::string json);

  // One line, no spaces.
  [[nodiscard]] std::string Text() const;

 private:
  struct Verbatim {
    std::string json;
  };
  using Members = std::vector<std::pair<std::string, Json>>;
  using Items = std::vector<Json>;
  explicit Json(Members members) : value_(std::move(members)) {}
  explicit Json(Items items) : value_(std::move(items)) {}
  explicit Json(Verbatim raw) : value_(std::move(raw)) {}
  void Append(std::string* out) const;

  std::variant<std::nullptr_t, bool, int64_t, uint64_t, std::string, Verbatim, Members, Items> value_;
};

// `text` with invalid UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string ToUtf8(std::string_view text);

}  // namespace reeve::cli
