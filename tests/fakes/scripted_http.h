// ScriptedHttp: an HttpClient that asks a function and keeps what was asked, for tests of what stands above net/.
//
// Keeps the contract of net/http.h: any status is an answer; an error is a broken exchange. Safe from any thread if the function is.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "net/http.h"

namespace reeve::fakes {

class ScriptedHttp final : public net::HttpClient {
 public:
  using Handler = std::function<Result<net::HttpResponse>(const net::HttpRequest& request)>;

  explicit ScriptedHttp(Handler handler) : handler_(std::move(handler)) {}

  Result<net::HttpResponse> Send(const net::HttpRequest& request) override {
    {
      const std::lock_guard lock(mu_);
      requests_.push_back(request);
    }
    return handler_(request);
  }

  [[nodiscard]] std::vector<net::HttpRequest> requests() const {
    const std::lock_guard lock(mu_);
    return requests_;
  }
  [[nodiscard]] size_t count() const {
    const std::lock_guard lock(mu_);
    return requests_.size();
  }

 private:
  const Handler handler_;
  mutable std::mutex mu_;
  std::vector<net::HttpRequest> requests_;  // guarded by mu_
};

}  // namespace reeve::fakes
