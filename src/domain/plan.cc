#include "domain/plan.h"

namespace reeve::domain {

const Plan* PlanBook::Find(std::string_view name) const {
  for (const Plan& plan : plans)
    if (plan.name == name) return &plan;
  return nullptr;
}

PlanBook BuiltInPlans() {
  PlanBook book;
  book.plans = {
      {"starter", {1'000, 5, 100}, 99'00},
      {"professional", {5'000, 15, 500}, 499'00},
      {"enterprise", {std::nullopt, std::nullopt, std::nullopt}, std::nullopt},
  };
  return book;
}

}  // namespace reeve::domain
