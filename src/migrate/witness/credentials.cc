#include "migrate/witness/credentials.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "migrate/witness/text.h"

namespace reeve::migrate::witness {
namespace {

namespace f = credential_field;

constexpr size_t kNestedBase64Min = 24;

std::string ProviderOf(std::string_view text) {
  static const std::map<std::string_view, std::string_view> kOtherNames = {
      {"gcp_sa", "gcp"}, {"google", "gcp"}, {"google_cloud", "gcp"}, {"amazon", "aws"}, {"claude", "anthropic"}};
  std::string provider = Lower(text);
  if (const auto found = kOtherNames.find(provider); found != kOtherNames.end()) provider = found->second;
  return provider;
}

bool IsWhite(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool LooksPlain(std::string_view text) {
  while (!text.empty() && IsWhite(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsWhite(text.back())) text.remove_suffix(1);
  if (text.starts_with("-----BEGIN ")) return true;
  if (!text.starts_with('{') || !text.ends_with('}')) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 && !IsWhite(c)) return false;
  return true;
}

void SetCipher(std::string_view text, Credential* credential) {
  if (text.empty()) return;
  std::string value;
  if (!ReadBase64(text, &value)) value = text;
  std::string inner;
  const bool nested = value.size() >= kNestedBase64Min && ReadBase64(value, &inner);
  if (LooksPlain(value) || (nested && LooksPlain(inner))) {
    credential->mark = Mark::kPlaintextWithheld;
    return;
  }
  credential->mark = Mark::kUnproven;
  credential->cipher = std::move(value);
}

std::string_view NameOf(Mark mark) {
  switch (mark) {
    case Mark::kAbsent: return "absent";
    case Mark::kPlaintextWithheld: return "plaintext_withheld";
    case Mark::kUnproven: return "unproven";
  }
  return "";
}

std::string MetadataOf(const Row& row, Mark mark) {
  const std::array<std::pair<std::string_view, std::string_view>, 10> members = {{
      {"account_id", row.Text(f::kAccount)},
      {"aws_account_id", row.Text(f::kAws)},
      {"azure_subscription_id", row.Text(f::kAzure)},
      {"created_by", row.Text(f::kCreatedBy)},
      {"last_error", row.Text(f::kLastError)},
      {"legacy_metadata", row.Text(f::kMetadata)},
      {"project_id", row.Text(f::kProject)},
      {"reeve_ciphertext", NameOf(mark)},
      {"region", row.Text(f::kRegion)},
      {"validation_status", row.Text(f::kValidation)},
  }};
  std::string json = "{";
  for (const auto& [name, text] : members) {
    if (text.empty()) continue;
    if (json.size() > 1) json += ',';
    AppendQuoted(name, &json);
    json += ':';
    AppendQuoted(text, &json);
  }
  return json + '}';
}

// All of it but is_active, for which a rule of its own holds.
auto Content(const Credential& c) {
  return std::tie(c.provider, c.type, c.cipher, c.name, c.scopes, c.metadata, c.created_at, c.updated_at,
                  c.expires_at, c.validated_at);
}

}  // namespace

Reason JudgeCredential(const Row& row, Micros as_of) {
  if (!row[f::kProvider].present) return Reason::kMissingProvider;
  if (!row[f::kCreatedAt].present) return Reason::kMissingCreatedAt;
  if (row[f::kCreatedAt].number > as_of + kFutureMax) return Reason::kFutureTime;
  return Reason::kNone;
}

Credential CredentialOf(const Row& row, std::string_view tenant) {
  Credential credential;
  credential.provider = ProviderOf(row.Text(f::kProvider));
  credential.type = row[f::kType].present ? row.Text(f::kType) : "unspecified";
  SetCipher(row.Text(f::kCipher), &credential);
  credential.name = row.Text(f::kName);
  if (row[f::kScopes].present) credential.scopes = row.Text(f::kScopes);
  credential.metadata = MetadataOf(row, credential.mark);
  credential.is_active = row.Number(f::kIsActive).value_or(1) != 0;
  credential.created_at = row[f::kCreatedAt].number;
  credential.updated_at = row.Number(f::kUpdatedAt).value_or(credential.created_at);
  credential.expires_at = row.Number(f::kExpiresAt);
  credential.validated_at = row.Number(f::kValidatedAt);
  credential.id = row.Text(f::kId);
  if (credential.id.empty()) {
    credential.id = DerivedId("cred_", "credential",
                              {tenant, credential.provider, credential.type, HexOf(credential.cipher)});
  }
  return credential;
}

MergedCredentials MergeCredentials(std::vector<Credential> rows) {
  std::map<std::string, std::vector<Credential>> by_id;
  for (Credential& row : rows) by_id[row.id].push_back(std::move(row));
  MergedCredentials merged;
  for (auto& [id, same] : by_id) {
    const auto latest = std::max_element(same.begin(), same.end(), [](const Credential& a, const Credential& b) {
      return a.updated_at < b.updated_at;
    });
    const bool conflict = std::any_of(same.begin(), same.end(), [&](const Credential& row) {
      return row.updated_at == latest->updated_at && Content(row) != Content(*latest);
    });
    if (conflict) {
      merged.conflicting += same.size();
      continue;
    }
    for (const Credential& row : same) merged.earliest = std::min(row.created_at, merged.earliest.value_or(row.created_at));
    latest->is_active = std::all_of(same.begin(), same.end(), [](const Credential& row) { return row.is_active; });
    merged.credentials.push_back(std::move(*latest));
  }
  return merged;
}

}  // namespace reeve::migrate::witness
