// Names of tenants: unique, and free of the endings that mean something in an estate.
#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "base/encoding.h"
#include "sample/tenant_out.h"

namespace reeve::sample {
namespace {

constexpr std::string_view kFirst[] = {"acme", "blue", "cedar", "delta", "ember", "forge", "Globex", "harbor",
                                       "iron", "juniper", "kite", "lumen", "maple", "north", "Orchid", "pixel"};
constexpr std::string_view kSecond[] = {"analytics", "bakery", "cloud", "data", "energy", "foods", "health", "labs",
                                        "logistics", "media", "robotics", "studio", "api_gateway", "x", "Works"};

constexpr uint64_t kNameStream = uint64_t{1} << 33;
constexpr uint64_t kCollisionEvery = 50;  // tenant 6, 56, … has a neighbour that differs only in case
constexpr uint64_t kCollisionAt = 7;

std::string RealisticName(uint64_t seed, uint64_t index) {
  Prng rng(seed, kNameStream + index);
  const std::string_view first = rng.Pick(kFirst);
  return fmt::format("{}_{}_{}", first, rng.Pick(kSecond), index + 1);
}

// The name with the case of its first letter turned.
std::string TurnCase(std::string name) {
  name[0] = static_cast<char>(name[0] ^ 0x20);
  return name;
}

std::string NameOf(const SampleOptions& options, uint64_t index) {
  if (options.profile == Profile::kStandard) return fmt::format("tenant_{:06}", index + 1);
  if (index % kCollisionEvery == kCollisionAt) return TurnCase(RealisticName(options.seed, index - 1));
  return RealisticName(options.seed, index);
}

}  // namespace

Names MakeNames(const SampleOptions& options) {
  Names names;
  for (uint64_t i = 0; i < options.tenants; ++i) names.names.push_back(NameOf(options, i));
  std::vector<uint32_t> order(names.names.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&names](uint32_t a, uint32_t b) { return names.names[a] < names.names[b]; });
  names.ranks.resize(order.size());
  for (uint32_t rank = 0; rank < order.size(); ++rank) names.ranks[order[rank]] = rank;
  std::unordered_map<std::string, int> folded;
  if (options.profile == Profile::kRealistic)
    for (const std::string& name : names.names) ++folded[AsciiLower(name)];
  for (const std::string& name : names.names) {
    const auto it = folded.find(AsciiLower(name));
    names.case_collision.push_back(it != folded.end() && it->second > 1);
  }
  return names;
}

}  // namespace reeve::sample
