#include "api/server.h"

#include <unistd.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "api/connection.h"

namespace reeve::api {
namespace {

constexpr Micros kDrainPoll = 10'000;

// How many connections there are, in all and of each address.
class Admittance {
 public:
  Admittance(size_t all_max, size_t address_max, HttpMetrics& metrics) : all_max_(all_max), address_max_(address_max), metrics_(metrics) {}

  bool Enter(const Accepted& peer) {
    const std::lock_guard<std::mutex> lock(mu_);
    metrics_.accepted.fetch_add(1, std::memory_order_relaxed);
    if (all_ >= all_max_) return metrics_.refused_total_limit.fetch_add(1, std::memory_order_relaxed), false;
    if (!peer.loopback) {
      size_t& of_address = by_address_[peer.address];
      if (of_address >= address_max_) return metrics_.refused_address_limit.fetch_add(1, std::memory_order_relaxed), false;
      ++of_address;
    }
    ++all_;
    metrics_.open.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  void Leave(const std::string& address, bool loopback) {
    const std::lock_guard<std::mutex> lock(mu_);
    --all_;
    metrics_.open.fetch_sub(1, std::memory_order_relaxed);
    if (loopback) return;
    const auto it = by_address_.find(address);
    if (it != by_address_.end() && --it->second == 0) by_address_.erase(it);
  }
  size_t all() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return all_;
  }

 private:
  const size_t all_max_, address_max_;
  HttpMetrics& metrics_;
  mutable std::mutex mu_;
  size_t all_ = 0;                              // guarded by mu_
  std::map<std::string, size_t> by_address_;    // guarded by mu_
};

class LoopServer final : public Server {
 public:
  LoopServer(gate::Gate& gate, Clock& clock, Entropy& entropy, Files& files, ServerOptions options)
      : options_(std::move(options)),
        clock_(clock),
        shared_(gate, clock, entropy, files, std::move(options_.service)),
        admittance_(options_.connections_max, options_.connections_of_address_max, shared_.metrics) {}

  ~LoopServer() override { StopLoops(); }

  Result<> Begin() {
    for (size_t i = 0; i < options_.threads; ++i) loops_.push_back(std::make_unique<Worker>(shared_, options_.limits, clock_));
    const bool own_admin_door = options_.admin_listen.has_value();
    admin_here_ = !own_admin_door && IsLoopback(options_.listen);
    REEVE_TRY(AddListener(options_.listen, options_.tls.get(), admin_here_));
    if (own_admin_door) REEVE_TRY(AddListener(*options_.admin_listen, IsLoopback(*options_.admin_listen) ? nullptr : options_.tls.get(), true));
    for (const auto& worker : loops_) worker->thread = std::thread([loop = worker->loop.get()] { loop->Run(); });
    return {};
  }

  Endpoint endpoint() const override { return listeners_.front()->endpoint(); }
  std::optional<Endpoint> admin_endpoint() const override {
    if (options_.admin_listen) return listeners_.back()->endpoint();
    if (admin_here_) return endpoint();
    return std::nullopt;
  }
  size_t open_connections() const override { return admittance_.all(); }

  void Drain() override {
    shared_.draining = true;
    clock_.Sleep(options_.drain_delay);
    OnLoop(0, [this] {
      for (const auto& listener : listeners_) listener->Close();
    });
    for (size_t i = 0; i < loops_.size(); ++i) OnLoop(i, [worker = loops_[i].get()] { worker->connections.Drain(); });
    const Micros until = clock_.Steady() + options_.drain_limit;
    while (admittance_.all() > 0 && clock_.Steady() < until) clock_.Sleep(kDrainPoll);
    StopLoops();
  }

 private:
  struct Worker {
    Worker(Shared& shared, const Limits& limits, Clock& clock) : loop(MakeEventLoop()), connections(*loop, shared, limits, clock) {}
    std::unique_ptr<EventLoop> loop;
    Connections connections;  // ends before its loop
    std::thread thread;
  };

  Result<> AddListener(const Endpoint& endpoint, TlsIdentity* tls, bool admin_door) {
    if (!IsLoopback(endpoint) && tls == nullptr && !options_.insecure_plaintext)
      return FailWithHint(Code::kUsage, fmt::format("{}: others reach this address, and keys would cross the network in the clear", EndpointText(endpoint)),
                          "give --tls-cert and --tls-key, or --insecure-plaintext behind a TLS terminator that you trust");
    REEVE_ASSIGN(std::unique_ptr<Listener> listener, Listen(*loops_.front()->loop, endpoint));
    listener->Start([this, tls, admin_door](const Accepted& peer) { Accept(peer, tls, admin_door); });
    listeners_.push_back(std::move(listener));
    return {};
  }

  // On the first loop's thread; loops take turns.
  void Accept(const Accepted& peer, TlsIdentity* tls, bool admin_door) {
    if (!admittance_.Enter(peer)) {
      ::close(peer.socket);
      return;
    }
    const Connections::Origin origin = {admin_door, tls, [this, address = peer.loopback ? std::string() : peer.address, loopback = peer.loopback] {
                                          admittance_.Leave(address, loopback);
                                        }};
    Worker& worker = *loops_[next_loop_++ % loops_.size()];
    if (&worker == loops_.front().get()) return worker.connections.Add(peer.socket, origin);
    worker.loop->Post([&worker, socket = peer.socket, origin] { worker.connections.Add(socket, origin); });
  }

  // Runs `work` on a loop's thread and waits for it.
  void OnLoop(size_t index, const std::function<void()>& work) {
    if (!loops_[index]->thread.joinable()) return;
    std::promise<void> done;
    loops_[index]->loop->Post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  void StopLoops() {
    for (const auto& worker : loops_) worker->loop->Stop();
    for (const auto& worker : loops_)
      if (worker->thread.joinable()) worker->thread.join();
  }

  ServerOptions options_;
  Clock& clock_;
  Shared shared_;
  Admittance admittance_;
  bool admin_here_ = false;
  size_t next_loop_ = 0;                             // of the first loop's thread
  std::vector<std::unique_ptr<Worker>> loops_;
  std::vector<std::unique_ptr<Listener>> listeners_;  // end before the loops
};

}  // namespace

Result<std::unique_ptr<Server>> StartServer(gate::Gate& gate, Clock& clock, Entropy& entropy, Files& files, ServerOptions options) {
  REEVE_ASSERT(options.threads >= 1 && options.threads <= kThreadsMax);
  options.service.over_tls = options.tls != nullptr;
  auto server = std::make_unique<LoopServer>(gate, clock, entropy, files, std::move(options));
  REEVE_TRY(server->Begin());
  return server;
}

}  // namespace reeve::api
