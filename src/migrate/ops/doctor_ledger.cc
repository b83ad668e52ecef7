#include "migrate/ops/doctor_ledger.h"

#include <algorithm>

#include "migrate/ops/ledger_count.h"
#include "migrate/served.h"
#include "store/serving_rows.h"

namespace reeve::migrate::ops {
namespace {

// How long a lease may be over before somebody should have noticed: the server expires it when it looks, or starts.
constexpr Micros kOverdue = 60 * kSecond;
constexpr int64_t kNoNumber = -1;  // what a mark says that is no number: no event has it

class LedgerGatherer {
 public:
  LedgerGatherer(store::CentralReader& reader, Micros now, const std::vector<CountedMonth>& usage, OddSets* odd)
      : reader_(reader), now_(now), usage_(usage), odd_(*odd) {}

  Result<LedgerFacts> Run() {
    REEVE_TRY(ReadMarks());
    REEVE_ASSIGN(const auto tenants, ServedTenants(reader_));
    for (const std::string& tenant : tenants) {
      REEVE_ASSIGN(const TenantLedger ledger, ReadLedger(reader_, {tenant, {}}, [&](Row run) { Look(tenant, run); }));
      for (const auto& [month, counted] : ledger.months) Judge(tenant, month, counted);
    }
    facts_.tenants = tenants.size();
    REEVE_ASSIGN(const uint64_t rows, reader_.Count(catalog::ReeveRuns()));
    if (rows != facts_.runs + facts_.refused)
      facts_.disorder.Add(fmt::format("{} runs of tenants whose months are not in reeve_run_totals", rows - facts_.runs - facts_.refused));
    JudgeFences();
    return std::move(facts_);
  }

 private:
  Result<> ReadMarks() {
    const Table& table = catalog::ReeveMeta();
    return reader_.Scan(table, [&](Row row) -> Result<> {
      const std::string_view key = TextAt(table, row, "key");
      if (key == store::kFenceMark) fence_mark_ = store::ParseMark(TextAt(table, row, "value")).value_or(0);
      if (key == store::kLedgerTimeMark) time_mark_ = store::ParseMark(TextAt(table, row, "value")).value_or(0);
      if (key == store::kAuditSeqMark) facts_.chain_mark.seq = store::ParseMark(TextAt(table, row, "value")).value_or(kNoNumber);
      if (key == store::kAuditHeadMark) facts_.chain_mark.head = TextAt(table, row, "value");
      return {};
    });
  }

  void Look(const std::string& tenant, Row run) {
    const Table& table = catalog::ReeveRuns();
    const bool refused = !At(table, run, "refusal").is_null;
    ++(refused ? facts_.refused : facts_.runs);
    max_fence_ = std::max(max_fence_, NumAt(table, run, "fence"));
    latest_ = std::max({latest_, NumAt(table, run, "reserved_at"), NumAt(table, run, "ended_at")});
    if (!At(table, run, "ended_at").is_null) return;
    ++facts_.open;
    open_fences_.push_back(NumAt(table, run, "fence"));
    if (NumAt(table, run, "expires_at") + kOverdue < now_) facts_.overdue.Add(fmt::format("{} of {}", TextAt(table, run, "run_id"), tenant));
  }

  // Counters of a month: what came from legacy, and the ledger.
  void Judge(const std::string& tenant, Days month, const LedgerMonth& ledger) {
    const uint64_t name = MonthName(tenant, month);
    const auto odd = odd_.find(name);
    const LedgerMonth::Legacy legacy = ledger.legacy.value_or(LedgerMonth::Legacy());
    const int64_t from_legacy = odd == odd_.end() ? legacy.runs : odd->second.runs;
    if (odd != odd_.end()) odd_.erase(odd);
    const auto row = std::lower_bound(usage_.begin(), usage_.end(), name, [](const CountedMonth& one, uint64_t value) { return one.name < value; });
    const bool there = row != usage_.end() && row->name == name;
    if (!there && ledger.runs == 0) return;  // all were refused
    const int64_t compute = domain::HundredthsOfHours(legacy.compute_ms + ledger.compute_ms);
    const bool right = there && row->runs == from_legacy + ledger.runs && row->running >= ledger.open && row->running <= ledger.open + legacy.running &&
                       ledger.stored_compute_ms == ledger.compute_ms && (ledger.compute_ms == 0 || row->compute_hundredths == compute);
    if (!right) facts_.differing.Add(fmt::format("{} {}", tenant, FormatMonth(month)));
  }

  void JudgeFences() {
    std::sort(open_fences_.begin(), open_fences_.end());
    if (const auto twice = std::adjacent_find(open_fences_.begin(), open_fences_.end()); twice != open_fences_.end())
      facts_.disorder.Add(fmt::format("fence {} was given to two open runs", *twice));
    if (max_fence_ > fence_mark_) facts_.disorder.Add(fmt::format("fence {} is beyond the mark {}", max_fence_, fence_mark_));
    if (latest_ > time_mark_) facts_.disorder.Add(fmt::format("a row of {} is later than the ledger's clock, {}", FormatTime(latest_), FormatTime(time_mark_)));
  }

  store::CentralReader& reader_;
  const Micros now_;
  const std::vector<CountedMonth>& usage_;
  OddSets& odd_;
  std::vector<int64_t> open_fences_;
  int64_t max_fence_ = 0, fence_mark_ = 0;
  Micros latest_ = 0, time_mark_ = 0;
  LedgerFacts facts_;
};

}  // namespace

uint64_t MonthName(std::string_view tenant, int64_t month) { return Hash64(fmt::format("{}\n{}", month, tenant)); }

Result<LedgerFacts> GatherLedger(store::CentralReader& reader, Micros now, const std::vector<CountedMonth>& usage, OddSets* odd) {
  return LedgerGatherer(reader, now, usage, odd).Run();
}

}  // namespace reeve::migrate::ops
