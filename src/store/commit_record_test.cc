#include "store/commit_record.h"

#include <gtest/gtest.h>

#include <limits>

namespace reeve::store {
namespace {

ServingWrites Full() {
  ServingWrites writes;
  writes.ledger_time = 1'700'000'000'000'000, writes.fence = 42, writes.audit_seq = 7, writes.audit_head = "head";
  RunRow run;
  run.customer_id = "cust_a", run.tenant_id = "a", run.run_id = "run \xC3\xA9", run.pipeline_id = "", run.api_key_id = "key_1";
  run.month = -3, run.state = RunState::kRefused, run.refusal = 9;
  run.ttl_ms = 1, run.fence = 2, run.reserved_at = -4, run.expires_at = 5, run.ended_at = std::numeric_limits<int64_t>::max(), run.compute_ms = 6;
  run.request_digest = std::string("\0\x01\xFF", 3), run.outcome = "failed", run.reply = "1 - 0";
  writes.runs = {run, RunRow()};
  writes.usage = {{"cust_a", "a", 20'758, 1, 2, 3, 4, -5}, {"cust_b", "b", 20'758, 0, 0, 0, 0, std::nullopt}};
  KeyTouch touch;
  touch.digest.fill(0xAB), touch.last_used_at = 77;
  writes.touches = {touch};
  catalog::RowBatch& events = writes.audit.emplace(catalog::AuditLogs());
  const auto row = events.AddRow();
  row[0] = events.Own("log_1");
  row[static_cast<size_t>(catalog::AuditLogs().Index("created_at"))] = catalog::Cell::Int(123);
  row[static_cast<size_t>(catalog::AuditLogs().Index("metadata"))] = events.Own("");
  return writes;
}

std::string Bytes(const ServingWrites& writes) {
  std::string bytes;
  AppendCommitRecord(writes, &bytes);
  return bytes;
}

TEST(CommitRecord, WhatIsWrittenIsRead) {
  const std::string bytes = Bytes(Full());
  const auto read = ParseCommitRecord(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(Bytes(*read), bytes);
  ASSERT_EQ(read->runs.size(), 2u);
  EXPECT_EQ(read->runs[0].run_id, "run \xC3\xA9");
  EXPECT_EQ(read->runs[0].state, RunState::kRefused);
  EXPECT_EQ(read->runs[0].month, -3);
  EXPECT_EQ(read->runs[0].ended_at, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(read->runs[0].request_digest, std::string("\0\x01\xFF", 3));
  EXPECT_EQ(read->usage[0].last_run_at, -5);
  EXPECT_EQ(read->usage[1].last_run_at, std::nullopt);
  EXPECT_EQ(read->touches[0].last_used_at, 77);
  EXPECT_EQ(read->audit_seq, 7);
  EXPECT_EQ(read->audit_head, "head");
  ASSERT_TRUE(read->audit.has_value());
  const auto row = read->audit->Row(0);
  EXPECT_EQ(row[0].text, "log_1");
  EXPECT_TRUE(row[1].is_null);
  EXPECT_EQ(row[static_cast<size_t>(catalog::AuditLogs().Index("created_at"))].num, 123);
  EXPECT_FALSE(row[static_cast<size_t>(catalog::AuditLogs().Index("metadata"))].is_null) << "an empty text is no NULL";
}

TEST(CommitRecord, NothingIsARecordToo) {
  const auto read = ParseCommitRecord(Bytes({}));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->runs.empty() && read->usage.empty() && read->touches.empty() && !read->audit);
}

TEST(CommitRecord, CutAnywhereItIsRefused) {
  const std::string bytes = Bytes(Full());
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto read = ParseCommitRecord(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, Code::kCorrupt);
  }
  EXPECT_FALSE(ParseCommitRecord(bytes + "x")) << "nor with something behind it";
}

// A digest guards the log; what it cannot guard against is our own mistake, which must not become a crash or gigabytes.
TEST(CommitRecord, ChangedAnywhereItIsReadOrRefusedAndNothingElse) {
  const std::string bytes = Bytes(Full());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const char value : {'\x00', '\x01', '\x7F', '\xFF'}) {
      std::string changed = bytes;
      changed[at] = value;
      const auto read = ParseCommitRecord(changed);
      EXPECT_EQ(read ? Bytes(*read) : changed, changed) << at;
    }
  }
}

}  // namespace
}  // namespace reeve::store
