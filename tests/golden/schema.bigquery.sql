-- Generated from src/catalog by `reeve schema print`; not edited by hand.

CREATE TABLE IF NOT EXISTS customers_metadata.customers (
  customer_id STRING NOT NULL,
  tenant_id STRING NOT NULL,
  company_name STRING NOT NULL,
  contact_email STRING,
  subscription_plan STRING DEFAULT 'starter' NOT NULL,
  status STRING DEFAULT 'active' NOT NULL,
  dataset_id STRING NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  metadata JSON
)
PARTITION BY DATE(created_at)
CLUSTER BY tenant_id, subscription_plan, status;

CREATE TABLE IF NOT EXISTS customers_metadata.customer_subscriptions (
  subscription_id STRING NOT NULL,
  customer_id STRING NOT NULL,
  plan_name STRING NOT NULL,
  monthly_pipeline_quota INT64,
  concurrent_pipeline_quota INT64,
  storage_quota_gb INT64,
  monthly_cost_usd NUMERIC(10,2),
  billing_cycle_start DATE NOT NULL,
  billing_cycle_end DATE,
  auto_renew BOOL DEFAULT TRUE NOT NULL,
  stripe_subscription_id STRING,
  stripe_customer_id STRING,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL
)
PARTITION BY billing_cycle_start
CLUSTER BY customer_id, plan_name;

CREATE TABLE IF NOT EXISTS customers_metadata.customer_api_keys (
  api_key_id STRING NOT NULL,
  customer_id STRING NOT NULL,
  tenant_id STRING NOT NULL,
  api_key_hash STRING NOT NULL,
  encrypted_api_key BYTES NOT NULL,
  key_name STRING,
  scopes ARRAY<STRING>,
  is_active BOOL DEFAULT TRUE NOT NULL,
  expires_at TIMESTAMP,
  last_used_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  created_by STRING,
  revoked_at TIMESTAMP,
  revoked_by STRING
)
PARTITION BY DATE(created_at)
CLUSTER BY api_key_hash, customer_id, is_active;

CREATE TABLE IF NOT EXISTS customers_metadata.customer_credentials (
  credential_id STRING NOT NULL,
  customer_id STRING NOT NULL,
  tenant_id STRING NOT NULL,
  provider STRING NOT NULL,
  credential_type STRING NOT NULL,
  encrypted_credentials BYTES NOT NULL,
  credential_name STRING,
  scopes ARRAY<STRING>,
  is_active BOOL DEFAULT TRUE NOT NULL,
  expires_at TIMESTAMP,
  last_validated_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  metadata JSON
)
PARTITION BY DATE(created_at)
CLUSTER BY customer_id, provider;

CREATE TABLE IF NOT EXISTS customers_metadata.customer_usage (
  usage_id STRING NOT NULL,
  customer_id STRING NOT NULL,
  tenant_id STRING NOT NULL,
  usage_month DATE NOT NULL,
  pipelines_run_count INT64 DEFAULT 0 NOT NULL,
  pipelines_running_count INT64 DEFAULT 0 NOT NULL,
  storage_used_gb NUMERIC(15,2) DEFAULT 0 NOT NULL,
  compute_hours NUMERIC(15,2) DEFAULT 0 NOT NULL,
  api_requests_count INT64 DEFAULT 0 NOT NULL,
  last_pipeline_run_at TIMESTAMP,
  quota_reset_at TIMESTAMP NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL
)
PARTITION BY usage_month
CLUSTER BY customer_id, usage_month;

CREATE TABLE IF NOT EXISTS customers_metadata.customer_audit_logs (
  log_id STRING NOT NULL,
  customer_id STRING NOT NULL,
  tenant_id STRING NOT NULL,
  event_type STRING NOT NULL,
  event_category STRING NOT NULL,
  actor_type STRING NOT NULL,
  actor_id STRING,
  resource_type STRING,
  resource_id STRING,
  action STRING NOT NULL,
  result STRING NOT NULL,
  ip_address STRING,
  user_agent STRING,
  metadata JSON,
  created_at TIMESTAMP NOT NULL
)
PARTITION BY DATE(created_at)
CLUSTER BY customer_id, event_type, created_at;

CREATE TABLE IF NOT EXISTS customers_metadata.customer_invitations (
  invitation_id STRING NOT NULL,
  customer_id STRING NOT NULL,
  tenant_id STRING NOT NULL,
  invited_email STRING NOT NULL,
  invited_by STRING NOT NULL,
  role STRING NOT NULL,
  status STRING DEFAULT 'pending' NOT NULL,
  invitation_token STRING NOT NULL,
  expires_at TIMESTAMP NOT NULL,
  accepted_at TIMESTAMP,
  revoked_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  metadata JSON
)
PARTITION BY DATE(created_at)
CLUSTER BY customer_id, status;

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_meta (
  key STRING NOT NULL,
  value STRING
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_tenants (
  tenant_id STRING NOT NULL,
  customer_id STRING NOT NULL,
  dataset_id STRING,
  phase STRING NOT NULL,
  attempt INT64 NOT NULL,
  as_of TIMESTAMP,
  source STRING,
  source_digest STRING,
  counts JSON,
  quarantined INT64,
  findings INT64,
  reason STRING,
  updated_at TIMESTAMP NOT NULL
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_usage_runs (
  tenant_id STRING NOT NULL,
  usage_month DATE NOT NULL,
  runs BYTES NOT NULL
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_dead_letters (
  tenant_id STRING NOT NULL,
  dataset STRING NOT NULL,
  table_name STRING NOT NULL,
  part STRING NOT NULL,
  line INT64 NOT NULL,
  row_key STRING,
  reason STRING NOT NULL,
  detail STRING
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_findings (
  tenant_id STRING NOT NULL,
  code STRING NOT NULL,
  subject STRING NOT NULL,
  detail STRING
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_certificates (
  tenant_id STRING NOT NULL,
  attempt INT64 NOT NULL,
  verified_at TIMESTAMP NOT NULL,
  certificate JSON NOT NULL,
  digest STRING NOT NULL
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_runs (
  tenant_id STRING NOT NULL,
  run_id STRING NOT NULL,
  usage_month DATE NOT NULL,
  state INT64 NOT NULL,
  pipeline_id STRING NOT NULL,
  api_key_id STRING NOT NULL,
  refusal INT64,
  ttl_ms INT64 NOT NULL,
  fence INT64 NOT NULL,
  reserved_at TIMESTAMP NOT NULL,
  expires_at TIMESTAMP,
  ended_at TIMESTAMP,
  compute_ms INT64 NOT NULL,
  request_digest BYTES NOT NULL,
  outcome STRING,
  reply STRING
)
PARTITION BY usage_month
CLUSTER BY tenant_id, run_id;

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_run_totals (
  tenant_id STRING NOT NULL,
  usage_month DATE NOT NULL,
  compute_ms INT64 NOT NULL,
  legacy_runs INT64 NOT NULL,
  legacy_running INT64 NOT NULL,
  legacy_compute_ms INT64 NOT NULL
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_analysts (
  analyst STRING NOT NULL,
  tenant_id STRING NOT NULL,
  customer_id STRING NOT NULL
)
CLUSTER BY analyst;

CREATE OR REPLACE ROW ACCESS POLICY reeve_analysts ON customers_metadata.customers
  GRANT TO ('allAuthenticatedUsers')
  FILTER USING (tenant_id IN (SELECT tenant_id FROM customers_metadata.reeve_analysts WHERE analyst = SESSION_USER()));

CREATE OR REPLACE ROW ACCESS POLICY reeve_analysts ON customers_metadata.customer_subscriptions
  GRANT TO ('allAuthenticatedUsers')
  FILTER USING (customer_id IN (SELECT customer_id FROM customers_metadata.reeve_analysts WHERE analyst = SESSION_USER()));

CREATE OR REPLACE ROW ACCESS POLICY reeve_analysts ON customers_metadata.customer_api_keys
  GRANT TO ('allAuthenticatedUsers')
  FILTER USING (tenant_id IN (SELECT tenant_id FROM customers_metadata.reeve_analysts WHERE analyst = SESSION_USER()));

CREATE OR REPLACE ROW ACCESS POLICY reeve_analysts ON customers_metadata.customer_credentials
  GRANT TO ('allAuthenticatedUsers')
  FILTER USING (tenant_id IN (SELECT tenant_id FROM customers_metadata.reeve_analysts WHERE analyst = SESSION_USER()));

CREATE OR REPLACE ROW ACCESS POLICY reeve_analysts ON customers_metadata.customer_usage
  GRANT TO ('allAuthenticatedUsers')
  FILTER USING (tenant_id IN (SELECT tenant_id FROM customers_metadata.reeve_analysts WHERE analyst = SESSION_USER()));

CREATE OR REPLACE ROW ACCESS POLICY reeve_analysts ON customers_metadata.customer_audit_logs
  GRANT TO ('allAuthenticatedUsers')
  FILTER USING (tenant_id IN (SELECT tenant_id FROM customers_metadata.reeve_analysts WHERE analyst = SESSION_USER()));

CREATE OR REPLACE ROW ACCESS POLICY reeve_analysts ON customers_metadata.customer_invitations
  GRANT TO ('allAuthenticatedUsers')
  FILTER USING (tenant_id IN (SELECT tenant_id FROM customers_metadata.reeve_analysts WHERE analyst = SESSION_USER()));
