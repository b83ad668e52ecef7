// One row on its way to text: columns with their JSON values, and what each is, so that a row can be broken in a named way before
// it is joined into a line. Reused for many rows to save allocations. One thread per object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"

namespace reeve::sample {

// What docs/mapping.md reads a field as.
enum class FieldType : uint8_t { kUnused, kText, kTime, kInt, kBool, kTexts };

// Columns that rules name.
enum class Role : uint8_t {
  kNone, kId, kTenant, kHash, kEnc, kApiKey, kCreatedAt, kIsActive, kProvider, kStatus, kStart, kDuration
};

// How a table's exports print instants. All but the first occur where the column was a STRING.
enum class TimeStyle : uint8_t {
  kBigQuery,  // 2026-01-02 03:04:05.000600 UTC
  kTrimmed,   // 2026-01-02 03:04:05.0006 UTC
  kIsoNaive,  // 2026-01-02T03:04:05.000600
  kIsoZ,      // 2026-01-02T03:04:05.000600Z
  kOffset,    // 2026-01-02T05:04:05.000600+02:00
  kShortZone  // 2026-01-02 03:04:05.000600+00
};

// How a table's exports write rows. Only the first of each is what `bq extract` does for typed columns.
struct TextStyle {
  TimeStyle time = TimeStyle::kBigQuery;
  bool bare_numbers = false;    // 12 for "12", and "true" for true
  bool explicit_nulls = false;  // some NULLs are written
  bool ascii = false;           // < > & and all that is not ASCII as \uXXXX
  bool spaced = false;          // { "a" : 1 }
};

void AppendTime(Micros instant, TimeStyle style, std::string* out);

class Fields {
 public:
  struct Entry {
    std::string_view column;
    uint32_t begin;  // of its JSON value in buffer_
    uint32_t end;
    FieldType type;
    Role role;
  };

  // Begins a row.
  void Clear(const TextStyle& style);
  // Adds a column. REQUIRES for all: `column` lives as long as this object or is a literal.
  void Text(std::string_view column, std::string_view value, FieldType type = FieldType::kUnused,
            Role role = Role::kNone);
  void Time(std::string_view column, Micros value, FieldType type = FieldType::kUnused, Role role = Role::kNone);
  void Raw(std::string_view column, std::string_view json, FieldType type = FieldType::kUnused,
           Role role = Role::kNone);
  void Strings(std::string_view column, const std::vector<std::string>& values, FieldType type);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const TextStyle& style() const { return style_; }
  // Index of the column with `role`, or -1.
  [[nodiscard]] int Find(Role role) const;
  [[nodiscard]] std::string_view Json(size_t index) const;
  void Replace(size_t index, std::string_view json);
  void Drop(size_t index);
  // Moves the first column to the end `times` times: field order means nothing.
  void Rotate(size_t times);
  // Appends the row as one JSON object, without a newline.
  void Join(std::string* out) const;

 private:
  void AppendString(std::string_view value);

  TextStyle style_;
  std::vector<Entry> entries_;
  std::string buffer_;
};

}  // namespace reeve::sample
