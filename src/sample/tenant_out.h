// One tenant on its way out: its tables, its model, its dead letters. And what all tenants share. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sample/expect.h"
#include "sample/expected_out.h"
#include "sample/poison.h"
#include "sample/shapes.h"
#include "sample/table_out.h"

namespace reeve::sample {

// Names of all tenants, and their order.
struct Names {
  std::vector<std::string> names;
  std::vector<uint32_t> ranks;       // position of names[i] among all in order of bytes
  std::vector<bool> case_collision;  // another name differs only in case
};
[[nodiscard]] Names MakeNames(const SampleOptions& options);

// What lives as long as the whole run.
struct Workshop {
  const SampleOptions& options;
  const Names& names;
  EstateOut& estate;
  ExpectedOut& expected;
  SampleReport& report;
  std::map<std::string, std::unique_ptr<TableOut>> shared = {};  // by dataset/table
  uint64_t keys_shown[4] = {};  // lines of keys.json so far: active, revoked, expired, unknown

  // The table of a shared dataset, made at first use.
  TableOut& Shared(std::string_view dataset, std::string_view table, Kind kind);
  [[nodiscard]] Result<> FinishShared();
};

// The plain text of a key and its hash, for keys.json.
struct PlainKey {
  std::string text;
  std::string hash;  // 64 hex
};

class TenantOut {
 public:
  TenantOut(Workshop* shop, uint64_t index);

  [[nodiscard]] uint64_t index() const { return index_; }
  [[nodiscard]] const std::string& name() const { return model.name; }
  [[nodiscard]] Prng& rng() { return rng_; }
  [[nodiscard]] Workshop& shop() { return *shop_; }

  // The tenant's own table, made at first use with `style`.
  TableOut& Own(const std::string& dataset, const std::string& table, Kind kind, const TableStyle& style);

  // Writes rows, breaking some; what stays whole goes into the model. `fault_free` rows are never broken.
  [[nodiscard]] Result<> Key(TableOut& table, const KeyShape& shape, KeyRow row, bool fault_free = false);
  [[nodiscard]] Result<> Credential(TableOut& table, const CredentialShape& shape, CredentialRow row,
                                    bool fault_free = false);
  [[nodiscard]] Result<> Run(TableOut& table, const RunShape& shape, RunRow row, const RunText& text);
  [[nodiscard]] Result<> Record(TableOut& table, const RecordRow& row);
  // Writes a line of any content into a table whose rows all count as broken, or which is not read.
  [[nodiscard]] Result<Place> RawLine(TableOut& table, std::string_view line);
  void DeadLetterAt(const Place& place, std::string_view reason, bool names_tenant = true);
  // The whole table.
  void DeadLetterOf(const TableOut& table, std::string_view reason);

  // Files, and the expectation. With `failure` nothing of the tenant is expected.
  [[nodiscard]] Result<> Finish();

  TenantModel model;
  std::vector<PlainKey> plain_keys;
  std::optional<std::string> failure;   // why nothing of this tenant may arrive
  const TableOut* truncated = nullptr;  // its file is cut
  Fields fields;                        // scratch; after Key(), the row that was written

 private:
  [[nodiscard]] Result<std::optional<Place>> Emit(TableOut& table, std::string_view shape, bool fault_free);
  // "" for now and then a row of an own table that does not name its tenant.
  [[nodiscard]] std::string_view TenantText(const TableOut& table);
  void ShowKeys(const ExpectedTenant& expected);

  Workshop* const shop_;
  const uint64_t index_;
  Prng rng_;
  std::map<std::string, std::unique_ptr<TableOut>> own_;
  std::vector<DeadLetter> dead_letters_;
  std::string line_;  // scratch
};

}  // namespace reeve::sample
