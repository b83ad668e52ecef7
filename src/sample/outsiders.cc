// Datasets that are no tenants: a migration lists them and leaves them alone.
#include "sample/tenants.h"

namespace reeve::sample {
namespace {

struct Outsider {
  std::string_view file;  // dataset/file
  std::string_view content;
};

constexpr std::string_view kKeyRow =
    "{\"api_key_id\":\"k\",\"api_key_hash\":\"0000000000000000000000000000000000000000000000000000000000000000\","
    "\"created_at\":\"2026-01-01 00:00:00 UTC\",\"is_active\":true}\n";

constexpr Outsider kFiles[] = {
    {"billing_export/gcp_billing_export_v1-000000000000.json", "{\"cost\":12.5,\"currency\":\"EUR\"}\n"},
    {"analytics/events-000000000000.json", "{\"event\":\"click\"}\n"},
    {"customers_metadata/customers-000000000000.json", "{\"customer_id\":\"cust_1\",\"tenant_id\":\"x\"}\n"},
    {"customers_metadata/customer_api_keys-000000000000.json", kKeyRow},
    {"half_a_tenant/x_meta_api_keys-000000000000.json", kKeyRow},
    {"half_a_tenant/x_meta_pipeline_runs-000000000000.json", ""},
    {"orphan_metadata/api_keys-000000000000.json", kKeyRow},
    {"bad-name/x_meta_api_keys-000000000000.json", kKeyRow},
    {"bad-name/x_meta_cloud_credentials-000000000000.json", ""},
    {"bad-name/x_meta_pipeline_runs-000000000000.json", ""},
    {"metadata/x_meta_scheduled_runs-000000000000.json", "{\"schedule_id\":\"1\",\"cron\":\"0 2 * * *\"}\n"},
    {"metadata/x_meta_pipeline_queue.json", ""},
};

}  // namespace

Result<> WriteOutsiders(Workshop* shop) {
  for (const Outsider& file : kFiles) REEVE_TRY(shop->estate.WriteFile(std::string(file.file), file.content));
  shop->expected.AddSkipped("billing_export", "no signature tables");
  shop->expected.AddSkipped("analytics", "no signature tables");
  shop->expected.AddSkipped("customers_metadata", "central dataset");
  shop->expected.AddSkipped("half_a_tenant", "incomplete signature");
  shop->expected.AddSkipped("orphan_metadata", "incomplete signature");
  shop->expected.AddSkipped("bad-name", "invalid name");
  return {};
}

}  // namespace reeve::sample
