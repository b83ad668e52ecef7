// The central rows a tenant must have, worked out from what legacy says (docs/mapping.md §3 to §8).
//
// Pure; safe from any thread. Bookkeeping columns are left NULL: they are not compared.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "catalog/rows.h"
#include "catalog/table.h"
#include "migrate/witness/legacy_side.h"
#include "migrate/witness/runs.h"
#include "migrate/witness/witness.h"

namespace reeve::migrate::witness {

// Whose rows, and the ids made from its name.
struct Identity {
  std::string tenant;
  std::string customer_id;
  std::string dataset_id;
};
[[nodiscard]] Identity IdentityOf(std::string_view tenant, std::string dataset_id);

// Fills a row column by column; columns are best named in the order of the table.
class RowWriter {
 public:
  explicit RowWriter(catalog::RowBatch* batch) : batch_(*batch), row_(batch->AddRow()) {}
  // A text is copied into the batch; an empty optional is NULL.
  void Text(std::string_view column, std::string_view text) { At(column) = batch_.Own(text); }
  void TextOrNull(std::string_view column, std::string_view text) {
    if (!text.empty()) Text(column, text);
  }
  void Number(std::string_view column, std::optional<int64_t> number) {
    if (number) At(column) = catalog::Cell::Int(*number);
  }

 private:
  catalog::Cell& At(std::string_view column);

  catalog::RowBatch& batch_;
  std::span<catalog::Cell> row_;
  size_t next_ = 0;
};

// The one row of `customers`. Its created_at is `created_at`, or from the evidence, or as_of; `source` tells which.
struct CustomerFacts {
  Micros created_at = 0;
  std::string_view created_at_source;  // tenant_record, evidence or migration
  std::string plan;
};
[[nodiscard]] CustomerFacts CustomerFactsOf(const LegacySide& legacy, std::string_view tenant, Micros as_of,
                                            const Assumptions& assumptions);

void ExpectCustomer(const Identity& who, const LegacySide& legacy, const CustomerFacts& facts, catalog::RowBatch* out);
void ExpectSubscription(const Identity& who, const LegacySide& legacy, const CustomerFacts& facts,
                        const Assumptions& assumptions, catalog::RowBatch* out);
void ExpectKeys(const Identity& who, const LegacySide& legacy, catalog::RowBatch* out);
void ExpectCredentials(const Identity& who, const LegacySide& legacy, catalog::RowBatch* out);
void ExpectUsage(const Identity& who, Month month, const MonthUsage& usage, catalog::RowBatch* out);

}  // namespace reeve::migrate::witness
