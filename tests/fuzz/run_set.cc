#include "domain/run_set.h"

#include <map>

#include "migrate/witness/run_set.h"
#include "tests/fuzz/targets.h"

namespace reeve::fuzz {
namespace {

namespace witness = migrate::witness;

struct Told {
  int state = 0;
  Micros start = 0;
  std::optional<Micros> end;
  std::optional<int64_t> duration;
  bool operator==(const Told&) const = default;
};
using Runs = std::map<std::string, Told>;

// The id as text.
std::string TextOf(std::string_view packed) {
  if (packed[0] == '\0') return std::string(packed.substr(1));
  const std::string hex = witness::HexOf(packed.substr(1));
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' + hex.substr(20);
}

Runs Ours(const domain::RunSet& set) {
  Runs runs;
  for (const domain::Run& run : set.runs()) {
    Told& told = runs[TextOf(run.id)];
    told = {static_cast<int>(run.state), run.start, std::nullopt, std::nullopt};
    if (run.end != domain::Run::kNoEnd) told.end = run.end;
    if (run.duration_ms >= 0) told.duration = run.duration_ms;
  }
  return runs;
}

Runs Theirs(witness::RunSetReader* reader) {
  Runs runs;
  std::string_view id;
  witness::RunFacts facts;
  while (reader->Next(&id, &facts)) {
    Told told{static_cast<int>(facts.status), facts.start, {}, {}};
    if (facts.status == witness::RunStatus::kTerminal) told.end = facts.end, told.duration = facts.duration;
    runs[std::string(id)] = told;
  }
  return runs;
}

}  // namespace

// First two bytes: the month; the rest is a packed set.
void FuzzRunSet(std::string_view input) {
  const int months = TakeByte(&input) * 256 + TakeByte(&input);
  const Days month = MonthStart(*ParseDate("0001-01-01"), months % (9998 * 12));
  domain::RunSet set;
  const bool ours = set.Decode(input, month).has_value();
  witness::RunSetReader reader(input, witness::MonthOf(StartOf(month)));
  const Runs theirs = Theirs(&reader);
  Promise(ours == (!input.empty() && reader.damage().empty()), "both take the same sets");
  if (!ours) return;
  Promise(Ours(set) == theirs, "both read the same runs");
  const std::string encoded = set.Encode(month);
  domain::RunSet again;
  Promise(again.Decode(encoded, month).has_value() && again.Encode(month) == encoded, "a set has one encoding");
  Promise(set.Usage(month, StartOf(month), kHour).runs == static_cast<int64_t>(set.size()), "every run counts in its month");
}

}  // namespace reeve::fuzz
