#include "catalog/ndjson.h"
#include "tests/fuzz/targets.h"

namespace reeve::fuzz {

// First byte: which table; the rest is a line.
void FuzzCentralRow(std::string_view input) {
  const size_t choice = TakeByte(&input);
  const auto tables = choice % 2 == 0 ? catalog::CentralTables() : catalog::OwnTables();
  const catalog::Table& table = tables[choice / 2 % tables.size()];
  catalog::RowBatch rows(table);
  if (!catalog::ParseRow(input, &rows)) {
    Promise(rows.empty(), "a refused line adds no row");
    return;
  }
  Promise(rows.size() == 1, "a line is a row");
  std::string line;
  catalog::AppendRow(table, rows.Row(0), &line);
  Promise(line.ends_with('\n') && line.find('\n') == line.size() - 1, "a row is one line");
  catalog::RowBatch again(table);
  Promise(catalog::ParseRow(std::string_view(line).substr(0, line.size() - 1), &again).has_value(), "what is written can be read");
  std::string second;
  catalog::AppendRow(table, again.Row(0), &second);
  Promise(second == line, "writing what was read changes nothing");
}

}  // namespace reeve::fuzz
