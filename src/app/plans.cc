#include <algorithm>
#include <optional>
#include <vector>

#include "app/config.h"
#include "app/toml_text.h"
#include "cli/suggest.h"

namespace reeve::app {
namespace {

constexpr size_t kNameMax = 1024;

using Quota = std::optional<int64_t>;  // nullopt: unlimited

// A quota: a whole number from 0, or "unlimited".
Result<Quota> ReadQuota(const toml::node& node, std::string_view key, const std::string& at) {
  if (const auto* text = node.as_string(); text != nullptr && text->get() == "unlimited") return Quota();
  if (const auto* number = node.as_integer(); number != nullptr && number->get() >= 0) return Quota(number->get());
  return Fail(Code::kUsage, "{}: {} must be a whole number from 0 on, or \"unlimited\"", at, key);
}

// A price in USD: a whole number or one with cents; "unlimited": by contract.
Result<std::optional<int64_t>> ReadCents(const toml::node& node, const std::string& at) {
  constexpr int64_t kUsdMax = 1'000'000'000;
  if (const auto* text = node.as_string(); text != nullptr && text->get() == "unlimited") return std::optional<int64_t>();
  if (const auto* number = node.as_integer(); number != nullptr && number->get() >= 0 && number->get() <= kUsdMax)
    return std::optional(number->get() * 100);
  if (const auto* number = node.as_floating_point(); number != nullptr && number->get() >= 0 && number->get() <= double{kUsdMax}) {
    const double cents = number->get() * 100;
    const auto whole = static_cast<int64_t>(cents + 0.5);
    if (std::abs(cents - static_cast<double>(whole)) < 1e-6 * std::max(1.0, cents)) return std::optional(whole);
  }
  return Fail(Code::kUsage, "{}: monthly_cost_usd must be an amount from 0 to {}, at most two decimals, or \"unlimited\"", at, kUsdMax);
}

Unexpected UnknownKey(std::string_view what, std::string_view key, const std::string& at, std::span<const std::string_view> known) {
  return FailWithHint(Code::kUsage, fmt::format("{}: {} has no key \"{}\"", at, what, cli::Printable(key.substr(0, 100))),
                      cli::DidYouMean(key, known, "reeve help plans shows the keys"));
}

struct PlanDraft {
  std::optional<Quota> monthly, concurrent, storage, cents;
};

Result<PlanDraft> ReadPlan(const toml::table& table, std::string_view file, std::string_view what) {
  static constexpr std::string_view kKeys[] = {"monthly_pipeline_quota", "concurrent_pipeline_quota", "storage_quota_gb", "monthly_cost_usd"};
  PlanDraft draft;
  for (const auto& [key, node] : table) {
    const std::string at = At(file, key.source());
    if (key.str() == "monthly_cost_usd") {
      REEVE_ASSIGN(draft.cents, ReadCents(node, at));
      continue;
    }
    std::optional<Quota>* quota = key.str() == kKeys[0] ? &draft.monthly : key.str() == kKeys[1] ? &draft.concurrent : key.str() == kKeys[2] ? &draft.storage : nullptr;
    if (quota == nullptr) return UnknownKey(what, key.str(), at, kKeys);
    REEVE_ASSIGN(*quota, ReadQuota(node, key.str(), at));
  }
  return draft;
}

// Changes the plan that is there, or makes a new one, which must say everything.
Result<> AddPlan(std::string_view name, const PlanDraft& draft, const std::string& at, domain::PlanBook* book) {
  auto it = std::find_if(book->plans.begin(), book->plans.end(), [&](const domain::Plan& plan) { return plan.name == name; });
  if (it == book->plans.end()) {
    if (!draft.monthly || !draft.concurrent || !draft.storage)
      return FailWithHint(Code::kUsage, fmt::format("{}: the new plan {} does not say all three quotas", at, name),
                          "monthly_pipeline_quota, concurrent_pipeline_quota and storage_quota_gb: a whole number or \"unlimited\"");
    book->plans.push_back({std::string(name), {}, std::nullopt});
    it = book->plans.end() - 1;
  }
  if (draft.monthly) it->quotas.monthly_runs = *draft.monthly;
  if (draft.concurrent) it->quotas.concurrent_runs = *draft.concurrent;
  if (draft.storage) it->quotas.storage_gb = *draft.storage;
  if (draft.cents) it->cost_usd_cents = *draft.cents;
  return {};
}

Result<domain::PlanOverride> ReadTenant(const toml::table& table, std::string_view file, std::string_view what, const domain::PlanBook& book) {
  static constexpr std::string_view kKeys[] = {"plan", "monthly_pipeline_quota", "concurrent_pipeline_quota", "storage_quota_gb"};
  domain::PlanOverride entry;
  for (const auto& [key, node] : table) {
    const std::string at = At(file, key.source());
    if (key.str() == "plan") {
      const auto* text = node.as_string();
      if (text == nullptr) return Fail(Code::kUsage, "{}: plan must be a name", at);
      if (book.Find(text->get()) == nullptr) {
        std::vector<std::string_view> names;
        for (const domain::Plan& plan : book.plans) names.push_back(plan.name);
        return FailWithHint(Code::kUsage, fmt::format("{}: there is no plan \"{}\"", at, cli::Printable(text->get().substr(0, 100))),
                            cli::DidYouMean(text->get(), names, "declare it with [plans.NAME]"));
      }
      entry.plan = text->get();
      continue;
    }
    std::optional<Quota>* quota = key.str() == kKeys[1] ? &entry.monthly_runs : key.str() == kKeys[2] ? &entry.concurrent_runs : key.str() == kKeys[3] ? &entry.storage_gb : nullptr;
    if (quota == nullptr) return UnknownKey(what, key.str(), at, kKeys);
    REEVE_ASSIGN(*quota, ReadQuota(node, key.str(), at));
  }
  return entry;
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// Calls `visit` with the name, table and place of each entry of `section`.
template <typename Visit>
Result<> ForEachEntry(const toml::node& section, std::string_view section_name, std::string_view file, const Visit& visit) {
  const toml::table* entries = section.as_table();
  if (entries == nullptr) return Fail(Code::kUsage, "{}: {} must be written as [{}.NAME]", At(file, section.source()), section_name, section_name);
  for (const auto& [key, node] : *entries) {
    const std::string at = At(file, key.source());
    if (!IsName(key.str())) return Fail(Code::kUsage, "{}: \"{}\" cannot be a name", at, cli::Printable(key.str().substr(0, 100)));
    const toml::table* entry = node.as_table();
    if (entry == nullptr) return Fail(Code::kUsage, "{}: {}.{} must be a table", at, section_name, key.str());
    REEVE_TRY(visit(key.str(), *entry, at));
  }
  return {};
}

}  // namespace

Result<domain::PlanBook> ParsePlans(std::string_view text, std::string_view name) {
  if (text.size() > kPlansBytesMax) return Fail(Code::kUsage, "{}: over {} bytes", name, kPlansBytesMax);
  REEVE_ASSIGN(const toml::table table, ParseToml(text, name));
  domain::PlanBook book = domain::BuiltInPlans();
  static constexpr std::string_view kSections[] = {"plans", "tenants"};
  for (const auto& [key, node] : table)
    if (key.str() != kSections[0] && key.str() != kSections[1]) return UnknownKey("the file", key.str(), At(name, key.source()), kSections);
  if (const toml::node* plans = table.get("plans"))
    REEVE_TRY(ForEachEntry(*plans, "plans", name, [&](std::string_view plan, const toml::table& entry, const std::string& at) -> Result<> {
      REEVE_ASSIGN(const PlanDraft draft, ReadPlan(entry, name, fmt::format("plan {}", plan)));
      return AddPlan(plan, draft, at, &book);
    }));
  if (const toml::node* tenants = table.get("tenants"))
    REEVE_TRY(ForEachEntry(*tenants, "tenants", name, [&](std::string_view tenant, const toml::table& entry, const std::string&) -> Result<> {
      REEVE_ASSIGN(book.tenants[std::string(tenant)], ReadTenant(entry, name, fmt::format("tenant {}", tenant), book));
      return {};
    }));
  return book;
}

}  // namespace reeve::app
