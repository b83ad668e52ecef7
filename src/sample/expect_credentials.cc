// docs/mapping.md §4.
#include <algorithm>

#include "base/encoding.h"
#include "sample/expect.h"
#include "sample/expect_text.h"

namespace reeve::sample {
namespace {

constexpr size_t kInnerBase64Min = 24;

bool NonEmpty(const OptText& text) { return text && !text->empty(); }
OptText NonEmptyOrNull(const OptText& text) { return NonEmpty(text) ? text : std::nullopt; }

std::string CanonicalProvider(std::string_view provider) {
  static const std::map<std::string, std::string> kAliases = {{"gcp_sa", "gcp"},
                                                              {"google", "gcp"},
                                                              {"google_cloud", "gcp"},
                                                              {"amazon", "aws"},
                                                              {"claude", "anthropic"}};
  const std::string lower = AsciiLower(provider);
  const auto alias = kAliases.find(lower);
  return alias == kAliases.end() ? lower : alias->second;
}

bool LooksPlain(std::string_view bytes) {
  const size_t begin = bytes.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return false;
  bytes.remove_prefix(begin);
  bytes.remove_suffix(bytes.size() - 1 - bytes.find_last_not_of(" \t\r\n"));
  if (bytes.starts_with("-----BEGIN ")) return true;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r' && c != '\n'; };
  return bytes.front() == '{' && bytes.back() == '}' && std::none_of(bytes.begin(), bytes.end(), is_control);
}

struct Sealed {
  std::string value;
  std::string_view mark;
};

Sealed SealedOf(const OptText& enc) {
  if (!NonEmpty(enc)) return {"", "absent"};
  std::string value;
  if (!Base64Decode(*enc, &value)) value = *enc;
  std::string inner;
  const bool twice = value.size() >= kInnerBase64Min && Base64Decode(value, &inner);
  if (LooksPlain(value) || (twice && LooksPlain(inner))) return {"", "plaintext_withheld"};
  return {value, "unproven"};
}

// A row with all rules but those about other rows applied.
struct ReadCredential {
  const CredentialRow* row = nullptr;
  std::string id, provider, type, ciphertext, scopes;
  OptText name;
  Micros updated_at = 0;
  bool is_active = true;
  bool plaintext = false;
  std::map<std::string, std::string> metadata;
};

ReadCredential Read(const std::string& tenant, const CredentialRow& row) {
  ReadCredential read;
  read.row = &row;
  read.provider = CanonicalProvider(row.provider);
  read.type = NonEmpty(row.type) ? *row.type : "unspecified";
  read.name = NonEmptyOrNull(row.name);
  read.updated_at = row.updated_at.value_or(row.created_at);
  read.is_active = row.is_active.value_or(true);
  read.scopes = StringsJson(row.scopes.value_or(std::vector<std::string>()));
  Sealed sealed = SealedOf(row.enc);
  read.plaintext = sealed.mark == "plaintext_withheld";
  read.ciphertext = std::move(sealed.value);
  for (const auto& [column, text] : row.metadata)
    if (!text.empty()) read.metadata[column] = text;
  if (row.legacy_metadata_is_json)
    read.metadata["legacy_metadata"] = WithoutSpace(*row.legacy_metadata);
  else if (NonEmpty(row.legacy_metadata))
    read.metadata["legacy_metadata"] = *row.legacy_metadata;
  read.metadata["reeve_ciphertext"] = sealed.mark;
  read.id = NonEmpty(row.id) ? *row.id
                             : "cred_" + IdHash("credential", {tenant, read.provider, read.type,
                                                               HexEncode(read.ciphertext)});
  return read;
}

// Equal in everything that arrives, but is_active, which is decided by all rows together.
bool SameContent(const ReadCredential& a, const ReadCredential& b) {
  return a.provider == b.provider && a.type == b.type && a.ciphertext == b.ciphertext &&
         a.scopes == b.scopes && a.name == b.name && a.metadata == b.metadata &&
         a.row->created_at == b.row->created_at && a.row->expires_at == b.row->expires_at &&
         a.row->last_validated_at == b.row->last_validated_at;
}

// The row to take of those with one id, or nullptr when they contradict each other.
const ReadCredential* Winner(const std::vector<ReadCredential>& rows) {
  const ReadCredential* winner = &rows.front();
  for (const ReadCredential& read : rows)
    if (read.updated_at > winner->updated_at) winner = &read;
  for (const ReadCredential& read : rows)
    if (read.updated_at == winner->updated_at && !SameContent(read, *winner)) return nullptr;
  return winner;
}

ExpectedRow CredentialLine(const std::string& tenant, const ReadCredential& read, bool is_active) {
  const std::string customer = "cust_" + IdHash("customer", {tenant});
  Line line;
  line.Text("credential_id", std::string_view(read.id)).Text("customer_id", std::string_view(customer));
  line.Text("tenant_id", std::string_view(tenant)).Text("provider", std::string_view(read.provider));
  line.Text("credential_type", std::string_view(read.type));
  line.Bytes("encrypted_credentials", read.ciphertext).Text("credential_name", read.name);
  line.Json("scopes", read.scopes).Bool("is_active", is_active);
  line.Time("expires_at", read.row->expires_at).Time("last_validated_at", read.row->last_validated_at);
  line.Time("created_at", read.row->created_at).Time("updated_at", read.updated_at);
  line.Object("metadata", read.metadata);
  return {customer + read.id, line.Finish()};
}

}  // namespace

void ExpectCredentials(const TenantModel& tenant, ExpectedTenant* out, Micros* evidence) {
  std::map<std::string, std::vector<ReadCredential>> by_id;
  for (const CredentialRow& row : tenant.credentials) {
    ReadCredential read = Read(tenant.name, row);
    by_id[read.id].push_back(std::move(read));
  }
  for (const auto& [id, rows] : by_id) {
    const ReadCredential* winner = Winner(rows);
    if (winner == nullptr) {
      for (const ReadCredential& read : rows)
        out->dead_letters.push_back({read.row->place, "credential_conflict"});
      continue;
    }
    bool is_active = true;
    bool plaintext = false;
    for (const ReadCredential& read : rows) {
      *evidence = std::min(*evidence, read.row->created_at);
      is_active &= read.is_active;
      plaintext |= read.plaintext;
    }
    out->credentials.push_back(CredentialLine(tenant.name, *winner, is_active));
    if (plaintext) out->findings.push_back({"credential_plaintext", id});
  }
}

}  // namespace reeve::sample
