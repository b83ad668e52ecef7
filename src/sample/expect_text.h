// Small texts of the oracle: hashes, ids, export values. Written anew on purpose: the importer has its own. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"

namespace reeve::sample {

// "No evidence yet" for the earliest time of a tenant.
inline constexpr Micros kNoEvidence = INT64_MAX;

[[nodiscard]] std::string Sha256Bytes(std::string_view bytes);  // 32 bytes
[[nodiscard]] std::string Sha256Text(std::string_view bytes);   // 64 lower-case hex digits
// H of docs/mapping.md §7.
[[nodiscard]] std::string IdHash(std::string_view kind, const std::vector<std::string_view>& parts);

// True for one valid JSON text in UTF-8 (RFC 8259).
[[nodiscard]] bool IsValidJson(std::string_view text);
// JSON source without white space outside strings. REQUIRES: valid JSON
[[nodiscard]] std::string WithoutSpace(std::string_view json);

// Builds one line of the export format.
class Line {
 public:
  Line& Text(std::string_view column, std::string_view value);
  Line& Text(std::string_view column, const std::optional<std::string>& value);
  Line& Time(std::string_view column, Micros value);
  Line& Time(std::string_view column, const std::optional<Micros>& value);
  Line& Date(std::string_view column, Days value);
  Line& Int(std::string_view column, int64_t value);
  Line& Int(std::string_view column, const std::optional<int64_t>& value);
  Line& Bool(std::string_view column, bool value);
  Line& Bytes(std::string_view column, std::string_view value);
  Line& Json(std::string_view column, std::string_view json);
  // {"a":"x","b":"y"}, names sorted.
  Line& Object(std::string_view column, const std::map<std::string, std::string>& texts);
  [[nodiscard]] std::string Finish();

 private:
  void Name(std::string_view column);
  std::string text_;
};

[[nodiscard]] std::string StringsJson(const std::vector<std::string>& values);

}  // namespace reeve::sample
