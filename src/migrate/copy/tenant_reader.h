// TenantReader: reads everything legacy holds of one tenant, from all its carriers. One per worker thread.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/sha256.h"
#include "env/clock.h"
#include "migrate/copy/central_rows.h"
#include "migrate/copy/shared_rows.h"

namespace reeve::migrate::copy {

inline constexpr size_t kDeadLettersPerTenantMax = 10'000;

// What legacy holds of a tenant.
struct TenantRows {
  std::vector<Placed<KeyRow>> keys;
  std::vector<Placed<CredentialRow>> credentials;
  std::vector<RecordRow> records;
  domain::RunSet runs;
  std::vector<DeadLetter> dead_letters;
  uint64_t dead_letters_left_out = 0;             // beyond kDeadLettersPerTenantMax
  std::map<std::string, std::string> shapes;      // by "dataset.table"
  std::array<uint64_t, catalog::kLegacyKinds> rows{};
  uint64_t bytes = 0;
  std::optional<Micros> earliest_run;             // start, also outside the window
  bool runs_known = false;                        // a recognised runs table, or rows in a shared one
  bool keys_complete = true;                      // no key row or key table was dead-lettered
  bool credentials_complete = true;
  std::string failure;                            // not empty: the tenant cannot be migrated, why
  std::string source_digest;                      // hex SHA-256 of what was read
};

// Seconds of work, estimated from a sample of the lines.
struct ReadTimes {
  double read = 0;
  double parse = 0;
};

class TenantReader {
 public:
  struct Settings {
    Micros as_of = 0;
    bool api_key_column_holds_hash = false;
    std::string options_digest;  // what else the result depends on; goes into the source digest
  };
  TenantReader(legacy::LegacyEstate& estate, const SharedRows& shared, Clock& clock, Settings settings)
      : estate_(estate), shared_(shared), clock_(clock), settings_(std::move(settings)) {}

  // All rows of `tenant`; a carrier that cannot be read to its end is TenantRows::failure.
  [[nodiscard]] TenantRows ReadAll(const Tenant& tenant, std::string_view collisions);
  // Only the accepted key rows, for the search for hashes in two tenants. A failure yields what was read; ReadAll will report it.
  [[nodiscard]] std::vector<std::string> ReadHashes(const Tenant& tenant);
  // The source digest alone, without looking into the rows; nullopt if a carrier cannot be read.
  [[nodiscard]] std::optional<std::string> DigestOnly(const Tenant& tenant, std::string_view collisions);

  [[nodiscard]] const ReadTimes& times() const { return times_; }

 private:
  struct TableRows;  // of the table being read, until it is recognised
  Result<> ReadTable(const Tenant& tenant, const CarrierTable& carrier, TenantRows* out);
  Result<> ReadShared(const Tenant& tenant, bool keys_only, TenantRows* out);
  // Reads one decoded-or-dead line into `rows`.
  void TakeLine(const RowContext& context, catalog::LegacyKind kind, const legacy::Line& line, const RowOrigin& origin,
                TableRows* rows);
  void TakeRow(const RowContext& context, catalog::LegacyKind kind, const RowOrigin& origin, TableRows* rows);
  void Keep(TableRows&& rows, catalog::LegacyKind kind, bool has_active, TenantRows* out);
  void Bury(const RowOrigin& origin, std::string_view reason, TableRows* rows);
  void StartDigest(std::string_view collisions);
  void Digest(std::string_view bytes);
  // What stands before a table's lines; ReadTable and DigestOnly must agree on it.
  void DigestTable(const legacy::LegacyTable& table);
  [[nodiscard]] std::string FinishDigest();

  legacy::LegacyEstate& estate_;
  const SharedRows& shared_;
  Clock& clock_;
  const Settings settings_;
  RowDecoder decoders_[catalog::kLegacyKinds];
  RowDecoder* decoder_ = nullptr;
  crypto::Sha256 digest_;
  std::string undigested_;  // gathered, because hashing large pieces is cheaper
  ReadTimes times_;
  uint64_t lines_ = 0;
};

}  // namespace reeve::migrate::copy
