// Legacy rows as values: one struct per kind, filled from a decoded line by the row rules of docs/mapping.md §3–§6.
// A refused row has a reason and leaves the struct unspecified. Plain functions; the decoder's thread rule applies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time_text.h"
#include "domain/run_set.h"
#include "migrate/copy/row_decoder.h"

namespace reeve::migrate::copy {

// Where a row may come from.
struct RowContext {
  std::string_view tenant;     // whose carrier it is; empty for a shared one
  Micros as_of = 0;
  bool api_key_column_holds_hash = false;
};

// How much of a ciphertext could be trusted.
enum class Cipher : uint8_t { kAbsent, kSealed, kNotBase64, kPlaintext };

struct KeyRow {
  std::string tenant;          // as the row names it, else the context's
  std::string id;              // empty: none
  std::string hash;            // 64 lower-case hex digits
  std::string sealed;          // bytes; empty if absent or withheld
  Cipher cipher = Cipher::kAbsent;
  bool exposed = false;        // the plaintext stood in legacy
  Micros created_at = 0;
  std::string created_by, name, revoked_by;  // empty: none
  std::optional<std::string> scopes;          // JSON text
  std::optional<Micros> expires_at, last_used_at, revoked_at;
  bool is_active = false;
};

struct CredentialRow {
  std::string tenant, id, provider, type, name;
  std::string sealed;
  Cipher cipher = Cipher::kAbsent;
  Micros created_at = 0, updated_at = 0;
  std::optional<Micros> expires_at, last_validated_at;
  std::optional<bool> is_active;   // absent: decided by the table's columns
  std::optional<std::string> scopes;
  std::string metadata;            // JSON text
};

struct RecordRow {
  std::string tenant, company_name, contact_email, tier, status, suspended_reason;
  std::optional<bool> is_active;
  std::optional<int64_t> max_monthly, max_concurrent, max_storage_gb, runs_this_month;
  std::optional<Micros> created_at, updated_at, suspended_at;
};

// Each returns the reason of refusal, empty when the row is good. MissingActive of a credential is the caller's: see CredentialRow::is_active.
[[nodiscard]] std::string_view ReadKey(RowDecoder& decoder, const RowContext& context, KeyRow* row);
[[nodiscard]] std::string_view ReadCredential(RowDecoder& decoder, const RowContext& context, CredentialRow* row);
[[nodiscard]] std::string_view ReadRecord(RowDecoder& decoder, const RowContext& context, RecordRow* row);
// `row->id` points into the decoder until its next Decode.
[[nodiscard]] std::string_view ReadRun(RowDecoder& decoder, const RowContext& context, domain::RunRow* row);
// Only the tenant a row names: for sorting the rows of shared carriers. Empty text: none.
[[nodiscard]] std::string_view ReadTenant(RowDecoder& decoder, std::string_view* tenant);

}  // namespace reeve::migrate::copy
