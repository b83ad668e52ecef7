// `reeve serve`, wired: the store, the gate over it, the server in front. One call at a time; it returns when reeve was told to stop.
#pragma once

#include <functional>
#include <string_view>

#include "cli/serve.h"
#include "cli/session.h"

namespace reeve::app {

// Opens, serves, drains; 0 after an orderly end. Ends the process with 74 when a commit has failed, since nothing may be acknowledged after that.
// `holder`: what others are told while the store is locked. `path`: the store's file.
[[nodiscard]] Result<int> Serve(Files& files, Clock& clock, Entropy& entropy, const cli::ServeRequest& request, const std::string& path,
                                const std::string& holder, const std::function<void(const cli::ServeFacts&)>& started,
                                const std::function<void(std::string_view)>& say);

[[nodiscard]] Result<std::string> GatewayConfig(const cli::GatewayRequest& request);

}  // namespace reeve::app
