// EstateCatalog: what a listing found in a BigQuery project, compact, and which tables are best read together.
//
// Not for deciding whose a table is (migrate/estate_map) and not for reading. Filled by one thread, then constant and safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time_text.h"
#include "catalog/legacy.h"
#include "legacy/estate.h"

namespace reeve::legacy {

struct BqColumn {
  std::string name;
  std::string type;  // as SQL writes it, without parameters: "STRING", "ARRAY<STRING>", "STRUCT<a INT64>"
  bool operator==(const BqColumn&) const = default;
};
using ColumnSet = std::vector<BqColumn>;

struct CatalogTable {
  std::string name;
  const ColumnSet* columns = nullptr;  // interned; null: not looked at, because its name is none that is read
  uint64_t bytes = 0;                  // 0 where the engine does not say
  std::optional<catalog::LegacyKind> kind = {};
  Micros last_modified = 0;            // 0: not known
  bool written = false;                // by this estate object, after the listing's instant: to be read as it is now
};

struct CatalogDataset {
  std::string name, location;
  std::vector<CatalogTable> tables;  // by name
  std::vector<std::string> unread;   // "name (VIEW)"
};

// Where a table stands in the catalog.
struct TablePlace {
  uint32_t dataset = 0, table = 0;
  auto operator<=>(const TablePlace&) const = default;
};

class EstateCatalog {
 public:
  EstateCatalog() = default;
  EstateCatalog(const EstateCatalog& other);
  EstateCatalog& operator=(const EstateCatalog&) = delete;

  // The set equal to `columns` that lives as long as the catalog.
  [[nodiscard]] const ColumnSet* Intern(ColumnSet columns);
  void Add(CatalogDataset dataset);
  void Remove(std::string_view dataset);
  // Notes that the table is to be read as it is now. Nothing if it is not there. REQUIRES: Seal since the last Add
  void MarkWritten(std::string_view dataset, std::string_view table);
  // Sorts by name and forms the groups. After the last Add, before anything below.
  void Seal();

  // The one instant of the listing and of all rows, by the engine's clock; nullopt where the engine knows no such thing.
  std::optional<Micros> instant;

  [[nodiscard]] const std::vector<CatalogDataset>& datasets() const { return datasets_; }
  [[nodiscard]] const CatalogDataset* FindDataset(std::string_view dataset) const;
  [[nodiscard]] std::optional<TablePlace> Find(std::string_view dataset, std::string_view table) const;
  [[nodiscard]] const CatalogDataset& dataset(TablePlace place) const { return datasets_[place.dataset]; }
  [[nodiscard]] const CatalogTable& table(TablePlace place) const { return datasets_[place.dataset].tables[place.table]; }

  // The tables that may be read in one query with `place`, itself included (those of its location and kind, in listing order), and its position
  // among them; nullptr if it is read alone.
  [[nodiscard]] std::pair<const std::vector<TablePlace>*, size_t> GroupOf(TablePlace place) const;

  // As the port wants it.
  [[nodiscard]] std::vector<Dataset> Listing() const;

 private:
  [[nodiscard]] bool ReadAlone(const CatalogDataset& dataset, const CatalogTable& table) const;

  std::vector<CatalogDataset> datasets_;
  std::map<std::string, ColumnSet, std::less<>> sets_;  // by their text
  std::map<std::pair<std::string, catalog::LegacyKind>, std::vector<TablePlace>> groups_;
};

// A column that can be written between back-ticks.
[[nodiscard]] bool IsQuotable(std::string_view column);
// `type` without the parameters of scalars: "STRING(50)" is "STRING".
[[nodiscard]] std::string WithoutParameters(std::string_view type);

}  // namespace reeve::legacy
