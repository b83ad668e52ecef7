#include "tests/conformance/central_sink_adapters.h"

#include "store/memory/memory.h"
#include "store/sqlite/sqlite_sink.h"
#include "tests/conformance/bigquery_dataset.h"
#include "tests/conformance/central_sink_world.h"
#include "tests/fakes/faulty_bigquery.h"

namespace reeve::store {
namespace {

class MemoryAdapter final : public Adapter {
 public:
  std::unique_ptr<CentralSink> Open() override { return MakeMemorySink(data_); }

 private:
  std::shared_ptr<MemoryData> data_ = MakeMemoryData();
};

class SqliteAdapter final : public Adapter {
 public:
  std::unique_ptr<CentralSink> Open() override {
    auto sink = OpenSqliteSink(*files_, dir_.File("store.db"), OpenMode::kCreate, "the suite");
    REEVE_ASSERT(sink.has_value());
    return std::move(*sink);
  }

 private:
  TempDir dir_;
  std::unique_ptr<Files> files_ = MakeSystemFiles();
};

class BigQueryAdapter final : public Adapter {
 public:
  explicit BigQueryAdapter(testing::BigqueryProcess& server) : dataset_(server) {}
  explicit BigQueryAdapter(std::unique_ptr<testing::BigqueryProcess> server) : own_(std::move(server)), dataset_(*own_) {}
  // As where the engine has no etags.
  void HideEtags() { client_.HideEtags(); }

  std::unique_ptr<CentralSink> Open() override {
    auto sink = dataset_.Open(client_);
    EXPECT_TRUE(sink) << sink.error().message;
    REEVE_ASSERT(sink.has_value());
    return std::move(*sink);
  }

 private:
  std::unique_ptr<testing::BigqueryProcess> own_;
  TestDataset dataset_;
  FaultyBigQuery client_{dataset_.client()};
};

}  // namespace

std::unique_ptr<Adapter> MakeAdapter(std::string_view name, std::string* why) {
  if (name == "memory") return std::make_unique<MemoryAdapter>();
  if (name == "sqlite") return std::make_unique<SqliteAdapter>();
  if (name == "bigquery" || name == "bigquery_plain") {
    testing::BigqueryProcess* const fake = SharedFake(why);
    if (fake == nullptr) return nullptr;
    auto adapter = std::make_unique<BigQueryAdapter>(*fake);
    if (name == "bigquery_plain") adapter->HideEtags();
    return adapter;
  }
  // One process for each store: it grows with every job.
  auto emulator = testing::BigqueryProcess::StartEmulator(why);
  if (emulator == nullptr) return nullptr;
  return std::make_unique<BigQueryAdapter>(std::move(emulator));
}

}  // namespace reeve::store
