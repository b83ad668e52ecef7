// Subscription plans: what a customer may use. Plans are data; these are the built-in ones. Values; safe from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace reeve::domain {

// NULL (nullopt) is unlimited; 0 blocks.
struct Quotas {
  std::optional<int64_t> monthly_runs;
  std::optional<int64_t> concurrent_runs;
  std::optional<int64_t> storage_gb;
  bool operator==(const Quotas&) const = default;
};

struct Plan {
  std::string name;
  Quotas quotas;
  std::optional<int64_t> cost_usd_cents;  // per month; nullopt: by contract
};

// What --plans says of one tenant. A quota that is set overrides the plan's, also with unlimited.
struct PlanOverride {
  std::string plan;  // empty: not said
  std::optional<std::optional<int64_t>> monthly_runs;
  std::optional<std::optional<int64_t>> concurrent_runs;
  std::optional<std::optional<int64_t>> storage_gb;
};

struct PlanBook {
  std::vector<Plan> plans;
  std::string default_plan = "professional";
  std::map<std::string, PlanOverride, std::less<>> tenants;

  // The plan called `name` (exact), or nullptr.
  [[nodiscard]] const Plan* Find(std::string_view name) const;
};

// starter, professional, enterprise with the published quotas and prices.
[[nodiscard]] PlanBook BuiltInPlans();

}  // namespace reeve::domain
