// LegacyEstate: where tenants come from.
//
// It lists datasets and their tables and streams their rows as JSON text, one row a line, in two ways that share no code: as lines
// for the copier and as plain bytes for the verifier. What a row means is not its business (docs/mapping.md); neither is
// deciding which dataset is a tenant. Listing and opening are safe from any thread; a reader belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_text.h"

namespace reeve::legacy {

// Longest line that is handed out; longer ones are reported as too large (docs/mapping.md §2).
inline constexpr size_t kLineBytesMax = 16 * 1024 * 1024;
// Readable bytes after the end of every Line::text.
inline constexpr size_t kLinePadding = 64;

struct TablePart {
  std::string name;    // for messages: relative path of a file, or the table's name
  uint64_t bytes = 0;  // as stored; for progress and plans
};

struct LegacyTable {
  std::string dataset;
  std::string name;  // as found, e.g. "x_meta_api_keys"
  std::vector<TablePart> parts;
  std::optional<std::vector<std::string>> schema;  // column names, where a schema is known
  uint64_t bytes = 0;                              // sum over parts
};

struct Dataset {
  std::string name;
  std::vector<LegacyTable> tables;      // sorted by name
  std::vector<std::string> unread;      // what was found and is no table, for the report
};

struct Line {
  std::string_view text;  // without the newline; kLinePadding readable bytes follow; valid until the next call
  uint64_t number = 0;    // 1 is the first line of the part
  bool too_large = false; // longer than kLineBytesMax: text is empty, the line was passed over
};

// For readers that make a line in a text of their own: pads `text` and points `line` at it; too long a one is passed over. `text` must then stay as it is for
// as long as the line is valid.
void HandOut(std::string* text, uint64_t number, Line* line);

class LineReader {
 public:
  virtual ~LineReader() = default;
  // The next line into `line`; false at the end. A last line without a newline counts; an empty rest does not.
  // On error (unreadable, damaged or truncated compression) the part must be considered unread.
  [[nodiscard]] virtual Result<bool> Next(Line* line) = 0;
};

class RawReader {
 public:
  virtual ~RawReader() = default;
  // Up to `size` decompressed bytes; 0 at the end.
  [[nodiscard]] virtual Result<size_t> Read(char* buffer, size_t size) = 0;
};

class LegacyEstate {
 public:
  virtual ~LegacyEstate() = default;
  // The URL that names it, as given by the operator.
  [[nodiscard]] virtual std::string Url() const = 0;
  // Every dataset, sorted by name. Complete, or an error: a listing that misses part of the estate is never returned.
  [[nodiscard]] virtual Result<std::vector<Dataset>> List() = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<LineReader>> OpenLines(const LegacyTable& table, size_t part) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<RawReader>> OpenRaw(const LegacyTable& table, size_t part) = 0;
  // Replaces the rows of `table` by `lines` (each one JSON object with its newline), atomically, making dataset and table if absent.
  // For rollback and restore, whose callers have merged. The previous parts are gone afterwards.
  [[nodiscard]] virtual Result<> Replace(const std::string& dataset, const std::string& table, std::string_view lines) = 0;
  // Of which instant all rows of the last listing are, by the source's clock; nullopt: each as it is when it is read.
  [[nodiscard]] virtual std::optional<Micros> RowsAsOf() const { return std::nullopt; }
  // The schema of `table` as `bq show --schema` prints it, "" if none is known. For backups.
  [[nodiscard]] virtual Result<std::string> SchemaText(const LegacyTable& table);
  // Gives `table` this schema, where the engine keeps one beside the rows; does nothing elsewhere. For restore.
  [[nodiscard]] virtual Result<> DeclareSchema(const std::string& dataset, const std::string& table, std::string_view json);
};

}  // namespace reeve::legacy
