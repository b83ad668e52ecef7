#include "legacy/bigquery/bigquery_estate.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <set>

#include "base/encoding.h"
#include "legacy/bigquery/batch_reader.h"
#include "legacy/bigquery/listing.h"
#include "legacy/bigquery/schema_text.h"
#include "legacy/bigquery/table_fetcher.h"
#include "legacy/bigquery/table_writer.h"

namespace reeve::legacy {
namespace {

constexpr size_t kRunBytes = 8;

class SpooledLines final : public LineReader {
 public:
  explicit SpooledLines(std::unique_ptr<SpoolReader> rows) : rows_(std::move(rows)) {}

  Result<bool> Next(Line* line) override {
    REEVE_ASSIGN(const bool more, rows_->Next(&text_));
    if (!more) return false;
    HandOut(&text_, ++number_, line);
    return true;
  }

 private:
  const std::unique_ptr<SpoolReader> rows_;
  std::string text_;
  uint64_t number_ = 0;
};

class SpooledBytes final : public RawReader {
 public:
  explicit SpooledBytes(std::unique_ptr<SpoolReader> rows) : rows_(std::move(rows)) {}

  Result<size_t> Read(char* buffer, size_t size) override {
    if (taken_ == text_.size()) {
      REEVE_ASSIGN(const bool more, rows_->Next(&text_));
      if (!more) {
        text_.clear();
        taken_ = 0;
        return size_t{0};
      }
      text_ += '\n';
      taken_ = 0;
    }
    const size_t count = std::min(size, text_.size() - taken_);
    std::memcpy(buffer, text_.data() + taken_, count);
    taken_ += count;
    return count;
  }

 private:
  const std::unique_ptr<SpoolReader> rows_;
  std::string text_;
  size_t taken_ = 0;
};

class BigQueryEstate final : public LegacyEstate {
 public:
  BigQueryEstate(BigQueryEstateOptions options, std::shared_ptr<bigquery::Client> client, Files& files, Clock& clock, Entropy& entropy)
      : options_(std::move(options)),
        run_(HexEncode(entropy.Bytes(kRunBytes))),
        client_(std::move(client)),
        clock_(clock),
        spool_(files, entropy, options_.spool_dir),
        reader_(*client_, spool_, {options_.project, run_, options_.one_instant}),
        fetcher_(reader_, spool_, options_.project, options_.spool_bytes_max),
        writer_(*client_, clock, {options_.project, options_.new_location.empty() ? options_.location : options_.new_location, run_}) {}

  std::string Url() const override {
    std::string url = "bigquery:" + options_.project;
    if (!options_.location.empty()) url += "?location=" + options_.location;
    return url;
  }

  Result<std::vector<Dataset>> List() override {
    REEVE_ASSIGN(const std::shared_ptr<const EstateCatalog> catalog, FreshCatalog());
    return catalog->Listing();
  }

  Result<std::unique_ptr<LineReader>> OpenLines(const LegacyTable& table, size_t part) override {
    REEVE_ASSERT(part == 0);
    REEVE_ASSIGN(std::unique_ptr<SpoolReader> rows, Open(ReadPath::kCopier, table));
    return std::make_unique<SpooledLines>(std::move(rows));
  }

  Result<std::unique_ptr<RawReader>> OpenRaw(const LegacyTable& table, size_t part) override {
    REEVE_ASSERT(part == 0);
    REEVE_ASSIGN(std::unique_ptr<SpoolReader> rows, Open(ReadPath::kVerifier, table));
    return std::make_unique<SpooledBytes>(std::move(rows));
  }

  Result<> Replace(const std::string& dataset, const std::string& table, std::string_view lines) override {
    REEVE_TRY(CheckNames(dataset, table));
    REEVE_TRY(writer_.Replace(dataset, table, lines, KnownChange(dataset, table)));
    NoteWritten(dataset, table);
    return {};
  }

  std::optional<Micros> RowsAsOf() const override {
    const std::lock_guard lock(mu_);
    return catalog_ != nullptr && reader_.reads_at_instant() ? catalog_->instant : std::nullopt;
  }

  Result<std::string> SchemaText(const LegacyTable& table) override {
    if (!table.schema) return std::string();
    REEVE_TRY(CheckNames(table.dataset, table.name));
    REEVE_ASSIGN(const auto info, client_->FindTable({options_.project, table.dataset, table.name}));
    if (!info) return Gone(table);
    return SchemaJson(info->schema);
  }

  Result<> DeclareSchema(const std::string& dataset, const std::string& table, std::string_view json) override {
    REEVE_TRY(CheckNames(dataset, table));
    REEVE_TRY(writer_.Declare(dataset, table, json));
    NoteWritten(dataset, table);
    return {};
  }

 private:
  using TableName = std::pair<std::string, std::string>;  // dataset, table

  static Unexpected Gone(const LegacyTable& table) {
    return Fail(Code::kFailed, "{}.{} is not there any more", table.dataset, table.name);
  }

  static Result<> CheckNames(const std::string& dataset, const std::string& table) {
    if (bigquery::IsIdentifier(dataset) && bigquery::IsIdentifier(table)) return {};
    return Fail(Code::kUsage, "table '{}' of dataset '{}': names are 1 to 1024 of A-Z a-z 0-9 _", table, dataset);
  }

  ListingSettings Listing() const { return {options_.project, options_.location, run_ + "/" + std::to_string(listings_), client_->options().requests_at_once}; }

  // The catalog that is in use, brought up to what this object wrote; made if there is none or an unused one is old.
  Result<std::shared_ptr<const EstateCatalog>> FreshCatalog() {
    const std::lock_guard lock(mu_);
    const bool old = catalog_ == nullptr || (!in_use_ && clock_.Steady() - listed_ > kListingKept);
    if (!old && touched_.empty()) return catalog_;
    ++listings_;
    std::unique_ptr<EstateCatalog> made;
    if (old) {
      REEVE_ASSIGN(made, ListEstate(*client_, Listing()));
      listed_ = clock_.Steady();
    } else {
      made = std::make_unique<EstateCatalog>(*catalog_);
      REEVE_TRY(RelistDatasets(*client_, Listing(), {touched_.begin(), touched_.end()}, made.get()));
    }
    if (!options_.one_instant) made->instant.reset();
    for (const TableName& name : written_) made->MarkWritten(name.first, name.second);
    made->Seal();
    touched_.clear();
    catalog_ = std::move(made);
    return catalog_;
  }

  Result<std::unique_ptr<SpoolReader>> Open(ReadPath path, const LegacyTable& table) {
    REEVE_TRY(CheckNames(table.dataset, table.name));
    std::shared_ptr<const EstateCatalog> catalog;
    {
      const std::lock_guard lock(mu_);
      in_use_ = true;
      catalog = catalog_;
    }
    std::optional<TablePlace> place = catalog != nullptr ? catalog->Find(table.dataset, table.name) : std::nullopt;
    if (!place || catalog->table(*place).columns == nullptr) {
      REEVE_ASSIGN(catalog, LookAt(table));
      place = catalog->Find(table.dataset, table.name);
    }
    const ColumnSet& columns = *catalog->table(*place).columns;
    if (columns.empty()) return std::make_unique<SpoolReader>(nullptr, std::vector<SpoolRun>());
    for (const BqColumn& column : columns)
      if (!IsQuotable(column.name)) return Fail(Code::kFailed, "{}.{}: a column's name cannot be written in a query", table.dataset, table.name);
    return fetcher_.Open(path, *catalog, *place);
  }

  // A catalog of nothing but a table that the listing did not look into, or does not have.
  Result<std::shared_ptr<const EstateCatalog>> LookAt(const LegacyTable& table) {
    REEVE_ASSIGN(const auto info, client_->FindTable({options_.project, table.dataset, table.name}));
    if (!info) return Gone(table);
    auto one = std::make_shared<EstateCatalog>();
    CatalogTable entry;
    entry.name = table.name;
    entry.columns = one->Intern(ColumnsOf(info->schema));
    entry.bytes = info->bytes;
    entry.written = true;
    one->Add({table.dataset, info->location, {std::move(entry)}, {}});
    one->Seal();
    return one;
  }

  // What the last reader of the table could know of its changes; 0 if nobody read it or the engine says nothing.
  Micros KnownChange(const std::string& dataset, const std::string& table) {
    const std::lock_guard lock(mu_);
    if (catalog_ == nullptr || !in_use_) return 0;
    const std::optional<TablePlace> place = catalog_->Find(dataset, table);
    if (!place || catalog_->table(*place).written || written_.count({dataset, table}) != 0) return 0;
    if (catalog_->instant && reader_.reads_at_instant()) return *catalog_->instant;
    return catalog_->table(*place).last_modified;
  }

  void NoteWritten(const std::string& dataset, const std::string& table) {
    fetcher_.Forget(dataset, table);
    const std::lock_guard lock(mu_);
    if (catalog_ != nullptr) touched_.insert(dataset);
    written_.emplace(dataset, table);
  }

  const BigQueryEstateOptions options_;
  const std::string run_;
  const std::shared_ptr<bigquery::Client> client_;
  Clock& clock_;
  SpoolDirectory spool_;
  BatchReader reader_;
  TableFetcher fetcher_;
  TableWriter writer_;

  mutable std::mutex mu_;
  // All guarded by mu_.
  std::shared_ptr<const EstateCatalog> catalog_;
  Micros listed_ = 0;                 // steady time
  bool in_use_ = false;               // rows were read: the listing stays
  uint64_t listings_ = 0;
  std::set<std::string> touched_;     // datasets that the listing does not show as they are
  std::set<TableName> written_;
};

bool IsLocation(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

Result<BigQueryEstateOptions> ParseBigQueryEstate(std::string_view text) {
  BigQueryEstateOptions options;
  const size_t question = text.find('?');
  options.project = text.substr(0, question);
  const std::string hint = "bigquery:PROJECT, bigquery:PROJECT?location=EU; see reeve help estates";
  if (!bigquery::IsProjectId(options.project)) return FailWithHint(Code::kUsage, fmt::format("\"{}\" can be no project", options.project), hint);
  std::string_view rest = question == std::string_view::npos ? std::string_view() : text.substr(question + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view option = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    constexpr std::string_view kLocation = "location=";
    if (option.starts_with(kLocation) && IsLocation(option.substr(kLocation.size()))) {
      options.location = option.substr(kLocation.size());
    } else if (option == "instant=off") {
      options.one_instant = false;
    } else {
      return FailWithHint(Code::kUsage, fmt::format("\"{}\" says nothing about an estate in BigQuery", option), hint);
    }
  }
  return options;
}

std::unique_ptr<LegacyEstate> OpenBigQueryEstate(BigQueryEstateOptions options, std::shared_ptr<bigquery::Client> client, Files& files, Clock& clock,
                                                 Entropy& entropy) {
  return std::make_unique<BigQueryEstate>(std::move(options), std::move(client), files, clock, entropy);
}

}  // namespace reeve::legacy
