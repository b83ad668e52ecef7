// RowDecoder: the copier's reading of one legacy table, line by line (docs/mapping.md §2).
//
// It says of each line whether it is a row, keeps the values of the fields that are read, and gathers the columns of the table. JSON by simdjson.
// One table at a time; not safe for concurrent use.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"
#include "catalog/legacy.h"
#include "legacy/estate.h"

namespace reeve::migrate::copy {

inline constexpr size_t kTextBytesMax = 1024 * 1024;  // a used text
inline constexpr int kDepthMax = 64;                  // the row object is level 1

enum class Verdict { kBlank, kRow, kDead };

class RowDecoder {
 public:
  RowDecoder();
  ~RowDecoder();

  // Starts a table. `schema`: its column names if known.
  void StartTable(catalog::LegacyKind kind, const std::optional<std::vector<std::string>>& schema);

  // Decodes a line of it. After kDead, reason() says why; after kRow the Take… calls read its fields.
  // Texts are valid until the next Decode.
  Verdict Decode(const legacy::Line& line);

  // Each reads a field of the current row: false and a reason() if it is there with a wrong type or value. An absent field is nullopt.
  bool TakeText(catalog::Field field, std::optional<std::string_view>* out);   // empty stays empty
  bool TakeTime(catalog::Field field, std::optional<Micros>* out);
  bool TakeInt(catalog::Field field, std::optional<int64_t>* out);
  bool TakeBool(catalog::Field field, std::optional<bool>* out);
  // The JSON text of an array of texts; an empty array is nullopt.
  bool TakeTexts(catalog::Field field, std::optional<std::string>* out);
  // A text as it is, or the source text of an object or array without white space outside strings.
  bool TakeTextOrJson(catalog::Field field, std::optional<std::string>* out);

  [[nodiscard]] std::string_view reason() const { return reason_; }
  // The id of the current row for messages, shortened; empty if it has none.
  [[nodiscard]] std::string RowKey() const;

  // Over all rows since StartTable: the columns (the schema's if there is one) and how many rows there were.
  [[nodiscard]] std::vector<std::string> Columns() const;
  [[nodiscard]] uint64_t rows() const { return rows_; }
  // True when the rows so far had a column meaning `field`.
  [[nodiscard]] bool HasColumn(catalog::Field field) const;

 private:
  struct Impl;
  bool Dead(std::string_view reason) {
    reason_ = reason;
    return false;
  }
  std::unique_ptr<Impl> impl_;
  std::string_view reason_;
  uint64_t rows_ = 0;
};

}  // namespace reeve::migrate::copy
