// A strict scanner of JSON texts (RFC 8259, valid UTF-8, depth at most 64) that keeps the source text of values, which a
// parser into a tree would lose: JSON columns are kept byte for byte. For lines of our own exports; what arrives from a legacy
// estate is read elsewhere. Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeve::catalog {

inline constexpr int kJsonDepthMax = 64;

struct JsonMember {
  std::string name;        // unescaped
  std::string_view value;  // the value's source text, without white space around it
};

// The members of the object that is all of `text`; false if it is no such object.
[[nodiscard]] bool ScanJsonObject(std::string_view text, std::vector<JsonMember>* members);

// The elements of the array that is all of `text`, each as its source text; false if it is no array.
[[nodiscard]] bool ScanJsonArray(std::string_view text, std::vector<std::string_view>* elements);

// The texts of an array of strings that is all of `text`; false if it is none, or one of them holds U+0000.
[[nodiscard]] bool ParseJsonStrings(std::string_view text, std::vector<std::string>* values);

// True if all of `text` is one JSON value.
[[nodiscard]] bool IsJson(std::string_view text);

// The content of a string token as ScanJsonObject returns it, quotes included.
void UnescapeJsonString(std::string_view token, std::string* out);

}  // namespace reeve::catalog
