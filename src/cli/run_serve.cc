// serve, gateway config.
#include "cli/exit_code.h"
#include "cli/runners.h"
#include "cli/serve.h"
#include "cli/text.h"
#include "cli/value.h"

namespace reeve::cli {
namespace {

constexpr std::string_view kDevStore = "sqlite:./reeve-data/reeve.db";

ServeRequest RequestOf(const Session& session) {
  const Settings& settings = session.settings;
  const Invocation& given = session.invocation;
  ServeRequest request;
  request.dev = given.Has("dev");
  request.store = request.dev && settings.Get("store").origin == Origin::kDefault ? std::string(kDevStore) : settings.Text("store");
  request.listen = settings.Text("listen");
  request.admin_listen = settings.Text("admin_listen");
  request.admin_token_file = settings.Text("admin_token_file");
  request.tls_cert = settings.Text("tls_cert");
  request.tls_key = settings.Text("tls_key");
  request.public_url = settings.Text("public_url");
  request.insecure_plaintext = given.Has("insecure-plaintext");
  request.threads = static_cast<uint64_t>(settings.Count("threads"));
  request.connections = given.Count("connections", request.connections);
  request.connections_per_address = given.Count("connections-per-address", request.connections_per_address);
  request.drain_delay = ParseDuration(given.Text("drain-delay")).value_or(request.drain_delay);
  request.drain_limit = ParseDuration(given.Text("drain-limit")).value_or(request.drain_limit);
  return request;
}

void PrintDemo(const Session& session, const ServeFacts& facts) {
  const std::string key = facts.demo_key.empty() ? "YOUR_KEY" : std::string(facts.demo_key.Reveal());
  if (facts.demo_key.empty())
    session.Print("\nThe demo key was printed when the demo store was made; remove ./reeve-data to begin anew.\n");
  else
    session.Print(fmt::format("\nDemo customer  {}, starter: 5 runs at a time\nDemo key       {}    shown once\n", facts.demo_customer, key));
  session.Print(fmt::format("Admin token    {}    of this run only\n\nTry\n\n"
                            "  curl -i -H 'X-API-Key: {}' {}/authz\n"
                            "  for i in 1 2 3 4 5 6; do curl -sS -w '%{{http_code}}\\n' -o /dev/null -H 'X-API-Key: {}' -H 'Content-Type: application/json' \\\n"
                            "    -d \"{{\\\"run_id\\\":\\\"demo-$i-$$\\\"}}\" {}/api/v1/pipeline-runs; done     # 201 five times, then 429\n",
                            facts.admin_token.Reveal(), key, facts.url, key, facts.url));
}

void PrintStarted(const Session& session, const ServeRequest& request, const ServeFacts& facts) {
  for (const std::string& note : facts.notes) session.console.Err(fmt::format("reeve: {}\n", Printable(note)));
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("store", request.store).Set("url", facts.url).Set("admin_url", facts.admin_url.empty() ? Json() : Json(facts.admin_url));
    result.Set("keys", facts.keys).Set("customers", facts.customers).Set("start_ms", facts.start_time / 1000);
    if (request.dev) result.Set("admin_token", facts.admin_token.Reveal());
    if (request.dev && !facts.demo_key.empty()) result.Set("demo_key", facts.demo_key.Reveal()).Set("demo_customer", facts.demo_customer);
    session.PrintJson(result);
    return;
  }
  session.Print(fmt::format("reeve serves {}: {} of {}, after {}\n", Printable(request.store), Counted(facts.keys, "key"), Counted(facts.customers, "customer"),
                            Lasting(facts.start_time)));
  session.Print(fmt::format("  API            {0}/api/v1/authorize   described at {0}/openapi.json\n  gateways       {0}/authz   reeve gateway config nginx\n"
                            "  health         {0}/livez {0}/readyz\n",
                            facts.url));
  if (facts.admin_url.empty())
    session.Print("  administration nowhere: name an address for it with --admin-listen\n");
  else
    session.Print(fmt::format("  administration {0}/api/v1/customers/…   figures at {0}/metrics\n", facts.admin_url));
  if (!facts.has_admins) session.Remark("note: no admin token is known (--admin-token-file), so no admin route will let anybody in");
  if (request.dev) PrintDemo(session, facts);
}

}  // namespace

Result<int> Ports::Serve(const ServeRequest&, const std::function<void(const ServeFacts&)>&, const std::function<void(std::string_view)>&) {
  return Fail(Code::kUsage, "serving is not possible here");
}
Result<std::string> Ports::GatewayConfig(const GatewayRequest&) { return Fail(Code::kUsage, "gateways are not known here"); }

Result<int> RunServe(Session& session) {
  const ServeRequest request = RequestOf(session);
  if (request.tls_cert.empty() != request.tls_key.empty()) return Fail(Code::kUsage, "--tls-cert and --tls-key go together");
  return session.ports.Serve(
      request, [&](const ServeFacts& facts) { PrintStarted(session, request, facts); }, 
      [&](std::string_view line) { session.console.Err(fmt::format("{}\n", Printable(line))); });
}

Result<int> RunGatewayConfig(Session& session) {
  const Invocation& given = session.invocation;
  GatewayRequest request = {.name = given.arguments.front(), .reeve = given.Text("reeve", session.settings.Text("listen")), .app = given.Text("app", "127.0.0.1:3000"),
                            .listen = given.Text("listen", "127.0.0.1:8000"), .scope = given.Text("scope"), .cost = given.Count("cost", 1)};
  REEVE_ASSIGN(const std::string text, session.ports.GatewayConfig(request));
  if (session.json()) {
    Json result = session.NewResult();
    result.Set("gateway", request.name).Set("config", text);
    session.PrintJson(result);
  } else {
    session.Print(text);
  }
  return kExitDone;
}

}  // namespace reeve::cli
