#include "api/connection.h"

#include "base/error.h"

namespace reeve::api {
namespace {

constexpr Micros kTick = 250'000;
constexpr Micros kHandshakeTime = 10 * kSecond;
constexpr Micros kLingerTime = 2 * kSecond;
constexpr uint64_t kLingerBytesMax = 64 * 1024;

}  // namespace

class Connections::Connection final : public StreamEvents, public Handler {
 public:
  Connection(Connections& owner, uint64_t id, std::unique_ptr<Stream> stream, Origin origin)
      : owner_(owner),
        id_(id),
        origin_(std::move(origin)),
        stream_(std::move(stream)),
        exchange_(*this, owner.limits_, &owner.draining_, owner.Now()),
        deadline_(owner.Now() + kHandshakeTime) {}

  ~Connection() override { Shut(); }

  void Open() { stream_->Open(this); }
  // No callback comes after this.
  void Shut() {
    if (phase_ == Phase::kEnded) return;
    phase_ = Phase::kEnded;
    stream_->Close();
    if (origin_.gone) origin_.gone();
  }

  void Finish(Ticket ticket, const Reply& reply) {
    if (exchange_.Finish(ticket, reply, Now())) Pump();
  }
  [[nodiscard]] uint64_t id() const { return id_; }
  // Whether the answer to `ticket` is still wanted.
  [[nodiscard]] bool WaitsFor(Ticket ticket) const { return exchange_.waiting() == ticket; }

  void CheckTime(Micros now) {
    if (now < (phase_ == Phase::kServing ? exchange_.deadline() : deadline_)) return;
    owner_.shared_.metrics.expired.fetch_add(1, std::memory_order_relaxed);
    if (phase_ != Phase::kServing) return owner_.Retire(id_);
    const bool was_idle = exchange_.idle();
    exchange_.Expire(now);
    if (was_idle || exchange_.want() == Exchange::Want::kClose) return owner_.Retire(id_);
    Pump();
  }
  void Drain() {
    if (phase_ == Phase::kServing && exchange_.idle()) owner_.Retire(id_);
  }

 private:
  enum class Phase : uint8_t { kHandshake, kServing, kLingering, kEnded };

  [[nodiscard]] Micros Now() const { return owner_.Now(); }
  [[nodiscard]] Caller CallerOf(Ticket ticket) const { return {id_, ticket, origin_.admin_door}; }

  // ---- StreamEvents ----
  void OnOpen(bool ok) override {
    if (!ok) {
      owner_.shared_.metrics.handshakes_failed.fetch_add(1, std::memory_order_relaxed);
      return owner_.Retire(id_);
    }
    phase_ = Phase::kServing;
    Pump();
  }
  void OnReceived(size_t size) override {
    receiving_ = false;
    if (phase_ == Phase::kLingering) return Linger(size);
    if (exchange_.want() != Exchange::Want::kRead) return;  // answered meanwhile, by its time
    if (size == 0)
      exchange_.Ended();
    else
      exchange_.Received(size, Now());
    Pump();
  }
  void OnSent(bool ok) override {
    sending_ = false;
    if (!ok) return owner_.Retire(id_);
    exchange_.Sent(Now());
    Pump();
  }

  // ---- Handler ----
  bool IsGatewayDoor(std::string_view path) override { return owner_.service_.IsGatewayDoor(path); }
  BodyPlan PlanBody(const Request& request) override { return owner_.service_.PlanBody(request, CallerOf(0)); }
  Answer Handle(const Request& request, Ticket ticket, Reply* reply) override { return owner_.service_.Handle(request, CallerOf(ticket), reply); }
  void Refuse(Fault fault, const Request& request, Reply* reply) override { owner_.service_.Refuse(fault, request, reply); }

  // Does what the exchange wants until that takes time.
  void Pump() {
    while (phase_ == Phase::kServing) {
      switch (exchange_.want()) {
        case Exchange::Want::kRead:
          if (receiving_) return;
          receiving_ = true;
          return stream_->Receive(exchange_.Space());
        case Exchange::Want::kSend: {
          if (sending_) return;
          const Stream::Io sent = stream_->Send(exchange_.output());
          if (sent == Stream::Io::kFailed) return owner_.Retire(id_);
          sending_ = sent == Stream::Io::kLater;
          if (sending_) return;
          exchange_.Sent(Now());
          break;
        }
        case Exchange::Want::kAnswer: return;
        case Exchange::Want::kClose: return End();
      }
    }
  }

  // Closing a socket with unread bytes would reset it, and the peer might never read the answer.
  void End() {
    if (!exchange_.lingers()) return owner_.Retire(id_);
    phase_ = Phase::kLingering;
    deadline_ = Now() + kLingerTime;
    stream_->EndSending();
    leftovers_.resize(4096);
    if (!receiving_) stream_->Receive(leftovers_);
  }
  void Linger(size_t size) {
    lingered_ += size;
    if (size == 0 || lingered_ > kLingerBytesMax) return owner_.Retire(id_);
    stream_->Receive(leftovers_);
  }

  Connections& owner_;
  const uint64_t id_;
  const Origin origin_;
  std::unique_ptr<Stream> stream_;
  Exchange exchange_;
  Phase phase_ = Phase::kHandshake;
  bool receiving_ = false;
  bool sending_ = false;
  Micros deadline_;                // of every phase but kServing
  std::vector<char> leftovers_;
  uint64_t lingered_ = 0;
};

Connections::Connections(EventLoop& loop, Shared& shared, const Limits& limits, Clock& clock)
    : loop_(loop), shared_(shared), limits_(limits), clock_(clock), service_(shared, *this) {
  loop_.Every(kTick, [this] { Tick(); });
  loop_.AfterEvents([this] { AnswerGateways(); });
}

Connections::~Connections() = default;

void Connections::Add(int socket, Origin origin) {
  auto stream = loop_.Adopt(socket, origin.tls);
  if (stream == nullptr) {
    if (origin.gone) origin.gone();
    return;
  }
  if (free_.empty()) {
    REEVE_ASSERT(connections_.size() >> kPlaceBits == 0);
    free_.push_back(connections_.size());
    connections_.emplace_back();
  }
  const size_t place = free_.back();
  free_.pop_back();
  connections_[place] = std::make_unique<Connection>(*this, ++made_ << kPlaceBits | place, std::move(stream), std::move(origin));
  connections_[place]->Open();
  now_is_old_ = true;
}

Connections::Connection* Connections::Find(uint64_t id) const {
  const size_t place = PlaceOf(id);
  Connection* const connection = place < connections_.size() ? connections_[place].get() : nullptr;
  return connection != nullptr && connection->id() == id ? connection : nullptr;
}

std::vector<Connections::Connection*> Connections::All() const {
  std::vector<Connection*> all;
  all.reserve(count());
  for (const auto& connection : connections_)
    if (connection != nullptr) all.push_back(connection.get());
  return all;
}

void Connections::Post(uint64_t connection, Ticket ticket, std::function<void(Reply*)> write) {
  bool first = false;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    first = late_.empty();
    late_.push_back({connection, ticket, std::move(write)});
  }
  if (first) loop_.Post([this] { DeliverLate(); });  // one wake-up for all that come in meanwhile
}

Micros Connections::Now() {
  if (now_is_old_) now_ = clock_.Steady();
  now_is_old_ = false;
  return now_;
}

// The end of a turn: those who asked in it are answered together.
void Connections::AnswerGateways() {
  if (service_.HasQuestions())
    service_.AnswerGateways([this](const Caller& caller, const Reply& reply) {
      if (Connection* const connection = Find(caller.connection)) connection->Finish(caller.ticket, reply);
    });
  now_is_old_ = true;
}

void Connections::DeliverLate() {
  std::vector<Late> late;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    late.swap(late_);
  }
  for (const Late& answer : late) {
    Connection* const connection = Find(answer.connection);
    if (connection == nullptr || !connection->WaitsFor(answer.ticket)) continue;
    late_reply_.Clear();
    answer.write(&late_reply_);
    connection->Finish(answer.ticket, late_reply_);
  }
  AnswerGateways();
}

void Connections::Drain() {
  draining_ = true;
  for (Connection* connection : All()) connection->Drain();
}

void Connections::Tick() {
  const Micros now = Now();
  for (Connection* connection : All()) connection->CheckTime(now);  // those that end are kept in retired_ meanwhile
  AnswerGateways();
}

void Connections::Retire(uint64_t id) {
  Connection* const connection = Find(id);
  if (connection == nullptr) return;
  connection->Shut();
  if (retired_.empty()) loop_.Post([this] { retired_.clear(); });
  retired_.push_back(std::move(connections_[PlaceOf(id)]));
  free_.push_back(PlaceOf(id));
}

}  // namespace reeve::api
