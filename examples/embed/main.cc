// A worker that embeds the gate: it asks whether its key may run pipelines, takes a slot, works, and gives it back.
//
//   embed_example STORE KEY RUN_ID        STORE as in "sqlite:reeve.db"
//
// Exit code: 0 the run was completed, 1 the gate refused, 2 the store cannot be opened.
#include <cstdio>
#include <string>

#include "gate/reeve.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: embed_example STORE KEY RUN_ID\n");
    return 2;
  }
  const std::string key = argv[2], run_id = argv[3];
  std::string error;
  const auto gate = libreeve::Reeve::Open({.store = argv[1], .on_failed_commit = {}}, &error);
  if (gate == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }

  const libreeve::Decision decision = gate->Authorize(key, "pipelines:write");
  if (!decision.allowed) {
    std::printf("refused: %s (HTTP %d)\n", decision.code.c_str(), decision.http_status);
    return 1;
  }
  std::printf("welcome %s on plan %s\n", decision.tenant_id.c_str(), decision.plan.c_str());

  const libreeve::RunReply run = gate->Reserve(key, {.run_id = run_id, .pipeline_id = "nightly", .lease_seconds = 60});
  if (!run.ok) {
    std::printf("no run: %s, retry after %lld s\n", run.code.c_str(), static_cast<long long>(run.decision.retry_after_seconds));
    return 1;
  }
  std::printf("%s with fence %lld, %lld runs this month\n", run.replayed ? "reserved before" : "reserved", static_cast<long long>(run.fence),
              static_cast<long long>(run.decision.used));

  // Here the work is done, with a heartbeat now and then.
  if (!run.replayed && !gate->Heartbeat(key, run_id, run.fence).ok) return 1;

  const libreeve::RunReply done = gate->Complete(key, run_id, run.fence, true, 1500);
  std::printf("%s, %lld ms\n", done.ok ? done.state.c_str() : done.code.c_str(), static_cast<long long>(done.compute_ms));
  return done.ok ? 0 : 1;
}
