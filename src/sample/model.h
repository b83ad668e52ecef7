// Legacy rows as the generator means them: the fields that docs/mapping.md names as used, typed. What is written to the estate and what
// the oracle expects both come from these. A field is set only if the row's legacy shape has a column for it. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time_text.h"

namespace reeve::sample {

class TableOut;

using OptText = std::optional<std::string>;
using OptTime = std::optional<Micros>;

// Where a row was written.
struct Place {
  const TableOut* table = nullptr;
  uint32_t part = 0;
  uint64_t line = 0;
};

struct KeyRow {
  OptText id;
  OptText hash;     // as written: hex of any case or base64
  OptText enc;      // as written
  OptText api_key;
  OptText created_by;
  OptText name;
  OptText revoked_by;
  Micros created_at = 0;
  OptTime expires_at;
  OptTime last_used_at;
  OptTime revoked_at;
  bool is_active = true;
  std::optional<std::vector<std::string>> scopes;
  Place place;
};

struct CredentialRow {
  OptText id;
  std::string provider;
  OptText type;
  OptText enc;  // as written
  OptText name;
  Micros created_at = 0;
  OptTime updated_at;
  OptTime expires_at;
  OptTime last_validated_at;
  std::optional<bool> is_active;  // empty: the table has no such column
  std::optional<std::vector<std::string>> scopes;
  std::vector<std::pair<std::string, std::string>> metadata;  // account_id, region, …: column and text
  OptText legacy_metadata;       // column `metadata`: the text, or the JSON source if the next is true
  bool legacy_metadata_is_json = false;
  Place place;
};

enum class RunState : uint8_t { kPending = 0, kRunning = 1, kTerminal = 2 };

struct RunRow {
  std::string id;
  RunState state = RunState::kPending;
  Micros start = 0;
  OptTime end;
  std::optional<int64_t> duration_ms;
};

struct RecordRow {
  OptText company_name;
  OptText contact_email;
  OptText tier;
  std::optional<bool> is_active;
  OptText status;
  std::optional<int64_t> max_pipelines_per_month;
  std::optional<int64_t> max_concurrent_pipelines;
  std::optional<int64_t> max_storage_gb;
  OptTime created_at;
  OptTime updated_at;
  OptTime suspended_at;
  OptText suspended_reason;
  std::optional<int64_t> runs_this_month;
};

// Everything of one tenant that was written and is not broken.
struct TenantModel {
  std::string name;
  std::string dataset_id;
  std::vector<KeyRow> keys;
  std::vector<CredentialRow> credentials;
  std::vector<RunRow> runs;
  std::vector<RecordRow> records;
  bool runs_recognised = true;               // it has a runs table of a known shape
  bool case_collision = false;
  std::vector<std::string> hashes_elsewhere;  // hashes (64 hex) that another tenant has too
};

}  // namespace reeve::sample
