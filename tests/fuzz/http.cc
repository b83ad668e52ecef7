// What comes over the wire to the server: connections, JSON bodies, doors, tokens.
#include <algorithm>
#include <boost/json.hpp>
#include <cstring>
#include <future>

#include "api/body_reader.h"
#include "api/denial_token.h"
#include "api/exchange.h"
#include "api/gateway_door.h"
#include "api/route_bodies.h"
#include "api/service.h"
#include "gate/gate_testing.h"
#include "tests/fuzz/targets.h"

namespace reeve::fuzz {
namespace {

using namespace reeve::api;

// Takes every request and remembers what it was.
class Recorder final : public Handler {
 public:
  bool IsGatewayDoor(std::string_view path) override { return IsGatewayPath(path); }
  BodyPlan PlanBody(const Request& request) override { return {IsGatewayPath(request.path), 4096}; }
  Answer Handle(const Request& request, Ticket ticket, Reply* reply) override {
    Promise(request.path.starts_with('/'), "a path begins with a slash");
    Promise(!(request.chunked && request.content_length), "a body has one length");
    Promise(IsGatewayPath(request.path) || !request.content_length || request.body.size() == *request.content_length, "a body is as long as it was said to be");
    seen.push_back(fmt::format("{} {} ? {} : {}", request.method_text, request.path, request.query, request.body));
    waits = seen.size() % 5 == 4;
    last = ticket;
    reply->body = "ok";
    return waits ? Answer::kLater : Answer::kNow;
  }
  void Refuse(Fault fault, const Request&, Reply* reply) override {
    Promise(fault != Fault::kNone, "a refusal has a reason");
    reply->status = 400;
    ++refused;
  }
  std::vector<std::string> seen;
  int refused = 0;
  bool waits = false;
  Ticket last = 0;
};

// Every answer in `output`: well formed, nothing behind the last.
void CheckAnswers(std::string_view output) {
  while (!output.empty()) {
    Promise(output.starts_with("HTTP/1.1 "), "an answer begins with its version");
    const size_t end = output.find("\r\n\r\n");
    Promise(end != std::string_view::npos, "an answer has a whole head");
    const std::string_view head = output.substr(0, end + 2);
    output.remove_prefix(end + 4);
    if (head.starts_with("HTTP/1.1 100 ")) continue;
    const size_t at = head.find("\r\nContent-Length: ");
    Promise(at != std::string_view::npos && head.find("\r\nContent-Length: ", at + 1) == std::string_view::npos, "an answer has one length");
    const size_t length = std::strtoul(head.data() + at + 18, nullptr, 10);
    // Nothing tells here whether it was HEAD; then the next answer follows at once.
    if (output.size() >= length && !output.starts_with("HTTP/1.1 ")) output.remove_prefix(length);
  }
}

// Feeds `bytes` in steps of `step`; all that was sent.
std::string Feed(std::string_view bytes, size_t step, Recorder* recorder) {
  const Limits limits;
  Exchange exchange(*recorder, limits, nullptr, 0);
  std::string sent;
  const auto settle = [&] {
    while (exchange.want() == Exchange::Want::kSend || exchange.want() == Exchange::Want::kAnswer) {
      if (exchange.want() == Exchange::Want::kSend) {
        sent += exchange.output();
        exchange.Sent(0);
      } else {
        Reply reply;
        reply.body = "later";
        Promise(exchange.Finish(recorder->last, reply, 0), "what is waited for can be given");
      }
    }
  };
  while (!bytes.empty() && exchange.want() == Exchange::Want::kRead) {
    const auto space = exchange.Space();
    Promise(!space.empty(), "there is room for more");
    const size_t size = std::min({step, bytes.size(), space.size()});
    std::memcpy(space.data(), bytes.data(), size);
    bytes.remove_prefix(size);
    exchange.Received(size, 0);
    settle();
  }
  return sent;
}

void CheckConnection(std::string_view input) {
  const size_t step = 1 + TakeByte(&input) % 64;
  Recorder whole, pieces;
  CheckAnswers(Feed(input, SIZE_MAX, &whole));
  CheckAnswers(Feed(input, step, &pieces));
  Promise(whole.seen == pieces.seen, "what is asked does not depend on how it arrives");
  Promise(whole.refused <= 1 && pieces.refused <= 1, "a connection is refused once");
}

void CheckBody(std::string_view input) {
  static const BodySpec* const kSpecs[] = {&kAuthorizeBody, &kReserveBody, &kHeartbeatBody, &kCompleteBody, &kSuspendBody, &kQuotasBody};
  const BodySpec& spec = *kSpecs[TakeByte(&input) % std::size(kSpecs)];
  Body body;
  std::vector<FieldError> errors;
  const bool read = ReadBody(input, spec, &body, &errors);
  Promise(read == errors.empty(), "a refusal has a reason");
  if (!read || input.empty()) return;
  boost::json::error_code ec;
  const auto value = boost::json::parse({input.data(), input.size()}, ec);
  Promise(!ec && value.is_object(), "what is read is a JSON object");
  for (const auto& member : value.as_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    const auto field = std::find_if(spec.fields.begin(), spec.fields.end(), [&](const FieldSpec& each) { return each.name == name; });
    Promise(field != spec.fields.end() && body.Has(name), "every member is a declared field");
    if (member.value().is_string()) Promise(body.Text(name) == std::string_view(member.value().as_string()), "a text is read as it is");
    if (member.value().is_int64()) Promise(body.Whole(name, ~member.value().as_int64()) == member.value().as_int64(), "a number is read as it is");
  }
}

void CheckTexts(std::string_view input) {
  const auto door = ReadGatewayDoor(input);
  if (door) Promise(IsGatewayPath(input) && door->cost >= 0 && (door->original.empty() || input.ends_with(door->original)), "a door is below /authz");
  Promise(!ReadDenialToken(input, "a key that nobody knows", 0).has_value(), "nobody guesses a token");
  const std::string field = FieldText(input);
  Promise(std::all_of(field.begin(), field.end(), [](char c) { return c > 0x20 && c < 0x7f; }), "a field's text is visible ASCII");
  std::string decoded;
  if (PercentDecode(input, &decoded)) Promise(decoded.size() <= input.size(), "decoding makes nothing longer");
}

// The whole service over a gate that knows two keys; what comes later is waited for.
class WholeService final : public Handler, public Outbox {
 public:
  WholeService() : world_({{.tenant = "acme", .quotas = {1000, 5, 10}, .keys = {{.text = "k"}, {.text = "reads", .scopes = R"(["usage:read"])"}}}}), gate_(world_.Open()) {
    ServiceOptions options;
    options.admins.Add("t", "ops");
    shared_ = std::make_unique<Shared>(*gate_, world_.clock, *entropy_, *files_, options);
    service_ = std::make_unique<Service>(*shared_, *this);
  }
  bool IsGatewayDoor(std::string_view path) override { return service_->IsGatewayDoor(path); }
  BodyPlan PlanBody(const Request& request) override { return service_->PlanBody(request, {0, 0, true}); }
  Answer Handle(const Request& request, Ticket ticket, Reply* reply) override {
    late_ = {};
    auto late = late_.get_future();
    if (service_->Handle(request, {0, ticket, true}, reply) == Answer::kNow) return Answer::kNow;
    if (service_->HasQuestions()) {
      service_->AnswerGateways([&](const Caller&, const Reply& answer) { *reply = answer; });
      return Answer::kNow;
    }
    const auto write = late.get();
    reply->Clear();
    write(reply);
    return Answer::kNow;
  }
  void Refuse(Fault fault, const Request& request, Reply* reply) override { service_->Refuse(fault, request, reply); }
  void Post(uint64_t, Ticket, std::function<void(Reply*)> write) override { late_.set_value(std::move(write)); }

 private:
  gate::World world_;
  std::unique_ptr<gate::Gate> gate_;
  std::unique_ptr<Entropy> entropy_ = MakeSeededEntropy(1);
  std::unique_ptr<Files> files_ = MakeSystemFiles();
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<Service> service_;
  std::promise<std::function<void(Reply*)>> late_;
};

void CheckService(std::string_view input) {
  static WholeService service;
  const Limits limits;
  Exchange exchange(service, limits, nullptr, 0);
  std::string sent;
  while (!input.empty() && exchange.want() == Exchange::Want::kRead) {
    const auto space = exchange.Space();
    const size_t size = std::min(input.size(), space.size());
    std::memcpy(space.data(), input.data(), size);
    input.remove_prefix(size);
    exchange.Received(size, 0);
    while (exchange.want() == Exchange::Want::kSend) {
      sent += exchange.output();
      exchange.Sent(0);
    }
  }
  CheckAnswers(sent);
}

}  // namespace

void FuzzHttp(std::string_view input) {
  switch (TakeByte(&input) % 4) {
    case 0: return CheckConnection(input);
    case 1: return CheckBody(input);
    case 2: return CheckTexts(input);
    default: return CheckService(input);
  }
}

}  // namespace reeve::fuzz
