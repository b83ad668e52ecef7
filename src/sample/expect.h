// The oracle: docs/mapping.md applied to the generator's model of one tenant. It shares no code with the importer and reads no
// file. Pure; safe from any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sample/model.h"

namespace reeve::sample {

struct ExpectOptions {
  Micros as_of = 0;
  int usage_months = 13;
  Micros abandoned_after = 24 * kHour;
};

// One row of a central table: its key, for sorting, and its line without newline.
struct ExpectedRow {
  std::string key;
  std::string line;
};

struct ExpectedDeadLetter {
  Place place;
  std::string reason;
};

struct ExpectedFinding {
  std::string code;
  std::string subject;  // empty: the tenant as a whole
  bool operator==(const ExpectedFinding&) const = default;
};

struct KeyVerdict {
  std::string api_key_id;
  std::string_view verdict;  // active, revoked, expired at as_of
  bool never_changes = false;  // the verdict will not change by the passing of time
};

struct ExpectedTenant {
  ExpectedRow customer;
  ExpectedRow subscription;
  std::vector<ExpectedRow> keys;
  std::vector<ExpectedRow> credentials;
  std::vector<ExpectedRow> usage;
  std::vector<ExpectedDeadLetter> dead_letters;  // those which need more than one row to see
  std::vector<ExpectedFinding> findings;
  std::map<std::string, KeyVerdict> verdicts;  // by hash, 64 hex
  std::string customer_status;
};

[[nodiscard]] ExpectedTenant Expect(const TenantModel& tenant, const ExpectOptions& options);

// ---- parts, for tests and each other

// The rows that are left when those dead-lettered for what other rows say (hash_in_two_tenants, credential_conflict) are gone.
void ExpectKeys(const TenantModel& tenant, const ExpectOptions& options, ExpectedTenant* out,
                Micros* evidence);
void ExpectCredentials(const TenantModel& tenant, ExpectedTenant* out, Micros* evidence);
// Returns the number of runs in the month of as_of.
uint64_t ExpectUsage(const TenantModel& tenant, const ExpectOptions& options, ExpectedTenant* out,
                     Micros* evidence);
void ExpectCustomer(const TenantModel& tenant, const ExpectOptions& options, Micros evidence,
                    uint64_t runs_this_month, ExpectedTenant* out);

}  // namespace reeve::sample
