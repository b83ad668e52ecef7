// What the doctor counts: one pass over every table (more over the audit events, if the ledger's chain is broken), 64 bits for a name. Memory is about 60 bytes a
// customer, 8 bytes a key, 32 bytes a month of usage and 56 bytes an event of a migration, and the largest ledger of a tenant. Plain data;
// not safe for concurrent use.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "migrate/ops/row_tools.h"
#include "migrate/phase.h"
#include "store/ledger_check.h"

namespace reeve::migrate::ops {

// How often something was seen, and the first few by name.
struct Seen {
  static constexpr size_t kExamples = 3;
  uint64_t count = 0;
  std::vector<std::string> examples;
  void Add(std::string_view example);
  // "3 (a, b, c)", "7 (a, b, c, …)".
  [[nodiscard]] std::string Text() const;
};

struct CustomerFacts {
  uint64_t id = 0, tenant = 0;
  uint32_t keys = 0, usable_keys = 0;
  uint32_t current_subscriptions = 0;
  bool usage_this_month = false;
};

struct LedgerFacts {
  uint64_t tenants = 0;           // that were served
  uint64_t runs = 0, refused = 0, open = 0;
  Seen overdue;                   // open runs whose lease was over a while ago
  Seen disorder;                  // fences and times that cannot be
  Seen differing;                 // months whose counters are not legacy's part and the ledger's runs
  store::LedgerEnd chain_mark;    // where the store says that the chain of the ledger's audit events ends
};

struct DoctorFacts {
  uint64_t customers = 0, keys = 0, subscriptions = 0, events = 0, tenants = 0;
  std::map<std::string, uint64_t> phases;         // by name, of reeve_tenants
  // tenants; the last: customers without a row in reeve_tenants
  Seen not_migrated, not_verified, stateless;
  // tenants without a usable key, by what is known of legacy
  Seen keys_lost, keys_gone_since, keys_unproven;
  Seen no_subscription, many_subscriptions;       // customers
  Seen no_usage;                                  // customers without a usage row for the present month
  Seen miscounted;                                // usage rows that differ from their set of runs, where no ledger counts
  LedgerFacts ledger;
  // child rows: without customer; of another tenant than their customer
  Seen orphans, foreign;
  Seen duplicate_tenants, duplicate_hashes, duplicate_months;
  Seen expiring, expired;                         // keys
  Seen broken_chains;                             // tenants
  store::LedgerVerdict ledger_chain;              // of the ledger's events, of all tenants
  std::map<std::string, uint64_t> dead_letters, findings;  // by reason, by code
};

// `now` decides about expiry and the present month.
[[nodiscard]] Result<DoctorFacts> GatherFacts(store::CentralReader& reader, Micros now);

}  // namespace reeve::migrate::ops
