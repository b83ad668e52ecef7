#include "migrate/copy/legacy_rows.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "domain/vocabulary.h"
#include "migrate/copy/json_member.h"

namespace reeve::migrate::copy {
namespace {

using catalog::Field;

constexpr Micros kFutureTolerance = kDay;
constexpr std::string_view kWhite = " \t\r\n";
constexpr size_t kBase64TextMin = 24;  // shorter inner texts are taken as they are

std::string ToString(const std::optional<std::string_view>& text) {
  return text ? std::string(*text) : std::string();
}

// Checks the tenant a row names against its carrier (docs/mapping.md §1).
std::string_view CheckTenant(const std::optional<std::string_view>& named, std::string_view owner) {
  if (!named || named->empty()) return owner.empty() ? "no_tenant" : "";
  return owner.empty() || *named == owner ? "" : "foreign_tenant";
}

std::string_view NormaliseHash(std::string_view text, std::string* hash) {
  if (text.size() == 64 && HexDecode(text)) {
    *hash = AsciiLower(text);
    return {};
  }
  std::string bytes;
  if (text.size() != 44 || !Base64Decode(text, &bytes) || bytes.size() != 32) return "bad_hash";
  *hash = HexEncode(bytes);
  return {};
}

std::string_view FindHash(const std::optional<std::string_view>& hash, const std::optional<std::string_view>& plain,
                          const RowContext& context, KeyRow* row) {
  if (hash && !hash->empty()) return NormaliseHash(*hash, &row->hash);
  if (!plain || plain->empty()) return "missing_hash";
  if (context.api_key_column_holds_hash && plain->size() == 64 && HexDecode(*plain)) {
    row->hash = AsciiLower(*plain);
    return {};
  }
  row->hash = crypto::Sha256Hex(*plain);
  row->exposed = true;
  return {};
}

// Sorts out what the text of an encrypted key column holds.
void OpenKeyCipher(std::string_view text, KeyRow* row) {
  row->sealed.clear();
  row->cipher = Cipher::kAbsent;
  if (text.empty()) return;
  const auto is_plaintext = [row](std::string_view bytes) {
    if (crypto::Sha256Hex(bytes) != row->hash) return false;
    row->cipher = Cipher::kPlaintext;
    row->exposed = true;
    row->sealed.clear();
    return true;
  };
  if (is_plaintext(text)) return;
  std::string bytes;
  row->cipher = Cipher::kSealed;
  if (!Base64Decode(text, &bytes)) {
    row->cipher = Cipher::kNotBase64;
    row->sealed = text;
    return;
  }
  if (is_plaintext(bytes)) return;
  std::string inner;
  if (bytes.size() >= kBase64TextMin && Base64Decode(bytes, &inner)) {
    if (is_plaintext(inner)) return;
    bytes = std::move(inner);
  }
  row->sealed = std::move(bytes);
}

// JSON objects and PEM blocks. JSON is judged by its ends alone: what a parser of ours would refuse is no less a secret.
bool LooksLikePlaintext(std::string_view bytes) {
  const size_t first = bytes.find_first_not_of(kWhite);
  if (first == std::string_view::npos) return false;
  const std::string_view text = bytes.substr(first, bytes.find_last_not_of(kWhite) + 1 - first);
  if (text.starts_with("-----BEGIN ")) return true;
  const auto is_control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && kWhite.find(c) == std::string_view::npos;
  };
  return text.front() == '{' && text.back() == '}' && std::none_of(text.begin(), text.end(), is_control);
}

void OpenCredentialCipher(std::string_view text, CredentialRow* row) {
  row->sealed.clear();
  row->cipher = Cipher::kAbsent;
  if (text.empty()) return;
  row->cipher = Cipher::kSealed;
  std::string bytes;
  if (!Base64Decode(text, &bytes)) bytes = text;
  std::string inner;
  const bool nested = bytes.size() >= kBase64TextMin && Base64Decode(bytes, &inner);
  if (LooksLikePlaintext(bytes) || (nested && LooksLikePlaintext(inner))) {
    row->cipher = Cipher::kPlaintext;
    return;
  }
  row->sealed = std::move(bytes);
}

std::string_view CipherMark(Cipher cipher) {
  switch (cipher) {
    case Cipher::kAbsent: return "absent";
    case Cipher::kPlaintext: return "plaintext_withheld";
    case Cipher::kSealed:
    case Cipher::kNotBase64: return "unproven";
  }
  return "";
}

// The credential columns that have no column of their own in central, in byte order of their names.
constexpr std::pair<std::string_view, Field> kMetadataFields[] = {
    {"account_id", Field::kAccountId},       {"aws_account_id", Field::kAwsAccountId},
    {"azure_subscription_id", Field::kAzureSubscriptionId},
    {"created_by", Field::kCreatedBy},       {"last_error", Field::kLastError},
    {"legacy_metadata", Field::kMetadata},   {"project_id", Field::kProjectId},
    {"reeve_ciphertext", Field::kIgnored},   {"region", Field::kRegion},
    {"validation_status", Field::kValidationStatus},
};

// Builds the metadata object; texts are read here because their types are checked like any other.
bool BuildMetadata(RowDecoder& decoder, Cipher cipher, std::string* json) {
  *json = "{";
  for (const auto& [name, field] : kMetadataFields) {
    if (field == Field::kIgnored) {
      AppendMember(name, CipherMark(cipher), json);
    } else if (field == Field::kMetadata) {
      std::optional<std::string> source;
      if (!decoder.TakeTextOrJson(field, &source)) return false;
      if (source && !source->empty()) AppendMember(name, *source, json);
    } else {
      std::optional<std::string_view> text;
      if (!decoder.TakeText(field, &text)) return false;
      if (text && !text->empty()) AppendMember(name, *text, json);
    }
  }
  *json += '}';
  return true;
}

}  // namespace

std::string_view ReadTenant(RowDecoder& decoder, std::string_view* tenant) {
  std::optional<std::string_view> named;
  if (!decoder.TakeText(Field::kTenant, &named)) return decoder.reason();
  *tenant = named.value_or("");
  return {};
}

std::string_view ReadKey(RowDecoder& d, const RowContext& context, KeyRow* row) {
  *row = {};
  std::optional<std::string_view> id, tenant, hash, sealed, plain, created_by, name, revoked_by;
  std::optional<Micros> created_at;
  std::optional<bool> is_active;
  const bool typed = d.TakeText(Field::kId, &id) && d.TakeText(Field::kTenant, &tenant) && d.TakeText(Field::kHash, &hash) &&
                     d.TakeText(Field::kCiphertext, &sealed) && d.TakeText(Field::kPlainKey, &plain) &&
                     d.TakeTime(Field::kCreatedAt, &created_at) && d.TakeText(Field::kCreatedBy, &created_by) &&
                     d.TakeTime(Field::kExpiresAt, &row->expires_at) && d.TakeBool(Field::kIsActive, &is_active) &&
                     d.TakeTime(Field::kLastUsedAt, &row->last_used_at) && d.TakeText(Field::kName, &name) &&
                     d.TakeTexts(Field::kScopes, &row->scopes) && d.TakeTime(Field::kRevokedAt, &row->revoked_at) &&
                     d.TakeText(Field::kRevokedBy, &revoked_by);
  if (!typed) return d.reason();
  if (const std::string_view why = CheckTenant(tenant, context.tenant); !why.empty()) return why;
  if (!created_at) return "missing_created_at";
  if (!is_active) return "missing_is_active";
  if (*created_at > context.as_of + kFutureTolerance) return "future_time";
  if (const std::string_view why = FindHash(hash, plain, context, row); !why.empty()) return why;
  OpenKeyCipher(sealed.value_or(""), row);
  row->tenant = tenant && !tenant->empty() ? *tenant : context.tenant;
  row->id = ToString(id);
  row->created_at = *created_at;
  row->created_by = ToString(created_by);
  row->name = ToString(name);
  row->revoked_by = ToString(revoked_by);
  row->is_active = *is_active;
  return {};
}

std::string_view ReadCredential(RowDecoder& d, const RowContext& context, CredentialRow* row) {
  *row = {};
  std::optional<std::string_view> id, tenant, provider, type, sealed, name;
  std::optional<Micros> created_at, updated_at;
  const bool typed = d.TakeText(Field::kId, &id) && d.TakeText(Field::kTenant, &tenant) &&
                     d.TakeText(Field::kProvider, &provider) && d.TakeText(Field::kType, &type) &&
                     d.TakeText(Field::kCiphertext, &sealed) && d.TakeText(Field::kName, &name) &&
                     d.TakeTime(Field::kCreatedAt, &created_at) && d.TakeTime(Field::kUpdatedAt, &updated_at) &&
                     d.TakeTime(Field::kExpiresAt, &row->expires_at) &&
                     d.TakeTime(Field::kLastValidatedAt, &row->last_validated_at) &&
                     d.TakeBool(Field::kIsActive, &row->is_active) && d.TakeTexts(Field::kScopes, &row->scopes);
  if (!typed) return d.reason();
  OpenCredentialCipher(sealed.value_or(""), row);
  if (!BuildMetadata(d, row->cipher, &row->metadata)) return d.reason();
  if (const std::string_view why = CheckTenant(tenant, context.tenant); !why.empty()) return why;
  if (!provider || provider->empty()) return "missing_provider";
  if (!created_at) return "missing_created_at";
  row->tenant = tenant && !tenant->empty() ? *tenant : context.tenant;
  row->provider = domain::CanonicalProvider(*provider);
  row->type = type && !type->empty() ? std::string(*type) : "unspecified";
  row->name = ToString(name);
  row->created_at = *created_at;
  row->updated_at = updated_at.value_or(*created_at);
  row->id = ToString(id);
  if (row->id.empty()) {
    row->id = crypto::DeterministicId("cred_", "credential",
                                      {row->tenant, row->provider, row->type, HexEncode(row->sealed)});
  }
  return {};
}

std::string_view ReadRecord(RowDecoder& d, const RowContext& context, RecordRow* row) {
  *row = {};
  std::optional<std::string_view> tenant, company, email, tier, status, why_suspended;
  const bool typed =
      d.TakeText(Field::kTenant, &tenant) && d.TakeText(Field::kCompanyName, &company) &&
      d.TakeText(Field::kContactEmail, &email) && d.TakeText(Field::kTier, &tier) &&
      d.TakeBool(Field::kIsActive, &row->is_active) && d.TakeText(Field::kStatus, &status) &&
      d.TakeInt(Field::kMaxMonthly, &row->max_monthly) && d.TakeInt(Field::kMaxConcurrent, &row->max_concurrent) &&
      d.TakeInt(Field::kMaxStorageGb, &row->max_storage_gb) && d.TakeTime(Field::kCreatedAt, &row->created_at) &&
      d.TakeTime(Field::kUpdatedAt, &row->updated_at) && d.TakeTime(Field::kSuspendedAt, &row->suspended_at) &&
      d.TakeText(Field::kSuspendedReason, &why_suspended) && d.TakeInt(Field::kRunsThisMonth, &row->runs_this_month);
  if (!typed) return d.reason();
  if (const std::string_view why = CheckTenant(tenant, context.tenant); !why.empty()) return why;
  row->tenant = tenant && !tenant->empty() ? *tenant : context.tenant;
  row->company_name = ToString(company);
  row->contact_email = ToString(email);
  row->tier = ToString(tier);
  row->status = ToString(status);
  row->suspended_reason = ToString(why_suspended);
  return {};
}

std::string_view ReadRun(RowDecoder& d, const RowContext& context, domain::RunRow* row) {
  std::optional<std::string_view> id, tenant, status;
  std::optional<Micros> start;
  const bool typed = d.TakeText(Field::kId, &id) && d.TakeText(Field::kTenant, &tenant) &&
                     d.TakeText(Field::kStatus, &status) && d.TakeTime(Field::kStart, &start) &&
                     d.TakeTime(Field::kEnd, &row->end) && d.TakeInt(Field::kDuration, &row->duration_ms);
  if (!typed) return d.reason();
  if (const std::string_view why = CheckTenant(tenant, context.tenant); !why.empty()) return why;
  if (!id || id->empty()) return "missing_run_id";
  if (!status || status->empty()) return "missing_status";
  if (!start) return "missing_start_time";
  const std::optional<domain::RunState> state = domain::ParseRunState(*status);
  if (!state) return "unknown_status";
  if (row->duration_ms && *row->duration_ms < 0) return "negative_duration";
  if (*start > context.as_of + kFutureTolerance) return "future_time";
  row->id = *id;
  row->state = *state;
  row->start = *start;
  return {};
}

}  // namespace reeve::migrate::copy
