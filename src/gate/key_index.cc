#include "gate/key_index.h"

#include "base/encoding.h"

namespace reeve::gate {

uint32_t KeyIndex::Find(const crypto::Digest& digest) const {
  const uint64_t hash = HashOf(digest);
  const uint32_t tag = TagOf(hash);
  const uint32_t numbers = (1u << number_bits_) - 1;
  for (size_t at = Begin(hash);; at = After(at)) {
    const uint32_t word = positions_[at];
    if (word == 0) return kNoKey;
    if ((word & ~numbers) != tag) continue;
    const uint32_t key = (word & numbers) - 1;
    if (Is(key, digest)) return key;
  }
}

void KeyIndex::IndexAll(std::string* duplicate) {
  while ((1ull << number_bits_) <= size_) ++number_bits_;
  positions_ = FlatWords(size_t{size_} + size_ / 2 + 16);
  const uint32_t numbers = (1u << number_bits_) - 1;
  for (uint32_t key = 0; key < size_; ++key) {
    const crypto::Digest& digest = entries_[key].digest;
    const uint64_t hash = HashOf(digest);
    const uint32_t tag = TagOf(hash);
    size_t at = Begin(hash);
    for (; positions_[at] != 0; at = After(at)) {
      if ((positions_[at] & ~numbers) != tag || entries_[(positions_[at] & numbers) - 1].digest != digest) continue;
      *duplicate = HexEncode({reinterpret_cast<const char*>(digest.data()), 6});
      return;
    }
    positions_[at] = tag | (key + 1);
  }
}

void KeyIndex::PushTouched(uint32_t key) {
  if (At(key).standing.fetch_or(kTouched, std::memory_order_relaxed) & kTouched) return;  // another thread was first
  uint32_t head = touched_.load(std::memory_order_relaxed);
  do {
    cold_[key].next.store(head, std::memory_order_relaxed);
  } while (!touched_.compare_exchange_weak(head, key + 1, std::memory_order_release, std::memory_order_relaxed));
}

void KeyIndex::TakeTouched(std::vector<uint32_t>* keys) {
  uint32_t number = touched_.exchange(0, std::memory_order_acquire);
  while (number != 0) {
    const uint32_t key = number - 1;
    number = cold_[key].next.load(std::memory_order_relaxed);
    // From here on the key may be pushed again, onto the new list.
    At(key).standing.fetch_and(~kTouched, std::memory_order_release);
    keys->push_back(key);
  }
}

void KeyIndex::InheritRates(const KeyIndex& old) {
  for (uint32_t key = 0; key < old.size_; ++key) {
    const domain::Arrival minute = old.At(key).minute.load(std::memory_order_relaxed);
    const domain::Arrival hour = old.At(key).hour.load(std::memory_order_relaxed);
    if (minute == 0 && hour == 0) continue;
    const uint32_t here = Find(old.At(key).digest);
    if (here == kNoKey) continue;
    At(here).minute.store(minute, std::memory_order_relaxed);
    At(here).hour.store(hour, std::memory_order_relaxed);
  }
}

size_t KeyIndex::bytes() const {
  return entries_.bytes() + cold_.bytes() + ids_.bytes() + positions_.bytes() + scopes_->bytes();
}

KeyIndex::Builder::Builder(Micros steady) : index_(new KeyIndex(steady)), scopes_(std::make_unique<ScopeSets>()) {}

Result<> KeyIndex::Builder::Add(const store::ServedKey& key, uint32_t customer) {
  if (index_->size_ == kKeysMax) return Fail(Code::kCorrupt, "more than {} keys", kKeysMax);
  const Result<uint32_t> scopes = scopes_->Add(key.scopes);
  if (!scopes) return Fail(Code::kCorrupt, "key {} of {}: {}", key.api_key_id, key.customer_id, scopes.error().message);
  TextRef id;
  if (!index_->ids_.Add(key.api_key_id, &id)) return Fail(Code::kCorrupt, "an id of a key has {} bytes", key.api_key_id.size());
  Entry& entry = index_->entries_.Grow();
  entry.digest = key.digest;
  if (key.expires_at) entry.expires = GrainOf(*key.expires_at);
  entry.customer = customer;
  const bool revoked = !key.is_active || key.revoked_at.has_value();
  entry.standing.store(*scopes << kScopeShift | (revoked ? kRevoked : 0), std::memory_order_relaxed);
  Cold& cold = index_->cold_.Grow();
  cold.id = id;
  cold.expires_at = key.expires_at.value_or(kTimeMax);
  ++index_->size_;
  return {};
}

Result<std::unique_ptr<KeyIndex>> KeyIndex::Builder::Build() {
  std::string duplicate;
  index_->IndexAll(&duplicate);
  if (!duplicate.empty()) return Fail(Code::kCorrupt, "two keys have the digest {}…", duplicate);
  index_->scopes_ = std::move(scopes_);
  return std::move(index_);
}

}  // namespace reeve::gate
