#include "app/config.h"
#include "tests/fuzz/targets.h"

namespace reeve::fuzz {

// First byte: settings or plans.
void FuzzConfig(std::string_view input) {
  const bool plans = TakeByte(&input) % 2 == 1;
  if (plans) {
    const auto book = app::ParsePlans(input, "plans.toml");
    if (!book) Promise(book.error().code == Code::kUsage, "a bad plans file is a usage error");
    else Promise(book->Find(book->default_plan) != nullptr, "the default plan is one of the plans");
    return;
  }
  const auto settings = app::ParseConfig(input, "reeve.toml");
  if (!settings) Promise(settings.error().code == Code::kUsage, "a bad configuration is a usage error");
}

}  // namespace reeve::fuzz
