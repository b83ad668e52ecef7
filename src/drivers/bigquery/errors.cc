#include "drivers/bigquery/errors.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "drivers/bigquery/client.h"
#include "net/retry.h"

namespace reeve::bigquery {
namespace {

constexpr std::string_view kSmaller = "read or write fewer tables or rows at once";
constexpr std::string_view kLater = "repeat the command later; what is done stays done";

// Reasons: Google's "Error messages" page and the discovery document. Where a part of the message decides, Google gives one reason to several things.
// The parts that goccy/bigquery-emulator v0.8.1 and the SQLite below it say stand here too, so that nothing has to ask which server it is.
constexpr std::array kPolicy = {
    Rule{"", "is already created", Action::kExists, Code::kRefused, ""},
    Rule{"duplicate", "", Action::kExists, Code::kRefused, ""},
    Rule{"alreadyExists", "", Action::kExists, Code::kRefused, ""},

    Rule{"", "Could not serialize access", Action::kNewJob, Code::kFailed, kLater},
    Rule{"", "Too many DML statements outstanding", Action::kWait, Code::kFailed, kLater},
    Rule{"", "streaming buffer", Action::kPermanent, Code::kFailed,
         "rows that were streamed into the table cannot be changed for up to 90 minutes; repeat the command then"},
    Rule{"", "too many terms in compound SELECT", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"", "Expression tree is too large", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"", "parser stack overflow", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"", "too many subqueries", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"", "query is too complex", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"", "query is too large", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"", "maximum number of tables", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"", "too many tables", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"", "Request payload size exceeds", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"resourcesExceeded", "", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"responseTooLarge", "", Action::kShrink, Code::kFailed, kSmaller},
    Rule{"queryTooLarge", "", Action::kShrink, Code::kFailed, kSmaller},  // our own, before it is sent

    Rule{"rateLimitExceeded", "", Action::kRetry, Code::kFailed, kLater},
    Rule{"userRateLimitExceeded", "", Action::kRetry, Code::kFailed, kLater},
    Rule{"backendError", "", Action::kRetry, Code::kFailed, kLater},
    Rule{"internalError", "", Action::kRetry, Code::kFailed, kLater},
    Rule{"badGateway", "", Action::kRetry, Code::kFailed, kLater},
    Rule{"serviceUnavailable", "", Action::kRetry, Code::kFailed, kLater},
    Rule{"tableUnavailable", "", Action::kWait, Code::kFailed, kLater},

    Rule{"jobInternalError", "failed to ", Action::kPermanent, Code::kFailed, ""},       // the emulator's word for every mistake in SQL
    Rule{"jobInternalError", "INVALID_ARGUMENT", Action::kPermanent, Code::kFailed, ""},
    Rule{"jobInternalError", "MERGE: ", Action::kPermanent, Code::kFailed, ""},
    Rule{"jobInternalError", "constraint failed", Action::kPermanent, Code::kFailed, ""},
    Rule{"jobInternalError", " character ", Action::kPermanent, Code::kFailed, ""},      // its JSON decoder's complaints about rows
    Rule{"jobBackendError", "", Action::kNewJob, Code::kFailed, kLater},
    Rule{"jobInternalError", "", Action::kNewJob, Code::kFailed, kLater},
    Rule{"jobRateLimitExceeded", "", Action::kNewJob, Code::kFailed, kLater},

    Rule{"quotaExceeded", "", Action::kPermanent, Code::kFailed, "a quota of the project is used up: wait until its window ends, or have it raised"},
    Rule{"bytesBilledLimitExceeded", "", Action::kPermanent, Code::kFailed, "the query would cost more than the limit you set: raise the limit if that is right"},
    Rule{"billingTierLimitExceeded", "", Action::kPermanent, Code::kFailed, ""},
    Rule{"accessDenied", "", Action::kPermanent, Code::kAuthNeeded, "grant the account of the credentials the rights it lacks, or use other credentials"},
    Rule{"forbidden", "", Action::kPermanent, Code::kAuthNeeded, "grant the account of the credentials the rights it lacks, or use other credentials"},
    Rule{"insufficientPermissions", "", Action::kPermanent, Code::kAuthNeeded, "the credentials lack the scope cloud-platform or bigquery"},
    Rule{"authError", "", Action::kAuthorize, Code::kAuthNeeded, "log in again, or check the key file and the clock of this machine"},
    Rule{"required", "Login", Action::kAuthorize, Code::kAuthNeeded, "log in again, or check the key file and the clock of this machine"},
    Rule{"invalidUser", "", Action::kPermanent, Code::kAuthNeeded, ""},
    Rule{"billingNotEnabled", "", Action::kPermanent, Code::kFailed, "enable billing for the project"},
    Rule{"blocked", "", Action::kPermanent, Code::kFailed, "Google has blocked the operation for this project: ask its support"},
    Rule{"accessNotConfigured", "", Action::kPermanent, Code::kFailed, "enable the BigQuery API for the project"},
    Rule{"notFound", "not found in location", Action::kPermanent, Code::kNotFound, "name the location of the dataset; all datasets of one job must share it"},
    Rule{"notFound", "", Action::kPermanent, Code::kNotFound, ""},
    Rule{"conditionNotMet", "", Action::kPermanent, Code::kRefused, "it was changed by somebody else meanwhile"},
    Rule{"resourceInUse", "", Action::kPermanent, Code::kFailed, ""},
    Rule{"notImplemented", "", Action::kPermanent, Code::kFailed, ""},
    Rule{"stopped", "", Action::kPermanent, Code::kFailed, "the job was cancelled"},
    Rule{"timeout", "", Action::kPermanent, Code::kFailed, ""},
    Rule{"invalid", "", Action::kPermanent, Code::kFailed, ""},
    Rule{"invalidQuery", "", Action::kPermanent, Code::kFailed, ""},
    Rule{"invalidParameter", "", Action::kPermanent, Code::kFailed, ""},
    Rule{"parseError", "", Action::kPermanent, Code::kFailed, ""},
};

constexpr std::array kStatusPolicy = {
    StatusRule{200, Action::kRetry, Code::kFailed, kLater},  // an answer that is not what it should be: somebody stands between
    StatusRule{401, Action::kAuthorize, Code::kAuthNeeded, "log in again, or check the key file and the clock of this machine"},
    StatusRule{403, Action::kPermanent, Code::kAuthNeeded, "grant the account of the credentials the rights it lacks, or use other credentials"},
    StatusRule{404, Action::kPermanent, Code::kNotFound, ""},
    StatusRule{408, Action::kRetry, Code::kFailed, kLater},
    StatusRule{409, Action::kExists, Code::kRefused, ""},
    StatusRule{412, Action::kPermanent, Code::kRefused, "it was changed by somebody else meanwhile"},
    StatusRule{413, Action::kShrink, Code::kFailed, kSmaller},
    StatusRule{429, Action::kRetry, Code::kFailed, kLater},
    StatusRule{500, Action::kRetry, Code::kFailed, kLater},
    StatusRule{502, Action::kRetry, Code::kFailed, kLater},
    StatusRule{503, Action::kRetry, Code::kFailed, kLater},
    StatusRule{504, Action::kRetry, Code::kFailed, kLater},
};

// Parts of messages that say "this engine does not know the construct".
constexpr std::array<std::string_view, 8> kNotSupportedParts = {
    "not supported", "unsupported", "Unsupported", "not implemented", "UNIMPLEMENTED", "Unimplemented", "does not support", "Function not found",
};

const Rule* FindRule(std::string_view reason, std::string_view message) {
  for (const Rule& rule : kPolicy)
    if ((rule.reason.empty() || rule.reason == reason) && (rule.part.empty() || message.find(rule.part) != std::string_view::npos)) return &rule;
  return nullptr;
}

void Judge(std::string_view raw_message, Failure* failure) {
  if (const Rule* const rule = FindRule(failure->reason, raw_message)) {
    failure->action = rule->action;
    failure->code = rule->code;
    failure->hint = rule->hint;
    return;
  }
  for (const StatusRule& rule : kStatusPolicy) {
    if (rule.status != failure->status) continue;
    failure->action = rule.action;
    failure->code = rule.code;
    failure->hint = rule.hint;
  }
}

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '='; }

constexpr size_t kReasonBytesMax = 64;
constexpr size_t kRunBytesMax = 24;
constexpr size_t kRunBytesKept = 6;

// Long runs that no name has, and only secrets, hashes and encoded bytes do.
std::string WithoutLongRuns(std::string_view text) {
  std::string kept;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && IsLetterOrDigit(text[end])) ++end;
    if (end == at) {
      const auto c = static_cast<unsigned char>(text[at++]);
      kept += c < ' ' || c == 0x7F ? ' ' : static_cast<char>(c);
    } else {
      const bool too_long = end - at >= kRunBytesMax;
      kept += text.substr(at, too_long ? kRunBytesKept : end - at);
      if (too_long) kept += "…";
      at = end;
    }
  }
  return kept;
}

// Texts in quotes after one of these words are values.
std::string WithoutQuotedValues(std::string_view text) {
  std::string kept(text);
  for (const std::string_view word : {"parse ", "value ", "convert ", "value: ", "literal "}) {
    for (size_t at = kept.find(word); at != std::string::npos; at = kept.find(word, at + 1)) {
      const size_t begin = at + word.size();
      if (begin >= kept.size() || (kept[begin] != '\'' && kept[begin] != '"')) continue;
      const size_t end = kept.find(kept[begin], begin + 1);
      kept.replace(begin + 1, (end == std::string::npos ? kept.size() : end) - begin - 1, "…");
    }
  }
  if (const size_t value = kept.find("Value:"); value != std::string::npos) kept.replace(value, std::string::npos, "Value: …");
  return kept;
}

bool BeginsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// At most `bytes` of one end, cut between characters.
std::string_view Head(std::string_view text, size_t bytes) {
  while (bytes > 0 && bytes < text.size() && !BeginsCharacter(text[bytes])) --bytes;
  return text.substr(0, bytes);
}
std::string_view Tail(std::string_view text, size_t bytes) {
  size_t begin = text.size() - std::min(bytes, text.size());
  while (begin < text.size() && !BeginsCharacter(text[begin])) ++begin;
  return text.substr(begin);
}

}  // namespace

std::span<const Rule> Policy() { return kPolicy; }
std::span<const StatusRule> StatusPolicy() { return kStatusPolicy; }

std::string Cleaned(std::string_view message) {
  if (message.size() > 4 * kMessageBytesMax)
    return Cleaned(fmt::format("{} … {}", Head(message, kMessageBytesMax), Tail(message, 2 * kMessageBytesMax)));
  std::string cleaned = WithoutLongRuns(WithoutQuotedValues(message));
  if (!IsUtf8(cleaned)) std::replace_if(cleaned.begin(), cleaned.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  if (cleaned.size() <= kMessageBytesMax) return cleaned;
  return fmt::format("{} … {}", Head(cleaned, kMessageBytesMax / 3), Tail(cleaned, kMessageBytesMax * 2 / 3 - 8));
}

namespace {

// A reason is a word; anything else is not one to print.
std::string ReasonOf(const std::string& reason) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return reason.size() <= kReasonBytesMax && std::all_of(reason.begin(), reason.end(), letter) ? reason : "unknown";
}

}  // namespace

Failure FailureOfAnswer(const net::HttpResponse& response, Micros wall) {
  Failure failure;
  failure.status = response.status;
  failure.maybe_resent = response.maybe_resent;
  failure.may_have_arrived = response.status >= 500 || response.status == 408 || response.status == 200;
  std::string raw;
  const Result<json::object> document = json::ParseObject(response.body, "error");
  const json::object* const envelope = document ? json::FindObject(*document, "error") : nullptr;
  if (envelope != nullptr) {
    raw = json::Text(*envelope, "message");
    const json::array* const errors = json::FindArray(*envelope, "errors");
    if (errors != nullptr && !errors->empty() && errors->front().is_object()) {
      const json::object& first = errors->front().get_object();
      failure.reason = json::Text(first, "reason");
      failure.location = Cleaned(json::Text(first, "location"));
      if (raw.empty()) raw = json::Text(first, "message");
    }
    if (raw.empty()) raw = json::Text(*envelope, "status");
  }
  Judge(raw, &failure);
  failure.message = raw.empty() ? "the answer holds no message" : Cleaned(raw);
  failure.reason = ReasonOf(failure.reason);
  if (const std::string* const header = response.Find("retry-after")) failure.retry_after = net::ParseRetryAfter(*header, wall);
  return failure;
}

Failure FailureOfJob(const JobProblem& problem) {
  Failure failure;
  failure.of_job = true;
  failure.reason = problem.reason;
  failure.location = Cleaned(problem.location);
  Judge(problem.message, &failure);
  failure.message = Cleaned(problem.message);
  failure.reason = ReasonOf(failure.reason);
  return failure;
}

Failure FailureOfExchange(Error error) {
  Failure failure;
  failure.action = error.code == Code::kFailed ? Action::kRetry : Action::kPermanent;
  failure.code = error.code;
  failure.message = error.message;
  failure.may_have_arrived = error.code == Code::kFailed || error.code == Code::kInterrupted;
  failure.verbatim = std::move(error);
  return failure;
}

Failure FailureOfOurs(Error error) {
  Failure failure;
  failure.code = error.code;
  failure.message = error.message;
  failure.verbatim = std::move(error);
  return failure;
}

Error ToError(const Failure& failure, std::string_view what) {
  if (failure.verbatim) return *failure.verbatim;
  const std::string reason = !failure.reason.empty() ? failure.reason : fmt::format("HTTP {}", failure.status);
  return Error{failure.code, fmt::format("{}: [{}] {}", what, reason, failure.message), failure.hint};
}

bool IsTooLarge(const Error& error) {
  const size_t begin = error.message.find(": [");
  const size_t end = begin == std::string::npos ? begin : error.message.find("] ", begin);
  if (end == std::string::npos) return false;
  const std::string_view all = error.message;
  const std::string_view reason = all.substr(begin + 3, end - begin - 3);
  if (reason == "HTTP 413") return true;
  const Rule* const rule = FindRule(reason, all.substr(end + 2));
  return rule != nullptr && rule->action == Action::kShrink;
}

bool IsNotSupported(const Error& error) {
  if (error.code != Code::kFailed) return false;
  if (error.message.find("[notImplemented]") != std::string::npos || error.message.find("[HTTP 501]") != std::string::npos) return true;
  if (error.message.find(": [") == std::string::npos) return false;
  return std::any_of(kNotSupportedParts.begin(), kNotSupportedParts.end(),
                     [&](std::string_view part) { return error.message.find(part) != std::string::npos; });
}

}  // namespace reeve::bigquery
