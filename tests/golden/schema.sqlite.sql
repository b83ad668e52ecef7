-- Generated from src/catalog by `reeve schema print`; not edited by hand.

CREATE TABLE IF NOT EXISTS customers (
  customer_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  company_name TEXT NOT NULL,
  contact_email TEXT,
  subscription_plan TEXT NOT NULL DEFAULT 'starter',
  status TEXT NOT NULL DEFAULT 'active',
  dataset_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  metadata TEXT,
  PRIMARY KEY (customer_id)
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS customers_tenant_id ON customers (tenant_id);

CREATE UNIQUE INDEX IF NOT EXISTS customers_identity ON customers (tenant_id, customer_id);

CREATE TABLE IF NOT EXISTS customer_subscriptions (
  subscription_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  plan_name TEXT NOT NULL,
  monthly_pipeline_quota INTEGER,
  concurrent_pipeline_quota INTEGER,
  storage_quota_gb INTEGER,
  monthly_cost_usd TEXT,
  billing_cycle_start TEXT NOT NULL,
  billing_cycle_end TEXT,
  auto_renew INTEGER NOT NULL DEFAULT TRUE CHECK (auto_renew IN (0,1)),
  stripe_subscription_id TEXT,
  stripe_customer_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (customer_id, subscription_id),
  FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS customer_subscriptions_current ON customer_subscriptions (customer_id) WHERE billing_cycle_end IS NULL;

CREATE TABLE IF NOT EXISTS customer_api_keys (
  api_key_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  api_key_hash TEXT NOT NULL,
  encrypted_api_key BLOB NOT NULL,
  key_name TEXT,
  scopes TEXT,
  is_active INTEGER NOT NULL DEFAULT TRUE CHECK (is_active IN (0,1)),
  expires_at INTEGER,
  last_used_at INTEGER,
  created_at INTEGER NOT NULL,
  created_by TEXT,
  revoked_at INTEGER,
  revoked_by TEXT,
  PRIMARY KEY (tenant_id, api_key_id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS customer_api_keys_hash ON customer_api_keys (api_key_hash);

CREATE TABLE IF NOT EXISTS customer_credentials (
  credential_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  credential_type TEXT NOT NULL,
  encrypted_credentials BLOB NOT NULL,
  credential_name TEXT,
  scopes TEXT,
  is_active INTEGER NOT NULL DEFAULT TRUE CHECK (is_active IN (0,1)),
  expires_at INTEGER,
  last_validated_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  metadata TEXT,
  PRIMARY KEY (tenant_id, credential_id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;

CREATE TABLE IF NOT EXISTS customer_usage (
  usage_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  usage_month TEXT NOT NULL,
  pipelines_run_count INTEGER NOT NULL DEFAULT 0,
  pipelines_running_count INTEGER NOT NULL DEFAULT 0,
  storage_used_gb TEXT NOT NULL DEFAULT '0.00',
  compute_hours TEXT NOT NULL DEFAULT '0.00',
  api_requests_count INTEGER NOT NULL DEFAULT 0,
  last_pipeline_run_at INTEGER,
  quota_reset_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, usage_month),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;

CREATE INDEX IF NOT EXISTS customer_usage_by_usage_month ON customer_usage (usage_month);

CREATE INDEX IF NOT EXISTS customer_usage_by_tenant_id_usage_month ON customer_usage (tenant_id, usage_month) WHERE storage_used_gb NOT IN ('0', '0.00');

CREATE TABLE IF NOT EXISTS customer_audit_logs (
  log_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  event_category TEXT NOT NULL,
  actor_type TEXT NOT NULL,
  actor_id TEXT,
  resource_type TEXT,
  resource_id TEXT,
  action TEXT NOT NULL,
  result TEXT NOT NULL,
  ip_address TEXT,
  user_agent TEXT,
  metadata TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, log_id)
) STRICT;

CREATE TABLE IF NOT EXISTS customer_invitations (
  invitation_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  invited_email TEXT NOT NULL,
  invited_by TEXT NOT NULL,
  role TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending',
  invitation_token TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  accepted_at INTEGER,
  revoked_at INTEGER,
  created_at INTEGER NOT NULL,
  metadata TEXT,
  PRIMARY KEY (invitation_id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS customer_invitations_token ON customer_invitations (invitation_token);

CREATE INDEX IF NOT EXISTS customer_invitations_by_tenant_id ON customer_invitations (tenant_id);

CREATE INDEX IF NOT EXISTS customer_invitations_by_customer_id ON customer_invitations (customer_id);

CREATE TABLE IF NOT EXISTS reeve_meta (
  key TEXT NOT NULL,
  value TEXT,
  PRIMARY KEY (key)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS reeve_tenants (
  tenant_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  dataset_id TEXT,
  phase TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  as_of INTEGER,
  source TEXT,
  source_digest TEXT,
  counts TEXT,
  quarantined INTEGER,
  findings INTEGER,
  reason TEXT,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS reeve_usage_runs (
  tenant_id TEXT NOT NULL,
  usage_month TEXT NOT NULL,
  runs BLOB NOT NULL,
  PRIMARY KEY (tenant_id, usage_month)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS reeve_dead_letters (
  tenant_id TEXT NOT NULL,
  dataset TEXT NOT NULL,
  table_name TEXT NOT NULL,
  part TEXT NOT NULL,
  line INTEGER NOT NULL,
  row_key TEXT,
  reason TEXT NOT NULL,
  detail TEXT,
  PRIMARY KEY (tenant_id, dataset, table_name, part, line, reason)
) STRICT;

CREATE TABLE IF NOT EXISTS reeve_findings (
  tenant_id TEXT NOT NULL,
  code TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT,
  PRIMARY KEY (tenant_id, code, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS reeve_certificates (
  tenant_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  verified_at INTEGER NOT NULL,
  certificate TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (tenant_id, digest)
) STRICT;

CREATE TABLE IF NOT EXISTS reeve_runs (
  tenant_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  usage_month TEXT NOT NULL,
  state INTEGER NOT NULL,
  pipeline_id TEXT NOT NULL,
  api_key_id TEXT NOT NULL,
  refusal INTEGER,
  ttl_ms INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  reserved_at INTEGER NOT NULL,
  expires_at INTEGER,
  ended_at INTEGER,
  compute_ms INTEGER NOT NULL,
  request_digest BLOB NOT NULL,
  outcome TEXT,
  reply TEXT,
  PRIMARY KEY (tenant_id, run_id)
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS reeve_runs_open ON reeve_runs (fence) WHERE ended_at IS NULL;

CREATE TABLE IF NOT EXISTS reeve_run_totals (
  tenant_id TEXT NOT NULL,
  usage_month TEXT NOT NULL,
  compute_ms INTEGER NOT NULL,
  legacy_runs INTEGER NOT NULL,
  legacy_running INTEGER NOT NULL,
  legacy_compute_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, usage_month)
) STRICT, WITHOUT ROWID;
