#include "migrate/audit.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "catalog/ndjson.h"
#include "crypto/sha256.h"
#include "store/memory/memory.h"

namespace reeve::migrate {
namespace {

using catalog::AuditLogs;
using catalog::Cell;
using catalog::RowBatch;

const store::Owner kAcme{"acme", CustomerIdOf("acme")};
const store::Owner kBolt{"bolt", CustomerIdOf("bolt")};

AuditEvent Migrated(std::string facts = R"({"keys":5})") {
  return {.event_type = "customer.migrated", .action = "migrate", .result = "success", .facts = std::move(facts), .resource_id = "", .created_at = 1000};
}

class AuditTest : public ::testing::Test {
 protected:
  void Add(const store::Owner& owner, const AuditEvent& event) {
    RowBatch batch(AuditLogs());
    const auto reader = sink_->OpenReader();
    ASSERT_TRUE(AddAuditEvent(reader->get(), owner, event, &batch));
    Store(owner, std::move(batch));
  }
  void Store(const store::Owner& owner, RowBatch batch) {
    store::TenantWrite write;
    write.owner = owner;
    write.tables.push_back(std::move(batch));
    const auto results = sink_->Merge({&write, 1});
    ASSERT_TRUE(results);
    ASSERT_EQ((*results)[0].outcome, store::Outcome::kMerged) << (*results)[0].detail;
  }
  RowBatch Events(const store::Owner& owner) {
    RowBatch rows(AuditLogs());
    EXPECT_TRUE((*sink_->OpenReader())->Read(AuditLogs(), owner, &rows));
    return rows;
  }
  std::string Fault(const store::Owner& owner) { return *CheckAuditChain(**sink_->OpenReader(), owner); }
  // The owner's event with chain number `seq`.
  RowBatch Event(const store::Owner& owner, int64_t seq) {
    const RowBatch all = Events(owner);
    RowBatch one(AuditLogs());
    for (size_t i = 0; i < all.size(); ++i) {
      const boost::json::value metadata = boost::json::parse(std::string(At(all, i, "metadata").text));
      if (metadata.at("seq").as_int64() != seq) continue;
      const std::span<Cell> row = one.AddRow();
      for (size_t c = 0; c < row.size(); ++c) {
        row[c] = all.Row(i)[c];
        if (!row[c].text.empty()) row[c] = one.Own(row[c].text);
      }
    }
    EXPECT_EQ(one.size(), 1u);
    return one;
  }
  static const Cell& At(const RowBatch& rows, size_t row, std::string_view column) {
    return rows.Row(row)[static_cast<size_t>(rows.table().Index(column))];
  }
  // Replaces an event, or removes it.
  void Tamper(const store::Owner& owner, int64_t seq, std::string_view column, const std::string& value) {
    RowBatch event = Event(owner, seq);
    const store::CentralSink::Deletion deletion{&AuditLogs(), {Cell::Text(At(event, 0, "log_id").text)}};
    std::vector<RowBatch> upserts;
    if (!column.empty()) {
      RowBatch changed = Event(owner, seq);
      changed.Row(0)[static_cast<size_t>(AuditLogs().Index(column))] = changed.Own(value);
      upserts.push_back(std::move(changed));
    }
    ASSERT_TRUE(sink_->Amend({&deletion, 1}, upserts));
  }

  const std::unique_ptr<store::CentralSink> sink_ = store::MakeMemorySink();
};

TEST_F(AuditTest, AnEventSaysWhatWasDoneAndByWhatEvidence) {
  Add(kAcme, Migrated());
  const RowBatch events = Events(kAcme);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(At(events, 0, "customer_id").text, kAcme.customer_id);
  EXPECT_EQ(At(events, 0, "tenant_id").text, "acme");
  EXPECT_EQ(At(events, 0, "event_type").text, "customer.migrated");
  EXPECT_EQ(At(events, 0, "event_category").text, "admin");
  EXPECT_EQ(At(events, 0, "actor_type").text, "system");
  EXPECT_EQ(At(events, 0, "actor_id").text, "reeve");
  EXPECT_EQ(At(events, 0, "resource_type").text, "customer");
  EXPECT_EQ(At(events, 0, "resource_id").text, kAcme.customer_id);
  EXPECT_EQ(At(events, 0, "action").text, "migrate");
  EXPECT_EQ(At(events, 0, "result").text, "success");
  EXPECT_EQ(At(events, 0, "created_at").num, 1000);
  EXPECT_EQ(At(events, 0, "metadata").text, R"({"seq":1,"prev":"","facts":{"keys":5}})");
}

TEST_F(AuditTest, EachEventNamesTheDigestOfTheOneBefore) {
  Add(kAcme, Migrated());
  Add(kAcme, Migrated(R"({"keys":6})"));
  std::string line;
  catalog::AppendRow(AuditLogs(), Event(kAcme, 1).Row(0), &line);
  const RowBatch second = Event(kAcme, 2);
  EXPECT_EQ(At(second, 0, "metadata").text, R"({"seq":2,"prev":")" + crypto::Sha256Hex(line) + R"(","facts":{"keys":6}})");
  EXPECT_EQ(Fault(kAcme), "");
}

TEST_F(AuditTest, RepeatingAStepAddsNothing) {
  Add(kAcme, Migrated());
  AuditEvent later = Migrated();
  later.created_at = 2000;
  Add(kAcme, later);
  EXPECT_EQ(Events(kAcme).size(), 1u);
  RowBatch batch(AuditLogs());
  ASSERT_TRUE(AddAuditEvent(nullptr, kAcme, Migrated(), &batch));
  ASSERT_TRUE(AddAuditEvent(nullptr, kAcme, Migrated(), &batch));
  EXPECT_EQ(batch.size(), 1u);
}

TEST_F(AuditTest, OtherTypeResultFactsOrTenantIsAnotherEvent) {
  Add(kAcme, Migrated());
  AuditEvent event = Migrated();
  event.result = "partial";
  Add(kAcme, event);
  event = Migrated("{}");
  Add(kAcme, event);
  event = Migrated();
  event.event_type = "customer.verified";
  Add(kAcme, event);
  EXPECT_EQ(Events(kAcme).size(), 4u);
  Add(kBolt, Migrated());
  EXPECT_EQ(Events(kBolt).size(), 1u);
  EXPECT_NE(At(Events(kBolt), 0, "log_id").text, At(Event(kAcme, 1), 0, "log_id").text);
  EXPECT_EQ(Fault(kAcme), "");
  EXPECT_EQ(Fault(kBolt), "");
}

TEST_F(AuditTest, EventsOfOneBatchFormOneChain) {
  RowBatch batch(AuditLogs());
  const auto reader = sink_->OpenReader();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(AddAuditEvent(reader->get(), kAcme, Migrated(fmt::format("{{\"n\":{}}}", i)), &batch));
  Store(kAcme, std::move(batch));
  EXPECT_EQ(Events(kAcme).size(), 5u);
  EXPECT_EQ(Fault(kAcme), "");
}

TEST_F(AuditTest, NoFactsIsAnEmptyObject) {
  Add(kAcme, Migrated(""));
  EXPECT_EQ(At(Events(kAcme), 0, "metadata").text, R"({"seq":1,"prev":"","facts":{}})");
}

TEST_F(AuditTest, EventsOfOtherOriginAreNoPartOfTheChain) {
  Add(kAcme, Migrated());
  RowBatch foreign = Event(kAcme, 1);
  for (const auto& [column, value] : std::vector<std::pair<std::string, std::string>>{
           {"log_id", "log_other"}, {"metadata", R"({"by":"the application"})"}})
    foreign.Row(0)[static_cast<size_t>(AuditLogs().Index(column))] = foreign.Own(value);
  Store(kAcme, std::move(foreign));
  Add(kAcme, Migrated(R"({"keys":6})"));
  EXPECT_EQ(Events(kAcme).size(), 3u);
  EXPECT_EQ(Fault(kAcme), "");
}

TEST_F(AuditTest, ARemovedOrChangedEventBreaksTheChain) {
  const auto fill = [this] {
    for (int i = 0; i < 3; ++i) Add(kAcme, Migrated(fmt::format("{{\"n\":{}}}", i)));
    ASSERT_EQ(Fault(kAcme), "");
  };
  fill();
  Tamper(kAcme, 2, "result", "failure");
  EXPECT_EQ(Fault(kAcme), "event 3 of acme does not follow the one before it");
  Tamper(kAcme, 2, "", "");
  EXPECT_EQ(Fault(kAcme), "event 2 of acme is missing or doubled");
}

TEST_F(AuditTest, OnePassOverEventsOfAllTenantsChecksEachChainInAnyOrder) {
  for (const store::Owner& owner : {kAcme, kBolt}) {
    Add(owner, Migrated());
    Add(owner, {.event_type = "customer.verified", .action = "verify", .result = "success", .facts = "{}", .resource_id = "", .created_at = 1000});
  }
  const RowBatch first = Event(kAcme, 1), second = Event(kAcme, 2), other = Events(kBolt);
  RowBatch ledger(AuditLogs());
  ledger.AddRow()[static_cast<size_t>(AuditLogs().Index("metadata"))] = ledger.Own(R"({"ledger_seq":1,"ledger_prev":"","facts":{"note":"\"seq\""}})");
  AuditChains chains;
  for (const RowBatch* batch : std::initializer_list<const RowBatch*>{&other, &second, &ledger, &first})
    for (size_t i = batch->size(); i > 0; --i) chains.Add(batch->Row(i - 1));
  EXPECT_EQ(chains.Check("acme"), "");
  EXPECT_EQ(chains.Check("bolt"), "");
  EXPECT_EQ(chains.Check("nobody"), "");
  AuditChains broken;
  broken.Add(second.Row(0));
  for (size_t i = 0; i < other.size(); ++i) broken.Add(other.Row(i));
  EXPECT_EQ(broken.Check("acme"), "event 1 of acme is missing or doubled");
  EXPECT_EQ(broken.Check("bolt"), "");
}

TEST_F(AuditTest, AnEmptyChainIsSound) { EXPECT_EQ(Fault(kAcme), ""); }

TEST(CustomerId, IsADigestOfTheTenant) {
  EXPECT_EQ(CustomerIdOf("acme"), CustomerIdOf("acme"));
  EXPECT_NE(CustomerIdOf("acme"), CustomerIdOf("Acme"));
  EXPECT_EQ(CustomerIdOf("acme").size(), 5u + 24u);
  EXPECT_EQ(CustomerIdOf("acme"), "cust_bf3857705b64a657553d1006");  // printf 'reeve/customer/v1\0acme' | sha256sum
}

}  // namespace
}  // namespace reeve::migrate
