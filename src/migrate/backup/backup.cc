#include "migrate/backup/backup.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "crypto/sealed_file.h"
#include "env/interrupt.h"
#include "migrate/backup/stored_file.h"
#include "migrate/estate_map.h"

namespace reeve::migrate {
namespace {

constexpr std::string_view kMarkerName = "backup.incomplete";
constexpr std::string_view kLockName = "backup.lock";
constexpr size_t kReadBytes = 256 * 1024;
constexpr size_t kSchemaBytesMax = 4 * 1024 * 1024;

struct Source {
  CarrierTable table;
  bool shared = false;
};

// Why a table could not be read. Told apart from failures to write, which end the backup.
struct SourceFailure {
  std::string reason;
};

class BackupRun {
 public:
  BackupRun(legacy::LegacyEstate& estate, const BackupOptions& options, Files& files, Entropy& entropy,
            obs::Progress& progress)
      : estate_(estate), options_(options), files_(files), entropy_(entropy), progress_(progress) {}

  Result<BackupReport> Run() {
    REEVE_TRY(ListSources());
    if (!options_.dry_run) REEVE_TRY(OpenDirectory());
    progress_.Begin("backup", sources_.size(), "tables");
    for (const Source& source : sources_) {
      if (Interrupted())
        return Fail(Code::kInterrupted, "{}: stopped after {} of {} tables", options_.dir, report_.manifest.tables.size(),
                    sources_.size());
      REEVE_TRY(CopyTable(source));
    }
    progress_.End();
    if (!options_.dry_run) REEVE_TRY(Complete());
    return std::move(report_);
  }

 private:
  Result<> ListSources() {
    REEVE_ASSIGN(std::vector<legacy::Dataset> datasets, estate_.List());
    EstateMap map = MapEstate(std::move(datasets), options_.declared);
    for (const std::string& name : options_.only)
      if (map.Find(name) == nullptr) return Fail(Code::kNotFound, "{} has no tenant '{}'", estate_.Url(), name);
    for (Tenant& tenant : map.tenants) {
      const auto& only = options_.only;
      if (!only.empty() && std::find(only.begin(), only.end(), tenant.name) == only.end()) continue;
      for (CarrierTable& table : tenant.tables) sources_.push_back({std::move(table), false});
    }
    for (CarrierTable& table : map.shared) sources_.push_back({std::move(table), true});
    std::sort(sources_.begin(), sources_.end(), [](const Source& a, const Source& b) {
      return std::tie(a.table.table.dataset, a.table.table.name) < std::tie(b.table.table.dataset, b.table.table.name);
    });
    report_.datasets_skipped = map.skipped.size();
    Manifest& manifest = report_.manifest;
    manifest.tool = REEVE_VERSION;
    manifest.source = estate_.Url();
    manifest.as_of = options_.as_of;
    manifest.sealed_with = options_.key != nullptr ? crypto::SealKeyId(*options_.key) : "";
    manifest.only = options_.only;
    std::sort(manifest.only.begin(), manifest.only.end());
    return {};
  }

  std::string PathOf(std::string_view name) const { return fmt::format("{}/{}", options_.dir, name); }

  // What the marker says: enough to refuse to go on with something else.
  std::string Marker() const {
    boost::json::object marker{{"format", "reeve-backup-incomplete"}, {"version", kManifestVersion}};
    marker.emplace("source", report_.manifest.source);
    marker.emplace("sealed_with", report_.manifest.sealed_with);
    marker.emplace("only", boost::json::array(report_.manifest.only.begin(), report_.manifest.only.end()));
    return boost::json::serialize(marker) + "\n";
  }

  Result<> OpenDirectory() {
    REEVE_TRY(files_.MakeDirs(options_.dir));
    REEVE_ASSIGN(const std::vector<DirEntry> entries, files_.List(options_.dir));
    const bool fresh = std::all_of(entries.begin(), entries.end(), [](const DirEntry& e) { return e.name == kLockName; });
    const bool begun = files_.Exists(PathOf(kMarkerName));
    const bool complete = files_.Exists(PathOf(kManifestName));
    if (!fresh && !begun && !complete)
      return FailWithHint(Code::kRefused, fmt::format("{} is not empty and no backup", options_.dir),
                          "choose a new or empty directory");
    REEVE_ASSIGN(lock_, files_.Lock(PathOf(kLockName), "reeve backup of " + estate_.Url()));
    if (complete) return OpenComplete();
    resumed_ = begun;
    if (!begun) return files_.WriteAtomic(PathOf(kMarkerName), Marker());
    REEVE_ASSIGN(const std::string marker, files_.Read(PathOf(kMarkerName), kSchemaBytesMax));
    if (marker == Marker()) return {};
    return FailWithHint(
        Code::kRefused, fmt::format("{}: an unfinished backup of another source, key or choice of tenants", options_.dir),
        "choose another directory, or remove this one");
  }

  // A complete backup is never overwritten; what it says is compared with the source.
  Result<> OpenComplete() {
    REEVE_ASSIGN(before_, ReadManifest(files_, options_.dir, options_.key));
    if (before_->source == report_.manifest.source && before_->only == report_.manifest.only) return {};
    return FailWithHint(Code::kRefused, fmt::format("{}: already a backup of {}", options_.dir, before_->source),
                        "choose another directory");
  }

  StoredFile Stored(const legacy::LegacyTable& table, bool schema) const {
    return StoredFile(files_, options_.dir, StoredName(table.dataset, table.name, schema, options_.key != nullptr),
                      options_.key);
  }

  Result<> CopyTable(const Source& source) {
    const legacy::LegacyTable& table = source.table.table;
    std::optional<SourceFailure> failure;
    TableEntry entry;
    entry.dataset = table.dataset;
    entry.table = table.name;
    entry.kind = source.table.kind;
    entry.shared = source.shared;
    Result<std::string> schema = estate_.SchemaText(table);
    if (!schema) failure = SourceFailure{schema.error().message};
    if (!failure) {
      REEVE_ASSIGN(entry.rows, Copy(Stored(table, false), &failure,
                                    [&](const Sink& sink) { return ReadRows(table, sink, &failure); }));
    }
    if (!failure && !schema->empty()) {
      REEVE_ASSIGN(entry.schema, Copy(Stored(table, true), &failure, [&](const Sink& sink) { return sink(*schema); }));
    }
    if (failure) {
      progress_.Note(fmt::format("{}.{} is not in the backup: {}", table.dataset, table.name, failure->reason));
      report_.manifest.failed.push_back({table.dataset, table.name, failure->reason});
      if (!options_.dry_run) REEVE_TRY(files_.Remove(Stored(table, false).path()));
      progress_.Add(1, 0, 0);
      return {};
    }
    report_.rows += entry.rows.rows;
    report_.bytes += entry.rows.bytes;
    progress_.Add(1, entry.rows.rows, entry.rows.bytes);
    report_.manifest.tables.push_back(std::move(entry));
    return {};
  }

  // All parts as one text, each ended by a newline. A failure to read goes to `failure` and ends it without an error.
  Result<> ReadRows(const legacy::LegacyTable& table, const Sink& sink, std::optional<SourceFailure>* failure) {
    const std::unique_ptr<char[]> buffer(new char[kReadBytes]);
    for (size_t part = 0; part < table.parts.size(); ++part) {
      Result<std::unique_ptr<legacy::RawReader>> reader = estate_.OpenRaw(table, part);
      Result<size_t> count = 0;
      char last = '\n';
      for (;;) {
        if (reader) count = (*reader)->Read(buffer.get(), kReadBytes);
        if (!reader || !count) {
          *failure = SourceFailure{reader ? count.error().message : reader.error().message};
          return {};
        }
        if (*count == 0) break;
        last = buffer[*count - 1];
        REEVE_TRY(sink({buffer.get(), *count}));
      }
      if (last != '\n') REEVE_TRY(sink("\n"));
    }
    return {};
  }

  // Stores what `produce` makes, unless the same lies there already, and reads it back.
  Result<Digests> Copy(StoredFile file, const std::optional<SourceFailure>* failure,
                       const std::function<Result<>(const Sink&)>& produce) {
    if (options_.dry_run || files_.Exists(file.path())) {
      ContentMeter source;
      REEVE_TRY(produce([&](std::string_view piece) -> Result<> {
        source.Add(piece);
        return {};
      }));
      Digests wanted = source.Finish();
      if (options_.dry_run || *failure) return wanted;
      const Result<Digests> there = file.Read();
      if (there && there->bytes == wanted.bytes && there->sha256 == wanted.sha256) {
        ++report_.tables_reused;
        return *there;
      }
      if (before_) return SourceChanged(file.path());
    }
    if (before_) return SourceChanged(file.path());
    const std::string folder = file.path().substr(0, file.path().rfind('/'));
    REEVE_TRY(files_.MakeDirs(folder));
    REEVE_ASSIGN(const Digests written, file.Write(entropy_, produce));
    if (*failure) return written;
    REEVE_TRY(file.Check(written));
    return written;
  }

  Unexpected SourceChanged(const std::string& path) const {
    return FailWithHint(Code::kRefused,
                        fmt::format("{}: this backup is complete as of {}, and the source is no longer equal to it",
                                    path, FormatTime(before_->as_of)),
                        "choose another directory for a new backup");
  }

  Result<> Complete() {
    if (before_) {
      REEVE_TRY(CompareWithBefore());
      report_.manifest = std::move(*before_);
    } else {
      if (resumed_) REEVE_TRY(RemoveStale());
      REEVE_TRY(files_.SyncAll(options_.dir));  // before the manifest says that they are there
      REEVE_TRY(files_.WriteAtomic(PathOf(kManifestName), FormatManifest(report_.manifest, options_.key), 0600));
      REEVE_TRY(ReadManifest(files_, options_.dir, options_.key));
    }
    return files_.Remove(PathOf(kMarkerName));
  }

  // Files that an earlier try wrote for tables which are not in this backup.
  Result<> RemoveStale() {
    std::set<std::string> mine;
    const bool sealed = options_.key != nullptr;
    for (const TableEntry& entry : report_.manifest.tables) {
      mine.insert(StoredName(entry.dataset, entry.table, false, sealed));
      if (entry.schema) mine.insert(StoredName(entry.dataset, entry.table, true, sealed));
    }
    REEVE_ASSIGN(const std::vector<DirEntry> folders, files_.List(options_.dir));
    for (const DirEntry& folder : folders) {
      if (!folder.is_directory) continue;
      REEVE_ASSIGN(const std::vector<DirEntry> entries, files_.List(PathOf(folder.name)));
      for (const DirEntry& entry : entries) {
        const std::string name = folder.name + "/" + entry.name;
        const bool ours = entry.name.ends_with(StoredSuffix(false, sealed)) || entry.name.ends_with(StoredSuffix(true, sealed));
        if (!entry.is_directory && ours && mine.count(name) == 0) REEVE_TRY(files_.Remove(PathOf(name)));
      }
    }
    return {};
  }

  Result<> CompareWithBefore() const {
    const auto equal = [](const TableEntry& a, const TableEntry& b) {
      return a.dataset == b.dataset && a.table == b.table && a.rows == b.rows && a.schema == b.schema;
    };
    const std::vector<TableEntry>& now = report_.manifest.tables;
    const bool same = std::equal(now.begin(), now.end(), before_->tables.begin(), before_->tables.end(), equal);
    if (!same || report_.manifest.failed.size() != before_->failed.size()) return SourceChanged(PathOf(kManifestName));
    return {};
  }

  legacy::LegacyEstate& estate_;
  const BackupOptions& options_;
  Files& files_;
  Entropy& entropy_;
  obs::Progress& progress_;
  std::vector<Source> sources_;
  std::unique_ptr<FileLock> lock_;
  bool resumed_ = false;
  std::optional<Manifest> before_;  // of a complete backup in the directory
  BackupReport report_;
};

}  // namespace

Result<BackupReport> Backup(legacy::LegacyEstate& estate, const BackupOptions& options, Files& files, Entropy& entropy,
                            obs::Progress& progress) {
  return BackupRun(estate, options, files, entropy, progress).Run();
}

Result<Manifest> ReadManifest(Files& files, const std::string& dir, const Secret* key) {
  const std::string path = fmt::format("{}/{}", dir, kManifestName);
  if (!files.Exists(path) && files.Exists(fmt::format("{}/{}", dir, kMarkerName)))
    return FailWithHint(Code::kRefused, fmt::format("{}: this backup was never completed", dir),
                        "run the same reeve backup command again; it goes on where it stopped");
  if (!files.Exists(path))
    return FailWithHint(Code::kNotFound, fmt::format("{} holds no backup: there is no {}", dir, kManifestName),
                        "give the directory that reeve backup wrote");
  REEVE_ASSIGN(const std::string text, files.Read(path, kManifestBytesMax));
  return ParseManifest(path, text, key);
}

Result<> CheckBackup(Files& files, const std::string& dir, const Manifest& manifest, const Secret* key,
                     obs::Progress& progress) {
  const bool sealed = !manifest.sealed_with.empty();
  progress.Begin("check backup", manifest.tables.size(), "tables");
  for (const TableEntry& entry : manifest.tables) {
    if (Interrupted()) return Fail(Code::kInterrupted, "{}: stopped while its files were checked", dir);
    REEVE_TRY(StoredFile(files, dir, StoredName(entry.dataset, entry.table, false, sealed), key).Check(entry.rows));
    if (entry.schema)
      REEVE_TRY(StoredFile(files, dir, StoredName(entry.dataset, entry.table, true, sealed), key).Check(*entry.schema));
    progress.Add(1, entry.rows.rows, entry.rows.bytes);
  }
  progress.End();
  return {};
}

}  // namespace reeve::migrate
