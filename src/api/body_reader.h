// JSON bodies: one flat object whose fields are declared, read strictly. From the same declarations the schemas of /openapi.json are made.
//
// Refused before any work, all at once where several fields are wrong: unknown fields, the same name twice, wrong types, numbers that are no whole
// numbers where such are due or do not fit, texts that are too long or no UTF-8, nesting beyond kDepthMax, more than kKeysMax names. Nothing recurses.
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/problem.h"

namespace reeve::api {

inline constexpr size_t kDepthMax = 32;
inline constexpr size_t kKeysMax = 256;

// kTexts (a list of texts) and kObject stand in answers only.
enum class FieldType : uint8_t { kText, kWhole, kFlag, kTexts, kObject };

struct BodySpec;

struct FieldSpec {
  std::string_view name;
  FieldType type = FieldType::kText;
  bool required = false;
  bool nullable = false;        // null is a value of its own
  int64_t min = 0;              // kWhole; kText: bytes
  int64_t max = INT64_MAX;
  std::vector<std::string_view> choices = {};  // kText: one of these
  std::string_view help = {};
  const BodySpec* object = nullptr;  // kObject
};

struct BodySpec {
  std::string_view name;        // of its schema: "ReserveRun"
  std::vector<FieldSpec> fields;
};

// What was read: fields that were given.
class Body {
 public:
  struct Null {};
  using Value = std::variant<Null, bool, int64_t, std::string>;
  [[nodiscard]] bool Has(std::string_view name) const { return Find(name) != nullptr; }
  [[nodiscard]] bool IsNull(std::string_view name) const;
  // The value, or `otherwise` if the field was not given (or null).
  [[nodiscard]] std::string Text(std::string_view name, std::string_view otherwise = {}) const;
  [[nodiscard]] int64_t Whole(std::string_view name, int64_t otherwise) const;
  [[nodiscard]] bool Flag(std::string_view name, bool otherwise) const;

 private:
  friend class BodyHandler;
  [[nodiscard]] const Value* Find(std::string_view name) const;
  std::vector<std::pair<std::string_view, Value>> values_;  // names are those of the declaration
};

// Reads `json` (empty: no fields) by `spec`, whose names outlive `body`. On failure false, and what is wrong in `errors`.
[[nodiscard]] bool ReadBody(std::string_view json, const BodySpec& spec, Body* body, std::vector<FieldError>* errors);

}  // namespace reeve::api
