// KeyIndex: all keys of a store by their digest, as compact as a million of them need, and safe to look at while keys are used and revoked.
//
// What a key is (digest, customer, id, expiry, scopes) never changes in an index; a new one is built and swapped in whole. What happens to a key
// (revoked, used, counted against its rates) changes in place, in atomics. Not for what a customer is (customer_table.h).
//
// Threads: a Builder belongs to one. Everything of a built index may be called from any thread and never waits; Revoke and TakeTouched from the writer's.
//
// Memory per key: an entry of 64 bytes, a cold part of 16, two to four words of the table of positions, the text of its id.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/sha256.h"
#include "domain/rate_limit.h"
#include "gate/blocks.h"
#include "gate/scope_sets.h"
#include "store/serving_store.h"

namespace reeve::gate {

inline constexpr uint32_t kNoKey = 0xffff'ffff;
inline constexpr uint32_t kNoCustomer = 0xffff'ffff;
inline constexpr uint32_t kKeysMax = 1u << 30;

class KeyIndex {
 public:
  // One line of the processor's cache: all that a decision about a key reads and writes.
  struct alignas(64) Entry {
    crypto::Digest digest{};
    Micros expires_at = kTimeMax;                  // kTimeMax: never
    std::atomic<domain::Arrival> minute{0}, hour{0};
    uint32_t customer = kNoCustomer;
    std::atomic<uint32_t> standing{0};             // kRevoked, kTouched; the set of scopes above them
  };
  static constexpr uint32_t kRevoked = 1, kTouched = 2;
  static constexpr int kScopeShift = 8;

  class Builder;

  // The number of the key with `digest`, or kNoKey. Candidates are compared in constant time.
  [[nodiscard]] uint32_t Find(const crypto::Digest& digest) const;
  [[nodiscard]] Entry& At(uint32_t key) const { return entries_[key]; }
  [[nodiscard]] std::string_view IdOf(uint32_t key) const { return ids_.At(cold_[key].id); }
  [[nodiscard]] const ScopeSet& ScopesOf(const Entry& entry) const {
    return scopes_->At(entry.standing.load(std::memory_order_relaxed) >> kScopeShift);
  }
  // Starts to fetch what IdOf will look at.
  void PrefetchCold(uint32_t key) const { __builtin_prefetch(&cold_[key]); }

  void Revoke(uint32_t key) { At(key).standing.fetch_or(kRevoked, std::memory_order_release); }
  // Notes that the key was used at `steady`; at most once between two TakeTouched does this cost more than a store.
  void Touch(uint32_t key, Micros steady) {
    cold_[key].used.store(static_cast<uint32_t>((steady - epoch_) / kUseGrain), std::memory_order_relaxed);
    if ((At(key).standing.load(std::memory_order_relaxed) & kTouched) == 0) PushTouched(key);
  }
  // When the key was used last, on the steady clock, rounded down to kUseGrain.
  [[nodiscard]] Micros UsedAt(uint32_t key) const { return epoch_ + cold_[key].used.load(std::memory_order_relaxed) * kUseGrain; }
  static constexpr Micros kUseGrain = kSecond / 64;  // 32 bits of them are two years
  // Appends the keys that were touched since the last call.
  void TakeTouched(std::vector<uint32_t>* keys);
  // Takes the states of the rates from the index that this one replaces.
  void InheritRates(const KeyIndex& old);

  [[nodiscard]] uint32_t size() const { return size_; }
  // Memory held, in bytes, without the allocator's own.
  [[nodiscard]] size_t bytes() const;

 private:
  // Seldom needed, so not in the entry.
  struct Cold {
    TextRef id;
    std::atomic<uint32_t> next{0};                 // of the list of touched keys: number + 1 of the next, 0 at its end
    std::atomic<uint32_t> used{0};                 // in kUseGrain since epoch_
  };

  explicit KeyIndex(Micros epoch) : epoch_(epoch) {}
  void PushTouched(uint32_t key);
  void IndexAll(std::string* duplicate);

  const Micros epoch_;
  Blocks<Entry> entries_{kKeysMax};
  Blocks<Cold> cold_{kKeysMax};
  TextBlocks ids_;
  std::shared_ptr<const ScopeSets> scopes_;
  // Open addressing, at most half full: number + 1 in the low bits, bits of the digest above them; 0: free.
  FlatWords positions_;
  uint64_t mask_ = 0;
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
