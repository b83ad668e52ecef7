// Tables and files of the estate.
//
// A TableOut collects the lines of one table, cuts them into shards and hands finished ones to an EstateOut, which writes them. Not safe
// for concurrent use. At most kShardBytes and one line are held per table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "env/files.h"
#include "sample/fields.h"
#include "sample/model.h"
#include "sample/prng.h"
#include "sample/sample.h"

namespace reeve::sample {

// Legacy tables that are read; kOther is for all else.
enum class Kind : uint8_t { kKeys, kCredentials, kRuns, kRecord, kOther };
[[nodiscard]] std::string_view KindName(Kind kind);

// How the files of a table look.
struct TableStyle {
  bool gzip = false;
  bool sharded_name = true;      // name-000000000000.json, else name.json (then there is one file)
  bool final_newline = true;
  bool carriage_return = false;  // lines end with \r\n
  unsigned blank_percent = 0;    // blank lines before this share of rows
  uint64_t shard_rows = UINT64_MAX;
  TextStyle text;
};

class EstateOut {
 public:
  EstateOut(Files& files, std::string dir, SampleReport* report)
      : files_(files), dir_(std::move(dir)), report_(report) {}
  // Makes the directory of a dataset unless it was made before.
  [[nodiscard]] Result<> MakeDataset(const std::string& dataset);
  // `name` is dataset/file.
  [[nodiscard]] Result<> WriteFile(const std::string& name, std::string_view content);

 private:
  Files& files_;
  const std::string dir_;
  SampleReport* report_;
  std::set<std::string> datasets_;
};

class TableOut {
 public:
  static constexpr size_t kShardBytes = 4 << 20;

  TableOut(std::string dataset, std::string table, Kind kind, const TableStyle& style)
      : dataset_(std::move(dataset)), table_(std::move(table)), kind_(kind), style_(style) {}

  [[nodiscard]] const std::string& dataset() const { return dataset_; }
  [[nodiscard]] const std::string& table() const { return table_; }
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const TableStyle& style() const { return style_; }
  // Rows that will be read as valid JSON objects with the columns their kind needs.
  [[nodiscard]] uint64_t rows() const { return rows_; }
  // dataset/file of a part.
  [[nodiscard]] std::string PartName(uint32_t part) const;

  // Appends a row; `rng` decides about blank lines only. Full shards are written.
  [[nodiscard]] Result<Place> Append(std::string_view row, Prng* rng, EstateOut* estate);
  // Writes the last shard, and the schema file if one was set. `keep_percent` < 100 cuts the file: a damaged upload.
  [[nodiscard]] Result<> Finish(EstateOut* estate, unsigned keep_percent = 100);

  // Columns of the table's schema file, name and type; empty: none is written.
  std::vector<std::pair<std::string_view, std::string_view>> schema;
  // It carries rows of many tenants.
  bool shared = false;
  // No row may be broken: the table carries a fault of its own.
  bool spared = false;

 private:
  [[nodiscard]] Result<> WriteShard(EstateOut* estate, unsigned keep_percent);
  [[nodiscard]] Result<> WriteSchema(EstateOut* estate) const;

  const std::string dataset_;
  const std::string table_;
  const Kind kind_;
  const TableStyle style_;
  std::string buffer_;
  uint32_t part_ = 0;
  uint64_t line_ = 0;        // lines in the current part
  uint64_t part_rows_ = 0;
  uint64_t rows_ = 0;
};

// RFC 1952, one member, without time and name: the same input gives the same bytes.
[[nodiscard]] Result<std::string> Gzip(std::string_view bytes);

}  // namespace reeve::sample
