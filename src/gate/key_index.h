// KeyIndex: all keys of a store by their digest, as compact as a million of them need, and safe to look at while keys are used and revoked.
//
// What a key is (digest, customer, id, expiry, scopes) never changes in an index; a new one is built and swapped in whole. What happens to a key
// (revoked, used, counted against its rates) changes in place, in atomics. Not for what a customer is (customer_table.h).
//
// Threads: a Builder belongs to one. Everything of a built index may be called from any thread and never waits; Revoke and TakeTouched from the writer's.
//
// Memory per key: an entry of 64 bytes, a cold part of 24, one and a half words of the table of positions, the text of its id.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/sha256.h"
#include "domain/rate_limit.h"
#include "gate/blocks.h"
#include "gate/customer_table.h"
#include "gate/scope_sets.h"
#include "store/serving_store.h"

namespace reeve::gate {

inline constexpr uint32_t kNoKey = 0xffff'ffff;
inline constexpr uint32_t kKeysMax = 1u << 30;

class KeyIndex {
 public:
  // One line of the processor's cache: all that a decision about a key reads and writes.
  struct alignas(64) Entry {
    crypto::Digest digest{};
    std::atomic<domain::Arrival> minute{0}, hour{0};
    uint32_t customer = kNoCustomer;
    uint32_t expires = kNever;                     // in grains of time since 1970, see IsExpired
    std::atomic<uint32_t> standing{0};             // kRevoked, kTouched; the set of scopes above them
    std::atomic<uint32_t> used{0};                 // in kUseGrain since epoch_
  };
  static constexpr uint32_t kRevoked = 1, kTouched = 2;
  static constexpr int kScopeShift = 8;

  class Builder;

  // The number of the key with `digest`, or kNoKey. Candidates are compared in constant time.
  [[nodiscard]] uint32_t Find(const crypto::Digest& digest) const;
  // Find in two steps for several keys at once, so that memory is waited for once and not for each of them: starts to fetch where Find begins, then what
  // it will compare with; the number of that key, which need not be the one, or kNoKey.
  [[gnu::always_inline]] void Approach(const crypto::Digest& digest) const { __builtin_prefetch(&positions_[Begin(HashOf(digest))]); }
  [[gnu::always_inline]] [[nodiscard]] uint32_t Glimpse(const crypto::Digest& digest) const {
    const uint32_t key = Candidate(HashOf(digest));
    if (key != kNoKey) __builtin_prefetch(&entries_[key], 1);
    return key;
  }
  // Whether that key is the one, in constant time.
  [[nodiscard]] bool Is(uint32_t key, const crypto::Digest& digest) const { return crypto::EqualInConstantTime(entries_[key].digest, digest); }
  [[nodiscard]] Entry& At(uint32_t key) const { return entries_[key]; }
  // Starts to fetch what IdOf reads and the first Touch writes.
  [[gnu::always_inline]] void ApproachCold(uint32_t key) const { __builtin_prefetch(&cold_[key], 1); }
  [[nodiscard]] std::string_view IdOf(uint32_t key) const { return ids_.At(cold_[key].id); }
  // To the microsecond; looks beyond the entry only within seconds of the expiry.
  [[nodiscard]] bool IsExpired(uint32_t key, Micros now) const {
    const uint32_t expires = At(key).expires;
    if (expires == kNever) return false;
    const uint32_t grain = GrainOf(now);
    return expires != grain ? expires < grain : cold_[key].expires_at <= now;
  }
  [[nodiscard]] const ScopeSet& ScopesOf(const Entry& entry) const {
    return scopes_->At(entry.standing.load(std::memory_order_relaxed) >> kScopeShift);
  }
  void Revoke(uint32_t key) { At(key).standing.fetch_or(kRevoked, std::memory_order_release); }
  // Notes that the key was used at GrainOfUse(now); at most once between two TakeTouched does this cost more than a store.
  void Touch(uint32_t key, uint32_t used) {
    Entry& entry = At(key);
    entry.used.store(used, std::memory_order_relaxed);
    if ((entry.standing.load(std::memory_order_relaxed) & kTouched) == 0) PushTouched(key);
  }
  [[nodiscard]] uint32_t GrainOfUse(Micros steady) const { return static_cast<uint32_t>((steady - epoch_) / kUseGrain); }
  // When the key was used last, on the steady clock, rounded down to kUseGrain.
  [[nodiscard]] Micros UsedAt(uint32_t key) const { return epoch_ + At(key).used.load(std::memory_order_relaxed) * kUseGrain; }
  static constexpr Micros kUseGrain = kSecond / 64;  // 32 bits of them are two years
  // Appends the keys that were touched since the last call.
  void TakeTouched(std::vector<uint32_t>* keys);
  // Takes the states of the rates from the index that this one replaces.
  void InheritRates(const KeyIndex& old);

  [[nodiscard]] uint32_t size() const { return size_; }
  // Memory held, in bytes, without the allocator's own.
  [[nodiscard]] size_t bytes() const;

 private:
  // The first key whose position and tag fit.
  [[nodiscard]] uint32_t Candidate(uint64_t hash) const {
    const uint32_t tag = TagOf(hash), numbers = (1u << number_bits_) - 1;
    for (size_t at = Begin(hash);; at = After(at)) {
      const uint32_t word = positions_[at];
      if (word == 0) return kNoKey;
      if ((word & ~numbers) == tag) return (word & numbers) - 1;
    }
  }
  // Digests are as good as random: any of their bits will do.
  static uint64_t HashOf(const crypto::Digest& digest) {
    uint64_t hash;
    std::memcpy(&hash, digest.data(), sizeof(hash));
    return hash;
  }
  // The bits above the number that tell candidates apart without looking at them.
  [[nodiscard]] uint32_t TagOf(uint64_t hash) const { return static_cast<uint32_t>(hash >> 32) >> number_bits_ << number_bits_; }
  [[nodiscard]] size_t Begin(uint64_t hash) const { return static_cast<size_t>(((hash & 0xffff'ffff) * positions_.size()) >> 32); }
  [[nodiscard]] size_t After(size_t at) const { return at + 1 == positions_.size() ? 0 : at + 1; }

  static constexpr uint32_t kNever = 0xffff'ffff;
  static constexpr int kGrainShift = 22;           // about four seconds: 32 bits of them last until 2540
  static uint32_t GrainOf(Micros time) { return static_cast<uint32_t>(std::clamp<Micros>(time >> kGrainShift, 0, kNever - 1)); }

  // Seldom needed, so not in the entry.
  struct Cold {
    TextRef id;
    Micros expires_at = kTimeMax;                  // kTimeMax: never
    std::atomic<uint32_t> next{0};                 // of the list of touched keys: number + 1 of the next, 0 at its end
  };

  explicit KeyIndex(Micros epoch) : epoch_(epoch) {}
  void PushTouched(uint32_t key);
  void IndexAll(std::string* duplicate);

  const Micros epoch_;
  Blocks<Entry> entries_{kKeysMax};
  Blocks<Cold> cold_{kKeysMax};
  TextBlocks ids_;
  std::shared_ptr<const ScopeSets> scopes_;
  // Open addressing, two thirds full: number + 1 in the low bits, bits of the digest above them; 0: free.
  FlatWords positions_;
  int number_bits_ = 1;
  uint32_t size_ = 0;
  std::atomic<uint32_t> touched_{0};
};

class KeyIndex::Builder {
 public:
  // `steady`: now, by the steady clock; uses are noted from then on.
  explicit Builder(Micros steady);
  // `customer`: kNoCustomer for a key whose customer does not exist. kCorrupt for scopes that are no list of texts or an id that is too long.
  [[nodiscard]] Result<> Add(const store::ServedKey& key, uint32_t customer);
  // kCorrupt if a digest came twice. The builder must not be used afterwards.
  [[nodiscard]] Result<std::unique_ptr<KeyIndex>> Build();

 private:
  std::unique_ptr<KeyIndex> index_;
  std::unique_ptr<ScopeSets> scopes_;
};

}  // namespace reeve::gate
