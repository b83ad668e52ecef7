// Counters of the HTTP side. Safe from any thread; counting is one relaxed addition. No label names a customer, a key or an address.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "api/http_parser.h"
#include "api/routes.h"

namespace reeve::api {

// Statuses that are counted by themselves, in order; any other counts as the last.
inline constexpr std::array<int, 17> kCountedStatuses = {200, 201, 400, 401, 403, 404, 405, 408, 409, 413, 415, 417, 422, 429, 431, 500, 503};
inline constexpr size_t kFaults = static_cast<size_t>(Fault::kTimeout) + 1;

struct HttpMetrics {
  using Counter = std::atomic<uint64_t>;
  std::array<std::array<Counter, kCountedStatuses.size()>, kOperations + 1> answers{};  // the last row: no route
  std::array<Counter, kFaults> faults{};        // requests that could not be read
  Counter accepted{0};                          // connections
  Counter refused_total_limit{0}, refused_address_limit{0}, handshakes_failed{0}, expired{0};
  std::atomic<int64_t> open{0};                 // connections now

  void CountAnswer(size_t row, int status) {
    size_t column = 0;
    while (column + 1 < kCountedStatuses.size() && kCountedStatuses[column] != status) ++column;
    answers[row][column].fetch_add(1, std::memory_order_relaxed);
  }
};

}  // namespace reeve::api
