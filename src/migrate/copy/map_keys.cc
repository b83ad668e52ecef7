#include <algorithm>
#include <unordered_map>

#include "catalog/table.h"
#include "crypto/sha256.h"
#include "migrate/copy/central_rows.h"
#include "migrate/copy/row_writer.h"

namespace reeve::migrate::copy {
namespace {

constexpr std::string_view kDefaultScopes =
    R"(["pipelines:read","pipelines:write","usage:read","credentials:read","credentials:write"])";

template <typename T>
void KeepEarliest(std::optional<T>* kept, const std::optional<T>& other) {
  if (other && (!*kept || *other < **kept)) *kept = other;
}
template <typename T>
void KeepLatest(std::optional<T>* kept, const std::optional<T>& other) {
  if (other && (!*kept || *other > **kept)) *kept = other;
}

// A descriptive value: the newest row's, among equally new ones the smallest.
struct Newest {
  std::string value;
  Micros at = 0;
  bool known = false;
  void Offer(const std::string& other, Micros created_at) {
    if (other.empty()) return;
    if (known && (created_at < at || (created_at == at && other >= value))) return;
    value = other;
    at = created_at;
    known = true;
  }
};

// One key as it will stand in central.
struct Key {
  std::string hash, id;
  bool is_active = true;
  bool exposed = false, not_base64 = false;
  std::optional<Micros> expires_at, last_used_at, revoked_at;
  Micros created_at = 0;
  std::string revoked_by;
  Newest created_by, name, scopes, sealed;
};

// Who revoked: of the rows with the earliest time, else of the inactive ones, the smallest name.
std::string RevokedBy(const std::vector<const KeyRow*>& rows, const std::optional<Micros>& earliest) {
  std::string by;
  for (const KeyRow* row : rows) {
    const bool counts = earliest ? row->revoked_at == earliest : !row->is_active;
    if (counts && !row->revoked_by.empty() && (by.empty() || row->revoked_by < by)) by = row->revoked_by;
  }
  return by;
}

Key MergeRows(const std::vector<const KeyRow*>& rows) {
  Key key;
  key.hash = rows[0]->hash;
  key.created_at = rows[0]->created_at;
  for (const KeyRow* row : rows) {
    key.is_active = key.is_active && row->is_active && !row->revoked_at;
    key.exposed |= row->exposed;
    key.not_base64 |= row->cipher == Cipher::kNotBase64;
    KeepEarliest(&key.revoked_at, row->revoked_at);
    KeepEarliest(&key.expires_at, row->expires_at);
    KeepLatest(&key.last_used_at, row->last_used_at);
    key.created_at = std::min(key.created_at, row->created_at);
    key.created_by.Offer(row->created_by, row->created_at);
    key.name.Offer(row->name, row->created_at);
    key.scopes.Offer(row->scopes.value_or(""), row->created_at);
    key.sealed.Offer(row->sealed, row->created_at);
    if (!row->id.empty() && (key.id.empty() || row->id < key.id)) key.id = row->id;
  }
  key.revoked_by = RevokedBy(rows, key.revoked_at);
  return key;
}

std::vector<Key> MergeByHash(const std::vector<Placed<KeyRow>>& rows) {
  std::map<std::string_view, std::vector<const KeyRow*>> by_hash;
  for (const Placed<KeyRow>& placed : rows) by_hash[placed.row.hash].push_back(&placed.row);
  std::vector<Key> keys;
  for (const auto& [hash, same] : by_hash) keys.push_back(MergeRows(same));
  return keys;
}

// Gives keys without an id, and keys that would share one, the id derived from their hash.
void SettleIds(const MappingContext& context, std::vector<Key>* keys, MappingNotes* notes) {
  std::unordered_map<std::string_view, int> uses;
  for (const Key& key : *keys)
    if (!key.id.empty()) ++uses[key.id];
  std::vector<bool> reused(keys->size());
  for (size_t i = 0; i < keys->size(); ++i) reused[i] = !(*keys)[i].id.empty() && uses[(*keys)[i].id] > 1;
  for (size_t i = 0; i < keys->size(); ++i) {
    Key& key = (*keys)[i];
    if (!key.id.empty() && !reused[i]) continue;
    const std::string legacy_id = key.id;
    key.id = crypto::DeterministicId("key_", "key", {context.tenant, key.hash});
    if (reused[i]) notes->findings.push_back({"key_id_reused", key.id, "several keys had the id " + legacy_id});
  }
}

void NoteKey(const MappingContext& context, const Key& key, MappingNotes* notes) {
  if (key.exposed) notes->findings.push_back({"key_exposed", key.id, "the legacy tables hold this key in plaintext: rotate it"});
  if (key.not_base64) notes->findings.push_back({"ciphertext_not_base64", key.id, "carried byte for byte"});
  if (key.is_active && key.expires_at && *key.expires_at <= context.as_of)
    notes->findings.push_back({"key_expired", key.id, "expired " + FormatTime(*key.expires_at) + " but active in legacy, which may still accept it"});
}

void WriteKey(const MappingContext& context, const Key& key, catalog::RowBatch* out) {
  RowWriter row(out);
  row.Text("api_key_id", key.id).Text("customer_id", context.customer_id).Text("tenant_id", context.tenant);
  row.Text("api_key_hash", key.hash).Text("encrypted_api_key", key.sealed.value);
  row.TextOrNull("key_name", key.name.value);
  row.Text("scopes", key.scopes.known ? std::string_view(key.scopes.value) : kDefaultScopes);
  row.Bool("is_active", key.is_active).Time("expires_at", key.expires_at).Time("last_used_at", key.last_used_at);
  row.Time("created_at", key.created_at).TextOrNull("created_by", key.created_by.value);
  row.Time("revoked_at", key.revoked_at).TextOrNull("revoked_by", key.revoked_by);
}

}  // namespace

std::optional<Micros> MapKeys(const MappingContext& context, std::vector<Placed<KeyRow>> rows, catalog::RowBatch* out,
                              MappingNotes* notes) {
  std::vector<Key> keys = MergeByHash(rows);
  SettleIds(context, &keys, notes);
  uint64_t defaulted = 0;
  std::optional<Micros> earliest;
  for (const Key& key : keys) {
    KeepEarliest(&earliest, std::optional<Micros>(key.created_at));
    WriteKey(context, key, out);
    NoteKey(context, key, notes);
    if (!key.scopes.known) ++defaulted;
  }
  if (defaulted > 0)
    notes->findings.push_back({"scopes_defaulted", "", fmt::format("{} keys without scopes got those a legacy key had", defaulted)});
  return earliest;
}

}  // namespace reeve::migrate::copy
