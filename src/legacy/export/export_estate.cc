#include "legacy/export/export_estate.h"

#include <algorithm>
#include <map>

#include "legacy/export/file_name.h"
#include "legacy/export/gzip_source.h"
#include "legacy/export/line_splitter.h"
#include "legacy/export/raw_reader.h"
#include "legacy/export/schema_file.h"

namespace reeve::legacy {
namespace {

constexpr int kRowsMode = 0600;  // rows hold key hashes, sometimes keys

// What one dataset directory holds of one table.
struct TableFiles {
  struct Shard {
    FileName parsed;  // views into `entry->name`
    const DirEntry* entry = nullptr;
  };
  std::vector<Shard> shards;
  const DirEntry* schema = nullptr;
};

// What is missing below the estate's own directory is a fault, not an empty estate.
Error AsFault(Error error) {
  if (error.code == Code::kNotFound) error.code = Code::kFailed;
  return error;
}

std::map<std::string_view, TableFiles> GroupByTable(const std::vector<DirEntry>& entries,
                                                    std::vector<std::string>* unread) {
  std::map<std::string_view, TableFiles> tables;
  for (const DirEntry& entry : entries) {
    const auto parsed = entry.is_directory ? std::nullopt : ParseFileName(entry.name);
    if (!parsed) {
      unread->push_back(entry.is_directory ? entry.name + "/" : entry.name);
    } else if (parsed->kind == FileKind::kSchema) {
      tables[parsed->table].schema = &entry;
    } else {
      tables[parsed->table].shards.push_back({*parsed, &entry});
    }
  }
  return tables;
}

class ExportEstate final : public LegacyEstate {
 public:
  ExportEstate(Files& files, std::string dir) : files_(files), dir_(std::move(dir)) {}

  std::string Url() const override { return "export:" + dir_; }

  Result<std::vector<Dataset>> List() override {
    Result<std::vector<DirEntry>> entries = files_.List(dir_);
    if (!entries && entries.error().code == Code::kNotFound && !files_.Exists(dir_)) return NothingHere("does not exist");
    if (!entries) return Unexpected(AsFault(std::move(entries).error()));
    std::vector<Dataset> datasets;
    for (const DirEntry& entry : *entries) {
      if (!entry.is_directory) continue;
      REEVE_ASSIGN(Dataset dataset, ListDataset(entry.name));
      datasets.push_back(std::move(dataset));
    }
    if (datasets.empty()) return NothingHere("holds no dataset directory");
    return datasets;
  }

  Result<std::unique_ptr<LineReader>> OpenLines(const LegacyTable& table, size_t part) override {
    REEVE_TRY(CheckSchema(table));
    const std::string path = PathOf(table, part);
    REEVE_ASSIGN(std::unique_ptr<ByteReader> source, files_.Open(path));
    if (path.ends_with(".gz")) {
      REEVE_ASSIGN(source, OpenGzip(std::move(source), path));
    }
    return MakeLineSplitter(std::move(source), pool_);
  }

  Result<std::unique_ptr<RawReader>> OpenRaw(const LegacyTable& table, size_t part) override {
    REEVE_TRY(CheckSchema(table));
    const std::string path = PathOf(table, part);
    return OpenRawFile(files_, path, path.ends_with(".gz"));
  }

  Result<> Replace(const std::string& dataset, const std::string& table, std::string_view lines) override {
    if (!IsTableName(dataset) || !IsTableName(table))
      return Fail(Code::kUsage, "cannot write table '{}' of dataset '{}': names are 1 to 1024 of A-Z a-z 0-9 _", table,
                  dataset);
    const std::string folder = dir_ + "/" + dataset;
    REEVE_TRY(files_.MakeDirs(folder));
    REEVE_ASSIGN(const std::vector<DirEntry> entries, files_.List(folder));
    std::vector<std::string> unread;
    const std::map<std::string_view, TableFiles> tables = GroupByTable(entries, &unread);
    const auto before = tables.find(table);
    const bool compressed = before != tables.end() && std::any_of(before->second.shards.begin(), before->second.shards.end(),
                                                                  [](const auto& s) { return s.parsed.compressed; });
    const std::string name = table + (compressed ? "-000000000000.json.gz" : "-000000000000.json");
    REEVE_TRY(files_.WriteAtomic(folder + "/" + name, compressed ? GzipCompress(lines) : lines, kRowsMode));
    if (before == tables.end()) return {};
    for (const TableFiles::Shard& shard : before->second.shards)
      if (shard.entry->name != name) REEVE_TRY(files_.Remove(folder + "/" + shard.entry->name));
    return {};
  }

  Result<std::string> SchemaText(const LegacyTable& table) override {
    if (!table.schema) return std::string();
    REEVE_TRY(CheckSchema(table));
    return files_.Read(SchemaPath(table.dataset, table.name), kSchemaBytesMax);
  }

  Result<> DeclareSchema(const std::string& dataset, const std::string& table, std::string_view json) override {
    if (!IsTableName(dataset) || !IsTableName(table))
      return Fail(Code::kUsage, "cannot write a schema of table '{}' of dataset '{}': bad name", table, dataset);
    REEVE_TRY(files_.MakeDirs(dir_ + "/" + dataset));
    return files_.WriteAtomic(SchemaPath(dataset, table), json);
  }

 private:
  Unexpected NothingHere(std::string_view what) const {
    return FailWithHint(Code::kNotFound, fmt::format("{} {}", dir_, what),
                        "give the directory that holds one directory per dataset: DIR/{dataset}/{table}-000000000000.json");
  }

  std::string PathOf(const LegacyTable& table, size_t part) const {
    REEVE_ASSERT(part < table.parts.size());
    return dir_ + "/" + table.parts[part].name;
  }

  std::string SchemaPath(const std::string& dataset, const std::string& table) const {
    return fmt::format("{}/{}/{}.schema.json", dir_, dataset, table);
  }

  Result<Dataset> ListDataset(const std::string& name) {
    Result<std::vector<DirEntry>> entries = files_.List(dir_ + "/" + name);
    if (!entries) return Unexpected(AsFault(std::move(entries).error()));
    Dataset dataset;
    dataset.name = name;
    for (auto& [table_name, found] : GroupByTable(*entries, &dataset.unread)) {
      if (found.shards.empty()) {
        dataset.unread.push_back(found.schema->name);
        continue;
      }
      dataset.tables.push_back(MakeTable(name, table_name, found));
    }
    std::sort(dataset.unread.begin(), dataset.unread.end());
    return dataset;
  }

  LegacyTable MakeTable(const std::string& dataset, std::string_view name, TableFiles& found) {
    std::stable_sort(found.shards.begin(), found.shards.end(),
                     [](const auto& a, const auto& b) { return ShardLess(a.parsed, b.parsed); });
    LegacyTable table;
    table.dataset = dataset;
    table.name = name;
    for (const TableFiles::Shard& shard : found.shards) {
      table.parts.push_back({dataset + "/" + shard.entry->name, shard.entry->size});
      table.bytes += shard.entry->size;
    }
    if (found.schema != nullptr) {
      Result<std::vector<std::string>> columns = ReadSchema(table);
      table.schema = columns ? std::move(*columns) : std::vector<std::string>();
    }
    return table;
  }

  Result<std::vector<std::string>> ReadSchema(const LegacyTable& table) {
    const std::string path = SchemaPath(table.dataset, table.name);
    Result<std::string> json = files_.Read(path, kSchemaBytesMax);
    if (!json) return Unexpected(AsFault(std::move(json).error()));
    return ParseSchema(path, *json);
  }

  // Opening is where a damaged schema file shows, so that it costs one tenant and not the listing.
  Result<> CheckSchema(const LegacyTable& table) {
    if (!table.schema || !table.schema->empty()) return {};
    Result<std::vector<std::string>> columns = ReadSchema(table);
    if (!columns) return Unexpected(std::move(columns).error());
    return Fail(Code::kFailed, "{}.{}: its schema file changed since the estate was listed", table.dataset, table.name);
  }

  Files& files_;
  const std::string dir_;
  const std::shared_ptr<BlockPool> pool_ = std::make_shared<BlockPool>();
};

}  // namespace

Result<std::unique_ptr<LegacyEstate>> OpenExportEstate(Files& files, std::string dir) {
  if (dir.empty()) return Fail(Code::kUsage, "export: needs a directory, as in export:DIR");
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  return std::make_unique<ExportEstate>(files, std::move(dir));
}

}  // namespace reeve::legacy
