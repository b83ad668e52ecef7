#include "migrate/witness/table_reader.h"

namespace reeve::migrate::witness {

void TableReader::RejectRow(Kind kind, Reason reason, const Visit& visit) {
  const bool parsed = reason > Reason::kDuplicateField;  // a name that occurs twice may be the tenant's
  Row row;
  FieldValue& tenant = row.fields[static_cast<size_t>(TenantField(kind))];
  if (parsed) tenant.text = TenantOf(json_, kind);
  tenant.present = !tenant.text.empty();
  visit(row, reason);
}

Result<> TableReader::ReadPart(const CarrierTable& carrier, size_t part, const Visit& visit, TableOutcome* outcome) {
  REEVE_ASSIGN(const auto reader, estate_.OpenRaw(carrier.table, part));
  lines_.Start(reader.get());
  for (;;) {
    std::string_view line;
    bool too_large = false;
    REEVE_ASSIGN(const bool any, lines_.Next(&line, &too_large));
    if (!any) return {};
    ++outcome->rows;
    Reason reason = too_large ? Reason::kRowTooLarge : json_.Parse(line);
    if (reason == Reason::kNone) reason = ReadRow(json_, carrier.kind, &row_);
    if (reason == Reason::kNone) visit(row_, reason);
    else RejectRow(carrier.kind, reason, visit);
  }
}

TableOutcome TableReader::Read(const CarrierTable& carrier, const Visit& visit) {
  TableOutcome outcome;
  json_.StartTable(carrier.kind, carrier.table.schema);
  for (size_t part = 0; part < carrier.table.parts.size(); ++part) {
    if (auto read = ReadPart(carrier, part, visit, &outcome); !read) {
      outcome.unreadable = std::move(read).error().message;
      return outcome;
    }
  }
  const bool nothing_known = outcome.rows == 0 && !carrier.table.schema;
  outcome.recognised = nothing_known || json_.Recognised();
  outcome.has_is_active = json_.HasColumn("is_active");
  return outcome;
}

}  // namespace reeve::migrate::witness
