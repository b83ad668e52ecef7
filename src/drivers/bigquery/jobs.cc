#include "drivers/bigquery/jobs.h"

#include <algorithm>

#include "base/encoding.h"
#include "net/url.h"

namespace reeve::bigquery {
namespace {

constexpr Micros kLongPoll = 20 * kSecond;          // how long one getQueryResults waits for the end of a job
constexpr Micros kPollAtLeast = kSecond;            // a server that answers sooner does not wait for us, so we do
constexpr Micros kLookFirst = kSecond / 2;          // between two looks at a load
constexpr Micros kLookMost = 5 * kSecond;
constexpr int kLooksForNewJob = 8;                  // a job that is there (409) but not found yet (404)
constexpr Micros kCancelTimeout = 10 * kSecond;
constexpr Micros kAskTimeout = 300 * kSecond;       // the emulator runs the query before it answers
constexpr size_t kRequestIdBytes = 16;
constexpr uint64_t kPageBytesWanted = 2 * 1024 * 1024;
constexpr uint64_t kRowsOfPageMax = 10'000;

// Kinds of statements for which jobs.get alone says how they ended. The emulator calls everything SELECT and forgets errors.
bool SaysHowItEnded(const JobDocument& job) {
  return job.affected_rows.has_value() || (!job.statement_kind.empty() && job.statement_kind != "SELECT");
}

bool Matches(const JobPlan& plan, const JobDocument& job) {
  if (plan.is_load) return job.destination == plan.destination && job.write_disposition == plan.write_disposition;
  return job.statement == plan.statement;
}

tl::expected<JobDocument, Failure> Decode(const net::HttpResponse& response, const std::string& id) {
  Result<json::object> object = json::ParseObject(response.body, "BigQuery: job " + id);
  if (!object) return tl::unexpected(FailureOfOurs(std::move(object).error()));
  Result<JobDocument> job = DecodeJob(*object);
  if (!job) return tl::unexpected(FailureOfOurs(std::move(job).error()));
  if (job->id.empty()) job->id = id;
  return std::move(*job);
}

Call JobCall(const Api& api, const std::string& id, const std::string& location, std::string_view suffix = "") {
  Call call;
  call.path = fmt::format("projects/{}/jobs/{}{}", net::EscapeUrl(api.options().billing_project), net::EscapeUrl(id), suffix);
  if (!location.empty()) call.query.emplace_back("location", location);
  return call;
}

Failure Refusal(std::string message, std::string hint = "") { return FailureOfOurs({Code::kRefused, std::move(message), std::move(hint)}); }

// A failure to which the policy answers with another attempt of the job.
bool IsAnotherJob(Action action) { return action == Action::kNewJob || action == Action::kRetry || action == Action::kWait; }

}  // namespace

std::string AttemptId(const std::string& job_id, int attempt) { return attempt == 1 ? job_id : fmt::format("{}-a{}", job_id, attempt); }

// How one id ended.
struct JobRunner::Attempt {
  tl::expected<FinishedJob, Failure> end;
  bool id_is_used_up = false;  // the failure is the job's own, or one that another id may mend
  bool earlier_life = false;   // the job was there before this call
};

Result<FinishedJob> JobRunner::Run(const JobPlan& plan) {
  REEVE_ASSERT(IsJobId(plan.job_id));
  net::Backoff backoff = api_->NewBackoff();
  const std::string what = fmt::format("BigQuery: {} {}", plan.is_load ? "load" : "job", plan.job_id);
  int died = 0;
  for (int number = 1; number <= kJobIdsMax; ++number) {
    Attempt attempt = TryOnce(plan, AttemptId(plan.job_id, number));
    if (attempt.end) {
      if (!attempt.earlier_life) api_->CountBilled(attempt.end->job.bytes_billed);
      return std::move(*attempt.end);
    }
    const Failure& failure = attempt.end.error();
    if (!attempt.id_is_used_up || failure.code == Code::kInterrupted) return Unexpected(ToError(failure, what));
    if (attempt.earlier_life) continue;
    const bool another = IsAnotherJob(failure.action) && (failure.action != Action::kNewJob || ++died < kNewJobsMax);
    if (!another) return Unexpected(ToError(failure, what));
    if (const auto waited = api_->WaitAfter(failure, &backoff); !waited) return Unexpected(ToError(waited.error(), what));
    api_->CountRetry();
  }
  return FailWithHint(Code::kFailed, fmt::format("{}: {} attempts failed, the last under the id {}", what, kJobIdsMax, AttemptId(plan.job_id, kJobIdsMax)),
                      "look at these jobs in the project's job history");
}

JobRunner::Attempt JobRunner::TryOnce(const JobPlan& plan, const std::string& id) {
  Attempt attempt{tl::unexpected(Failure{})};
  Tries tries;
  tl::expected<JobDocument, Failure> job = tl::unexpected(Failure{});
  const Answer answer = plan.submit(id, &tries);
  bool adopted = false;
  if (answer) {
    job = Decode(*answer, id);
  } else if (answer.error().action == Action::kExists) {
    adopted = true;
    attempt.earlier_life = !tries.ambiguous;
    job = Adopt(plan, id);
  } else {
    job = tl::unexpected(answer.error());
    attempt.id_is_used_up = answer.error().action == Action::kNewJob;
  }
  if (job) {
    if (!attempt.earlier_life) plan.is_load ? api_->CountLoadJob() : api_->CountQueryJob();
    attempt.end = Await(plan, std::move(*job), adopted);
    attempt.id_is_used_up = !attempt.end && attempt.end.error().of_job;
  } else {
    attempt.end = tl::unexpected(job.error());
  }
  if (tries.sent && !attempt.end && attempt.end.error().code == Code::kInterrupted) static_cast<void>(Cancel(id, plan.location));
  return attempt;
}

tl::expected<JobDocument, Failure> JobRunner::Adopt(const JobPlan& plan, const std::string& id) {
  net::Backoff backoff = api_->NewBackoff();
  for (int look = 1;; ++look) {
    tl::expected<JobDocument, Failure> job = Look(id, plan.location);
    if (job && !Matches(plan, *job))
      return tl::unexpected(Refusal(fmt::format("BigQuery: a job {} is there already and did something else", id),
                                    "its id was used for other work; start a new run, which has other ids"));
    if (job || job.error().code != Code::kNotFound || look == kLooksForNewJob) return job;
    if (auto waited = api_->WaitAfter(job.error(), &backoff); !waited) return tl::unexpected(std::move(waited).error());
  }
}

tl::expected<JobDocument, Failure> JobRunner::Look(const std::string& id, const std::string& location) {
  Answer answer = api_->Send(JobCall(*api_, id, location));
  if (!answer) return tl::unexpected(std::move(answer).error());
  return Decode(*answer, id);
}

tl::expected<FinishedJob, Failure> JobRunner::Await(const JobPlan& plan, JobDocument job, bool adopted) {
  if (job.location.empty()) job.location = plan.location;
  if (!plan.is_load) {
    const bool ended = job.done() && (job.problem || !adopted || SaysHowItEnded(job));
    if (!ended) return AwaitQuery(std::move(job), 0, plan.keep_alive);
    if (job.problem) return tl::unexpected(FailureOfJob(*job.problem));
    return FinishedJob{std::move(job), nullptr, {}};
  }
  tl::expected<FinishedJob, Failure> end = AwaitLoad(std::move(job), plan.keep_alive);
  if (!end || !adopted || end->job.output_rows) return end;
  // It is there and it is done, and nothing says that its rows ever were: the emulator makes the job before it reads them.
  Failure unproven;
  unproven.of_job = plan.may_repeat;
  unproven.action = plan.may_repeat ? Action::kNewJob : Action::kPermanent;
  unproven.reason = "unproven";
  unproven.message = "the job is there already, and nothing says whether its rows arrived";
  return tl::unexpected(std::move(unproven));
}

Call JobRunner::ResultsCall(const JobDocument& job, uint64_t rows) const {
  Call call;
  call.path = fmt::format("projects/{}/queries/{}", net::EscapeUrl(api_->options().billing_project), net::EscapeUrl(job.id));
  if (!job.location.empty()) call.query.emplace_back("location", job.location);
  call.query.emplace_back("maxResults", std::to_string(rows));
  call.query.emplace_back("timeoutMs", std::to_string(kLongPoll / 1000));
  call.query.emplace_back("formatOptions.useInt64Timestamp", "true");
  call.response_bytes_max = kPageBytesMax;
  return call;
}

// A call about a query's end has failed: that was the call, or it was the job. The failure to end with, or nothing: ask again, after the wait.
tl::expected<void, Failure> JobRunner::Diagnose(const JobDocument& job, Failure failure, net::Backoff* backoff) {
  if (failure.code == Code::kInterrupted) return tl::unexpected(std::move(failure));
  const tl::expected<JobDocument, Failure> look = Look(job.id, job.location);
  const bool ended = look && look->done();
  if (ended && look->problem) return tl::unexpected(FailureOfJob(*look->problem));
  if (failure.action != Action::kRetry && failure.action != Action::kWait) {
    failure.of_job = ended;  // the emulator forgets why a job failed; and results are kept for a day only
    return tl::unexpected(std::move(failure));
  }
  api_->CountRetry();
  return api_->WaitAfter(failure, backoff);
}

// Polls by getQueryResults, which waits for us.
tl::expected<FinishedJob, Failure> JobRunner::AwaitQuery(JobDocument job, uint64_t rows, const KeepAlive& keep_alive) {
  const Micros begin = api_->clock().Steady();
  net::Backoff backoff = api_->NewBackoff();
  Micros pause = kLookFirst / 4;
  FinishedJob finished{std::move(job), nullptr, {}};
  finished.reader = std::make_unique<PageReader>("BigQuery: job " + finished.job.id);
  for (;;) {
    if (auto kept = Keep(keep_alive, finished.job); !kept) return tl::unexpected(std::move(kept).error());
    const Micros asked = api_->clock().Steady();
    Answer answer = api_->Once(ResultsCall(finished.job, rows));
    if (answer) {
      Result<Page> page = finished.reader->Open(std::move(answer->body));
      if (!page) return tl::unexpected(FailureOfOurs(std::move(page).error()));
      if (page->complete) {
        finished.page = std::move(*page);
        break;
      }
      const Micros now = api_->clock().Steady();
      backoff.Progress(now);
      if (now - begin > kJobTimeMax) return tl::unexpected(TooLong(finished.job));
      if (now - asked < kPollAtLeast) {
        if (Result<> paused = net::Pause(api_->clock(), pause, api_->options().interrupted); !paused)
          return tl::unexpected(FailureOfOurs(std::move(paused).error()));
        pause = std::min(2 * pause, kLookMost);
      }
    } else if (auto again = Diagnose(finished.job, std::move(answer).error(), &backoff); !again) {
      return tl::unexpected(std::move(again).error());
    }
  }
  if (rows == 0) finished.reader.reset();
  return WithStatistics(std::move(finished));
}

// What a query cost is known only when it has ended.
tl::expected<FinishedJob, Failure> JobRunner::WithStatistics(FinishedJob finished) {
  if (!finished.job.done()) {
    if (tl::expected<JobDocument, Failure> look = Look(finished.job.id, finished.job.location)) {
      if (look->problem) return tl::unexpected(FailureOfJob(*look->problem));
      if (look->location.empty()) look->location = finished.job.location;
      finished.job = std::move(*look);
    }
  }
  if (!finished.job.affected_rows) finished.job.affected_rows = finished.page.affected_rows;
  if (!finished.job.bytes_processed) finished.job.bytes_processed = finished.page.bytes_processed;
  return finished;
}

tl::expected<void, Failure> JobRunner::Keep(const KeepAlive& keep_alive, const JobDocument& job) {
  if (!keep_alive) return {};
  Result<> kept = keep_alive();
  if (kept) return {};
  static_cast<void>(Cancel(job.id, job.location));
  return tl::unexpected(FailureOfOurs(std::move(kept).error()));
}

Failure JobRunner::TooLong(const JobDocument& job) {
  static_cast<void>(Cancel(job.id, job.location));
  return FailureOfOurs({Code::kFailed, fmt::format("BigQuery: job {} did not end in {} hours", job.id, kJobTimeMax / kHour), {}});
}

tl::expected<FinishedJob, Failure> JobRunner::AwaitLoad(JobDocument job, const KeepAlive& keep_alive) {
  const Micros begin = api_->clock().Steady();
  Micros pause = kLookFirst;
  const std::string location = job.location;
  bool first = true;
  while (!job.done()) {
    if (auto kept = Keep(keep_alive, job); !kept) return tl::unexpected(std::move(kept).error());
    const bool at_once = first && job.state.empty();  // the answer had no status: it may be done already
    first = false;
    if (!at_once) {
      if (Result<> paused = net::Pause(api_->clock(), pause, api_->options().interrupted); !paused)
        return tl::unexpected(FailureOfOurs(std::move(paused).error()));
      pause = std::min(2 * pause, kLookMost);
    }
    tl::expected<JobDocument, Failure> look = Look(job.id, location);
    if (!look) return tl::unexpected(std::move(look).error());
    job = std::move(*look);
    if (!job.done() && api_->clock().Steady() - begin > kJobTimeMax) return tl::unexpected(TooLong(job));
  }
  if (job.problem) return tl::unexpected(FailureOfJob(*job.problem));
  return FinishedJob{std::move(job), nullptr, {}};
}

void PageSize::Saw(size_t bytes) {
  row_bytes_ = std::max<uint64_t>(row_bytes_, bytes / rows_);
  rows_ = std::clamp<uint64_t>(kPageBytesWanted / row_bytes_, 1, kRowsOfPageMax);
}

Result<FinishedJob> JobRunner::Ask(const std::string& name, const Question& question) {
  net::Backoff backoff = api_->NewBackoff();
  const std::string what = "BigQuery: job " + name;
  for (int asked = 1;; ++asked) {
    tl::expected<FinishedJob, Failure> end = AskOnce(name, question);
    if (end) {
      api_->CountBilled(end->job.bytes_billed);
      return std::move(*end);
    }
    const Failure& failure = end.error();
    const bool another = failure.of_job && failure.code != Code::kInterrupted && IsAnotherJob(failure.action) && asked < kNewJobsMax;
    if (!another) return Unexpected(ToError(failure, what));
    if (const auto waited = api_->WaitAfter(failure, &backoff); !waited) return Unexpected(ToError(waited.error(), what));
    api_->CountRetry();
  }
}

tl::expected<FinishedJob, Failure> JobRunner::AskOnce(const std::string& name, const Question& question) {
  Call call;
  call.method = "POST";
  call.path = fmt::format("projects/{}/queries", net::EscapeUrl(api_->options().billing_project));
  call.body = json::serialize(EncodeQuestion(question, HexEncode(api_->entropy().Bytes(kRequestIdBytes))));
  call.timeout = kAskTimeout;
  call.response_bytes_max = kPageBytesMax;
  Tries tries;
  Answer answer = api_->Send(call, &tries);
  if (tries.sent) api_->CountQueryJob();
  if (!answer) {
    answer.error().of_job = answer.error().action == Action::kNewJob;
    return tl::unexpected(std::move(answer).error());
  }
  FinishedJob finished{{}, std::make_unique<PageReader>("BigQuery: job " + name), {}};
  Result<Page> page = finished.reader->Open(std::move(answer->body));
  if (!page) return tl::unexpected(FailureOfOurs(std::move(page).error()));
  finished.job.id = page->job_id;
  finished.job.location = page->location.empty() ? question.location : page->location;
  // A complete answer may still leave its rows to getQueryResults.
  if (page->complete && (page->has_rows || page->total_rows.value_or(0) == 0)) {
    finished.page = std::move(*page);
    finished.job.bytes_processed = finished.page.bytes_processed;
    finished.job.bytes_billed = finished.page.bytes_billed.value_or(0);
    const bool says_its_price = finished.page.bytes_billed || !finished.page.bytes_processed;  // or counts no bytes at all
    return says_its_price || finished.job.id.empty() ? std::move(finished) : WithStatistics(std::move(finished));
  }
  if (finished.job.id.empty()) return tl::unexpected(FailureOfOurs({Code::kFailed, fmt::format("BigQuery: job {} is running and has no id", name), {}}));
  const std::string id = finished.job.id, location = finished.job.location;
  tl::expected<FinishedJob, Failure> end = AwaitQuery(std::move(finished.job), question.rows, {});
  if (!end && end.error().code == Code::kInterrupted) static_cast<void>(Cancel(id, location));
  return end;
}

Answer JobRunner::NextPage(const JobDocument& job, const std::string& token, uint64_t rows) {
  Call call = ResultsCall(job, rows);
  call.query.emplace_back("pageToken", token);
  return api_->Send(call);
}

Answer JobRunner::Cancel(const std::string& id, const std::string& location) {
  Call call = JobCall(*api_, id, location, "/cancel");
  call.method = "POST";
  call.timeout = kCancelTimeout;
  call.even_if_interrupted = true;
  return api_->Once(call);
}

}  // namespace reeve::bigquery
