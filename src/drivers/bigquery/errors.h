// Failures of BigQuery: what a reason means for who called, declared as one table (docs/adr/0010-bigquery-over-rest.md). Decides; waits and calls nothing.
//
// A failure comes as an envelope {"error":{"code","message","status","errors":[{"reason","message","location"}]}}, as status.errorResult of a job, as a
// load balancer's HTML (then the HTTP status decides), or as a broken exchange. Messages are cut and cleaned of what could be a value or a secret.
// Pure functions; safe from any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "drivers/bigquery/resources.h"
#include "net/http.h"

namespace reeve::bigquery {

enum class Action : uint8_t {
  kRetry,      // the same request again after a while; a job that ended so: a new job
  kNewJob,     // the job is dead: the same work under a new id, a few times
  kWait,       // as kRetry, but slowly: the table or its queue is busy
  kShrink,     // too large: fewer tables or rows at once
  kAuthorize,  // another token, once
  kExists,     // it is there already: look at it
  kPermanent,  // the same again would end the same
};

struct Rule {
  std::string_view reason;   // "": any
  std::string_view part;     // of the message; "": any
  Action action;
  Code code;                 // of the error that a caller gets when it comes to that
  std::string_view hint;
};
// The first rule that fits decides.
[[nodiscard]] std::span<const Rule> Policy();
// What an HTTP status means where no rule fits.
struct StatusRule {
  int status;
  Action action;
  Code code;
  std::string_view hint;
};
[[nodiscard]] std::span<const StatusRule> StatusPolicy();

struct Failure {
  int status = 0;            // HTTP; 0: the exchange broke, or a job's own failure
  std::string reason;        // "" if none was given
  std::string message;       // cleaned
  std::string location;      // of the error, as BigQuery says it ("query", a table)
  Action action = Action::kPermanent;
  Code code = Code::kFailed;
  std::string hint;
  std::optional<Micros> retry_after;
  bool may_have_arrived = false;   // it is unknown whether the request had its effect
  bool maybe_resent = false;       // net::HttpResponse
  bool of_job = false;             // the job has ended so, not just a call about it
  std::optional<Error> verbatim;   // an error that did not come from BigQuery, to be handed on as it is
};

// REQUIRES: the answer is a failure to the caller. `wall`: Clock::Now, for Retry-After.
[[nodiscard]] Failure FailureOfAnswer(const net::HttpResponse& response, Micros wall);
// A job that ended with status.errorResult.
[[nodiscard]] Failure FailureOfJob(const JobProblem& problem);
// HttpClient::Send failed.
[[nodiscard]] Failure FailureOfExchange(Error error);
// Something else went wrong on the way; never repeated.
[[nodiscard]] Failure FailureOfOurs(Error error);

// "{what}: [{reason}] {message}", with the failure's code and hint.
[[nodiscard]] Error ToError(const Failure& failure, std::string_view what);

// At most kMessageBytesMax (then of the beginning and the end: the emulator puts the SQL before its complaint), printable, and without what may be a value: runs of 24 or more letters and digits keep their first six, what follows "Value:"
// and texts in quotes after "parse", "value" or "convert" go.
inline constexpr size_t kMessageBytesMax = 700;
[[nodiscard]] std::string Cleaned(std::string_view message);

}  // namespace reeve::bigquery
