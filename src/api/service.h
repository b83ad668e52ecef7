// Service: what requests mean, on one event loop. Reads them by the route table, asks the gate, writes answers. Not for connections (exchange.h) and not
// for sockets; every decision is the gate's.
//
// One Service per loop thread; what they share is Shared, whose parts are safe from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/admin_tokens.h"
#include "api/answers.h"
#include "api/exchange.h"
#include "api/gateway_door.h"
#include "api/http_metrics.h"
#include "api/ids.h"
#include "api/routes.h"
#include "api/side_thread.h"
#include "env/clock.h"
#include "env/entropy.h"
#include "env/files.h"
#include "gate/gate.h"

namespace reeve::api {

struct ServiceOptions {
  std::string public_url;   // before "/errors/CODE"; empty: relative references
  AdminTokens admins;       // empty: no admin route succeeds
  bool over_tls = false;
};

struct Shared {
  // All references outlive it. `options`, `denial_key`, `openapi` are constant after construction.
  Shared(gate::Gate& gate_in, Clock& clock_in, Entropy& entropy_in, Files& files_in, ServiceOptions options_in);

  gate::Gate& gate;
  Clock& clock;
  Entropy& entropy;
  Files& files;                        // for what the system says of this process
  const ServiceOptions options;
  const std::string denial_key;        // of this process
  const std::string openapi;
  HttpMetrics metrics;
  std::atomic<bool> draining = false;  // /readyz says no
  SideThread side;                     // for what is too slow for a loop
};

// Who asks: a connection of this loop and the ticket of its request.
struct Caller {
  uint64_t connection = 0;
  Ticket ticket = 0;
  bool admin_door = false;             // came in where the admin routes are served
};

// Carries answers that come later from other threads to their connections.
class Outbox {
 public:
  virtual ~Outbox() = default;
  // From any thread. `write` is called on the loop's thread, if the connection still waits for it, else dropped there.
  virtual void Post(uint64_t connection, Ticket ticket, std::function<void(Reply*)> write) = 0;
};

class Service {
 public:
  // `shared` and `outbox` outlive it.
  Service(Shared& shared, Outbox& outbox);

  [[nodiscard]] bool IsGatewayDoor(std::string_view path) const { return IsGatewayPath(path); }
  [[nodiscard]] BodyPlan PlanBody(const Request& request, const Caller& caller);
  // kLater: the answer comes through the outbox; or, to a gateway's question, from AnswerGateways, until when the request's texts stay where they are.
  [[nodiscard]] Handler::Answer Handle(const Request& request, const Caller& caller, Reply* reply);
  // Decides the gateways' questions that wait, together, and calls `answer` with each. To be called soon after Handle.
  using AnswerTo = std::function<void(const Caller&, const Reply&)>;
  void AnswerGateways(const AnswerTo& answer);
  [[nodiscard]] bool HasQuestions() const { return !questions_.empty(); }
  void Refuse(Fault fault, const Request& request, Reply* reply);

 private:
  // One request on its way. Views end with the call of Handle.
  struct Call {
    const Request& request;
    const Caller& caller;
    Reply* reply;
    Micros now;
    std::string_view decision_id;      // made here
    std::string_view request_id;       // the caller's, else decision_id
    ProblemContext context;
    Match match;
    Body body;
    std::string_view actor;            // admin routes
  };
  // What is kept of a call whose answer comes later. Views into the request, which stays where it is as long as somebody waits for the answer (Handler).
  struct Kept {
    MadeId made;
    std::string_view sent_id;          // the caller's, if it is taken over; else empty
    std::string_view instance, accept, traceparent, type_base;
    Micros now = 0;
    [[nodiscard]] std::string_view request_id() const { return sent_id.empty() ? std::string_view(made.data(), made.size()) : sent_id; }
    [[nodiscard]] ProblemContext context() const { return {type_base, instance, request_id(), accept, now}; }
  };

  // A gateway's question, until several are decided together.
  struct Question {
    Caller caller;
    Request request;
    GatewayDoor door;
  };
  Handler::Answer AskGateway(const Request& request, const Caller& caller, Reply* reply);
  void AnswerQuestions(std::span<const Question> questions, const AnswerTo& answer);
  void AnswerQuestion(const Question& question, const gate::Admission& admission, const gate::Identity& who, Micros now, Reply* reply);
  void DenyGateway(const Question& question, const gate::Admission& admission, const ProblemContext& context, std::string_view decision_id, Reply* reply);
  void ReplayDenial(const Request& request, ProblemContext context, Reply* reply);
  Handler::Answer AskApi(Call& call);
  // Checks that come before an operation; false: answered.
  bool Admit(Call& call);
  bool CheckQuery(Call& call);
  bool ReadCallBody(Call& call);
  Handler::Answer Perform(Call& call);

  void Authorize(Call& call);
  Handler::Answer SubmitRun(Call& call, gate::RunCall run);
  void ChangeCustomer(Call& call, store::CustomerChange change, std::string done);
  void ChangeQuotas(Call& call);
  Handler::Answer RevokeKey(Call& call);
  Handler::Answer ConfirmClock(Call& call);
  // What answers `call` from whatever thread the gate calls it on.
  gate::ChangeDone Answerer(const Call& call, std::string done);
  void Ready(Call& call);
  void Metrics(Call& call);
  void ErrorPage(Call& call);
  void SetText(int status, std::string text, Reply* reply) const;

  Kept Keep(const Call& call) const;
  void BeginReply(std::string_view request_id, std::string_view traceparent, bool gateway, Micros now, Reply* reply);
  void Fail(const Call& call, Problem problem) const { WriteProblem(problem, call.context, call.reply); }
  void Count(size_t row, const Reply& reply) { shared_.metrics.CountAnswer(row, reply.status); }
  [[nodiscard]] const std::string& DateField(Micros now);

  Shared& shared_;
  Outbox& outbox_;
  IdMaker ids_;
  std::string date_field_;             // "Date: …\r\n"
  Micros date_second_ = -1;
  std::vector<Question> questions_;
  // What AnswerQuestions uses, kept for its memory.
  std::vector<Question> deciding_;
  std::vector<gate::Ask> asks_;
  std::vector<gate::Admission> admissions_;
  std::vector<gate::Identity> identities_;
  std::vector<Reply> replies_;
};

}  // namespace reeve::api
