#include <algorithm>
#include <set>
#include <unordered_map>

#include "migrate/witness/compare.h"

namespace reeve::migrate::witness {
namespace {

using catalog::Cell;
using catalog::RowBatch;

// Positions of the columns of customer_api_keys that decide.
struct KeyColumns {
  size_t customer_id, hash, is_active, expires_at;
};

const KeyColumns& Columns() {
  const auto at = [](std::string_view name) { return static_cast<size_t>(catalog::ApiKeys().Index(name)); };
  static const KeyColumns columns = {at("customer_id"), at("api_key_hash"), at("is_active"), at("expires_at")};
  return columns;
}

using KeyRow = std::span<const Cell>;
using RowsByHash = std::unordered_map<std::string_view, size_t>;

RowsByHash ByHash(const RowBatch& rows) {
  RowsByHash by_hash;
  for (size_t i = 0; i < rows.size(); ++i) by_hash.emplace(rows.Row(i)[Columns().hash].text, i);
  return by_hash;
}

bool IsRevoked(KeyRow row) { return row[Columns().is_active].num == 0; }

enum class Decision : uint8_t { kUnknown, kRevoked, kExpired, kUsable };

std::string_view NameOf(Decision decision) {
  switch (decision) {
    case Decision::kUnknown: return "unknown";
    case Decision::kRevoked: return "revoked";
    case Decision::kExpired: return "expired";
    case Decision::kUsable: return "usable";
  }
  return "";
}

// What a gate that knows `row` (empty: that knows none) says at `instant`.
Decision Decide(KeyRow row, Micros instant) {
  if (row.empty()) return Decision::kUnknown;
  if (IsRevoked(row)) return Decision::kRevoked;
  const Cell& expires = row[Columns().expires_at];
  return !expires.is_null && expires.num <= instant ? Decision::kExpired : Decision::kUsable;
}

void AddExpiry(KeyRow row, std::vector<Micros>* instants) {
  if (row.empty() || row[Columns().expires_at].is_null) return;
  const Micros at = row[Columns().expires_at].num;
  for (Micros step = -1; step <= 1; ++step) {
    Micros instant = 0;
    if (__builtin_add_overflow(at, step, &instant)) continue;
    if (std::find(instants->begin(), instants->end(), instant) == instants->end()) instants->push_back(instant);
  }
}

void CompareKey(std::string_view hash, KeyRow expected, KeyRow found, Micros as_of, Verdict* verdict) {
  std::vector<Micros> instants = {as_of};
  AddExpiry(expected, &instants);
  AddExpiry(found, &instants);
  ++verdict->keys.hashes;
  verdict->keys.instants += instants.size();
  const std::string name(hash.substr(0, 12));
  for (const Micros instant : instants) {
    const Decision wanted = Decide(expected, instant);
    const Decision said = Decide(found, instant);
    // A key that central does not know is refused like a revoked one; that its row is missing is reported with the rows.
    const bool usable = wanted == Decision::kUsable || said == Decision::kUsable;
    const bool same = wanted == said || (!usable && (expected.empty() || found.empty()));
    if (same) continue;
    Report(verdict, DifferenceKind::kDecisionDiffers, catalog::ApiKeys().name, name,
           fmt::format("at {} legacy: {}, central: {}", FormatTime(std::clamp(instant, kTimeMin, kTimeMax)), NameOf(wanted),
                       NameOf(said)));
    break;
  }
  if (expected.empty() || found.empty()) return;
  if (expected[Columns().customer_id].text != found[Columns().customer_id].text) {
    Report(verdict, DifferenceKind::kDecisionDiffers, catalog::ApiKeys().name, name, "it lets in as another customer");
  }
}

std::string UsableDigest(const RowBatch& rows, Micros as_of, uint64_t* usable) {
  std::set<std::pair<std::string_view, std::string_view>> keys;
  for (size_t i = 0; i < rows.size(); ++i) {
    const KeyRow row = rows.Row(i);
    if (Decide(row, as_of) == Decision::kUsable) keys.emplace(row[Columns().hash].text, row[Columns().customer_id].text);
  }
  std::string bytes;
  for (const auto& [hash, customer] : keys) {
    bytes += hash;
    bytes += customer;
    bytes += '\0';
  }
  if (usable != nullptr) *usable = keys.size();
  return HexOf(BytesOf(DigestOf(bytes)));
}

}  // namespace

void CompareDecisions(const RowBatch& expected, const RowBatch& found, Micros as_of, Verdict* verdict) {
  const RowsByHash wanted = ByHash(expected);
  const RowsByHash held = ByHash(found);
  for (const auto& [hash, i] : wanted) {
    const auto match = held.find(hash);
    CompareKey(hash, expected.Row(i), match == held.end() ? KeyRow() : found.Row(match->second), as_of, verdict);
  }
  for (const auto& [hash, i] : held) {
    if (wanted.count(hash) == 0) CompareKey(hash, {}, found.Row(i), as_of, verdict);
  }
  verdict->keys.digest_expected = UsableDigest(expected, as_of, &verdict->keys.usable);
  verdict->keys.digest_found = UsableDigest(found, as_of, nullptr);
}

}  // namespace reeve::migrate::witness
