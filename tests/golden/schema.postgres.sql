-- Generated from src/catalog by `reeve schema print`; not edited by hand.

CREATE SCHEMA IF NOT EXISTS customers_metadata;

CREATE TABLE IF NOT EXISTS customers_metadata.customers (
  customer_id text COLLATE "C" NOT NULL,
  tenant_id text COLLATE "C" NOT NULL,
  company_name text COLLATE "C" NOT NULL,
  contact_email text COLLATE "C",
  subscription_plan text COLLATE "C" NOT NULL DEFAULT 'starter',
  status text COLLATE "C" NOT NULL DEFAULT 'active',
  dataset_id text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  metadata json,
  PRIMARY KEY (customer_id)
);

CREATE UNIQUE INDEX IF NOT EXISTS customers_tenant_id ON customers_metadata.customers (tenant_id);

CREATE UNIQUE INDEX IF NOT EXISTS customers_identity ON customers_metadata.customers (tenant_id, customer_id);

CREATE TABLE IF NOT EXISTS customers_metadata.customer_subscriptions (
  subscription_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  plan_name text COLLATE "C" NOT NULL,
  monthly_pipeline_quota bigint,
  concurrent_pipeline_quota bigint,
  storage_quota_gb bigint,
  monthly_cost_usd numeric(10,2),
  billing_cycle_start date NOT NULL,
  billing_cycle_end date,
  auto_renew boolean NOT NULL DEFAULT TRUE,
  stripe_subscription_id text COLLATE "C",
  stripe_customer_id text COLLATE "C",
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (customer_id, subscription_id),
  FOREIGN KEY (customer_id) REFERENCES customers_metadata.customers (customer_id)
);

CREATE UNIQUE INDEX IF NOT EXISTS customer_subscriptions_current ON customers_metadata.customer_subscriptions (customer_id) WHERE billing_cycle_end IS NULL;

CREATE TABLE IF NOT EXISTS customers_metadata.customer_api_keys (
  api_key_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  tenant_id text COLLATE "C" NOT NULL,
  api_key_hash text COLLATE "C" NOT NULL,
  encrypted_api_key bytea NOT NULL,
  key_name text COLLATE "C",
  scopes text[],
  is_active boolean NOT NULL DEFAULT TRUE,
  expires_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz NOT NULL,
  created_by text COLLATE "C",
  revoked_at timestamptz,
  revoked_by text COLLATE "C",
  PRIMARY KEY (tenant_id, api_key_id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers_metadata.customers (tenant_id, customer_id)
);

CREATE UNIQUE INDEX IF NOT EXISTS customer_api_keys_hash ON customers_metadata.customer_api_keys (api_key_hash);

CREATE TABLE IF NOT EXISTS customers_metadata.customer_credentials (
  credential_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  tenant_id text COLLATE "C" NOT NULL,
  provider text COLLATE "C" NOT NULL,
  credential_type text COLLATE "C" NOT NULL,
  encrypted_credentials bytea NOT NULL,
  credential_name text COLLATE "C",
  scopes text[],
  is_active boolean NOT NULL DEFAULT TRUE,
  expires_at timestamptz,
  last_validated_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  metadata json,
  PRIMARY KEY (tenant_id, credential_id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers_metadata.customers (tenant_id, customer_id)
);

CREATE TABLE IF NOT EXISTS customers_metadata.customer_usage (
  usage_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  tenant_id text COLLATE "C" NOT NULL,
  usage_month date NOT NULL,
  pipelines_run_count bigint NOT NULL DEFAULT 0,
  pipelines_running_count bigint NOT NULL DEFAULT 0,
  storage_used_gb numeric(15,2) NOT NULL DEFAULT 0,
  compute_hours numeric(15,2) NOT NULL DEFAULT 0,
  api_requests_count bigint NOT NULL DEFAULT 0,
  last_pipeline_run_at timestamptz,
  quota_reset_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, usage_month),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers_metadata.customers (tenant_id, customer_id)
);

CREATE INDEX IF NOT EXISTS customer_usage_by_usage_month ON customers_metadata.customer_usage (usage_month);

CREATE INDEX IF NOT EXISTS customer_usage_by_tenant_id_usage_month ON customers_metadata.customer_usage (tenant_id, usage_month) WHERE storage_used_gb NOT IN ('0', '0.00');

CREATE TABLE IF NOT EXISTS customers_metadata.customer_audit_logs (
  log_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  tenant_id text COLLATE "C" NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  event_category text COLLATE "C" NOT NULL,
  actor_type text COLLATE "C" NOT NULL,
  actor_id text COLLATE "C",
  resource_type text COLLATE "C",
  resource_id text COLLATE "C",
  action text COLLATE "C" NOT NULL,
  result text COLLATE "C" NOT NULL,
  ip_address text COLLATE "C",
  user_agent text COLLATE "C",
  metadata json,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, log_id)
);

CREATE TABLE IF NOT EXISTS customers_metadata.customer_invitations (
  invitation_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  tenant_id text COLLATE "C" NOT NULL,
  invited_email text COLLATE "C" NOT NULL,
  invited_by text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL DEFAULT 'pending',
  invitation_token text COLLATE "C" NOT NULL,
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL,
  metadata json,
  PRIMARY KEY (invitation_id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES customers_metadata.customers (tenant_id, customer_id)
);

CREATE UNIQUE INDEX IF NOT EXISTS customer_invitations_token ON customers_metadata.customer_invitations (invitation_token);

CREATE INDEX IF NOT EXISTS customer_invitations_by_tenant_id ON customers_metadata.customer_invitations (tenant_id);

CREATE INDEX IF NOT EXISTS customer_invitations_by_customer_id ON customers_metadata.customer_invitations (customer_id);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_meta (
  key text COLLATE "C" NOT NULL,
  value text COLLATE "C",
  PRIMARY KEY (key)
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_tenants (
  tenant_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  dataset_id text COLLATE "C",
  phase text COLLATE "C" NOT NULL,
  attempt bigint NOT NULL,
  as_of timestamptz,
  source text COLLATE "C",
  source_digest text COLLATE "C",
  counts json,
  quarantined bigint,
  findings bigint,
  reason text COLLATE "C",
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id)
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_usage_runs (
  tenant_id text COLLATE "C" NOT NULL,
  usage_month date NOT NULL,
  runs bytea NOT NULL,
  PRIMARY KEY (tenant_id, usage_month)
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_dead_letters (
  tenant_id text COLLATE "C" NOT NULL,
  dataset text COLLATE "C" NOT NULL,
  table_name text COLLATE "C" NOT NULL,
  part text COLLATE "C" NOT NULL,
  line bigint NOT NULL,
  row_key text COLLATE "C",
  reason text COLLATE "C" NOT NULL,
  detail text COLLATE "C",
  PRIMARY KEY (tenant_id, dataset, table_name, part, line, reason)
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_findings (
  tenant_id text COLLATE "C" NOT NULL,
  code text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  detail text COLLATE "C",
  PRIMARY KEY (tenant_id, code, subject)
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_certificates (
  tenant_id text COLLATE "C" NOT NULL,
  attempt bigint NOT NULL,
  verified_at timestamptz NOT NULL,
  certificate json NOT NULL,
  digest text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, digest)
);

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_runs (
  tenant_id text COLLATE "C" NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  usage_month date NOT NULL,
  state bigint NOT NULL,
  pipeline_id text COLLATE "C" NOT NULL,
  api_key_id text COLLATE "C" NOT NULL,
  refusal bigint,
  ttl_ms bigint NOT NULL,
  fence bigint NOT NULL,
  reserved_at timestamptz NOT NULL,
  expires_at timestamptz,
  ended_at timestamptz,
  compute_ms bigint NOT NULL,
  request_digest bytea NOT NULL,
  outcome text COLLATE "C",
  reply text COLLATE "C",
  PRIMARY KEY (tenant_id, run_id)
);

CREATE UNIQUE INDEX IF NOT EXISTS reeve_runs_open ON customers_metadata.reeve_runs (fence) WHERE ended_at IS NULL;

CREATE TABLE IF NOT EXISTS customers_metadata.reeve_run_totals (
  tenant_id text COLLATE "C" NOT NULL,
  usage_month date NOT NULL,
  compute_ms bigint NOT NULL,
  legacy_runs bigint NOT NULL,
  legacy_running bigint NOT NULL,
  legacy_compute_ms bigint NOT NULL,
  PRIMARY KEY (tenant_id, usage_month)
);

ALTER TABLE customers_metadata.customers ENABLE ROW LEVEL SECURITY;

ALTER TABLE customers_metadata.customers FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS reeve_owner ON customers_metadata.customers;

CREATE POLICY reeve_owner ON customers_metadata.customers
  USING (tenant_id = current_setting('reeve.tenant_id', true));

ALTER TABLE customers_metadata.customer_subscriptions ENABLE ROW LEVEL SECURITY;

ALTER TABLE customers_metadata.customer_subscriptions FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS reeve_owner ON customers_metadata.customer_subscriptions;

CREATE POLICY reeve_owner ON customers_metadata.customer_subscriptions
  USING (customer_id = current_setting('reeve.customer_id', true));

ALTER TABLE customers_metadata.customer_api_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE customers_metadata.customer_api_keys FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS reeve_owner ON customers_metadata.customer_api_keys;

CREATE POLICY reeve_owner ON customers_metadata.customer_api_keys
  USING (tenant_id = current_setting('reeve.tenant_id', true));

ALTER TABLE customers_metadata.customer_credentials ENABLE ROW LEVEL SECURITY;

ALTER TABLE customers_metadata.customer_credentials FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS reeve_owner ON customers_metadata.customer_credentials;

CREATE POLICY reeve_owner ON customers_metadata.customer_credentials
  USING (tenant_id = current_setting('reeve.tenant_id', true));

ALTER TABLE customers_metadata.customer_usage ENABLE ROW LEVEL SECURITY;

ALTER TABLE customers_metadata.customer_usage FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS reeve_owner ON customers_metadata.customer_usage;

CREATE POLICY reeve_owner ON customers_metadata.customer_usage
  USING (tenant_id = current_setting('reeve.tenant_id', true));

ALTER TABLE customers_metadata.customer_audit_logs ENABLE ROW LEVEL SECURITY;

ALTER TABLE customers_metadata.customer_audit_logs FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS reeve_owner ON customers_metadata.customer_audit_logs;

CREATE POLICY reeve_owner ON customers_metadata.customer_audit_logs
  USING (tenant_id = current_setting('reeve.tenant_id', true));

ALTER TABLE customers_metadata.customer_invitations ENABLE ROW LEVEL SECURITY;

ALTER TABLE customers_metadata.customer_invitations FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS reeve_owner ON customers_metadata.customer_invitations;

CREATE POLICY reeve_owner ON customers_metadata.customer_invitations
  USING (tenant_id = current_setting('reeve.tenant_id', true));
