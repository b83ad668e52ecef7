#include <algorithm>
#include <array>

#include "migrate/witness/compare.h"

namespace reeve::migrate::witness {
namespace {

using catalog::Cell;
using catalog::RowBatch;

char* PutKnown(const std::optional<int64_t>& number, char* at) {
  *at++ = number ? 1 : 0;
  return number ? PutBigEndian(static_cast<uint64_t>(*number), 8, at) : at;
}

// A run as the digests of UsageProof see it.
void AppendRun(Month month, std::string_view id, const RunFacts& facts, std::string* out) {
  std::array<char, 32> bytes;
  char* end = PutBigEndian(static_cast<uint32_t>(month), 4, bytes.data());
  end = PutBigEndian(id.size(), 8, end);
  out->append(bytes.data(), end);
  *out += id;
  bytes[0] = static_cast<char>(facts.status);
  end = PutBigEndian(static_cast<uint64_t>(facts.start), 8, bytes.data() + 1);
  end = PutKnown(facts.duration, PutKnown(facts.end, end));
  out->append(bytes.data(), end);
}

// The month of an instant; remembers the last one, as runs of one month are many.
class MonthFinder {
 public:
  Month Of(Micros instant) {
    if (instant < begin_ || instant >= end_) {
      month_ = MonthOf(instant);
      begin_ = FirstInstant(month_);
      end_ = FirstInstant(month_ + 1);
    }
    return month_;
  }

 private:
  Month month_ = 0;
  Micros begin_ = 0, end_ = 0;
};

// A run in the order of stored sets: by month, UUIDs after other ids, by id.
struct Placed {
  Month month;
  bool is_uuid;
  const RunTable::Run* run;
};

// Puts stored and legacy runs together.
class Union {
 public:
  Union(const MonthWindow& window, RunTable* runs, Verdict* verdict)
      : window_(window), runs_(*runs), verdict_(*verdict) {}

  void TakeStored(int64_t day, std::string_view bytes) {
    // A wrong day counts as that of its month; a day that no instant has, as the first of all.
    const bool possible = day >= DayOf(kTimeMin) && day <= DayOf(kTimeMax);
    const Month month = MonthOf(possible ? day * kDay : kTimeMin);
    if (FirstDay(month) != day) return Differs(month, "the month does not begin on its first day");
    RunSetReader reader(bytes, month);
    std::string_view id;
    RunFacts facts;
    while (reader.Next(&id, &facts)) {
      // What a run that is not over says about its end does not count, on either side.
      if (facts.status != RunStatus::kTerminal) facts.end.reset(), facts.duration.reset();
      AppendRun(month, id, facts, &stored_);
      TakeRun(month, id, facts);
    }
    if (!reader.damage().empty()) Differs(month, "the stored set is damaged: " + std::string(reader.damage()));
  }

  // After the last stored set.
  std::map<Month, MonthUsage> Finish(Micros as_of, Micros abandoned_after) {
    MonthFinder months;
    std::map<Month, MonthUsage> usage;
    MonthUsage* sum = nullptr;
    Month summed = 0;
    for (const RunTable::Run& run : runs_.runs()) {
      if (!Counts(run)) {
        ++verdict_.usage.out_of_window;
        continue;
      }
      ++verdict_.usage.runs;
      const Month month = months.Of(run.facts.start);
      if (!run.in_central) Differs(month, Named("run is not in the stored set", runs_.IdOf(run)));
      if (sum == nullptr || month != summed) sum = &usage[summed = month];
      sum->Add(run.facts, as_of, abandoned_after);
    }
    verdict_.usage.digest_found = HexOf(BytesOf(DigestOf(stored_)));
    // Without a difference every stored run is in the union as it is stored, and nothing else is.
    verdict_.usage.digest_expected = differs_ ? UnionDigest() : verdict_.usage.digest_found;
    return usage;
  }

 private:
  void TakeRun(Month month, std::string_view id, const RunFacts& stored) {
    bool is_new = false;
    RunTable::Run& run = runs_.Get(id, stored, &is_new);
    if (run.in_central) {
      Differs(month, Named("run is stored twice", id));
      run.facts = Unite(run.facts, stored);
      return;
    }
    run.in_central = true;
    if (is_new || !window_.Holds(run.facts.start)) {
      run.facts = stored;
      if (!run.in_legacy) ++verdict_.usage.vanished;
      return;
    }
    run.facts = Unite(run.facts, stored);
    if (run.facts != stored) Differs(month, Named("run differs from what legacy says", id));
  }

  // Whether a run belongs to the union.
  bool Counts(const RunTable::Run& run) const { return run.in_central || window_.Holds(run.facts.start); }

  std::string UnionDigest() const {
    std::vector<Placed> united;
    for (const RunTable::Run& run : runs_.runs()) {
      if (Counts(run)) united.push_back({MonthOf(run.facts.start), IsCanonicalUuid(runs_.IdOf(run)), &run});
    }
    std::sort(united.begin(), united.end(), [&](const Placed& a, const Placed& b) {
      if (a.month != b.month) return a.month < b.month;
      return a.is_uuid != b.is_uuid ? b.is_uuid : runs_.IdOf(*a.run) < runs_.IdOf(*b.run);
    });
    std::string all;
    for (const Placed& placed : united) AppendRun(placed.month, runs_.IdOf(*placed.run), placed.run->facts, &all);
    return HexOf(BytesOf(DigestOf(all)));
  }

  static std::string Named(std::string_view what, std::string_view id) {
    return std::string(what) + ": " + std::string(id.substr(0, 64));
  }
  void Differs(Month month, std::string what) {
    differs_ = true;
    Report(&verdict_, DifferenceKind::kUsageDiffers, catalog::ReeveUsageRuns().name, FormatDate(FirstDay(month)), std::move(what));
  }

  const MonthWindow& window_;
  RunTable& runs_;
  Verdict& verdict_;
  std::string stored_;  // the stored runs as the digest sees them
  bool differs_ = false;
};

}  // namespace

std::map<Month, MonthUsage> UniteUsage(const RowBatch& stored, const MonthWindow& window, Micros as_of,
                                       Micros abandoned_after, RunTable* runs, Verdict* verdict) {
  const auto month = static_cast<size_t>(catalog::ReeveUsageRuns().Index("usage_month"));
  const auto set = static_cast<size_t>(catalog::ReeveUsageRuns().Index("runs"));
  std::map<int64_t, std::string_view> by_month;
  for (size_t i = 0; i < stored.size(); ++i) by_month.emplace(stored.Row(i)[month].num, stored.Row(i)[set].text);
  Union all(window, runs, verdict);
  for (const auto& [day, bytes] : by_month) all.TakeStored(day, bytes);
  return all.Finish(as_of, abandoned_after);
}

}  // namespace reeve::migrate::witness
