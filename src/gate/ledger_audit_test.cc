#include "gate/ledger_audit.h"

#include <gtest/gtest.h>

#include "gate/ledger_audit_testing.h"
#include "gate/run_book_testing.h"

namespace reeve::gate {
namespace {

catalog::RowBatch Events(LedgerChain* chain, int count) {
  catalog::RowBatch rows(catalog::AuditLogs());
  for (int i = 0; i < count; ++i) {
    const std::string run = "run \"" + std::to_string(i) + "\"\\";
    chain->Append({"cust_a", i % 2 == 0 ? "a" : "b", "run.reserved", "run", "api_key", "k", "run", run, "reserved", true, R"({"fence":1})", kNoon + i}, &rows);
  }
  return rows;
}

TEST(LedgerChain, IsSoundAsWritten) {
  LedgerChain chain;
  EXPECT_EQ(CheckLedgerChain(catalog::RowBatch(catalog::AuditLogs()), 0, ""), "");
  const catalog::RowBatch rows = Events(&chain, 5);
  EXPECT_EQ(chain.seq(), 5);
  EXPECT_EQ(CheckLedgerChain(rows, chain.seq(), chain.head()), "");
}

TEST(LedgerChain, GoesOnFromItsMarks) {
  LedgerChain first;
  catalog::RowBatch rows = Events(&first, 3);
  LedgerChain second(first.seq(), first.head());
  second.Append({"c", "t", "run.expired", "run", "system", "reeve", "run", "r", "expired", true, "{}", kNoon}, &rows);
  EXPECT_EQ(CheckLedgerChain(rows, second.seq(), second.head()), "");
}

TEST(LedgerChain, EveryChangeOfAnyCellShows) {
  LedgerChain chain;
  const size_t columns = catalog::AuditLogs().columns.size();
  for (size_t row = 0; row < 4; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      LedgerChain fresh;
      catalog::RowBatch rows = Events(&fresh, 4);
      catalog::Cell& cell = rows.Row(row)[column];
      if (catalog::IsNumeric(catalog::AuditLogs().columns[column].type)) {
        ++cell.num;
      } else {
        cell = rows.Own(std::string(cell.text) + (catalog::AuditLogs().columns[column].name == "metadata" ? " " : "x"));
      }
      EXPECT_NE(CheckLedgerChain(rows, fresh.seq(), fresh.head()), "") << row << " " << catalog::AuditLogs().columns[column].name;
    }
  }
}

TEST(LedgerChain, WhatIsMissingDoubledOrCutOffShows) {
  LedgerChain chain;
  const catalog::RowBatch all = Events(&chain, 4);
  const auto with = [&](const std::vector<size_t>& kept) {
    catalog::RowBatch rows(catalog::AuditLogs());
    for (const size_t i : kept) {
      const std::span<catalog::Cell> copy = rows.AddRow();
      for (size_t c = 0; c < copy.size(); ++c) copy[c] = all.Row(i)[c];
    }
    return CheckLedgerChain(rows, chain.seq(), chain.head());
  };
  EXPECT_EQ(with({3, 1, 0, 2}), "") << "in any order";
  for (const std::vector<size_t>& kept : std::vector<std::vector<size_t>>{{0, 1, 2}, {1, 2, 3}, {0, 2, 3}, {0, 1, 2, 3, 3}, {}}) EXPECT_NE(with(kept), "");
  EXPECT_NE(CheckLedgerChain(all, 4, std::string(64, '0')), "") << "another head";
}

TEST(LedgerChain, LeavesEventsOfOtherChainsAlone) {
  LedgerChain chain;
  catalog::RowBatch rows = Events(&chain, 2);
  const std::span<catalog::Cell> other = rows.AddRow();
  other[static_cast<size_t>(catalog::AuditLogs().Index("metadata"))] = rows.Own(R"({"seq":1,"prev":"","facts":{}})");
  EXPECT_EQ(CheckLedgerChain(rows, chain.seq(), chain.head()), "");
}

}  // namespace
}  // namespace reeve::gate
