// What the tests of this folder share: a directory of their own, a clock that stands still, stores
// of both kinds, rows written as JSON.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "base/encoding.h"
#include "catalog/ndjson.h"
#include "crypto/sha256.h"
#include "domain/run_set.h"
#include "legacy/export/export_estate.h"
#include "migrate/audit.h"
#include "migrate/engine.h"
#include "migrate/journal.h"
#include "migrate/ops/central_manifest.h"
#include "migrate/ops/ops.h"
#include "migrate/ops/row_tools.h"
#include "store/memory/memory.h"
#include "store/sqlite/sqlite_sink.h"
#include "tests/fakes/forwarding_sink.h"

namespace reeve::migrate::ops {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "reeve-ops-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class StillClock final : public Clock {
 public:
  Micros now = *ParseTime("2026-11-22 12:00:00 UTC");
  Micros Now() override { return now; }
  Micros Steady() override { return now; }
  void Sleep(Micros) override {}
};

enum class Kind { kMemory, kSqlite };

inline std::unique_ptr<store::CentralSink> MakeSink(Kind kind, Files& files, const std::string& path) {
  if (kind == Kind::kMemory) return store::MakeMemorySink();
  auto sink = store::OpenSqliteSink(files, path, store::OpenMode::kCreate, "test");
  if (!sink) ADD_FAILURE() << sink.error().message;
  return std::move(*sink);
}

// A sink that stops working after so many changes, before or after the last one took effect.
class FailingSink final : public testing::ForwardingSink {
 public:
  FailingSink(store::CentralSink& base, int good, bool after = false) : ForwardingSink(base), good_(good), after_(after) {}
  store::BatchHint hint;
  store::BatchHint batch() const override { return hint; }
  Result<std::vector<store::TenantResult>> Merge(std::span<const store::TenantWrite> batch) override {
    return Try<std::vector<store::TenantResult>>([&] { return ForwardingSink::Merge(batch); });
  }
  Result<std::vector<store::TenantResult>> Erase(std::span<const store::TenantWrite> after) override {
    return Try<std::vector<store::TenantResult>>([&] { return ForwardingSink::Erase(after); });
  }
  Result<> Amend(std::span<const Deletion> deletions, std::span<const RowBatch> upserts) override {
    return Try<void>([&] { return ForwardingSink::Amend(deletions, upserts); });
  }

 private:
  template <typename T, typename Change>
  Result<T> Try(const Change& change) {
    if (good_-- > 0) return change();
    if (after_) (void)change();
    return Fail(Code::kFailed, "the disk is full");
  }

  int good_;
  const bool after_;
};

// One store with everything a command wants around it.
struct World {
  explicit World(Kind kind) : sink(MakeSink(kind, *files, dir / "reeve.db")) {}

  [[nodiscard]] Engine engine() {
    Engine engine;
    engine.estate = estate.get();
    engine.sink = sink.get();
    engine.files = files.get();
    engine.clock = &clock;
    engine.progress = &progress;
    engine.state_path = dir / "reeve.db";
    return engine;
  }
  [[nodiscard]] std::unique_ptr<store::CentralReader> Reader() { return std::move(*sink->OpenReader()); }
  // Opens DIR/legacy as an estate, after the test has written files there.
  void OpenEstate() { estate = std::move(*legacy::OpenExportEstate(*files, dir / "legacy")); }

  TempDir dir;
  std::unique_ptr<Files> files = MakeSystemFiles();
  StillClock clock;
  obs::SilentProgress progress;
  std::unique_ptr<store::CentralSink> sink;
  std::unique_ptr<legacy::LegacyEstate> estate;
};

inline void WriteFile(const std::string& path, std::string_view content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Appends a row given as a JSON object; what the table requires and the text leaves out is an error
// of the test.
inline void AddRow(RowBatch* batch, const std::string& json) {
  const Result<> parsed = catalog::ParseRow(json, batch);
  if (!parsed) ADD_FAILURE() << batch->table().name << ": " << parsed.error().message << "\n" << json;
}

// Rows of one tenant, collected as JSON, written at once.
class Rows {
 public:
  Rows(std::string tenant, std::string customer = {}) : owner_{tenant, customer.empty() ? CustomerIdOf(tenant) : customer} {}

  Rows& Add(const Table& table, const std::string& json) {
    for (RowBatch& batch : tables_) {
      if (&batch.table() != &table) continue;
      AddRow(&batch, json);
      return *this;
    }
    tables_.emplace_back(table);
    AddRow(&tables_.back(), json);
    return *this;
  }
  // "customer_id":…,"tenant_id":…
  [[nodiscard]] std::string Names() const {
    return fmt::format(R"("customer_id":"{}","tenant_id":"{}")", owner_.customer_id, owner_.tenant_id);
  }
  Rows& Customer(const std::string& status = "active", const std::string& created = "2026-01-01 00:00:00 UTC") {
    return Add(catalog::Customers(), fmt::format(R"({{{},"company_name":"{}","subscription_plan":"professional","status":"{}","dataset_id":"{}","created_at":"{}","updated_at":"{}"}})",
                                                 Names(), owner_.tenant_id, status, owner_.tenant_id, created, created));
  }
  Rows& Subscription(const std::string& id, const std::string& start = "2026-01-01", const std::string& more = {}) {
    return Add(catalog::Subscriptions(), fmt::format(R"({{"subscription_id":"{0}","customer_id":"{1}","plan_name":"professional","billing_cycle_start":"{2}","auto_renew":false,"created_at":"{2} 00:00:00 UTC","updated_at":"{2} 00:00:00 UTC"{3}}})",
                                                     id, owner_.customer_id, start, more));
  }
  Rows& Key(const std::string& id, const std::string& hash, const std::string& more = R"("is_active":true)") {
    return Add(catalog::ApiKeys(), fmt::format(R"({{"api_key_id":"{}",{},"api_key_hash":"{}","encrypted_api_key":"","created_at":"2026-01-02 00:00:00 UTC",{}}})",
                                               id, Names(), hash, more));
  }
  Rows& Credential(const std::string& id, const std::string& secret, const std::string& updated = "2026-01-03 00:00:00 UTC") {
    return Add(catalog::Credentials(), fmt::format(R"({{"credential_id":"{}",{},"provider":"gcp","credential_type":"sa","encrypted_credentials":"{}","is_active":true,"created_at":"2026-01-03 00:00:00 UTC","updated_at":"{}"}})",
                                                   id, Names(), Base64Encode(secret), updated));
  }
  Rows& Usage(const std::string& id, const std::string& month, int64_t runs, int64_t running = 0) {
    return Add(catalog::Usage(), fmt::format(R"({{"usage_id":"{}",{},"usage_month":"{}-01","pipelines_run_count":"{}","pipelines_running_count":"{}","storage_used_gb":"0","compute_hours":"0","api_requests_count":"0","quota_reset_at":"2026-12-01 00:00:00 UTC","created_at":"2026-01-01 00:00:00 UTC","updated_at":"2026-01-01 00:00:00 UTC"}})",
                                             id, Names(), month, runs, running));
  }
  Rows& Event(const std::string& id, const std::string& metadata = "{}") {
    return Add(catalog::AuditLogs(), fmt::format(R"({{"log_id":"{}",{},"event_type":"customer.migrated","event_category":"admin","actor_type":"system","action":"migrate","result":"success","metadata":{},"created_at":"2026-01-01 00:00:00 UTC"}})",
                                                 id, Names(), metadata));
  }
  Rows& Invitation(const std::string& id, const std::string& token, const std::string& status = "pending") {
    return Add(catalog::Invitations(), fmt::format(R"({{"invitation_id":"{}",{},"invited_email":"a@b.c","invited_by":"x","role":"viewer","status":"{}","invitation_token":"{}","expires_at":"2026-12-01 00:00:00 UTC","created_at":"2026-01-01 00:00:00 UTC"}})",
                                                   id, Names(), status, token));
  }
  Rows& Runs(const domain::RunSet& set) {
    for (const Days month : set.Months())
      Add(catalog::ReeveUsageRuns(), fmt::format(R"({{"tenant_id":"{}","usage_month":"{}","runs":"{}"}})", owner_.tenant_id, FormatDate(month),
                                                 Base64Encode(set.Encode(month))));
    return *this;
  }
  Rows& State(const std::string& phase, int64_t attempt = 1, const std::string& more = R"(,"as_of":"2026-11-01 00:00:00 UTC")") {
    return Add(catalog::ReeveTenants(), fmt::format(R"({{{},"phase":"{}","attempt":"{}","quarantined":"0","findings":"0","updated_at":"2026-11-01 00:00:00 UTC"{}}})",
                                                    Names(), phase, attempt, more));
  }
  // A migrated tenant with a bit of everything; `salt` makes hashes differ.
  Rows& Whole(const std::string& salt) {
    return Customer().Subscription("sub_" + salt).Key("key_" + salt, Hash(salt)).Credential("cred_" + salt, "sealed").Usage("usage_" + salt, "2026-11", 3)
        .Invitation("inv_" + salt, Hash("token" + salt));
  }

  void WriteTo(World& world, int64_t attempt = 1) {
    store::TenantWrite write{owner_, attempt, std::move(tables_)};
    const auto results = world.sink->Merge({&write, 1});
    ASSERT_TRUE(results) << results.error().message;
    ASSERT_EQ((*results)[0].outcome, store::Outcome::kMerged) << (*results)[0].detail;
    tables_.clear();
  }
  [[nodiscard]] const store::Owner& owner() const { return owner_; }
  [[nodiscard]] std::vector<RowBatch>& tables() { return tables_; }
  static std::string Hash(const std::string& key);

 private:
  store::Owner owner_;
  std::vector<RowBatch> tables_;
};

inline std::string Rows::Hash(const std::string& key) { return crypto::Sha256Hex(key); }

// Every row of every table as export lines.
inline std::string Dump(store::CentralReader& reader, bool own = true) {
  std::string text;
  for (const auto& tables : {catalog::CentralTables(), own ? catalog::OwnTables() : std::span<const Table>()})
    for (const Table& table : tables)
      EXPECT_TRUE(reader.Scan(table, [&](Row row) -> Result<> {
        text.append(table.name).append(" ");
        catalog::AppendRow(table, row, &text);
        return {};
      }));
  return text;
}

inline std::vector<std::string> Lines(store::CentralReader& reader, const Table& table) {
  std::vector<std::string> lines;
  EXPECT_TRUE(reader.Scan(table, [&](Row row) -> Result<> {
    lines.push_back(LineOf(table, row));
    return {};
  }));
  return lines;
}

// One column of a table, in the order of its key.
inline std::vector<std::string> Column(store::CentralReader& reader, const Table& table, std::string_view column) {
  std::vector<std::string> values;
  const auto index = static_cast<size_t>(table.Index(column));
  const bool number = catalog::IsNumeric(table.columns[index].type);
  EXPECT_TRUE(reader.Scan(table, [&](Row row) -> Result<> {
    values.push_back(row[index].is_null ? "NULL" : number ? std::to_string(row[index].num) : std::string(row[index].text));
    return {};
  }));
  return values;
}

#define ASSERT_OK(result) ASSERT_TRUE(result) << (result).error().message
#define EXPECT_OK(result) EXPECT_TRUE(result) << (result).error().message

}  // namespace reeve::migrate::ops
