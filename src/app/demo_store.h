// The demo store of `reeve serve --dev`: one customer of plan starter with one key. Makes a store and nothing else; one call at a time.
#pragma once

#include <string>

#include "base/secret.h"
#include "env/clock.h"
#include "env/entropy.h"
#include "env/files.h"

namespace reeve::app {

inline constexpr std::string_view kDemoTenant = "demo";

struct DemoStore {
  Secret key;                // the only copy there is
  std::string customer_id;
};

// Makes the store at `path` and its folder. kRefused if something is there.
[[nodiscard]] Result<DemoStore> MakeDemoStore(Files& files, Clock& clock, Entropy& entropy, const std::string& path);

}  // namespace reeve::app
