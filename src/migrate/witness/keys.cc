#include "migrate/witness/keys.h"

#include <algorithm>
#include <map>

namespace reeve::migrate::witness {
namespace {

namespace f = key_field;

constexpr size_t kNestedBase64Min = 24;
constexpr std::string_view kScopesOfOld =
    R"(["pipelines:read","pipelines:write","usage:read","credentials:read","credentials:write"])";

// What is kept of the encrypted column; empty where it holds the key itself.
std::string CipherOf(std::string_view text, const Digest& hash) {
  if (text.empty() || DigestOf(text) == hash) return {};
  std::string once;
  if (!ReadBase64(text, &once)) return std::string(text);
  if (DigestOf(once) == hash) return {};
  std::string twice;
  if (once.size() < kNestedBase64Min || !ReadBase64(once, &twice)) return once;
  return DigestOf(twice) == hash ? std::string() : twice;
}

// The text of the newest of `rows` that has one; among equally new ones the smallest.
std::string Newest(const std::vector<Key>& rows, std::string Key::* text) {
  const Key* best = nullptr;
  for (const Key& row : rows) {
    if ((row.*text).empty()) continue;
    const bool better = best == nullptr || row.created_at > best->created_at ||
                        (row.created_at == best->created_at && row.*text < best->*text);
    if (better) best = &row;
  }
  return best == nullptr ? std::string() : best->*text;
}

template <typename Prefer>
void Take(const std::optional<Micros>& from, std::optional<Micros>* into, Prefer prefer) {
  if (from && (!*into || prefer(*from, **into))) *into = from;
}

void TakeSmallest(const std::string& from, std::string* into) {
  if (!from.empty() && (into->empty() || from < *into)) *into = from;
}

Key Merge(const std::vector<Key>& rows) {
  Key key;
  key.hash = rows[0].hash;
  key.created_at = rows[0].created_at;
  key.is_active = true;
  for (const Key& row : rows) {
    key.created_at = std::min(key.created_at, row.created_at);
    key.is_active = key.is_active && row.is_active && !row.revoked_at;
    Take(row.expires_at, &key.expires_at, std::less<>());
    Take(row.revoked_at, &key.revoked_at, std::less<>());
    Take(row.last_used_at, &key.last_used_at, std::greater<>());
    TakeSmallest(row.id, &key.id);
  }
  for (const Key& row : rows) {
    const bool speaks = key.revoked_at ? row.revoked_at == key.revoked_at : !row.is_active;
    if (speaks) TakeSmallest(row.revoked_by, &key.revoked_by);
  }
  key.created_by = Newest(rows, &Key::created_by);
  key.name = Newest(rows, &Key::name);
  key.scopes = Newest(rows, &Key::scopes);
  key.cipher = Newest(rows, &Key::cipher);
  if (key.scopes.empty()) key.scopes = kScopesOfOld;
  return key;
}

}  // namespace

Reason JudgeKey(const Row& row, const KeyRules& rules, Digest* hash) {
  if (!row[f::kCreatedAt].present) return Reason::kMissingCreatedAt;
  if (!row[f::kIsActive].present) return Reason::kMissingIsActive;
  if (row[f::kCreatedAt].number > rules.as_of + kFutureMax) return Reason::kFutureTime;
  const std::string_view plain = row.Text(f::kPlain);
  if (row[f::kHash].present) {
    const auto read = ReadHash(row.Text(f::kHash));
    if (!read) return Reason::kBadHash;
    *hash = *read;
    return Reason::kNone;
  }
  if (plain.empty()) return Reason::kMissingHash;
  const auto held = rules.api_key_column_holds_hash ? ReadHexDigest(plain) : std::nullopt;
  *hash = held ? *held : DigestOf(plain);
  return Reason::kNone;
}

Key KeyOf(const Row& row, const Digest& hash) {
  Key key;
  key.hash = hash;
  key.created_at = row[f::kCreatedAt].number;
  key.is_active = row[f::kIsActive].number != 0;
  key.expires_at = row.Number(f::kExpiresAt);
  key.last_used_at = row.Number(f::kLastUsedAt);
  key.revoked_at = row.Number(f::kRevokedAt);
  key.id = row.Text(f::kId);
  key.cipher = CipherOf(row.Text(f::kCipher), hash);
  key.name = row.Text(f::kName);
  key.created_by = row.Text(f::kCreatedBy);
  key.revoked_by = row.Text(f::kRevokedBy);
  key.scopes = row.Text(f::kScopes);
  return key;
}

std::vector<Key> MergeKeys(std::vector<Key> rows, std::string_view tenant) {
  std::map<Digest, std::vector<Key>> by_hash;
  for (Key& row : rows) by_hash[row.hash].push_back(std::move(row));
  std::vector<Key> keys;
  std::map<std::string, int> ids;
  for (const auto& [hash, same] : by_hash) {
    keys.push_back(Merge(same));
    if (!keys.back().id.empty()) ++ids[keys.back().id];
  }
  for (Key& key : keys) {
    if (!key.id.empty() && ids[key.id] == 1) continue;
    key.id = DerivedId("key_", "key", {tenant, HexOf(BytesOf(key.hash))});
  }
  return keys;
}

}  // namespace reeve::migrate::witness
