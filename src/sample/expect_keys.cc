// docs/mapping.md §3.
#include <algorithm>

#include "base/encoding.h"
#include "sample/expect.h"
#include "sample/expect_text.h"

namespace reeve::sample {
namespace {

constexpr size_t kInnerBase64Min = 24;

struct ReadKey {
  const KeyRow* row = nullptr;
  std::string ciphertext;
  bool exposed = false;
  bool not_base64 = false;
};

bool NonEmpty(const OptText& text) { return text && !text->empty(); }

// The 64-digit hash a row stands for.
std::string HashOf(const KeyRow& row) {
  if (!NonEmpty(row.hash)) return Sha256Text(*row.api_key);
  if (row.hash->size() == 64) return AsciiLower(*row.hash);
  std::string bytes;
  const bool decoded = Base64Decode(*row.hash, &bytes);
  return decoded ? HexEncode(bytes) : std::string();
}

ReadKey Read(const KeyRow& row, const std::string& hash) {
  ReadKey read;
  read.row = &row;
  read.exposed = !NonEmpty(row.hash);
  if (!NonEmpty(row.enc)) return read;
  const std::string& text = *row.enc;
  const auto is_plain = [&hash](std::string_view bytes) { return Sha256Text(bytes) == hash; };
  if (is_plain(text)) {
    read.exposed = true;
    return read;
  }
  std::string outer;
  if (!Base64Decode(text, &outer)) {
    read.ciphertext = text;
    read.not_base64 = true;
    return read;
  }
  std::string inner;
  const bool twice = outer.size() >= kInnerBase64Min && Base64Decode(outer, &inner);
  if (is_plain(outer) || (twice && is_plain(inner))) {
    read.exposed = true;
    return read;
  }
  read.ciphertext = twice ? inner : outer;
  return read;
}

// The value of the newest row that has one; among equally new ones the smallest bytes.
template <typename Get>
OptText Newest(const std::vector<ReadKey>& rows, Get get) {
  OptText best;
  Micros best_time = 0;
  for (const ReadKey& read : rows) {
    const OptText value = get(read);
    if (!value) continue;
    const Micros time = read.row->created_at;
    if (best && (time < best_time || (time == best_time && *value >= *best))) continue;
    best = value;
    best_time = time;
  }
  return best;
}

OptText NonEmptyOrNull(const OptText& text) { return NonEmpty(text) ? text : std::nullopt; }

void KeepSmaller(const OptText& candidate, OptText* best) {
  if (NonEmpty(candidate) && (!*best || *candidate < **best)) *best = candidate;
}

struct MergedKey {
  std::string hash;
  OptText id;
  std::string ciphertext;
  OptText name, created_by, revoked_by, scopes;
  bool is_active = true;
  OptTime expires_at, last_used_at, revoked_at;
  Micros created_at = kNoEvidence;
  bool exposed = false;
  bool not_base64 = false;
};

void MergeRevocation(const std::vector<ReadKey>& rows, MergedKey* key) {
  for (const ReadKey& read : rows) {
    const KeyRow& row = *read.row;
    if (!row.is_active || row.revoked_at) key->is_active = false;
    if (row.revoked_at && (!key->revoked_at || *row.revoked_at < *key->revoked_at))
      key->revoked_at = row.revoked_at;
  }
  for (const ReadKey& read : rows) {
    const KeyRow& row = *read.row;
    const bool counts = key->revoked_at ? row.revoked_at == key->revoked_at : !row.is_active;
    if (counts) KeepSmaller(row.revoked_by, &key->revoked_by);
  }
}

MergedKey MergeRows(const std::string& hash, const std::vector<ReadKey>& rows) {
  MergedKey key;
  key.hash = hash;
  MergeRevocation(rows, &key);
  for (const ReadKey& read : rows) {
    const KeyRow& row = *read.row;
    if (row.expires_at && (!key.expires_at || *row.expires_at < *key.expires_at)) key.expires_at = row.expires_at;
    if (row.last_used_at && (!key.last_used_at || *row.last_used_at > *key.last_used_at))
      key.last_used_at = row.last_used_at;
    key.created_at = std::min(key.created_at, row.created_at);
    KeepSmaller(row.id, &key.id);
    key.exposed |= read.exposed;
    key.not_base64 |= read.not_base64;
  }
  key.name = Newest(rows, [](const ReadKey& r) { return NonEmptyOrNull(r.row->name); });
  key.created_by = Newest(rows, [](const ReadKey& r) { return NonEmptyOrNull(r.row->created_by); });
  key.scopes = Newest(rows, [](const ReadKey& r) -> OptText {
    if (!r.row->scopes || r.row->scopes->empty()) return std::nullopt;
    return StringsJson(*r.row->scopes);
  });
  key.ciphertext = Newest(rows, [](const ReadKey& r) -> OptText {
                     return r.ciphertext.empty() ? OptText() : OptText(r.ciphertext);
                   }).value_or("");
  return key;
}

// Keys without an id, and those whose id another key of the tenant has too, take the derived one.
std::vector<bool> SettleIds(const std::string& tenant, std::vector<MergedKey>* keys) {
  std::map<std::string, int> uses;
  for (const MergedKey& key : *keys)
    if (key.id) ++uses[*key.id];
  std::vector<bool> reused;
  for (MergedKey& key : *keys) {
    reused.push_back(key.id && uses[*key.id] > 1);
    if (!key.id || reused.back()) key.id = "key_" + IdHash("key", {tenant, key.hash});
  }
  return reused;
}

constexpr std::string_view kDefaultScopes =
    R"(["pipelines:read","pipelines:write","usage:read","credentials:read","credentials:write"])";

ExpectedRow KeyLine(const std::string& tenant, const MergedKey& key) {
  const std::string customer = "cust_" + IdHash("customer", {tenant});
  Line line;
  line.Text("api_key_id", key.id).Text("customer_id", std::string_view(customer));
  line.Text("tenant_id", std::string_view(tenant)).Text("api_key_hash", std::string_view(key.hash));
  line.Bytes("encrypted_api_key", key.ciphertext).Text("key_name", key.name);
  line.Json("scopes", key.scopes ? std::string_view(*key.scopes) : kDefaultScopes);
  line.Bool("is_active", key.is_active).Time("expires_at", key.expires_at);
  line.Time("last_used_at", key.last_used_at).Time("created_at", key.created_at);
  line.Text("created_by", key.created_by).Time("revoked_at", key.revoked_at);
  line.Text("revoked_by", key.revoked_by);
  return {customer + *key.id, line.Finish()};
}

KeyVerdict VerdictOf(const MergedKey& key, Micros now) {
  if (!key.is_active) return {*key.id, "revoked", true};
  if (key.expires_at && *key.expires_at <= now) return {*key.id, "expired", true};
  return {*key.id, "active", !key.expires_at};
}

}  // namespace

void ExpectKeys(const TenantModel& tenant, const ExpectOptions& options, ExpectedTenant* out,
                Micros* evidence) {
  std::map<std::string, std::vector<ReadKey>> by_hash;
  for (const KeyRow& row : tenant.keys) {
    const std::string hash = HashOf(row);
    by_hash[hash].push_back(Read(row, hash));
  }
  for (const std::string& hash : tenant.hashes_elsewhere) {
    for (const ReadKey& read : by_hash[hash])
      out->dead_letters.push_back({read.row->place, "hash_in_two_tenants"});
    by_hash.erase(hash);
  }
  std::vector<MergedKey> keys;
  for (const auto& [hash, rows] : by_hash) keys.push_back(MergeRows(hash, rows));
  const std::vector<bool> reused = SettleIds(tenant.name, &keys);
  bool defaulted = false;
  for (size_t i = 0; i < keys.size(); ++i) {
    const MergedKey& key = keys[i];
    *evidence = std::min(*evidence, key.created_at);
    out->keys.push_back(KeyLine(tenant.name, key));
    out->verdicts[key.hash] = VerdictOf(key, options.as_of);
    if (key.exposed) out->findings.push_back({"key_exposed", *key.id});
    if (key.not_base64) out->findings.push_back({"ciphertext_not_base64", *key.id});
    if (reused[i]) out->findings.push_back({"key_id_reused", *key.id});
    defaulted |= !key.scopes;
  }
  if (defaulted) out->findings.push_back({"scopes_defaulted", ""});
}

}  // namespace reeve::sample
