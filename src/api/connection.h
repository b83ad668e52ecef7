// Connections of one event loop: sockets on one side, exchanges and the service on the other. Everything on the loop's thread, except Post.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/event_loop.h"
#include "api/exchange.h"
#include "api/service.h"

namespace reeve::api {

class Connections final : public Outbox {
 public:
  // All outlive it.
  Connections(EventLoop& loop, Shared& shared, const Limits& limits, Clock& clock);
  ~Connections() override;

  struct Origin {
    bool admin_door = false;
    TlsIdentity* tls = nullptr;
    std::function<void()> gone;   // when the connection has ended
  };
  // Takes over an accepted socket.
  void Add(int socket, Origin origin);
  void Post(uint64_t connection, Ticket ticket, std::function<void(Reply*)> write) override;
  // Connections without a request end now, the others with their next answer.
  void Drain();
  [[nodiscard]] size_t count() const { return connections_.size() - free_.size(); }

 private:
  class Connection;
  struct Late {
    uint64_t connection;
    Ticket ticket;
    std::function<void(Reply*)> write;
  };
  // A connection's id is its place, in the low bits, below its number among all that ever were; never 0.
  static constexpr int kPlaceBits = 24;
  static size_t PlaceOf(uint64_t id) { return id & ((uint64_t{1} << kPlaceBits) - 1); }
  // Null: it has ended.
  [[nodiscard]] Connection* Find(uint64_t id) const;
  [[nodiscard]] std::vector<Connection*> All() const;
  void Tick();
  void DeliverLate();
  void AnswerGateways();
  // Of this turn of the loop; read once in each.
  [[nodiscard]] Micros Now();
  void Retire(uint64_t id);

  EventLoop& loop_;
  Shared& shared_;
  const Limits& limits_;
  Clock& clock_;
  Service service_;
  bool draining_ = false;
  Micros now_ = 0;
  bool now_is_old_ = true;
  uint64_t made_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;  // null: free
  std::vector<size_t> free_;                              // places
  std::vector<std::unique_ptr<Connection>> retired_;  // until nobody can be in one of their functions
  Reply late_reply_;

  std::mutex mu_;
  std::vector<Late> late_;        // guarded by mu_
};

}  // namespace reeve::api
