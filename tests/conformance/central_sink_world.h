// Rows, random tenant writes and printed datasets for the suites of the store ports. Not safe for concurrent use.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/rows.h"
#include "env/files.h"
#include "store/central_sink.h"

namespace reeve::store {

// Fills one row by column names.
class RowMaker {
 public:
  explicit RowMaker(catalog::RowBatch* batch) : batch_(batch), row_(batch->size()) { batch->AddRow(); }
  RowMaker& Text(std::string_view column, std::string_view value) { return Put(column, batch_->Own(value)); }
  RowMaker& Num(std::string_view column, int64_t value) { return Put(column, catalog::Cell::Int(value)); }
  RowMaker& Null(std::string_view column) { return Put(column, catalog::Cell::Null()); }

 private:
  RowMaker& Put(std::string_view column, catalog::Cell cell) {
    batch_->Row(row_)[batch_->table().Index(column)] = cell;
    return *this;
  }
  catalog::RowBatch* batch_;
  size_t row_;
};

[[nodiscard]] Owner OwnerOf(std::string_view tenant);
// 64 hex digits made of `name`.
[[nodiscard]] std::string HashOf(std::string_view name);

// A complete row of each kind for `tenant`, to be changed with further calls.
RowMaker AddCustomer(catalog::RowBatch* batch, std::string_view tenant);
RowMaker AddSubscription(catalog::RowBatch* batch, std::string_view tenant);
RowMaker AddKey(catalog::RowBatch* batch, std::string_view tenant, std::string_view name);
RowMaker AddCredential(catalog::RowBatch* batch, std::string_view tenant, std::string_view id);
RowMaker AddUsage(catalog::RowBatch* batch, std::string_view tenant, int month);
RowMaker AddEvent(catalog::RowBatch* batch, std::string_view tenant, std::string_view id);
RowMaker AddTenant(catalog::RowBatch* batch, std::string_view tenant, int64_t attempt);
RowMaker AddFinding(catalog::RowBatch* batch, std::string_view tenant, std::string_view code);
RowMaker AddDeadLetter(catalog::RowBatch* batch, std::string_view tenant, int64_t line);

// A write of `tenant` with the batches that follow.
template <typename... Batches>
[[nodiscard]] TenantWrite WriteOf(std::string_view tenant, int64_t attempt, Batches... batches) {
  TenantWrite write{OwnerOf(tenant), attempt, {}};
  (write.tables.push_back(std::move(batches)), ...);
  return write;
}

// A write of some random rows, of which some break rules. Small domains, so that rows meet.
[[nodiscard]] TenantWrite RandomWrite(std::mt19937_64& random, std::string_view tenant, int64_t attempt);
// Tenant names that RandomWrite is used with.
[[nodiscard]] std::string RandomTenant(std::mt19937_64& random);
// Random keys to delete and rows to merge, as a repair would.
void RandomRepair(std::mt19937_64& random, CentralSink& sink, std::vector<std::vector<std::string>>* texts,
                  std::vector<CentralSink::Deletion>* deletions, std::vector<catalog::RowBatch>* upserts);

// Every row of every table, one line each; asserts that the sink can be read.
[[nodiscard]] std::map<std::string, std::string> Dump(CentralSink& sink);
[[nodiscard]] std::map<std::string, std::string> Dump(CentralReader& reader);
[[nodiscard]] std::string DumpTable(CentralReader& reader, const catalog::Table& table);

// The seed of REEVE_SEED, or a new one, which is printed.
[[nodiscard]] uint64_t TakeSeed();

// A directory of its own, removed with what is in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  [[nodiscard]] std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace reeve::store
