// Credentials of a realistic tenant: sealed, plain, absent, with history.
#include <algorithm>

#include "base/encoding.h"
#include "sample/tenants.h"

namespace reeve::sample {
namespace {

constexpr std::string_view kPem = "-----BEGIN PRIVATE KEY-----\nbm90IGEgcmVhbCBrZXk=\n-----END PRIVATE KEY-----\n";

std::string PlainSecret(Prng* rng) {
  switch (rng->Below(4)) {
    case 0: return std::string(kPem);
    case 1: return "\n  " + std::string(kPem);
    case 2: return R"({"type":"service_account","project_id":"p","private_key_id":")" + rng->Hex(12) + "\"}";
    default: return " {\"access_key\": \"" + rng->Hex(10) + "\", \"n\": [1, 2.5, null]}\n";
  }
}

// Not plaintext by the rules: starts like JSON and is none, or has no such start.
std::string NearlyPlain(Prng* rng) {
  return rng->Percent(50) ? "{not json " + rng->Hex(12) : "sk-" + rng->Hex(40);
}

std::string Sealed(Prng* rng) { return rng->Bytes(60 + rng->Below(80)); }

std::string EncText(EncStyle style, Prng* rng) {
  const uint64_t dice = rng->Below(100);
  const std::string secret = dice < 12 ? PlainSecret(rng) : dice < 20 ? NearlyPlain(rng) : Sealed(rng);
  switch (style) {
    case EncStyle::kBytes: return Base64Encode(secret);
    case EncStyle::kBase64: return rng->Percent(50) ? Base64Encode(secret) : Base64Encode(Base64Encode(secret));
    case EncStyle::kText: break;
  }
  if (dice < 20 && rng->Percent(50)) return secret;                       // text as it is
  if (dice >= 20 && rng->Percent(20)) return "gAAAAAB" + rng->Hex(60) + "-_";  // url-safe alphabet: no base64
  return Base64Encode(secret);
}

OptText MaybeEnc(EncStyle style, bool first_row, Prng* rng) {
  const uint64_t dice = rng->Below(40);
  if (!first_row && dice == 0) return std::nullopt;
  if (dice == 1) return "";
  return EncText(style, rng);
}

void AddDetails(Prng* rng, CredentialRow* row) {
  static constexpr std::string_view kColumns[] = {"account_id", "aws_account_id", "azure_subscription_id", "created_by",
                                                  "last_error", "project_id", "region", "validation_status"};
  static constexpr std::string_view kTexts[] = {"europe-west3", "123456789012", "line1\nline2", "VALID", "",
                                                "tab\t\"quoted\"", "größe", "\x1F"};
  for (const std::string_view column : kColumns)
    if (rng->Percent(50)) row->metadata.emplace_back(column, rng->Pick(kTexts));
  const uint64_t dice = rng->Below(6);
  if (dice == 0) {
    row->legacy_metadata = R"({"team": "data  platform", "esc\"aped": [1, 2 , {"x" : null}], "n":1.50})";
    row->legacy_metadata_is_json = true;
  } else if (dice == 1) {
    row->legacy_metadata = "[ ]";
    row->legacy_metadata_is_json = true;
  } else if (dice == 2) {
    row->legacy_metadata = R"({"as":"text"})";
  } else if (dice == 3) {
    row->legacy_metadata = "";
  }
}

CredentialRow MakeCredential(TenantOut* tenant, const CredentialShape& shape, bool first_row) {
  static constexpr std::string_view kProviders[] = {"gcp", "GCP", "GCP_SA", "google", "Google_Cloud", "aws", "AMAZON",
                                                    "azure", "openai", "OPENAI", "CLAUDE", "anthropic", "Datadog"};
  static constexpr std::string_view kTypes[] = {"SERVICE_ACCOUNT", "service_account", "API_KEY", "access_key", ""};
  Prng& rng = tenant->rng();
  const SampleOptions& options = tenant->shop().options;
  CredentialRow row;
  if (!rng.Percent(5)) row.id = rng.Percent(3) ? "" : "cred-" + rng.Hex(16);
  row.provider = rng.Pick(kProviders);
  if (!rng.Percent(10)) row.type = std::string(rng.Pick(kTypes));
  row.enc = MaybeEnc(shape.enc_style, first_row, &rng);
  if (rng.Percent(60)) row.name = rng.Percent(10) ? "" : "billing export " + rng.Hex(3);
  row.created_at = PastTime(options, &rng, 700);
  if (!rng.Percent(10)) row.updated_at = row.created_at + rng.Between(0, 20 * kDay);
  if (rng.Percent(20)) row.expires_at = options.as_of + rng.Between(-100, 400) * kDay;
  if (rng.Percent(40)) row.last_validated_at = options.as_of - rng.Between(0, 50 * kDay);
  row.is_active = !rng.Percent(20);
  if (rng.Percent(50)) row.scopes = std::vector<std::string>{"cloud-platform", "read"};
  AddDetails(&rng, &row);
  Fit(shape, &row);
  return row;
}

// The same credential at a later time.
CredentialRow Later(CredentialRow row, const CredentialShape& shape, Micros as_of, Prng* rng) {
  const Micros later = row.updated_at.value_or(row.created_at) + rng->Between(1, 5 * kDay);
  if (shape.updated_at.empty())
    row.created_at = std::min(later, as_of);
  else
    row.updated_at = later;
  row.enc = EncText(shape.enc_style, rng);
  if (row.is_active) row.is_active = rng->Percent(70);
  if (row.name) row.name = "renamed " + rng->Hex(2);
  return row;
}

Result<> WriteHistory(TenantOut* tenant, TableOut& table, const CredentialShape& shape, const CredentialRow& row) {
  Prng& rng = tenant->rng();
  const double rate = table.spared ? 0 : tenant->shop().options.poison_rate;
  if (!row.id || row.id->empty()) return {};
  if (rng.Probability(rate)) {
    CredentialRow rival = row;  // as late, and different
    rival.enc = Base64Encode(rng.Bytes(40));
    rival.place = {};
    return tenant->Credential(table, shape, std::move(rival), true);
  }
  if (rng.Percent(3)) return tenant->Credential(table, shape, row);
  if (!rng.Percent(10)) return {};
  return tenant->Credential(table, shape, Later(row, shape, tenant->shop().options.as_of, &rng));
}

}  // namespace

Result<> WriteCredentials(TenantOut* tenant, const Layout& layout) {
  Prng& rng = tenant->rng();
  const CredentialShape& shape = *layout.credential;
  TableOut& table = shape.home == Home::kOwn
                        ? *layout.credentials
                        : tenant->shop().Shared(DatasetOf(shape.home), shape.table, Kind::kCredentials);
  const uint64_t count = layout.special != Special::kNone ? 2 : rng.Below(6);
  for (uint64_t i = 0; i < count; ++i) {
    const CredentialRow row = MakeCredential(tenant, shape, table.rows() == 0);
    REEVE_TRY(tenant->Credential(table, shape, row));
    REEVE_TRY(WriteHistory(tenant, table, shape, row));
  }
  return {};
}

}  // namespace reeve::sample
