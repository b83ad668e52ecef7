#include "migrate/mirror/mirror.h"

#include <algorithm>

#include "env/interrupt.h"
#include "migrate/mirror/displaced.h"

namespace reeve::migrate {

using store::CentralSink;
using store::OutboxBatch;
using store::OutboxMark;

namespace {

constexpr Micros kNap = kSecond / 4;  // between two looks at the interrupt flag

// Every marked row goes, and whatever it would be merged into.
std::vector<CentralSink::Deletion> DeletionsOf(const OutboxBatch& batch) {
  std::vector<CentralSink::Deletion> deletions;
  deletions.reserve(batch.marks.size());
  for (const OutboxMark& mark : batch.marks) deletions.push_back({mark.table, mark.key, true, false});
  for (const catalog::RowBatch& rows : batch.rows) {
    const catalog::Table& table = rows.table();
    if (table.merge_key == table.StoredKey()) continue;
    for (size_t i = 0; i < rows.size(); ++i) {
      std::vector<catalog::Cell> key;
      for (const std::string_view name : table.merge_key) key.push_back(rows.Row(i)[static_cast<size_t>(table.Index(name))]);
      deletions.push_back({&table, std::move(key), false, true});
    }
  }
  return deletions;
}

// Every marked row goes and, if it exists, comes back as it is.
Result<> Send(const OutboxBatch& batch, CentralSink& target) {
  std::vector<CentralSink::Deletion> deletions = DeletionsOf(batch);
  Result<> sent = target.Amend(deletions, batch.rows);
  if (sent || sent.error().code != Code::kFailed) return sent;
  // A unique value may still be held by a row whose mark comes later.
  REEVE_ASSIGN(const auto reader, target.OpenReader());
  std::list<catalog::RowBatch> kept;
  REEVE_ASSIGN(std::vector<CentralSink::Deletion> displaced, mirror::FindDisplaced(*reader, batch.rows, &kept));
  if (displaced.empty()) return sent;
  deletions.insert(deletions.end(), displaced.begin(), displaced.end());
  return target.Amend(deletions, batch.rows);
}

void Add(const MirrorReport& step, MirrorReport* sum) {
  sum->steps += step.steps;
  sum->marks += step.marks;
  sum->rows_written += step.rows_written;
  sum->rows_deleted += step.rows_deleted;
  sum->waiting = step.waiting;
}

void Wait(Clock& clock, Micros time) {
  const Micros until = clock.Steady() + time;
  while (!Interrupted()) {
    const Micros left = until - clock.Steady();
    if (left <= 0) return;
    clock.Sleep(std::min(left, kNap));
  }
}

}  // namespace

Result<MirrorReport> MirrorStep(store::Outbox& outbox, CentralSink& target, size_t marks_max) {
  MirrorReport report;
  if (outbox.IsFresh()) {
    REEVE_ASSIGN(const auto source, outbox.OpenReader());
    REEVE_ASSIGN(report.rows_deleted, mirror::SweepTarget(*source, target));
  }
  REEVE_ASSIGN(const OutboxBatch batch, outbox.Read(marks_max));
  report.waiting = batch.waiting;
  if (batch.marks.empty()) return report;
  REEVE_TRY(Send(batch, target));
  REEVE_TRY(outbox.Done(batch.last));
  report.steps = 1;
  report.marks = batch.marks.size();
  report.rows_written = static_cast<uint64_t>(std::count_if(batch.marks.begin(), batch.marks.end(), [](const OutboxMark& mark) { return mark.present; }));
  report.rows_deleted += report.marks - report.rows_written;
  return report;
}

Result<MirrorReport> RunMirror(store::Outbox& outbox, CentralSink& target, const MirrorOptions& options, Clock& clock, obs::Progress& progress) {
  const size_t marks_max = options.marks_max > 0 ? options.marks_max : static_cast<size_t>(target.batch().rows_max);
  MirrorReport sum;
  while (!Interrupted()) {
    REEVE_ASSIGN(const MirrorReport step, MirrorStep(outbox, target, marks_max));
    if (sum.steps == 0 && step.steps > 0) progress.Begin("mirror", options.once ? step.marks + step.waiting : 0, "rows");
    Add(step, &sum);
    progress.Add(step.marks, step.marks, 0);
    if (step.waiting > 0) continue;
    REEVE_TRY(outbox.Tidy());
    if (options.once) break;
    Wait(clock, options.interval);
  }
  if (sum.steps > 0) progress.End();
  sum.interrupted = Interrupted() && sum.waiting > 0;
  return sum;
}

}  // namespace reeve::migrate
