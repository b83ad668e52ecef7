// Store: what serving and explaining ask of the central dataset, one record at a time.
//
// A StoreReader only looks; a Store also changes, each change with its audit event in one transaction. Not for bulk work: that
// is CentralSink. One object per thread; every call may block on a disk: never call one on an event-loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_text.h"
#include "catalog/rows.h"
#include "store/central_sink.h"

namespace reeve::store {

struct KeyRecord {
  std::string api_key_id;
  std::string customer_id;
  std::string tenant_id;
  std::string api_key_hash;
  std::optional<std::string> key_name;
  std::optional<std::vector<std::string>> scopes;
  bool is_active = false;
  bool has_ciphertext = false;
  std::optional<Micros> expires_at;
  std::optional<Micros> last_used_at;
  Micros created_at = 0;
  std::optional<std::string> created_by;
  std::optional<Micros> revoked_at;
  std::optional<std::string> revoked_by;
};

struct CustomerRecord {
  std::string customer_id;
  std::string tenant_id;
  std::string company_name;
  std::optional<std::string> contact_email;
  std::string subscription_plan;
  std::string status;
  std::string dataset_id;
  Micros created_at = 0;
  Micros updated_at = 0;
  std::optional<std::string> metadata;
};

// nullopt quotas are unlimited, 0 blocks.
struct SubscriptionRecord {
  std::string subscription_id;
  std::string customer_id;
  std::string plan_name;
  std::optional<int64_t> monthly_pipeline_quota;
  std::optional<int64_t> concurrent_pipeline_quota;
  std::optional<int64_t> storage_quota_gb;
  Days billing_cycle_start = 0;
};

struct UsageRecord {
  std::string usage_id;
  Days usage_month = 0;
  int64_t pipelines_run_count = 0;
  int64_t pipelines_running_count = 0;
  int64_t storage_used_gb_hundredths = 0;
  int64_t compute_hours_hundredths = 0;
  std::optional<Micros> last_pipeline_run_at;
  Micros quota_reset_at = 0;
};

class StoreReader {
 public:
  virtual ~StoreReader() = default;
  // nullopt: there is none. `hash` is 64 lower-case hex digits.
  [[nodiscard]] virtual Result<std::optional<KeyRecord>> FindKey(std::string_view hash) = 0;
  [[nodiscard]] virtual Result<std::optional<CustomerRecord>> FindCustomer(std::string_view customer_id) = 0;
  [[nodiscard]] virtual Result<std::optional<CustomerRecord>> FindCustomerOfTenant(std::string_view tenant_id) = 0;
  // The one without an end.
  [[nodiscard]] virtual Result<std::optional<SubscriptionRecord>> CurrentSubscription(std::string_view customer_id) = 0;
  // nullopt: nothing was counted, which is zero. REQUIRES: `month` is the first of a month
  [[nodiscard]] virtual Result<std::optional<UsageRecord>> UsageOf(std::string_view tenant_id, Days month) = 0;
};

enum class RevokeOutcome : uint8_t {
  kRevoked = 0,
  kAlreadyRevoked = 1,  // at that time or earlier; nothing was written
  kUnknownKey = 2,
};

class Store : public StoreReader {
 public:
  // Revokes the key with `hash` and adds `audit` (one row of customer_audit_logs) in one durable transaction. An earlier revocation
  // than the stored one moves the stored time back. On error nothing was stored, or (after a failed commit) it is unknown: repeat.
  // REQUIRES: `audit` is a batch of AuditLogs()
  [[nodiscard]] virtual Result<RevokeOutcome> RevokeKey(std::string_view hash, Micros at, std::string_view by,
                                                        const catalog::RowBatch& audit) = 0;
};

// A StoreReader that looks through `reader`, and so sees what it sees.
[[nodiscard]] std::unique_ptr<StoreReader> MakeStoreReader(std::unique_ptr<CentralReader> reader);

// The row of `key` (a batch of ApiKeys() with one row) as it arrives when revoked.
void MarkRevoked(catalog::RowBatch* key, Micros at, std::string_view by);

}  // namespace reeve::store
