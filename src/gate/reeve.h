// libreeve: the gate inside a process of yours, without HTTP. This header needs nothing but the standard library; link reeve_embed.
//
//   std::string error;
//   std::unique_ptr<libreeve::Reeve> gate = libreeve::Reeve::Open({.store = "sqlite:reeve.db"}, &error);
//   libreeve::Decision decision = gate->Authorize(key, "pipelines:write");
//   libreeve::RunReply run = gate->Reserve(key, {.run_id = "nightly-7", .lease_seconds = 900});
//
// Not for administration and not for a store that another process serves from: it holds the store's lock. Every function may be called from any thread.
// Authorize takes about a microsecond and waits for nothing; the calls about runs wait until what they did is on the medium, or take a callback.
// The example is examples/embed/main.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace libreeve {

// What the gate says to a key. `code` and `http_status` are those of the HTTP API.
struct Decision {
  bool allowed = false;
  std::string reason;                   // "allowed", "revoked_key", "monthly_quota", …: for logs, not for the holder of the key
  std::string code;                     // "INVALID_API_KEY", "QUOTA_EXCEEDED", …; empty if allowed
  int http_status = 503;
  int64_t used = 0;                     // of the quota or rate that refused, or of the month's runs
  std::optional<int64_t> limit;         // nullopt: unlimited, or nothing was counted
  int64_t retry_after_seconds = 0;      // 0: waiting does not help
  // Empty for a key that is not accepted.
  std::string customer_id, tenant_id, plan, api_key_id, scopes;
};

struct RunRequest {
  std::string run_id;                   // yours; the same request again has the same answer
  std::string pipeline_id;
  int64_t lease_seconds = 0;            // 0: 15 minutes
};

struct RunReply {
  bool ok = false;
  bool replayed = false;                // an earlier call had this effect
  std::string code;                     // "CONCURRENT_LIMIT_REACHED", "STALE_FENCE", "LEASE_EXPIRED", "STORE_UNAVAILABLE", …; empty if ok
  // The commit failed: it is not known whether it happened. Open anew and ask again with the same id.
  bool in_doubt = false;
  Decision decision;                    // of a reservation, or of the key where that refused
  std::string state;                    // "reserved", "completed", "cancelled", "expired", "refused"; empty: there is no run
  int64_t fence = 0;                    // show it with every later call, and wherever the run writes its results
  int64_t reserved_at_micros = 0, expires_at_micros = 0, ended_at_micros = 0;  // since 1970, UTC
  int64_t compute_ms = 0;
};
using RunDone = std::function<void(const RunReply&)>;

struct Settings {
  std::string store = "sqlite:reeve.db";
  // Called once, on a thread of the gate, after a commit that failed; everything is refused from then on. A program should end here (reeve serve exits 74).
  std::function<void(const std::string& error)> on_failed_commit;
};

class Reeve {
 public:
  // Null, with the reason in `error`, if the store is missing, locked by another process or damaged.
  [[nodiscard]] static std::unique_ptr<Reeve> Open(const Settings& settings, std::string* error);
  // Finishes what was begun.
  virtual ~Reeve() = default;

  // `cost`: requests that it counts as against the key's rates.
  [[nodiscard]] virtual Decision Authorize(std::string_view key, std::string_view scope, int32_t cost = 1) = 0;

  // These wait. `fence` of Cancel: 0 cancels whoever holds the run.
  [[nodiscard]] virtual RunReply Reserve(std::string_view key, const RunRequest& request) = 0;
  [[nodiscard]] virtual RunReply Heartbeat(std::string_view key, std::string_view run_id, int64_t fence) = 0;
  [[nodiscard]] virtual RunReply Complete(std::string_view key, std::string_view run_id, int64_t fence, bool succeeded = true,
                                          std::optional<int64_t> compute_ms = std::nullopt) = 0;
  [[nodiscard]] virtual RunReply Cancel(std::string_view key, std::string_view run_id, int64_t fence = 0) = 0;
  [[nodiscard]] virtual RunReply Look(std::string_view key, std::string_view run_id) = 0;
  // As Reserve, without waiting: `done` is called once, on this thread or on one of the gate's, and must not block.
  virtual void ReserveThen(std::string_view key, const RunRequest& request, RunDone done) = 0;

  [[nodiscard]] virtual bool Ready() const = 0;
};

}  // namespace libreeve
