#include "migrate/backup/restore.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <set>

#include "env/interrupt.h"
#include "migrate/backup/backup.h"
#include "migrate/backup/merge_table.h"
#include "migrate/backup/stored_file.h"
#include "migrate/estate_map.h"

namespace reeve::migrate {
namespace {

using catalog::LegacyKind;
using TableName = std::pair<std::string, std::string>;  // dataset, table

constexpr uint64_t kTableBytesMax = uint64_t{2} << 30;
constexpr size_t kReadBytes = 256 * 1024;

// The names in a schema text; nullopt if it is empty or no schema.
std::optional<std::vector<std::string>> SchemaColumns(std::string_view text) {
  boost::system::error_code error;
  boost::json::value root = boost::json::parse(text, error);
  if (error) return std::nullopt;
  const boost::json::value* fields = root.is_object() ? root.get_object().if_contains("fields") : &root;
  if (fields == nullptr || !fields->is_array()) return std::nullopt;
  std::vector<std::string> names;
  for (const boost::json::value& field : fields->get_array()) {
    const boost::json::value* name = field.is_object() ? field.get_object().if_contains("name") : nullptr;
    if (name == nullptr || !name->is_string()) return std::nullopt;
    names.emplace_back(name->get_string());
  }
  return names;
}

class RestoreRun {
 public:
  RestoreRun(legacy::LegacyEstate& target, const RestoreOptions& options, Files& files, obs::Progress& progress)
      : target_(target), options_(options), files_(files), progress_(progress) {}

  Result<RestoreReport> Run() {
    if (target_.Url() == "export:" + options_.dir)
      return Fail(Code::kUsage, "{}: a backup cannot be restored into itself", options_.dir);
    REEVE_ASSIGN(report_.manifest, ReadManifest(files_, options_.dir, options_.key));
    REEVE_TRY(CheckBackup(files_, options_.dir, report_.manifest, options_.key, progress_));
    REEVE_TRY(ListTarget());
    REEVE_TRY(FillBook());
    progress_.Begin("restore", report_.manifest.tables.size() + only_in_target_.size(), "tables");
    for (const TableEntry& entry : report_.manifest.tables) REEVE_TRY(RestoreTable(entry));
    for (const legacy::LegacyTable* table : only_in_target_) REEVE_TRY(DenyIn(*table));
    progress_.End();
    return std::move(report_);
  }

 private:
  bool Sealed() const { return !report_.manifest.sealed_with.empty(); }

  Result<> ListTarget() {
    Result<std::vector<legacy::Dataset>> datasets = target_.List();
    if (!datasets && datasets.error().code != Code::kNotFound) return Unexpected(std::move(datasets).error());
    if (datasets) datasets_ = std::move(*datasets);
    for (const legacy::Dataset& dataset : datasets_)
      for (const legacy::LegacyTable& table : dataset.tables) tables_[{dataset.name, table.name}] = &table;
    return {};
  }

  // Key tables of the target that the backup does not have, in datasets that belong to a tenant, to all, or to the backup.
  Result<> FindOtherKeyTables() {
    std::set<TableName> mine;
    std::vector<std::string> declared;
    for (const TableEntry& entry : report_.manifest.tables) {
      mine.emplace(entry.dataset, entry.table);
      if (!entry.shared) declared.push_back(entry.dataset);
    }
    const EstateMap map = MapEstate(datasets_, declared);
    const auto add = [&](const CarrierTable& found) {
      const TableName name(found.table.dataset, found.table.name);
      if (found.kind == LegacyKind::kKeys && mine.count(name) == 0) only_in_target_.push_back(tables_.at(name));
    };
    for (const Tenant& tenant : map.tenants) std::for_each(tenant.tables.begin(), tenant.tables.end(), add);
    std::for_each(map.shared.begin(), map.shared.end(), add);
    return {};
  }

  Result<> FillBook() {
    REEVE_TRY(FindOtherKeyTables());
    std::vector<const legacy::LegacyTable*> in_target = only_in_target_;
    progress_.Begin("read keys", report_.manifest.tables.size(), "tables");
    for (const TableEntry& entry : report_.manifest.tables) {
      progress_.Add(1, 0, 0);
      if (entry.kind != LegacyKind::kKeys) continue;
      REEVE_ASSIGN(const std::string rows, ReadBackup(entry));
      ForEachKey(rows, [&](const KeyFacts& facts) { book_.AddBackupRow(facts); });
      if (const auto found = tables_.find({entry.dataset, entry.table}); found != tables_.end())
        in_target.push_back(found->second);
    }
    for (const legacy::LegacyTable* table : in_target) {
      REEVE_ASSIGN(const std::string rows, ReadTarget(*table));
      ForEachKey(rows, [&](const KeyFacts& facts) { book_.AddTargetRow(facts); });
    }
    if (options_.revoked) book_.AddCentral(options_.revoked);
    return {};
  }

  Result<std::string> ReadBackup(const TableEntry& entry) {
    if (entry.rows.bytes > kTableBytesMax) return TooLarge(entry.dataset, entry.table);
    std::string rows;
    rows.reserve(entry.rows.bytes);
    StoredFile file(files_, options_.dir, StoredName(entry.dataset, entry.table, false, Sealed()), options_.key);
    REEVE_TRY(file.Check(entry.rows, [&](std::string_view piece) -> Result<> {
      rows.append(piece);
      return {};
    }));
    return rows;
  }

  // The plain bytes, so that nothing of the target is lost that a reader of rows would pass over.
  Result<std::string> ReadTarget(const legacy::LegacyTable& table) {
    std::string rows;
    std::string buffer(kReadBytes, '\0');
    for (size_t part = 0; part < table.parts.size(); ++part) {
      REEVE_ASSIGN(const std::unique_ptr<legacy::RawReader> reader, target_.OpenRaw(table, part));
      for (;;) {
        REEVE_ASSIGN(const size_t count, reader->Read(buffer.data(), buffer.size()));
        if (count == 0) break;
        rows.append(buffer, 0, count);
        if (rows.size() > kTableBytesMax) return TooLarge(table.dataset, table.name);
      }
      if (!rows.empty() && rows.back() != '\n') rows += '\n';
    }
    return rows;
  }

  static Unexpected TooLarge(const std::string& dataset, const std::string& table) {
    return Fail(Code::kRefused, "{}.{}: over {} bytes; such a table must be loaded by other means", dataset, table,
                kTableBytesMax);
  }

  Result<> CheckInterrupt() const {
    if (!Interrupted()) return {};
    return FailWithHint(Code::kInterrupted, fmt::format("restore stopped after {} tables", report_.tables.size()),
                        "run the same command again; what is restored stays as it is");
  }

  Result<> RestoreTable(const TableEntry& entry) {
    REEVE_TRY(CheckInterrupt());
    const auto found = tables_.find({entry.dataset, entry.table});
    const legacy::LegacyTable* const there = found == tables_.end() ? nullptr : found->second;
    REEVE_ASSIGN(const std::string backup, ReadBackup(entry));
    std::string rows;
    if (there != nullptr) {
      REEVE_ASSIGN(rows, ReadTarget(*there));
    }
    std::string schema_text;
    if (there == nullptr && entry.schema) {
      REEVE_ASSIGN(schema_text, ReadSchema(entry));
    }
    std::optional<std::vector<std::string>> columns = SchemaColumns(schema_text);
    if (there != nullptr) columns = there->schema;
    const std::vector<std::string>* schema = columns ? &*columns : nullptr;
    MergeOutput merged = MergeTable({entry.kind, entry.shared, backup, rows, schema}, book_);
    RestoredTable done{entry.dataset, entry.table, merged.added, merged.kept, merged.denied, there == nullptr,
                       merged.changed || there == nullptr};
    if (done.written && !options_.dry_run) {
      if (!schema_text.empty()) REEVE_TRY(target_.DeclareSchema(entry.dataset, entry.table, schema_text));
      REEVE_TRY(target_.Replace(entry.dataset, entry.table, merged.rows));
    }
    progress_.Add(1, entry.rows.rows, entry.rows.bytes);
    Count(std::move(done));
    return {};
  }

  Result<std::string> ReadSchema(const TableEntry& entry) {
    std::string json;
    StoredFile file(files_, options_.dir, StoredName(entry.dataset, entry.table, true, Sealed()), options_.key);
    REEVE_TRY(file.Check(*entry.schema, [&](std::string_view piece) -> Result<> {
      json.append(piece);
      return {};
    }));
    return json;
  }

  // The same keys in a table that the backup does not have: nothing to add, but a denial counts there too.
  Result<> DenyIn(const legacy::LegacyTable& table) {
    REEVE_TRY(CheckInterrupt());
    REEVE_ASSIGN(const std::string rows, ReadTarget(table));
    MergeOutput merged = MergeTable({LegacyKind::kKeys, true, "", rows, table.schema ? &*table.schema : nullptr}, book_);
    progress_.Add(1, 0, rows.size());
    if (!merged.changed) return {};
    if (!options_.dry_run) REEVE_TRY(target_.Replace(table.dataset, table.name, merged.rows));
    Count({table.dataset, table.name, 0, 0, merged.denied, false, true});
    return {};
  }

  void Count(RestoredTable done) {
    report_.added += done.added;
    report_.kept += done.kept;
    report_.denied += done.denied;
    report_.tables.push_back(std::move(done));
  }

  legacy::LegacyEstate& target_;
  const RestoreOptions& options_;
  Files& files_;
  obs::Progress& progress_;
  std::vector<legacy::Dataset> datasets_;
  std::map<TableName, const legacy::LegacyTable*> tables_;    // of the target; into datasets_
  std::vector<const legacy::LegacyTable*> only_in_target_;
  KeyBook book_;
  RestoreReport report_;
};

}  // namespace

Result<RestoreReport> Restore(legacy::LegacyEstate& target, const RestoreOptions& options, Files& files,
                              obs::Progress& progress) {
  Result<RestoreReport> report = RestoreRun(target, options, files, progress).Run();
  if (report)
    std::sort(report->tables.begin(), report->tables.end(), [](const RestoredTable& a, const RestoredTable& b) {
      return std::tie(a.dataset, a.table) < std::tie(b.dataset, b.table);
    });
  return report;
}

}  // namespace reeve::migrate
