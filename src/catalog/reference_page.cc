// docs/tables.md, written from the declarations.
#include "base/error.h"
#include "catalog/ddl.h"

namespace reeve::catalog {
namespace {

std::string_view MergeText(Merge merge) {
  switch (merge) {
    case Merge::kIdentity: return "must be equal";
    case Merge::kLatest: return "arriving";
    case Merge::kMin: return "smaller";
    case Merge::kMax: return "larger";
    case Merge::kAnd: return "false wins";
    case Merge::kWithEarliest: return "that of the earlier revoked_at";
    case Merge::kBookkeeping: return "arriving, if another column changed";
    case Merge::kFirstSeen: return "smaller; bookkeeping";
  }
  return {};
}

std::string_view SecrecyText(Secrecy secrecy) {
  switch (secrecy) {
    case Secrecy::kPublic: return "";
    case Secrecy::kPersonal: return "personal";
    case Secrecy::kVerifier: return "shortened in output";
    case Secrecy::kCiphertext: return "never shown";
  }
  return {};
}

std::string TypeText(const Column& column) {
  std::string text(TypeName(column.type));
  if (column.type == Type::kNumeric) text.append(fmt::format("({},{})", column.precision, column.scale));
  if (column.required) text.append(" NOT NULL");
  if (!column.default_value.empty()) text.append(fmt::format(" DEFAULT {}", column.default_value));
  return text;
}

std::string Names(std::span<const std::string_view> names) {
  std::string text;
  for (std::string_view name : names) text.append(text.empty() ? "`" : ", `").append(name).append("`");
  return text;
}

void AppendTable(const Table& table, std::string* page) {
  page->append(fmt::format("\n## {}\n{}\n\nKey: {}.", table.name, table.doc, Names(table.key)));
  if (table.StoredKey() != table.key) page->append(fmt::format(" Primary key where one is enforced: {}.", Names(table.StoredKey())));
  if (table.merge_key != table.key) page->append(fmt::format(" Versions of a row are found by {}.", Names(table.merge_key)));
  for (const Unique& unique : table.unique) {
    page->append(fmt::format(" Unique: {}{}{}.", Names(unique.columns), unique.where.empty() ? "" : " where ", unique.where));
  }
  if (!table.references_customer.empty()) page->append(table.Find("tenant_id") >= 0 ? " The customer must exist and be the tenant's." : " The customer must exist.");
  if (table.replaced_per_tenant) page->append(" An attempt replaces all rows of its tenant.");
  page->append("\n\n| column | type | merge | shown | meaning |\n|---|---|---|---|---|\n");
  for (const Column& column : table.columns) {
    page->append(fmt::format("| `{}` | {} | {} | {} | {} |\n", column.name, TypeText(column), MergeText(column.merge),
                             SecrecyText(column.secrecy), column.doc));
  }
}

}  // namespace

std::string ReferencePage() {
  std::string page =
      "# Tables\n\n"
      "Generated from `src/catalog` (a test keeps it equal; `REEVE_UPDATE_GOLDEN=1` rewrites it). Types are BigQuery's names; how "
      "each engine stores them shows `reeve schema print`.\n"
      "*merge* says what happens when a row arrives whose key is stored already: the arriving value replaces, the smaller or larger "
      "of the two known ones stays, or the two must be equal. A row changes only if one of its values does. Bookkeeping columns are "
      "no part of digests and proofs.\n"
      "A customer has one tenant and the pair is enforced, so what is unique within a tenant is unique within its customer; primary keys "
      "begin with the owner so that a tenant's rows lie together.\n"
      "\n# The central dataset\n";
  for (const Table& table : CentralTables()) AppendTable(table, &page);
  page.append("\n# reeve's own\n");
  for (const Table& table : OwnTables()) AppendTable(table, &page);
  return page;
}

}  // namespace reeve::catalog
