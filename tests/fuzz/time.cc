#include "base/time_text.h"
#include "migrate/witness/text.h"
#include "tests/fuzz/targets.h"

namespace reeve::fuzz {

void FuzzTime(std::string_view input) {
  const std::optional<Micros> ours = ParseTime(input);
  Promise(ours == migrate::witness::ReadTime(input), "both read a time text alike");
  if (const std::optional<Days> date = ParseDate(input)) {
    Promise(FormatDate(*date) == input, "a date has one text");
    Promise(MonthStart(*date) <= *date && MonthStart(*date, 1) > *date, "a date lies in its month");
  }
  if (!ours) return;
  Promise(*ours >= kTimeMin && *ours <= kTimeMax, "an instant is in range");
  Promise(ParseTime(FormatTime(*ours)) == ours, "the export form reads back");
  Promise(ParseTime(FormatRfc3339(*ours)) == ours, "RFC 3339 reads back");
  Promise(DateOf(*ours) == migrate::witness::DayOf(*ours), "both find the same day");
  Promise(MonthStart(DateOf(*ours)) == migrate::witness::FirstDay(migrate::witness::MonthOf(*ours)), "both find the same month");
}

}  // namespace reeve::fuzz
