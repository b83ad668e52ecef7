// One line of legacy JSON, judged by docs/mapping.md §2, and the columns of the table it stands in.
//
// JsonRow parses a line with Boost.JSON's push parser: only top-level fields are kept, nested values are validated and passed over.
// It says nothing about what a field must be (see row.h). For one thread at a time; reuse one object for many tables.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/witness/vocabulary.h"

namespace reeve::migrate::witness {

inline constexpr int kDepthMax = 64;  // the row object is level 1

// A top-level value of a used column as it was written.
struct RawValue {
  enum class Type : uint8_t { kAbsent, kText, kInteger, kBool, kTexts, kOther, kObjectOrArray };
  Type type = Type::kAbsent;
  bool nul = false;         // kTexts: an element holds U+0000
  bool too_large = false;   // kTexts: an element is over the limit
  int64_t number = 0;       // kInteger, kBool
  std::string_view text;    // kText; kTexts: JSON text of the array, "[]" if empty. kObjectOrArray: the source text
};

class JsonRow {
 public:
  JsonRow();
  ~JsonRow();
  JsonRow(const JsonRow&) = delete;
  JsonRow& operator=(const JsonRow&) = delete;

  // The next lines are of a table of `kind`; `schema` are its columns where a schema file tells them.
  void StartTable(Kind kind, const std::optional<std::vector<std::string>>& schema);

  // Parses one line that is not blank. Any reason but kNone: a row of §2's table; it adds nothing to the columns.
  [[nodiscard]] Reason Parse(std::string_view line);

  // The first present value among the columns of field `field` in the row parsed last; kAbsent if there is none. Its texts are valid
  // until the next Parse and only as long as the line is.
  [[nodiscard]] const RawValue& Value(size_t field) const;

  // About the table, after its last row: whether its shape is recognised, and whether it has `column`.
  [[nodiscard]] bool Recognised() const;
  [[nodiscard]] bool HasColumn(std::string_view column) const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace reeve::migrate::witness
