#include <random>

#include "migrate/ops/central_files.h"
#include "migrate/ops/ops_testing.h"
#include "tests/fakes/faulty_files.h"

namespace reeve::migrate::ops {
namespace {

class ExportImport : public ::testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Stores, ExportImport, ::testing::Values(Kind::kMemory, Kind::kSqlite),
                         [](const auto& info) { return info.param == Kind::kMemory ? "Memory" : "Sqlite"; });

Result<ExportReport> ExportTo(World& world, const std::string& dir) {
  return ExportCentral(*world.Reader(), *world.files, dir, world.progress, world.clock.now);
}

// The eight files of an export in one text.
std::string AllFiles(const std::string& dir) {
  std::string all;
  for (const Table* table : ExportedTables()) all += fmt::format("== {}\n{}", table->name, ReadFile(fmt::format("{}/{}.json", dir, table->name)));
  return all;
}

TEST_P(ExportImport, AnExportHoldsEveryTableSortedWithItsDigestAndTheManifestLast) {
  World world(GetParam());
  Rows("zeta").Whole("z").WriteTo(world);
  Rows("alpha").Whole("a").WriteTo(world);

  const auto report = ExportTo(world, world.dir / "out");

  ASSERT_OK(report);
  ASSERT_EQ(report->tables.size(), 10u);
  for (const ExportReport::Item& item : report->tables) {
    const std::string content = ReadFile(world.dir / "out/" + item.table + ".json");
    EXPECT_EQ(item.bytes, content.size());
    EXPECT_EQ(item.sha256, crypto::Sha256Hex(content));
    EXPECT_EQ(item.rows, static_cast<uint64_t>(std::count(content.begin(), content.end(), '\n')));
  }
  const std::string keys = ReadFile(world.dir / "out/customer_api_keys.json");
  EXPECT_EQ(std::count(keys.begin(), keys.end(), '\n'), 2);
  std::vector<std::string> ids = Column(*world.Reader(), catalog::Customers(), "customer_id");
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_TRUE(IsCentralExport(*world.files, world.dir / "out"));
  EXPECT_FALSE(IsCentralExport(*world.files, world.dir / "elsewhere"));
}

TEST_P(ExportImport, AnExportOverwritesNothing) {
  World world(GetParam());
  WriteFile(world.dir / "out/precious", "x");
  const auto report = ExportTo(world, world.dir / "out");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kRefused);
  EXPECT_EQ(ReadFile(world.dir / "out/precious"), "x");
}

TEST_P(ExportImport, AnExportIsReadableByItsOwnerOnly) {
  World world(GetParam());
  Rows("acme").Whole("a").WriteTo(world);
  ASSERT_OK(ExportTo(world, world.dir / "out"));
  EXPECT_EQ(*world.files->Mode(world.dir / "out/customer_api_keys.json"), 0600);
}

TEST_P(ExportImport, AnExportImportsIntoAnEqualStore) {
  World source(GetParam()), target(GetParam());
  Rows("acme").Whole("a").Event("log_a").WriteTo(source);
  Rows("Beta").Whole("b").WriteTo(source);
  Rows("gone").Event("log_gone").WriteTo(source);
  ASSERT_OK(ExportTo(source, source.dir / "out"));

  const auto report = ImportCentral(target.engine(), source.dir / "out", false);

  ASSERT_OK(report);
  EXPECT_TRUE(report->conflicts.empty()) << report->conflicts.front();
  EXPECT_EQ(report->customers, 2u);
  ASSERT_OK(ExportTo(target, target.dir / "out"));
  EXPECT_EQ(AllFiles(source.dir / "out"), AllFiles(target.dir / "out"));
  EXPECT_EQ(Column(*target.Reader(), catalog::ReeveTenants(), "phase"), (std::vector<std::string>{"copied", "copied"}));
  EXPECT_EQ(Column(*target.Reader(), catalog::ReeveTenants(), "reason"), (std::vector<std::string>{"imported", "imported"}));
  EXPECT_EQ(ReadJournal(*target.files, target.dir / "reeve.db.journal")->tenants.at("acme").phase, Phase::kCopied);
}

TEST_P(ExportImport, ImportingTwiceChangesNothing) {
  World source(GetParam()), target(GetParam());
  Rows("acme").Whole("a").WriteTo(source);
  ASSERT_OK(ExportTo(source, source.dir / "out"));
  ASSERT_OK(ImportCentral(target.engine(), source.dir / "out", false));
  const std::string before = Dump(*target.Reader());
  target.clock.now += kHour;
  const auto again = ImportCentral(target.engine(), source.dir / "out", false);
  ASSERT_OK(again);
  EXPECT_EQ(again->rows_changed, 0u);
  EXPECT_EQ(Dump(*target.Reader()), before);
}

TEST_P(ExportImport, ADryRunWritesNothing) {
  World source(GetParam()), target(GetParam());
  Rows("acme").Whole("a").WriteTo(source);
  ASSERT_OK(ExportTo(source, source.dir / "out"));
  const std::string before = Dump(*target.Reader());
  const auto report = ImportCentral(target.engine(), source.dir / "out", true);
  ASSERT_OK(report);
  EXPECT_EQ(report->customers, 1u);
  EXPECT_EQ(Dump(*target.Reader()), before);
  EXPECT_FALSE(target.files->Exists(target.dir / "reeve.db.journal"));
}

TEST_P(ExportImport, AnImportNeverRevivesARevokedKeyAndNeverLowersAPhaseBeingServed) {
  World source(GetParam()), target(GetParam());
  Rows("acme").Whole("a").WriteTo(source);
  Rows("busy").Whole("b").WriteTo(source);
  ASSERT_OK(ExportTo(source, source.dir / "out"));
  Rows("acme").Customer().Key("key_a", Rows::Hash("a"), R"("is_active":false,"revoked_at":"2026-05-01 00:00:00 UTC")").State("verified", 4).WriteTo(target, 4);
  Rows("busy").Customer().State("central", 2).WriteTo(target, 2);

  const auto report = ImportCentral(target.engine(), source.dir / "out", false);

  ASSERT_OK(report);
  ASSERT_EQ(report->conflicts.size(), 1u);
  EXPECT_NE(report->conflicts[0].find("busy: is in phase central"), std::string::npos);
  EXPECT_EQ(Column(*target.Reader(), catalog::ApiKeys(), "is_active"), (std::vector<std::string>{"0"}));
  EXPECT_EQ(Column(*target.Reader(), catalog::ReeveTenants(), "phase"), (std::vector<std::string>{"copied", "central"}));
  EXPECT_EQ(Column(*target.Reader(), catalog::ReeveTenants(), "attempt"), (std::vector<std::string>{"4", "2"}));
}

TEST_P(ExportImport, AfterACrashBetweenBatchesARepeatEndsAsAnUndisturbedImport) {
  World source(GetParam());
  for (int i = 0; i < 150; ++i) Rows(fmt::format("tenant{}", i)).Whole(std::to_string(i)).WriteTo(source);
  ASSERT_OK(ExportTo(source, source.dir / "out"));
  for (const bool after : {false, true}) {
    World target(GetParam());
    FailingSink failing(*target.sink, 1, after);
    Engine engine = target.engine();
    engine.sink = &failing;
    EXPECT_FALSE(ImportCentral(engine, source.dir / "out", false));
    ASSERT_OK(ImportCentral(target.engine(), source.dir / "out", false));
    ASSERT_OK(ExportTo(target, target.dir / "out"));
    EXPECT_EQ(AllFiles(source.dir / "out"), AllFiles(target.dir / "out"));
  }
}

// A full disk at every write: an error, and never a directory that looks like an export.
TEST_P(ExportImport, AnExportThatCouldNotBeWrittenIsNone) {
  World world(GetParam());
  Rows("acme").Whole("a").WriteTo(world);
  uint64_t n = 1;
  for (;; ++n) {
    testing::FaultyFiles faulty(world.files.get());
    faulty.FailAt(n, testing::Fault::kTorn);
    const std::string dir = world.dir / fmt::format("out{}", n);
    const auto report = ExportCentral(*world.Reader(), faulty, dir, world.progress, world.clock.now);
    if (report) break;
    EXPECT_FALSE(IsCentralExport(*world.files, dir)) << n;
    if (world.files->Exists(dir) && !world.files->List(dir)->empty()) {
      const auto again = ExportTo(world, dir);
      ASSERT_FALSE(again);
      EXPECT_NE(again.error().hint.find("interrupted"), std::string::npos);
    }
  }
  EXPECT_GT(n, 16u);
}

// Damage at every place of every file: nothing is written, and the error names the file.
TEST_P(ExportImport, ADamagedExportIsRefusedBeforeAnythingIsWritten) {
  World source(GetParam());
  Rows("acme").Whole("a").Event("log_a").WriteTo(source);
  ASSERT_OK(ExportTo(source, source.dir / "out"));
  World target(GetParam());
  const std::string before = Dump(*target.Reader());
  for (const Table* table : ExportedTables()) {
    const std::string path = fmt::format("{}/{}.json", source.dir / "out", table->name);
    const std::string content = ReadFile(path);
    std::vector<std::string> damaged = {content + "{}\n", content + content, content + "x"};
    for (size_t cut = 0; cut < content.size(); cut += 7) damaged.push_back(content.substr(0, cut));
    for (size_t i = 0; i < content.size(); i += 5) {
      damaged.push_back(content);
      damaged.back()[i] ^= 1;
    }
    for (const std::string& text : damaged) {
      if (text == content) continue;
      WriteFile(path, text);
      const auto report = ImportCentral(target.engine(), source.dir / "out", false);
      ASSERT_FALSE(report) << table->name;
      EXPECT_EQ(report.error().code, Code::kCorrupt);
      EXPECT_NE(report.error().message.find(table->name), std::string::npos) << report.error().message;
    }
    WriteFile(path, content);
  }
  EXPECT_EQ(Dump(*target.Reader()), before);
}

TEST_P(ExportImport, AManifestThatIsNotOursIsRefused) {
  World world(GetParam());
  Rows("acme").Whole("a").WriteTo(world);
  ASSERT_OK(ExportTo(world, world.dir / "out"));
  const std::string path = world.dir / "out/manifest.json";
  const std::string good = ReadFile(path);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  const std::pair<std::string, Code> cases[] = {
      {with("central-export", "something-else"), Code::kUsage}, {with("\"version\": 2", "\"version\": 3"), Code::kUsage},
      {with("\"customer_usage\"", "\"customers\""), Code::kCorrupt}, {"", Code::kCorrupt}, {"[]", Code::kCorrupt},
      {with("\"rows\": 1", "\"rows\": 2"), Code::kCorrupt}};
  for (const auto& [text, code] : cases) {
    WriteFile(path, text);
    const auto report = ImportCentral(world.engine(), world.dir / "out", false);
    ASSERT_FALSE(report) << text;
    EXPECT_EQ(report.error().code, code) << report.error().message;
  }
  const auto missing = ImportCentral(world.engine(), world.dir / "nowhere", false);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
}

// Writes files as an export has them, from rows given as text, with a manifest that fits.
void WriteExport(const std::string& dir, const std::map<std::string, std::string>& contents) {
  CentralManifest manifest{"test", 0, {}};
  for (const Table* table : ExportedTables()) {
    const auto found = contents.find(std::string(table->name));
    const std::string content = found == contents.end() ? "" : found->second;
    WriteFile(fmt::format("{}/{}.json", dir, table->name), content);
    manifest.tables.push_back({std::string(table->name), static_cast<uint64_t>(std::count(content.begin(), content.end(), '\n')), content.size(),
                               crypto::Sha256Hex(content)});
  }
  WriteFile(dir + "/manifest.json", WriteManifest(manifest));
}

std::string LinesOf(Rows& rows, const Table& table) {
  std::string lines;
  for (const RowBatch& batch : rows.tables())
    for (size_t i = 0; &batch.table() == &table && i < batch.size(); ++i) catalog::AppendRow(table, batch.Row(i), &lines);
  return lines;
}

// What two runs of the published script leave: two customers per tenant, children on both.
TEST_P(ExportImport, L106DuplicateCustomersOfAForeignDatasetAreMergedAndReported) {
  World world(GetParam());
  Rows first("acme", "cust_1"), second("acme", "cust_2");
  first.Customer("active", "2026-01-01 00:00:00 UTC").Subscription("sub_1").Key("key_1", Rows::Hash("a")).Usage("usage_1", "2026-11", 20, 20);
  second.Customer("suspended", "2026-02-01 00:00:00 UTC").Subscription("sub_2", "2026-02-01").Key("key_1", Rows::Hash("a"), R"("is_active":false)").Usage("usage_2", "2026-11", 20, 20);
  std::map<std::string, std::string> contents;
  for (const Table& table : catalog::CentralTables()) contents[std::string(table.name)] = LinesOf(first, table) + LinesOf(second, table);
  WriteExport(world.dir / "out", contents);

  const auto report = ImportCentral(world.engine(), world.dir / "out", false);

  ASSERT_OK(report);
  ASSERT_EQ(report->conflicts.size(), 1u);
  EXPECT_EQ(report->conflicts[0], "acme: customer cust_2 merged into cust_1: 1 subscription, 1 key, 1 usage month");
  const auto reader = world.Reader();
  EXPECT_EQ(Column(*reader, catalog::Customers(), "customer_id"), (std::vector<std::string>{"cust_1"}));
  EXPECT_EQ(Column(*reader, catalog::Customers(), "status"), (std::vector<std::string>{"suspended"}));
  EXPECT_EQ(Column(*reader, catalog::ApiKeys(), "is_active"), (std::vector<std::string>{"0"}));
  EXPECT_EQ(Column(*reader, catalog::Subscriptions(), "customer_id"), (std::vector<std::string>{"cust_1", "cust_1"}));
  EXPECT_EQ(Column(*reader, catalog::Usage(), "pipelines_run_count"), (std::vector<std::string>{"20"}));
}

// Two rows under one customer_id: the published clean-up would delete both.
TEST_P(ExportImport, L108TwoRowsOfOneCustomerBecomeOne) {
  World world(GetParam());
  Rows once("acme", "cust_1"), twice("acme", "cust_1");
  once.Customer("active", "2026-01-01 00:00:00 UTC").Subscription("sub_1");
  twice.Customer("active", "2026-02-01 00:00:00 UTC");
  WriteExport(world.dir / "out", {{"customers", LinesOf(once, catalog::Customers()) + LinesOf(twice, catalog::Customers())},
                                  {"customer_subscriptions", LinesOf(once, catalog::Subscriptions())}});
  const auto report = ImportCentral(world.engine(), world.dir / "out", false);
  ASSERT_OK(report);
  EXPECT_EQ(report->conflicts, (std::vector<std::string>{"acme: several rows of customer cust_1 became one"}));
  EXPECT_EQ(Column(*world.Reader(), catalog::Customers(), "customer_id"), (std::vector<std::string>{"cust_1"}));
  EXPECT_EQ(Column(*world.Reader(), catalog::Subscriptions(), "subscription_id"), (std::vector<std::string>{"sub_1"}));
}

TEST_P(ExportImport, OrphansAndForeignRowsAreReportedAndWhatHasATenantIsKept) {
  World world(GetParam());
  Rows acme("acme", "cust_1"), lost("acme", "cust_gone"), alone("nobody", "cust_none"), thief("other", "cust_o");
  acme.Customer().Subscription("sub_1");
  lost.Key("key_lost", Rows::Hash("lost")).Subscription("sub_lost");
  alone.Key("key_alone", Rows::Hash("alone"));
  thief.Customer().Subscription("sub_o");
  const std::string stolen = fmt::format(R"({{"api_key_id":"key_s","customer_id":"cust_o","tenant_id":"acme","api_key_hash":"{}","encrypted_api_key":"","is_active":true,"created_at":"2026-01-01 00:00:00 UTC"}})",
                                         Rows::Hash("stolen")) + "\n";
  WriteExport(world.dir / "out", {{"customers", LinesOf(acme, catalog::Customers()) + LinesOf(thief, catalog::Customers())},
                                  {"customer_subscriptions", LinesOf(acme, catalog::Subscriptions()) + LinesOf(lost, catalog::Subscriptions()) + LinesOf(thief, catalog::Subscriptions())},
                                  {"customer_api_keys", LinesOf(lost, catalog::ApiKeys()) + LinesOf(alone, catalog::ApiKeys()) + stolen}});
  auto report = ImportCentral(world.engine(), world.dir / "out", false);
  ASSERT_OK(report);
  std::sort(report->conflicts.begin(), report->conflicts.end());
  EXPECT_EQ(report->conflicts, (std::vector<std::string>{
      "acme: rows of customer cust_gone, which does not exist, moved to cust_1: 1 key",
      "customer_api_keys cust_none key_alone: its tenant has no customer; not imported",
      "customer_api_keys cust_o key_s: its customer belongs to another tenant; not imported",
      "customer_subscriptions sub_lost: its customer is not in the export; not imported"}));
  EXPECT_EQ(Column(*world.Reader(), catalog::ApiKeys(), "customer_id"), (std::vector<std::string>{"cust_1"}));
}

TEST_P(ExportImport, AKeyThatStandsInTwoTenantsIsGivenToNeither) {
  World world(GetParam());
  Rows a("aaa"), b("bbb");
  a.Customer().Key("key_1", Rows::Hash("same")).Key("key_2", Rows::Hash("own"));
  b.Customer().Key("key_1", Rows::Hash("same"));
  WriteExport(world.dir / "out", {{"customers", LinesOf(a, catalog::Customers()) + LinesOf(b, catalog::Customers())},
                                  {"customer_api_keys", LinesOf(a, catalog::ApiKeys()) + LinesOf(b, catalog::ApiKeys())}});
  const auto report = ImportCentral(world.engine(), world.dir / "out", false);
  ASSERT_OK(report);
  EXPECT_EQ(report->conflicts.size(), 2u);
  EXPECT_EQ(Column(*world.Reader(), catalog::ApiKeys(), "api_key_id"), (std::vector<std::string>{"key_2"}));
}

// Random stores, with every column filled or not, through files and back.
std::string RandomText(std::mt19937_64& random) {
  static const std::string pieces[] = {"a", "Z", "0", "_", " ", "\"", "\\", "\n", "é", "日", "\x01", "/", "{", "]"};
  std::string text;
  for (size_t i = random() % 12 + 1; i > 0; --i) text += pieces[random() % std::size(pieces)];
  return text;
}

Cell RandomCell(std::mt19937_64& random, const catalog::Column& column, RowBatch* batch) {
  if (!column.required && random() % 3 == 0) return Cell::Null();
  switch (column.type) {
    case catalog::Type::kBool: return Cell::Int(static_cast<int64_t>(random() % 2));
    case catalog::Type::kInt64: return Cell::Int(static_cast<int64_t>(random()));
    case catalog::Type::kNumeric: return Cell::Int(static_cast<int64_t>(random() % 1'000'000));
    case catalog::Type::kDate: return Cell::Int(static_cast<int64_t>(random() % 40'000));
    case catalog::Type::kTimestamp: return Cell::Int(static_cast<int64_t>(random() % (60ull * 365 * 24 * 3600 * 1'000'000)));
    case catalog::Type::kBytes: return batch->Own(std::string(random() % 20, static_cast<char>(random())));
    case catalog::Type::kJson: return batch->Own(fmt::format(R"({{"b":[1, 2.50,null],"a":"{}"}})", random()));
    case catalog::Type::kStrings: return batch->Own(catalog::StringsToJson(std::vector<std::string>(random() % 3, RandomText(random))));
    case catalog::Type::kString: break;
  }
  return batch->Own(RandomText(random));
}

store::TenantWrite RandomTenant(std::mt19937_64& random, int number) {
  store::TenantWrite write{{fmt::format("t{}_{}", number, random() % 1000), fmt::format("cust_{}", random())}, 1, {}};
  for (const Table* table : ExportedTables()) {
    RowBatch batch(*table);
    const size_t rows = table == &catalog::Customers() ? 1 : random() % 4;
    for (size_t i = 0; i < rows; ++i) {
      const std::span<Cell> row = batch.AddRow();
      for (size_t c = 0; c < row.size(); ++c) row[c] = RandomCell(random, table->columns[c], &batch);
      for (const std::string_view id : {"subscription_id", "api_key_id", "credential_id", "usage_id", "log_id", "invitation_id", "invitation_token", "api_key_hash", "run_id"})
        if (table->Find(id) >= 0) Put(&batch, row, id, fmt::format("{}{}", random(), RandomText(random)));
      if (table->Find("usage_month") >= 0) Put(&batch, row, "usage_month", MonthStart(20'000, static_cast<int>(i)));
      if (table->Find("billing_cycle_end") >= 0 && i > 0) Put(&batch, row, "billing_cycle_end", int64_t{20'000});
      if (table->Find("tenant_id") >= 0) Put(&batch, row, "tenant_id", write.owner.tenant_id);
      if (table->Find("customer_id") >= 0) Put(&batch, row, "customer_id", write.owner.customer_id);
    }
    if (!batch.empty()) write.tables.push_back(std::move(batch));
  }
  return write;
}

TEST_P(ExportImport, PropertyExportOfTheImportOfAnExportIsTheExport) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  const int rounds = GetParam() == Kind::kMemory ? 30 : 6;
  for (int round = 0; round < rounds; ++round) {
    World source(GetParam()), target(GetParam());
    std::vector<store::TenantWrite> writes;
    for (int i = static_cast<int>(random() % 12); i > 0; --i) writes.push_back(RandomTenant(random, i));
    const auto merged = source.sink->Merge(writes);
    ASSERT_OK(merged);
    for (const auto& one : *merged) ASSERT_EQ(one.outcome, store::Outcome::kMerged) << one.detail;
    ASSERT_OK(ExportTo(source, source.dir / "out"));
    const auto report = ImportCentral(target.engine(), source.dir / "out", false);
    ASSERT_OK(report);
    EXPECT_TRUE(report->conflicts.empty()) << report->conflicts.front();
    ASSERT_OK(ExportTo(target, target.dir / "out"));
    ASSERT_EQ(AllFiles(source.dir / "out"), AllFiles(target.dir / "out"));
  }
}

TEST(CentralFiles, AnIndexThatHoldsFewRowsFindsTheSameTenants) {
  World world(Kind::kMemory);
  for (int i = 0; i < 40; ++i) Rows(fmt::format("tenant{}", i)).Whole(std::to_string(i)).WriteTo(world);
  ASSERT_OK(ExportTo(world, world.dir / "out"));
  std::map<std::string, size_t> expected, found;
  for (const size_t limit : {size_t{1'000'000}, size_t{7}}) {
    const auto files = CentralFiles::Open(*world.files, world.dir / "out", limit);
    ASSERT_OK(files);
    std::map<std::string, size_t>& seen = limit == 7 ? found : expected;
    ASSERT_OK((*files)->ForEachTenant(
        [&](TenantRows rows) -> Result<> {
          for (const RowBatch& batch : rows.batches()) seen[rows.tenant()] += batch.size();
          return {};
        },
        [](std::string conflict) { ADD_FAILURE() << conflict; }));
  }
  EXPECT_EQ(expected.size(), 40u);
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace reeve::migrate::ops
