// The lock of a dataset: one writer at a time, wherever it runs.
//
// It is the table reeve_lock: tables.insert makes it for exactly one of those who try. Its description says who holds it, until when, and which job may
// be at work for it; its expiry is that time too. PATCH with the etag renews it. A lock whose time is over is taken over, and so is one that has this
// run's seat: a seat is a file lock on this machine, so whoever had it is dead. What the dead one last set going is there to be read, and must be
// brought to its end before anything else (merge_script.h).
//
// Description, one fact a line, in this order:
//   reeve lock 1
//   token: 32 hex digits, of this holding
//   holder: text for people
//   seat: 32 hex digits, or nothing
//   until: RFC 3339
//   job: id of the last script, or nothing
//   script: what it works on (merge_script.h), or nothing
//
// One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "drivers/bigquery/client.h"
#include "env/clock.h"
#include "env/entropy.h"
#include "store/bigquery/dataset_tables.h"

namespace reeve::store {

inline constexpr Micros kLease = 20 * 60 * kSecond;     // longer than the client may be busy between two chances to renew it: 15 minutes
inline constexpr Micros kRenewAfter = 4 * 60 * kSecond;
inline constexpr Micros kClockSkew = 60 * kSecond;      // how far clocks of two machines may be apart

struct LockNote {
  std::string token, holder, seat;
  Micros until = 0;
  std::string job, script;
};
[[nodiscard]] std::string FormatLockNote(const LockNote& note);
// nullopt: not the description of a lock of ours.
[[nodiscard]] std::optional<LockNote> ParseLockNote(std::string_view description);

class DatasetLock {
 public:
  // kLocked, naming the holder, while another has it. `client` and `clock` outlive the lock.
  [[nodiscard]] static Result<std::unique_ptr<DatasetLock>> Take(bigquery::Client& client, Clock& clock, Entropy& entropy, const DatasetName& dataset,
                                                                 const std::string& holder, const std::string& seat);
  // Gives the lock up, if it is ours still.
  ~DatasetLock();
  DatasetLock(const DatasetLock&) = delete;
  DatasetLock& operator=(const DatasetLock&) = delete;

  // 32 hex digits that no other holding has.
  [[nodiscard]] const std::string& token() const { return note_.token; }

  // What a run said that was taken over since it was last asked: nullopt if none was, or it had nothing at work.
  [[nodiscard]] std::optional<LockNote> TakeLeft() { return std::exchange(left_, std::nullopt); }

  enum class Held {
    kStill,
    kAgain,  // the time was over and the lock is taken anew: another may have written in between
  };
  // For before a write: renews the lock if it is older than kRenewAfter. kLocked if another has it now.
  [[nodiscard]] Result<Held> Renew();
  // Renews it and says which job will be at work, on what. kLocked if it is not ours any more.
  [[nodiscard]] Result<> Announce(const std::string& job, const std::string& script);
  // For while a job runs: renews the lock if it is older than kRenewAfter. kLocked if it is not ours any more.
  [[nodiscard]] Result<> Keep();
  // After a job: kLocked if another may have taken over while it ran.
  [[nodiscard]] Result<> Check();

 private:
  DatasetLock(bigquery::Client& client, Clock& clock, DatasetName dataset) : client_(client), clock_(clock), dataset_(std::move(dataset)) {}
  // Makes the lock or takes it over.
  [[nodiscard]] Result<> Acquire();
  // True if it was taken, false if the state changed meanwhile: look again.
  [[nodiscard]] Result<bool> TakeOver(const bigquery::TableInfo& found);
  [[nodiscard]] Result<> Patch();
  [[nodiscard]] Result<bool> IsOurs();
  [[nodiscard]] bigquery::TableSpec Spec();

  // Constant after construction.
  bigquery::Client& client_;
  Clock& clock_;
  const DatasetName dataset_;

  LockNote note_;
  std::optional<LockNote> left_;
  std::string etag_;
  Micros renewed_ = 0;
  bool held_ = false;
};

}  // namespace reeve::store
