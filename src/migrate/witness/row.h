// A legacy row as docs/mapping.md §2 types it: used fields only, judged in the order of the page. What they mean is told elsewhere
// (keys.h, credentials.h, runs.h, record.h).
//
// For one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time_text.h"
#include "migrate/witness/json_row.h"
#include "migrate/witness/vocabulary.h"

namespace reeve::migrate::witness {

inline constexpr size_t kTextBytesMax = 1024 * 1024;
inline constexpr Micros kFutureMax = 24 * kHour;  // how far a row's time may lie after as_of

struct FieldValue {
  bool present = false;
  int64_t number = 0;     // instants, ints, bools
  std::string_view text;  // texts; arrays of texts and metadata as JSON text
};

struct Row {
  std::array<FieldValue, kFieldsMax> fields;

  const FieldValue& operator[](int field) const { return fields[static_cast<size_t>(field)]; }
  // Empty if absent.
  [[nodiscard]] std::string_view Text(int field) const { return (*this)[field].text; }
  [[nodiscard]] std::optional<int64_t> Number(int field) const {
    return (*this)[field].present ? std::optional((*this)[field].number) : std::nullopt;
  }
};

// Types the row that `json` parsed last. Texts of `out` live as long as those of `json`.
[[nodiscard]] Reason ReadRow(const JsonRow& json, Kind kind, Row* out);

// The tenant that the row names, "" if it names none or that cannot be read. For rows that ReadRow refuses.
[[nodiscard]] std::string_view TenantOf(const JsonRow& json, Kind kind);

// Rows outside their table, back to back; the window onto the shared carriers holds them.
//   row   := u8 kind ; u8 flags ; field*    flags: bit 0 the table has the column is_active; bit 1 rejected: no fields follow
//   field := u8 present ; if present: number as 8 bytes, or length as 4 bytes and text
struct PackedRow {
  Kind kind = Kind::kKeys;
  bool has_is_active = false;
  bool rejected = false;
  Row row;
};
void PackRow(Kind kind, bool has_is_active, const Row& row, std::string* out);
void PackRejected(Kind kind, std::string* out);
// Takes one row from the front of `bytes`, into which its texts point.
// REQUIRES: PackRow or PackRejected wrote it.
void UnpackRow(std::string_view* bytes, PackedRow* out);

}  // namespace reeve::migrate::witness
