// Jobs: inserted once per id, awaited, judged, and begun anew under another id where the policy says so. Not for what a job does.
//
// Two ways. What changes data is run by Run:
//
// A job's id is made before the first attempt and is its idempotency key. Whether an insert that got no answer arrived is found out by sending it again: if
// the id is taken (409, or the emulator's "is already created"), that job is looked up, compared with what was to be inserted, and adopted. Ids of further
// attempts are ID-a2, ID-a3, …: an attempt is left behind when its job died (Action::kNewJob, kRetry, kWait), or when it failed in an earlier life of the
// program, whatever it died of then (an interrupt, for example, cancels the job). Success is: DONE and no status.errorResult.
//
// What only reads is run by Ask: jobs.query, whose one answer has the first rows of a query that is quick. The server makes the id of the job; the id of the
// request makes a repetition harmless, for 15 minutes, which is longer than anything is repeated. A query that dies is asked again under another.
//
// Safe from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "drivers/bigquery/api.h"
#include "drivers/bigquery/rows.h"

namespace reeve::bigquery {

inline constexpr int kJobIdsMax = 40;        // ids that are tried for one piece of work
inline constexpr int kNewJobsMax = 5;        // of them for jobs that died in this call by Action::kNewJob
inline constexpr Micros kJobTimeMax = 7 * kHour;  // BigQuery ends queries and loads after six

// The id of the n-th attempt, from 1.
[[nodiscard]] std::string AttemptId(const std::string& job_id, int attempt);

struct JobPlan {
  std::string job_id;
  std::string location;              // may be empty
  bool is_load = false;
  bool may_repeat = true;            // a second run of a job that perhaps ran already does no harm
  std::string statement;             // of a query: what an adopted job must have run
  TableId destination;               // of a load: where an adopted job must have written
  std::string write_disposition;     // of a load
  KeepAlive keep_alive = {};
  // Inserts the job under this id; called once per attempt. The answer is the job.
  std::function<Answer(const std::string& id, Tries* tries)> submit;
};

struct FinishedJob {
  JobDocument job;
  std::unique_ptr<PageReader> reader;  // of a question: the first page, open
  Page page;
};

// Reading a page takes some fourteen times its size in memory, so its size is what counts: pages read tell how wide rows may be.
class PageSize {
 public:
  [[nodiscard]] uint64_t rows() const { return rows_; }
  // A page of at most rows() rows had so many bytes.
  void Saw(size_t bytes);

 private:
  uint64_t rows_ = 1000, row_bytes_ = 1;
};

class JobRunner {
 public:
  // `api` outlives it.
  explicit JobRunner(Api& api) : api_(&api) {}

  [[nodiscard]] Result<FinishedJob> Run(const JobPlan& plan);
  // `name` is for messages.
  [[nodiscard]] Result<FinishedJob> Ask(const std::string& name, const Question& question);
  // The page of a finished query that `token` names, in rows.h's form.
  [[nodiscard]] Answer NextPage(const JobDocument& job, const std::string& token, uint64_t rows);
  // Asks the job to stop, once, also after an interrupt.
  [[nodiscard]] Answer Cancel(const std::string& id, const std::string& location);

 private:
  struct Attempt;
  [[nodiscard]] Attempt TryOnce(const JobPlan& plan, const std::string& id);
  [[nodiscard]] tl::expected<JobDocument, Failure> Adopt(const JobPlan& plan, const std::string& id);
  [[nodiscard]] tl::expected<JobDocument, Failure> Look(const std::string& id, const std::string& location);
  [[nodiscard]] tl::expected<FinishedJob, Failure> Await(const JobPlan& plan, JobDocument job, bool adopted);
  [[nodiscard]] tl::expected<FinishedJob, Failure> AskOnce(const std::string& name, const Question& question);
  // `rows`: of the first page; 0 if nobody wants any.
  [[nodiscard]] tl::expected<FinishedJob, Failure> AwaitQuery(JobDocument job, uint64_t rows, const KeepAlive& keep_alive);
  [[nodiscard]] tl::expected<FinishedJob, Failure> AwaitLoad(JobDocument job, const KeepAlive& keep_alive);
  // Lets the caller keep up what the job needs; cancels the job if that failed.
  [[nodiscard]] tl::expected<void, Failure> Keep(const KeepAlive& keep_alive, const JobDocument& job);
  [[nodiscard]] tl::expected<void, Failure> Diagnose(const JobDocument& job, Failure failure, net::Backoff* backoff);
  [[nodiscard]] tl::expected<FinishedJob, Failure> WithStatistics(FinishedJob finished);
  [[nodiscard]] Failure TooLong(const JobDocument& job);
  [[nodiscard]] Call ResultsCall(const JobDocument& job, uint64_t rows) const;

  Api* const api_;
};

}  // namespace reeve::bigquery
