#include "migrate/backup/merge_table.h"

#include <unordered_set>

#include "legacy/estate.h"

namespace reeve::migrate {
namespace {

using catalog::LegacyKind;

void AddColumns(std::string_view rows, Columns* columns) {
  ForEachRow(rows, [&](std::string_view line) {
    if (line.size() > legacy::kLineBytesMax) return;
    const std::optional<RowText> row = RowText::Parse(line);
    if (!row) return;
    for (const RowText::Field& field : row->fields())
      if (!columns->Has(field.name)) columns->names.emplace(field.name);
  });
}

// What a denied row of this table may say: the schema decides, else what its rows say.
Columns ColumnsOf(const MergeInput& input) {
  Columns columns;
  if (input.schema != nullptr) {
    columns.names.insert(input.schema->begin(), input.schema->end());
    return columns;
  }
  AddColumns(input.target, &columns);
  AddColumns(input.backup, &columns);
  return columns;
}

// `line`, or what it must say because its key is denied.
std::optional<std::string> Denied(std::string_view line, const KeyBook& book, const Columns& columns) {
  if (line.size() > legacy::kLineBytesMax) return std::nullopt;
  const std::optional<RowText> row = RowText::Parse(line);
  const std::optional<KeyFacts> facts = row ? ReadKey(*row) : std::nullopt;
  const std::optional<Denial> denial = facts ? book.Find(*facts) : std::nullopt;
  return denial ? DenyRow(*row, *denial, columns) : std::nullopt;
}

}  // namespace

void ForEachKey(std::string_view rows, const std::function<void(const KeyFacts&)>& visit) {
  ForEachRow(rows, [&](std::string_view line) {
    if (line.size() > legacy::kLineBytesMax) return;
    const std::optional<RowText> row = RowText::Parse(line);
    if (!row) return;
    if (const std::optional<KeyFacts> facts = ReadKey(*row)) visit(*facts);
  });
}

MergeOutput MergeTable(const MergeInput& input, const KeyBook& book) {
  MergeOutput out;
  const bool keys = input.kind == LegacyKind::kKeys;
  if (!keys && input.backup == input.target) {
    ForEachRow(input.backup, [&](std::string_view) { ++out.kept; });
    out.rows = input.target;
    return out;
  }
  const Columns columns = keys ? ColumnsOf(input) : Columns();
  std::unordered_set<std::string> present;
  const auto put = [&](std::string_view line) {
    const std::optional<std::string> denied = keys ? Denied(line, book, columns) : std::nullopt;
    if (denied) ++out.denied;
    out.rows.append(denied ? *denied : line) += '\n';
  };
  out.rows.reserve(input.target.size() + 1);
  ForEachRow(input.target, [&](std::string_view line) {
    present.insert(NaturalKey(input.kind, input.shared, line));
    put(line);
  });
  ForEachRow(input.backup, [&](std::string_view line) {
    if (present.count(NaturalKey(input.kind, input.shared, line)) != 0) {
      ++out.kept;
      return;
    }
    ++out.added;
    put(line);
  });
  out.changed = out.added > 0 || out.denied > 0;
  return out;
}

}  // namespace reeve::migrate
