#include <random>
#include <set>

#include "catalog/ddl.h"
#include "drivers/sqlite/sqlite.h"
#include "migrate/ops/ops_testing.h"

namespace reeve::migrate::ops {
namespace {

enum class Looseness {
  kNoTenantIndex,  // the catalog's tables without the unique index on customers.tenant_id
  kNothing,        // as the warehouse has them: no key, no unique index, no reference
};

// A store whose tables enforce less than ours.
class LooseWorld : public World {
 public:
  explicit LooseWorld(Looseness looseness) : World(Kind::kSqlite) {
    sink.reset();
    {
      auto database = *sqlite::Database::Open(dir / "reeve.db", sqlite::Mode::kReadWrite, 1000);
      EXPECT_OK(database->Execute("DROP INDEX customers_tenant_id"));
      if (looseness == Looseness::kNothing)
        for (const Table& table : catalog::CentralTables()) Loosen(*database, table);
    }
    sink = *store::OpenSqliteSink(*files, dir / "reeve.db", store::OpenMode::kExisting, "test");
  }

  // Rows as they are, without any merging.
  void Insert(Rows& rows) {
    const Result<> inserted = sink->Amend({}, rows.tables());
    ASSERT_OK(inserted);
    rows.tables().clear();
  }

 private:
  static void Loosen(sqlite::Database& database, const Table& table) {
    std::string sql = catalog::CreateStatements(table, catalog::Engine::kSqlite, "")[0];
    const size_t keys = sql.find(",\n  PRIMARY KEY");
    sql.erase(keys, sql.rfind("\n)") - keys);
    EXPECT_OK(database.Execute("PRAGMA foreign_keys=OFF"));
    EXPECT_OK(database.Execute(fmt::format("DROP TABLE {}", table.name)));
    EXPECT_OK(database.Execute(sql));
  }
};

// As the published script leaves a tenant after its second run: random ids, so everything twice;
// key ids come from legacy, so they repeat.
void FillDoubleRun(LooseWorld& world, const std::string& tenant, bool repeat_keys) {
  Rows first(tenant, "cust_" + tenant + "_1"), second(tenant, "cust_" + tenant + "_2");
  first.Customer("active", "2026-01-01 00:00:00 UTC").Subscription("sub_" + tenant + "_1", "2026-01-01").Credential("cred_" + tenant + "_1", "one")
      .Usage("usage_" + tenant + "_1", "2026-10", 20, 20).Event("log_" + tenant + "_1").Invitation("inv_" + tenant, Rows::Hash("t" + tenant));
  second.Customer("active", "2026-02-01 00:00:00 UTC").Subscription("sub_" + tenant + "_2", "2026-02-01").Credential("cred_" + tenant + "_2", "two")
      .Usage("usage_" + tenant + "_2", repeat_keys ? "2026-10" : "2026-11", 30, 10).Event("log_" + tenant + "_2");
  first.Key("key_" + tenant, Rows::Hash(tenant));
  if (repeat_keys) second.Key("key_" + tenant, Rows::Hash(tenant), R"("is_active":false,"revoked_at":"2026-03-01 00:00:00 UTC","revoked_by":"ann")");
  second.Key("key_" + tenant + "_new", Rows::Hash(tenant + "new"));
  world.Insert(first);
  world.Insert(second);
}

std::vector<std::string> Texts(const std::vector<RepairReport::Item>& items) {
  std::vector<std::string> texts;
  for (const auto& item : items) texts.push_back(item.tenant + ": " + item.what);
  return texts;
}

using Strings = std::vector<std::string>;

// Keeping the newest row per tenant, as the guide says, orphans what hangs on the older one.
TEST(RepairDuplicates, L107EveryChildOfTheOlderAndOfTheNewerCustomerSurvives) {
  LooseWorld world(Looseness::kNoTenantIndex);
  FillDoubleRun(world, "acme", false);

  const auto report = RepairDuplicates(world.engine(), false);

  ASSERT_OK(report);
  EXPECT_EQ(Texts(report->items),
            (Strings{"acme: customer cust_acme_2 merged into cust_acme_1: 1 subscription, 1 key, 1 credential, 1 usage month, 1 audit event"}));
  const auto reader = world.Reader();
  EXPECT_EQ(Column(*reader, catalog::Customers(), "customer_id"), (Strings{"cust_acme_1"}));
  EXPECT_EQ(Column(*reader, catalog::ApiKeys(), "api_key_id"), (Strings{"key_acme", "key_acme_new"}));
  EXPECT_EQ(Column(*reader, catalog::Credentials(), "credential_id"), (Strings{"cred_acme_1", "cred_acme_2"}));
  EXPECT_EQ(Column(*reader, catalog::Usage(), "pipelines_run_count"), (Strings{"20", "30"}));
  EXPECT_EQ(Column(*reader, catalog::Invitations(), "invitation_id"), (Strings{"inv_acme"}));
  for (const Table& table : catalog::CentralTables())
    for (const std::string& customer : Column(*reader, table, "customer_id")) EXPECT_EQ(customer, "cust_acme_1") << table.name;
  const Strings events = Column(*reader, catalog::AuditLogs(), "event_type");
  EXPECT_EQ(std::count(events.begin(), events.end(), "customer.migrated"), 2);
  EXPECT_EQ(std::count(events.begin(), events.end(), "customer.merged"), 1);
  ASSERT_OK(world.sink->ApplySchema());
  EXPECT_TRUE(world.sink->CheckSchema()->empty());
  EXPECT_TRUE(world.sink->CheckIntegrity()->empty());
}

// Deleting by customer_id deletes every row that has it.
TEST(RepairDuplicates, L108TwoRowsUnderOneCustomerIdBecomeOneAndNoneIsLost) {
  LooseWorld world(Looseness::kNothing);
  Rows once("acme", "cust_1"), twice("acme", "cust_1");
  once.Customer("active", "2026-01-01 00:00:00 UTC").Subscription("sub_1").Key("key_1", Rows::Hash("a"));
  twice.Customer("active", "2026-02-01 00:00:00 UTC").Key("key_2", Rows::Hash("b"));
  world.Insert(once);
  world.Insert(twice);

  ASSERT_OK(RepairDuplicates(world.engine(), false));

  EXPECT_EQ(Lines(*world.Reader(), catalog::Customers()).size(), 1u);
  EXPECT_EQ(Column(*world.Reader(), catalog::ApiKeys(), "api_key_id"), (Strings{"key_1", "key_2"}));
  EXPECT_EQ(Column(*world.Reader(), catalog::Customers(), "created_at"), (Strings{std::to_string(*ParseTime("2026-01-01 00:00:00 UTC"))}));
}

TEST(RepairDuplicates, L109KeysSubscriptionsAndUsageAreCleanedUpToo) {
  LooseWorld world(Looseness::kNothing);
  FillDoubleRun(world, "acme", true);

  ASSERT_OK(RepairDuplicates(world.engine(), false));

  const auto reader = world.Reader();
  EXPECT_EQ(Column(*reader, catalog::ApiKeys(), "api_key_id"), (Strings{"key_acme", "key_acme_new"}));
  EXPECT_EQ(Column(*reader, catalog::ApiKeys(), "is_active"), (Strings{"0", "1"}));
  EXPECT_EQ(Column(*reader, catalog::ApiKeys(), "revoked_by"), (Strings{"ann", "NULL"}));
  EXPECT_EQ(Column(*reader, catalog::Subscriptions(), "billing_cycle_end"), (Strings{std::to_string(*ParseDate("2026-01-31")), "NULL"}));
  EXPECT_EQ(Column(*reader, catalog::Usage(), "pipelines_run_count"), (Strings{"30"}));
  EXPECT_EQ(Column(*reader, catalog::Usage(), "pipelines_running_count"), (Strings{"20"}));
}

TEST(RepairDuplicates, UsageIsCountedFromTheRunsWhereTheyAreKnown) {
  LooseWorld world(Looseness::kNothing);
  FillDoubleRun(world, "acme", true);
  domain::RunSet runs;
  const Micros start = *ParseTime("2026-10-05 00:00:00 UTC");
  for (int i = 0; i < 7; ++i) runs.Add({"run" + std::to_string(i), domain::RunState::kTerminal, start, start + kHour, std::nullopt});
  Rows rows("acme");
  rows.Runs(runs);
  world.Insert(rows);
  ASSERT_OK(RepairDuplicates(world.engine(), false));
  EXPECT_EQ(Column(*world.Reader(), catalog::Usage(), "pipelines_run_count"), (Strings{"7"}));
  EXPECT_EQ(Column(*world.Reader(), catalog::Usage(), "compute_hours"), (Strings{"700"}));
}

TEST(RepairDuplicates, TheSurvivorIsTheTenantsOwnIdAndARefusalOfEitherWins) {
  LooseWorld world(Looseness::kNoTenantIndex);
  Rows old("acme", "aaa_old"), own("acme");
  old.Customer("suspended", "2020-01-01 00:00:00 UTC");
  own.Customer("active", "2026-01-01 00:00:00 UTC").Subscription("sub_1");
  world.Insert(old);
  world.Insert(own);
  ASSERT_OK(RepairDuplicates(world.engine(), false));
  EXPECT_EQ(Column(*world.Reader(), catalog::Customers(), "customer_id"), (Strings{CustomerIdOf("acme")}));
  EXPECT_EQ(Column(*world.Reader(), catalog::Customers(), "status"), (Strings{"suspended"}));
}

TEST(RepairDuplicates, ADryRunSaysTheSameAndWritesNothing) {
  LooseWorld world(Looseness::kNothing);
  FillDoubleRun(world, "acme", true);
  FillDoubleRun(world, "beta", true);
  const std::string before = Dump(*world.Reader());
  const auto dry = RepairDuplicates(world.engine(), true);
  ASSERT_OK(dry);
  EXPECT_EQ(Dump(*world.Reader()), before);
  const auto wet = RepairDuplicates(world.engine(), false);
  ASSERT_OK(wet);
  EXPECT_EQ(Texts(dry->items), Texts(wet->items));
  EXPECT_EQ(dry->items.size(), 2u);
}

TEST(RepairDuplicates, ASecondRunFindsNothing) {
  LooseWorld world(Looseness::kNothing);
  FillDoubleRun(world, "acme", true);
  ASSERT_OK(RepairDuplicates(world.engine(), false));
  const std::string after = Dump(*world.Reader());
  world.clock.now += kDay;
  const auto again = RepairDuplicates(world.engine(), false);
  ASSERT_OK(again);
  EXPECT_TRUE(again->items.empty());
  EXPECT_EQ(Dump(*world.Reader()), after);
}

TEST(RepairDuplicates, OrphansGoToTheCustomerOfTheirTenant) {
  LooseWorld world(Looseness::kNothing);
  Rows acme("acme", "cust_1"), lost("acme", "cust_gone");
  acme.Customer().Subscription("sub_1");
  lost.Key("key_lost", Rows::Hash("lost")).Subscription("sub_lost");
  world.Insert(acme);
  world.Insert(lost);
  const auto report = RepairDuplicates(world.engine(), false);
  ASSERT_OK(report);
  EXPECT_EQ(Texts(report->items), (Strings{"acme: rows of customer cust_gone, which does not exist, moved to cust_1: 1 subscription, 1 key"}));
  EXPECT_EQ(Column(*world.Reader(), catalog::ApiKeys(), "customer_id"), (Strings{"cust_1"}));
  EXPECT_EQ(Column(*world.Reader(), catalog::Subscriptions(), "customer_id"), (Strings{"cust_1", "cust_1"}));
}

TEST(RepairDuplicates, ARowOfAnotherTenantStopsTheMergeOfThatTenantOnly) {
  LooseWorld world(Looseness::kNothing);
  FillDoubleRun(world, "acme", true);
  FillDoubleRun(world, "beta", true);
  Rows thief("acme", "cust_beta_1");
  thief.Key("key_thief", Rows::Hash("thief"));
  world.Insert(thief);
  const auto report = RepairDuplicates(world.engine(), false);
  ASSERT_OK(report);
  ASSERT_EQ(report->left_alone.size(), 1u);
  EXPECT_EQ(report->left_alone[0].tenant, "acme");
  EXPECT_EQ(Texts(report->items), (Strings{"beta: customer cust_beta_2 merged into cust_beta_1: 1 subscription, 2 keys, 1 credential, 1 usage month, 1 audit event"}));
}

TEST(RepairDuplicates, ACertificateFromBeforeNoLongerCounts) {
  LooseWorld world(Looseness::kNoTenantIndex);
  FillDoubleRun(world, "acme", false);
  Rows state("acme", "cust_acme_2");
  state.State("verified", 3);
  world.Insert(state);
  ASSERT_OK(RepairDuplicates(world.engine(), false));
  const auto reader = world.Reader();
  EXPECT_EQ(Column(*reader, catalog::ReeveTenants(), "phase"), (Strings{"copied"}));
  EXPECT_EQ(Column(*reader, catalog::ReeveTenants(), "customer_id"), (Strings{"cust_acme_1"}));
  EXPECT_EQ(Column(*reader, catalog::ReeveTenants(), "attempt"), (Strings{"3"}));
  EXPECT_EQ(ReadJournal(*world.files, world.dir / "reeve.db.journal")->tenants.at("acme").phase, Phase::kCopied);
}

TEST(RepairDuplicates, AfterACrashBetweenTwoTenantsARepeatEndsAsAnUndisturbedRun) {
  const auto fill = [](LooseWorld& world) {
    for (const char* tenant : {"acme", "beta", "gamma"}) FillDoubleRun(world, tenant, true);
  };
  LooseWorld undisturbed(Looseness::kNothing);
  fill(undisturbed);
  ASSERT_OK(RepairDuplicates(undisturbed.engine(), false));
  for (int good = 0; good < 3; ++good) {
    LooseWorld world(Looseness::kNothing);
    fill(world);
    FailingSink failing(*world.sink, good);
    Engine engine = world.engine();
    engine.sink = &failing;
    EXPECT_FALSE(RepairDuplicates(engine, false));
    ASSERT_OK(RepairDuplicates(world.engine(), false));
    EXPECT_EQ(Dump(*world.Reader()), Dump(*undisturbed.Reader())) << good;
  }
}

// Whatever the duplicates look like: no key, credential, subscription, invitation, event or month
// is lost, and no revocation.
TEST(RepairDuplicates, PropertyNothingIsLostAndNothingRevived) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  const auto pick = [&](int n) { return std::to_string(random() % static_cast<uint64_t>(n)); };
  for (int round = 0; round < 15; ++round) {
    LooseWorld world(Looseness::kNothing);
    std::set<std::string> denied;
    for (const char* tenant : {"acme", "beta"}) {
      for (int c = 0; c < 3; ++c) {
        Rows rows(tenant, fmt::format("cust_{}_{}", tenant, c));
        rows.Customer(random() % 4 == 0 ? "suspended" : "active", fmt::format("2026-0{}-01 00:00:00 UTC", random() % 9 + 1));
        for (int i = 0; i < 3; ++i) {
          const std::string hash = Rows::Hash(tenant + pick(5));
          const bool active = random() % 3 != 0;
          if (!active) denied.insert(hash);
          rows.Key("key_" + pick(4), hash, active ? R"("is_active":true)" : R"("is_active":false)");
          rows.Credential("cred_" + pick(4), "secret" + pick(3), fmt::format("2026-0{}-01 00:00:00 UTC", random() % 2 + 1));
          rows.Subscription(fmt::format("sub_{}_{}_{}", tenant, c, i), fmt::format("2026-0{}-01", random() % 9 + 1));
          rows.Usage(fmt::format("usage_{}_{}_{}", tenant, c, i), fmt::format("2026-0{}", random() % 4 + 1), static_cast<int64_t>(random() % 50));
          rows.Event(fmt::format("log_{}_{}_{}", tenant, c, i));
          rows.Invitation(fmt::format("inv_{}_{}_{}", tenant, c, i), Rows::Hash(tenant + std::string("t") + pick(9)));
        }
        world.Insert(rows);
      }
    }
    const auto values = [&](const Table& table, std::string_view column) {
      const Strings list = Column(*world.Reader(), table, column);
      return std::set<std::string>(list.begin(), list.end());
    };
    const std::pair<const Table*, std::string_view> kept[] = {
        {&catalog::ApiKeys(), "api_key_hash"}, {&catalog::Subscriptions(), "subscription_id"},
        {&catalog::Invitations(), "invitation_token"}, {&catalog::Usage(), "usage_month"}, {&catalog::Customers(), "tenant_id"}};
    std::vector<std::set<std::string>> before;
    for (const auto& [table, column] : kept) before.push_back(values(*table, column));
    const std::set<std::string> events = values(catalog::AuditLogs(), "log_id"), credentials = values(catalog::Credentials(), "credential_id");

    ASSERT_OK(RepairDuplicates(world.engine(), false));

    for (size_t i = 0; i < std::size(kept); ++i) EXPECT_EQ(values(*kept[i].first, kept[i].second), before[i]) << kept[i].first->name;
    const std::set<std::string> events_now = values(catalog::AuditLogs(), "log_id");
    EXPECT_TRUE(std::includes(events_now.begin(), events_now.end(), events.begin(), events.end()));
    const std::set<std::string> credentials_now = values(catalog::Credentials(), "credential_id");
    EXPECT_TRUE(std::includes(credentials_now.begin(), credentials_now.end(), credentials.begin(), credentials.end()));
    EXPECT_EQ(Lines(*world.Reader(), catalog::Customers()).size(), 2u);
    const Strings hashes = Column(*world.Reader(), catalog::ApiKeys(), "api_key_hash"), active = Column(*world.Reader(), catalog::ApiKeys(), "is_active");
    EXPECT_EQ(std::set<std::string>(hashes.begin(), hashes.end()).size(), hashes.size());
    for (size_t i = 0; i < hashes.size(); ++i) EXPECT_EQ(active[i] == "0", denied.count(hashes[i]) != 0);
    const Strings ends = Column(*world.Reader(), catalog::Subscriptions(), "billing_cycle_end");
    EXPECT_EQ(std::count(ends.begin(), ends.end(), "NULL"), 2);
  }
}

}  // namespace
}  // namespace reeve::migrate::ops
