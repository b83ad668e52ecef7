// GET /metrics: the figures of gate and server in Prometheus' text format. Names and meaning: docs/serve.md. Pure; safe from any thread.
#pragma once

#include <string>

#include "api/http_metrics.h"
#include "gate/metrics.h"

namespace reeve::api {

// What the system says of this process; zero where it did not.
struct ProcessFigures {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double start_time_seconds = 0;
  bool ready = false;
  bool draining = false;
};

[[nodiscard]] std::string MetricsText(const gate::MetricsSnapshot& gate, const HttpMetrics& http, const ProcessFigures& process);

}  // namespace reeve::api
