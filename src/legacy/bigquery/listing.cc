#include "legacy/bigquery/listing.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <set>
#include <thread>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "legacy/bigquery/schema_text.h"

namespace reeve::legacy {
namespace {

using bigquery::DatasetInfo;
using bigquery::Row;

constexpr std::string_view kTablesAndColumns =
    "SELECT t.table_schema, t.table_name, t.table_type, c.column_name, c.data_type, c.ordinal_position, UNIX_MICROS(CURRENT_TIMESTAMP()) AS listed_at "
    "FROM {0}.INFORMATION_SCHEMA.TABLES AS t LEFT JOIN {0}.INFORMATION_SCHEMA.COLUMNS AS c "
    "ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND c.table_name IN ({1})";

// Every name that KindOfTable knows.
constexpr std::string_view kNamesThatMatter[] = {
    "api_keys",           "customer_api_keys",          "tenant_api_keys",       "org_api_keys",
    "cloud_credentials",  "customer_cloud_credentials", "tenant_cloud_credentials", "org_cloud_credentials", "org_integration_credentials",
    "pipeline_runs",      "tenant_pipeline_runs",       "org_meta_pipeline_runs", "tenants",
};

// As SQL, each with the prefix and without.
std::string NamesThatMatter() {
  std::string names;
  for (const std::string_view name : kNamesThatMatter)
    names += fmt::format("{}'{}', 'x_meta_{}'", names.empty() ? "" : ", ", name, name);
  return names;
}

std::optional<catalog::LegacyKind> KindOf(const std::string& dataset, const std::string& table) {
  const auto shared = catalog::KindOfTable(dataset, table, catalog::IsSharedCarrier(dataset));
  return shared ? shared : catalog::KindOfTable(dataset, table, false);  // --tenants may declare any dataset
}

uint64_t NumberOf(const std::string& text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

ColumnSet WithoutPlaceholder(ColumnSet columns) {
  if (columns.size() == 1 && columns[0].name == kNoColumn) columns.clear();
  return columns;
}

// What is known of a location while it is listed.
class LocationListing {
 public:
  LocationListing(bigquery::Client& client, const ListingSettings& settings, std::string location, std::vector<std::string> datasets)
      : client_(client), settings_(settings), location_(std::move(location)), names_(std::move(datasets)) {
    for (const std::string& name : names_) datasets_[name];
  }

  Result<> Run() {
    Result<> whole = ReadRegion();
    if (whole) {
      ReadSizes();
      return {};
    }
    if (whole.error().code == Code::kInterrupted) return whole;
    // Where the view is there but not ours to read, calls cost nothing; where it is unknown, jobs are the cheaper way.
    const bool not_ours = whole.error().code == Code::kAuthNeeded;
    REEVE_TRY(not_ours ? ReadByCalls(names_) : ReadDatasets());
    listed_at_ = 0;  // an engine that knows no regions knows no past either: it would only be asked in vain
    if (not_ours) (void)Query("SELECT UNIX_MICROS(CURRENT_TIMESTAMP()) AS listed_at", [this](const Row& row) -> Result<> {
      listed_at_ = static_cast<Micros>(NumberOf(row.at(0).text));
      return {};
    });
    return {};
  }

  // Step 3 for some of the datasets.
  Result<> ReadByCalls(const std::vector<std::string>& datasets) {
    std::vector<Result<>> results(datasets.size());
    std::atomic<size_t> next{0};
    const auto work = [&] {
      for (size_t i = next++; i < datasets.size(); i = next++) results[i] = LookInto(datasets[i], &datasets_.at(datasets[i]));
    };
    std::vector<std::thread> threads;
    const size_t count = std::min<size_t>(static_cast<size_t>(std::max(1, settings_.calls_at_once)), datasets.size());
    for (size_t i = 1; i < count; ++i) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
    for (const Result<>& result : results) REEVE_TRY(result);
    return {};
  }

  void AddTo(EstateCatalog* catalog) {
    for (auto& [name, found] : datasets_) {
      CatalogDataset dataset{name, location_, {}, std::move(found.unread)};
      for (auto& [table_name, seen] : found.tables) {
        CatalogTable table;
        table.name = table_name;
        table.kind = KindOf(name, table_name);
        table.bytes = seen.bytes;
        table.last_modified = seen.last_modified;
        std::sort(seen.columns.begin(), seen.columns.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        ColumnSet columns;
        for (auto& [position, column] : seen.columns) columns.push_back(std::move(column));
        if (table.kind) table.columns = catalog->Intern(WithoutPlaceholder(std::move(columns)));
        dataset.tables.push_back(std::move(table));
      }
      catalog->Add(std::move(dataset));
    }
  }

  // When the engine answered, by its clock; 0 if it was not asked by a job.
  [[nodiscard]] Micros listed_at() const { return listed_at_; }

 private:
  struct SeenTable {
    std::vector<std::pair<uint64_t, BqColumn>> columns;  // with the ordinal
    uint64_t bytes = 0;
    Micros last_modified = 0;
  };
  struct SeenDataset {
    std::map<std::string, SeenTable> tables;
    std::vector<std::string> unread;
  };

  std::string JobId(std::string_view sql) const {
    return crypto::DeterministicId("reeve-list-", "bigquery-list", {settings_.project, settings_.run, location_, sql});
  }

  Result<> Query(const std::string& sql, const bigquery::VisitRow& visit) {
    bigquery::QuerySpec query;
    query.job_id = JobId(sql);
    query.sql = sql;
    query.location = location_;
    bigquery::Schema schema;
    REEVE_TRY(client_.Query(query, &schema, visit));
    return {};
  }

  std::string Region() const {
    return fmt::format("`{}`.`region-{}`", settings_.project, AsciiLower(location_));
  }

  Result<> ReadRegion() {
    if (location_.empty()) return Fail(Code::kFailed, "datasets of no location");
    Result<> read = Query(fmt::format(fmt::runtime(kTablesAndColumns), Region(), NamesThatMatter()), [this](const Row& row) { return TakeRow(row); });
    if (!read) Forget();
    return read;
  }

  // Sizes are for plans only: without them everything goes on.
  void ReadSizes() {
    const std::string sql = fmt::format(
        "SELECT table_schema, table_name, total_logical_bytes FROM {}.INFORMATION_SCHEMA.TABLE_STORAGE WHERE table_name IN ({})", Region(), NamesThatMatter());
    (void)Query(sql, [this](const Row& row) -> Result<> {
      if (row.size() != 3) return Fail(Code::kFailed, "an answer of {} columns", row.size());
      const auto dataset = datasets_.find(row[0].text);
      if (dataset == datasets_.end()) return {};
      if (const auto table = dataset->second.tables.find(row[1].text); table != dataset->second.tables.end())
        table->second.bytes = std::max(table->second.bytes, NumberOf(row[2].text));
      return {};
    });
  }

  void Forget() {
    for (auto& [name, found] : datasets_) found = {};
  }

  // A row of kTablesAndColumns. Datasets that are not listed are those deleted a while ago, which the view shows for some days.
  Result<> TakeRow(const Row& row) {
    if (row.size() != 7) return Fail(Code::kFailed, "INFORMATION_SCHEMA answered with {} columns", row.size());
    const auto dataset = datasets_.find(row[0].text);
    if (dataset == datasets_.end()) return {};
    listed_at_ = std::max(listed_at_, static_cast<Micros>(NumberOf(row[6].text)));
    const std::string& name = row[1].text;
    if (row[2].text != "BASE TABLE") {
      std::string what = fmt::format("{} ({})", name, row[2].text);
      if (std::find(dataset->second.unread.begin(), dataset->second.unread.end(), what) == dataset->second.unread.end())
        dataset->second.unread.push_back(std::move(what));
      return {};
    }
    if (!bigquery::IsIdentifier(name)) {
      dataset->second.unread.push_back(name);
      return {};
    }
    SeenTable& table = dataset->second.tables[name];
    if (!row[3].is_null()) table.columns.emplace_back(NumberOf(row[5].text), BqColumn{row[3].text, WithoutParameters(row[4].text)});
    return {};
  }

  Result<> ReadDatasets() {
    std::vector<std::string> left = names_;
    std::vector<std::string> aside;
    int failures = 0;
    while (!left.empty() && failures <= kDatasetsSetAsideMax) {
      const size_t count = std::min(left.size(), kDatasetsAtOnce);
      const std::vector<std::string> now(left.begin(), left.begin() + static_cast<ptrdiff_t>(count));
      const Result<> read = ReadSome(now);
      if (read) {
        left.erase(left.begin(), left.begin() + static_cast<ptrdiff_t>(count));
        continue;
      }
      if (read.error().code == Code::kInterrupted) return read;
      ++failures;
      const auto named = std::find_if(now.begin(), now.end(), [&](const std::string& name) {
        return read.error().message.find("." + name + ".INFORMATION_SCHEMA") != std::string::npos;
      });
      if (named == now.end()) break;
      aside.push_back(*named);  // a dataset without tables has no such view on some engines
      std::erase(left, aside.back());
    }
    aside.insert(aside.end(), left.begin(), left.end());
    return ReadByCalls(aside);
  }

  Result<> ReadSome(const std::vector<std::string>& datasets) {
    std::string sql;
    for (const std::string& dataset : datasets) {
      const std::string from = fmt::format("`{}`.`{}`", settings_.project, dataset);
      sql += (sql.empty() ? "" : "\nUNION ALL\n") + fmt::format(fmt::runtime(kTablesAndColumns), from, NamesThatMatter());
    }
    Result<> read = Query(sql, [this](const Row& row) { return TakeRow(row); });
    if (!read)
      for (const std::string& dataset : datasets) datasets_[dataset] = {};
    return read;
  }

  Result<> LookInto(const std::string& dataset, SeenDataset* found) {
    REEVE_ASSIGN(const std::vector<std::string> tables, client_.ListTables(settings_.project, dataset, &found->unread));
    for (const std::string& name : tables) {
      if (!bigquery::IsIdentifier(name)) {
        found->unread.push_back(name);
        continue;
      }
      SeenTable& table = found->tables[name];
      if (!KindOf(dataset, name)) continue;
      REEVE_ASSIGN(const auto info, client_.FindTable({settings_.project, dataset, name}));
      if (!info) {  // gone since it was listed
        found->tables.erase(name);
        continue;
      }
      table.bytes = info->bytes;
      table.last_modified = info->last_modified;
      for (BqColumn& column : ColumnsOf(info->schema)) table.columns.emplace_back(table.columns.size(), std::move(column));
    }
    return {};
  }

  bigquery::Client& client_;
  const ListingSettings& settings_;
  const std::string location_;
  const std::vector<std::string> names_;
  std::map<std::string, SeenDataset> datasets_;
  Micros listed_at_ = 0;
};

}  // namespace

ColumnSet ColumnsOf(const bigquery::Schema& schema) {
  ColumnSet columns;
  for (const bigquery::Field& field : schema) columns.push_back({field.name, SqlType(field)});
  return WithoutPlaceholder(std::move(columns));
}

Result<std::unique_ptr<EstateCatalog>> ListEstate(bigquery::Client& client, const ListingSettings& settings) {
  Result<std::vector<DatasetInfo>> listed = client.ListDatasets(settings.project);
  if (!listed && listed.error().code == Code::kIncomplete)
    return FailWithHint(Code::kFailed, std::move(listed).error().message, "nothing was read: a part of an estate is never taken for the whole. Run it again");
  if (!listed) return Unexpected(std::move(listed).error());
  auto catalog = std::make_unique<EstateCatalog>();
  std::map<std::string, std::vector<std::string>> by_location;
  for (const DatasetInfo& dataset : *listed) {
    if (!settings.location.empty() && dataset.location != settings.location) continue;
    if (bigquery::IsIdentifier(dataset.dataset)) {
      by_location[dataset.location].push_back(dataset.dataset);
    } else {
      catalog->Add({dataset.dataset, dataset.location, {}, {}});
    }
  }
  if (by_location.empty())
    return FailWithHint(Code::kNotFound, fmt::format("project {} shows no dataset{}", settings.project, settings.location.empty() ? "" : " in " + settings.location),
                        "is the project right, and may these credentials list its datasets (bigquery.datasets.get)?");
  Micros listed_at = 0;
  for (auto& [location, datasets] : by_location) {
    LocationListing listing(client, settings, location, std::move(datasets));
    REEVE_TRY(listing.Run());
    listing.AddTo(catalog.get());
    listed_at = std::max(listed_at, listing.listed_at());
  }
  if (listed_at != 0) catalog->instant = listed_at;
  catalog->Seal();
  return catalog;
}

Result<> RelistDatasets(bigquery::Client& client, const ListingSettings& settings, const std::vector<std::string>& names, EstateCatalog* catalog) {
  for (const std::string& name : names) {
    REEVE_ASSIGN(const std::optional<DatasetInfo> info, client.FindDataset(settings.project, name));
    catalog->Remove(name);
    if (!info) continue;
    LocationListing listing(client, settings, info->location, {name});
    REEVE_TRY(listing.ReadByCalls({name}));
    listing.AddTo(catalog);
  }
  catalog->Seal();
  return {};
}

}  // namespace reeve::legacy
