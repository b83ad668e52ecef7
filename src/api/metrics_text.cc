#include "api/metrics_text.h"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>
#include <vector>

namespace reeve::api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Page {
 public:
  MetricFamily& Family(std::string name, std::string help, MetricType type) {
    families_.push_back({"reeve_" + std::move(name), std::move(help), type, {}});
    return families_.back();
  }
  void Counter(std::string name, std::string help, double value) { Add(&Family(std::move(name), std::move(help), MetricType::Counter), {}, value); }
  void Gauge(std::string name, std::string help, double value) { Add(&Family(std::move(name), std::move(help), MetricType::Gauge), {}, value); }
  static void Add(MetricFamily* family, std::vector<ClientMetric::Label> labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = metric.gauge.value = value;
    family->metric.push_back(std::move(metric));
  }
  // `per_unit`: how many of the bounds' units are one of the name's. (A division gives bounds that print as they are written.)
  template <size_t Bounds>
  void Histogram(std::string name, std::string help, const gate::Histogram<Bounds>& from, double per_unit) {
    MetricFamily& family = Family(std::move(name), std::move(help), MetricType::Histogram);
    ClientMetric metric;
    uint64_t below = 0;
    for (size_t i = 0; i < from.count.size(); ++i) {
      below += from.count[i];
      const double bound = i < Bounds ? static_cast<double>(from.bounds[i]) / per_unit : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({below, bound});
    }
    metric.histogram.sample_count = below;
    metric.histogram.sample_sum = from.sum / per_unit;
    family.metric.push_back(std::move(metric));
  }
  // A family whose names are not ours to prefix.
  void Foreign(std::string name, std::string help, MetricType type, double value) {
    families_.push_back({std::move(name), std::move(help), type, {}});
    Add(&families_.back(), {}, value);
  }
  [[nodiscard]] std::string Text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  std::vector<MetricFamily> families_;
};

void AddOutcomes(Page* page, std::string name, std::string help, const std::array<uint64_t, domain::kOutcomes.size()>& counts) {
  MetricFamily& family = page->Family(std::move(name), std::move(help), MetricType::Counter);
  for (const domain::Outcome outcome : domain::kOutcomes) {
    const std::string_view code = domain::ErrorCode(outcome);
    Page::Add(&family, {{"outcome", std::string(domain::OutcomeName(outcome))}, {"code", std::string(code.empty() ? "OK" : code)}},
              static_cast<double>(counts[domain::OutcomeIndex(outcome)]));
  }
}

void AddGate(const gate::MetricsSnapshot& gate, Page* page) {
  constexpr double kNs = 1e9, kUs = 1e6;
  const auto number = [](uint64_t n) { return static_cast<double>(n); };
  AddOutcomes(page, "decisions_total", "Decisions about requests, by outcome.", gate.decisions);
  AddOutcomes(page, "reservations_total", "Decisions about runs, by outcome; repetitions are not counted.", gate.reservations);
  page->Histogram("authentication_seconds", fmt::format("Digest, look-up and ladder of a decision; one decision in {} is timed.", gate::kDecisionSampled), gate.authentication, kNs);
  page->Histogram("quota_check_seconds", "Rates and quotas of the same decisions.", gate.quota_check, kNs);
  page->Histogram("commit_seconds", "Durable transactions.", gate.commit_time, kUs);
  page->Histogram("commit_batch_size", "Operations in one transaction.", gate.batch_size, 1);
  page->Counter("commits_total", "Transactions that became durable.", number(gate.commits));
  page->Counter("commits_failed_total", "Transactions that failed; the process ends after the first.", number(gate.commits_failed));
  page->Counter("run_calls_total", "Calls about runs that the writer took up.", number(gate.run_calls));
  page->Counter("run_replays_total", "Calls about runs that had had their effect before.", number(gate.replays));
  page->Counter("runs_completed_total", "Runs completed.", number(gate.runs_completed));
  page->Counter("runs_cancelled_total", "Runs cancelled.", number(gate.runs_cancelled));
  page->Counter("leases_expired_total", "Leases that ended by themselves.", number(gate.leases_expired));
  page->Counter("queue_full_total", "Calls refused because too many waited for the writer.", number(gate.queue_full));
  page->Counter("revocations_total", "Keys revoked.", number(gate.revocations));
  page->Counter("key_touches_total", "Times that the last use of a key was written.", number(gate.touches_written));
  page->Gauge("leases", "Runs that are alive.", number(gate.live_leases));
  page->Gauge("queue_length", "Calls that wait for the writer.", number(gate.queue_length));
  page->Gauge("keys", "Keys in memory.", number(gate.keys));
  page->Gauge("customers", "Customers in memory.", number(gate.customers));
  page->Gauge("key_index_bytes", "Memory of the index of keys.", number(gate.key_bytes));
  page->Gauge("clock_frozen", "1: the wall clock leapt, and the month stays until that is confirmed.", gate.rollover_frozen ? 1 : 0);
  page->Gauge("ledger_lag_seconds", "Ledger time less wall time.", static_cast<double>(gate.ledger_lag) / kUs);
}

constexpr std::array<std::string_view, kFaults> kFaultNames = {"none",        "malformed",       "version",         "target",         "host",    "length",
                                                               "encoding", "expectation", "head_too_large", "too_many_fields", "body_too_large", "timeout"};

void AddHttp(const HttpMetrics& http, Page* page) {
  MetricFamily& requests = page->Family("http_requests_total", "Requests answered, by operation and status.", MetricType::Counter);
  for (size_t row = 0; row <= kOperations; ++row)
    for (size_t column = 0; column < kCountedStatuses.size(); ++column) {
      const uint64_t count = http.answers[row][column].load(std::memory_order_relaxed);
      if (count == 0) continue;
      const std::string_view name = row == kOperations ? std::string_view("none") : OperationName(static_cast<Operation>(row));
      Page::Add(&requests, {{"operation", std::string(name)}, {"status", std::to_string(kCountedStatuses[column])}}, static_cast<double>(count));
    }
  MetricFamily& faults = page->Family("http_faults_total", "Requests that could not be read, by fault.", MetricType::Counter);
  for (size_t i = 1; i < kFaults; ++i) Page::Add(&faults, {{"fault", std::string(kFaultNames[i])}}, static_cast<double>(http.faults[i].load()));
  page->Gauge("http_connections", "Connections that are open.", static_cast<double>(http.open.load()));
  page->Counter("http_connections_accepted_total", "Connections accepted.", static_cast<double>(http.accepted.load()));
  MetricFamily& refused = page->Family("http_connections_ended_total", "Connections that the server refused or gave up, by reason.", MetricType::Counter);
  Page::Add(&refused, {{"reason", "too_many"}}, static_cast<double>(http.refused_total_limit.load()));
  Page::Add(&refused, {{"reason", "too_many_of_address"}}, static_cast<double>(http.refused_address_limit.load()));
  Page::Add(&refused, {{"reason", "handshake"}}, static_cast<double>(http.handshakes_failed.load()));
  Page::Add(&refused, {{"reason", "time"}}, static_cast<double>(http.expired.load()));
}

}  // namespace

std::string MetricsText(const gate::MetricsSnapshot& gate, const HttpMetrics& http, const ProcessFigures& process) {
  Page page;
  Page::Add(&page.Family("build_info", "Always 1.", MetricType::Gauge), {{"version", REEVE_VERSION}}, 1);
  page.Gauge("ready", "1: serves.", process.ready ? 1 : 0);
  page.Gauge("draining", "1: was told to stop.", process.draining ? 1 : 0);
  AddGate(gate, &page);
  AddHttp(http, &page);
  if (process.cpu_seconds > 0) page.Foreign("process_cpu_seconds_total", "Processor time used.", MetricType::Counter, process.cpu_seconds);
  if (process.resident_bytes > 0) page.Foreign("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, process.resident_bytes);
  if (process.start_time_seconds > 0)
    page.Foreign("process_start_time_seconds", "When the process started, since 1970.", MetricType::Gauge, process.start_time_seconds);
  return page.Text();
}

}  // namespace reeve::api
