#include "app/serve.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "api/gateway_config.h"
#include "api/gateway_door.h"
#include "api/server.h"
#include "app/demo_store.h"
#include "base/encoding.h"
#include "cli/exit_code.h"
#include "env/interrupt.h"
#include "gate/gate.h"
#include "store/sqlite/serving_store.h"

namespace reeve::app {
namespace {

constexpr uint64_t kPemBytesMax = 1 << 20;
constexpr Micros kLookEvery = 50'000;  // for a signal, or a failed commit
constexpr size_t kTokenBytes = 24;

// Whether a commit has failed, and how.
class Poison {
 public:
  void Set(const Error& error) {
    const std::lock_guard<std::mutex> lock(mu_);
    message_ = error.message;
    set_ = true;
  }
  [[nodiscard]] bool set() const { return set_; }
  [[nodiscard]] std::string message() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return message_;
  }

 private:
  std::atomic<bool> set_ = false;
  mutable std::mutex mu_;
  std::string message_;  // guarded by mu_
};

// Tells a service manager (sd_notify(3)); nothing happens where there is none.
void Notify(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  // Whether anybody hears it changes nothing here.
  (void)sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
               static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
  close(fd);
}

// As many descriptors as the system lets us have, for as many connections.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

Result<std::unique_ptr<api::TlsIdentity>> ReadTls(Files& files, const cli::ServeRequest& request) {
  if (request.tls_cert.empty()) return nullptr;
  REEVE_ASSIGN(const std::string certificates, files.Read(request.tls_cert, kPemBytesMax));
  REEVE_ASSIGN(std::string key, files.Read(request.tls_key, kPemBytesMax));
  return api::MakeTlsIdentity(certificates, Secret(std::move(key)));
}

Result<api::ServerOptions> OptionsOf(Files& files, const cli::ServeRequest& request) {
  api::ServerOptions options;
  REEVE_ASSIGN(options.listen, api::ParseEndpoint(request.listen));
  if (!request.admin_listen.empty()) {
    REEVE_ASSIGN(options.admin_listen, api::ParseEndpoint(request.admin_listen));
  }
  REEVE_ASSIGN(options.tls, ReadTls(files, request));
  if (!request.admin_token_file.empty()) {
    REEVE_ASSIGN(const std::string text, files.Read(request.admin_token_file, api::kAdminTokenFileMax));
    REEVE_ASSIGN(options.service.admins, api::AdminTokens::Parse(text, request.admin_token_file));
  }
  options.insecure_plaintext = request.insecure_plaintext;
  options.threads = request.threads;
  options.connections_max = request.connections;
  options.connections_of_address_max = request.connections_per_address;
  options.drain_delay = request.drain_delay;
  options.drain_limit = request.drain_limit;
  options.service.public_url = request.public_url;
  return options;
}

std::string UrlOf(const api::Endpoint& endpoint, bool tls) { return (tls ? "https://" : "http://") + api::EndpointText(endpoint); }

// Until a signal, or until a commit fails, which ends the process.
void WaitForTheEnd(Clock& clock, const Poison& poison, const std::function<void(std::string_view)>& say) {
  while (!Interrupted() && !poison.set()) clock.Sleep(kLookEvery);
  if (!poison.set()) return;
  say("reeve: a commit failed, and nothing is acknowledged any more: " + poison.message());
  say("  hint: mend the medium and start again; the store finds out by itself what is on it");
  _exit(cli::kExitCommitFailed);  // nothing of this process may touch the store again
}

}  // namespace

Result<int> Serve(Files& files, Clock& clock, Entropy& entropy, const cli::ServeRequest& request, const std::string& path, const std::string& holder,
                  const std::function<void(const cli::ServeFacts&)>& started, const std::function<void(std::string_view)>& say) {
  const Micros begun = clock.Steady();
  cli::ServeFacts facts;
  REEVE_ASSIGN(api::ServerOptions options, OptionsOf(files, request));
  const bool tls = options.tls != nullptr;
  if (request.dev) {
    if (!api::IsLoopback(options.listen)) return Fail(Code::kUsage, "--dev is for this machine only: {}", request.listen);
    if (!files.Exists(path)) {
      REEVE_ASSIGN(DemoStore demo, MakeDemoStore(files, clock, entropy, path));
      facts.demo_key = std::move(demo.key);
      facts.demo_customer = std::move(demo.customer_id);
    }
    facts.admin_token = Secret(HexEncode(entropy.Bytes(kTokenBytes)));
    options.service.admins.Add(facts.admin_token.Reveal(), "dev");
  }
  facts.has_admins = !options.service.admins.empty();
  RaiseDescriptorLimit();

  Poison poison;
  REEVE_ASSIGN(std::unique_ptr<store::ServingStore> store, store::OpenSqliteServingStore(files, path, holder, &facts.notes, {.clock = &clock}));
  gate::GateOptions gate_options;
  gate_options.on_poison = [&poison](const Error& error) { poison.Set(error); };
  REEVE_ASSIGN(const std::unique_ptr<gate::Gate> gate, gate::Gate::Open(std::move(store), clock, std::move(gate_options)));
  auto server = api::StartServer(*gate, clock, entropy, files, std::move(options));
  if (!server) {
    gate->Drain();
    return Unexpected(std::move(server).error());
  }

  const gate::MetricsSnapshot figures = gate->Metrics();
  facts.keys = figures.keys;
  facts.customers = figures.customers;
  facts.url = UrlOf((*server)->endpoint(), tls);
  if (const auto admin = (*server)->admin_endpoint()) facts.admin_url = UrlOf(*admin, tls && !(request.admin_listen.size() > 0 && api::IsLoopback(*admin)));
  facts.start_time = clock.Steady() - begun;
  started(facts);
  Notify("READY=1");

  WaitForTheEnd(clock, poison, say);
  Notify("STOPPING=1");
  say("reeve: draining");
  (*server)->Drain();
  gate->Drain();
  if (poison.set()) WaitForTheEnd(clock, poison, say);
  return cli::kExitDone;
}

Result<std::string> GatewayConfig(const cli::GatewayRequest& request) {
  const api::GatewaySetup setup = {.reeve = request.reeve, .app = request.app, .listen = request.listen, .scope = request.scope, .cost = static_cast<int>(request.cost)};
  for (const std::string& address : {request.reeve, request.app, request.listen})
    if (const auto endpoint = api::ParseEndpoint(address); !endpoint) return Unexpected(endpoint.error());
  std::string door = "/authz";
  if (!request.scope.empty()) door += "/scope/" + request.scope;
  if (!api::ReadGatewayDoor(door)) return Fail(Code::kUsage, "--scope: 1 to 64 of A-Z a-z 0-9 : _ . * - are expected");
  return api::GatewaySnippet(request.name, setup);
}

}  // namespace reeve::app
