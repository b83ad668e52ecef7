// Tables, declared once.
//
// A Table says everything about one table of the central dataset or of reeve's own: columns, types, keys, how two
// versions of a row merge, partitioning, secrecy. DDL of all engines, codecs, merges, drift checks and the reference
// page are loops over it. Declarations are constant and live for the whole program; safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace reeve::catalog {

// Column types of the contract (docs/mapping.md, source: the platform's published tables).
enum class Type : uint8_t {
  kString,     // UTF-8 text without NUL
  kInt64,
  kBool,
  kTimestamp,  // microseconds since the epoch, UTC
  kDate,       // days since the epoch
  kNumeric,    // fixed point: value × 10^scale as int64
  kBytes,
  kJson,       // one JSON text, kept byte for byte
  kStrings,    // ARRAY<STRING>, held as the JSON text of an array of strings
};

// The type's name in the contract: "INT64".
[[nodiscard]] std::string_view TypeName(Type type);

// How an arriving row changes a stored one with the same key. Every rule is idempotent; all but kLatest and
// kBookkeeping are commutative and associative as well, and for those the attempt fence gives the order.
enum class Merge : uint8_t {
  kIdentity,      // part of what the row is: must be equal, a difference is a conflict
  kLatest,        // the arriving value
  kMin,           // the smaller of the known ones; NULL is unknown
  kMax,           // the larger of the known ones
  kAnd,           // false wins (a revocation never un-happens)
  kWithEarliest,  // belongs to `revoked_at`: taken from the row whose time is earlier; equal times: smaller bytes
  kBookkeeping,   // the arriving value, but only if another column changed; not part of digests and proofs
  kFirstSeen,     // like kMin, but bookkeeping: not part of digests and proofs
};

// Who may see the value.
enum class Secrecy : uint8_t {
  kPublic,
  kPersonal,   // names, e-mail addresses
  kVerifier,   // hashes of secrets: shortened in output for people
  kCiphertext, // sealed secrets: never shown
};

struct Column {
  std::string_view name;
  Type type = Type::kString;
  bool required = false;
  Merge merge = Merge::kLatest;
  std::string_view default_value = {};  // SQL literal valid in all engines ('active', TRUE, 0); empty: none
  int precision = 0;                    // kNumeric only
  int scale = 0;                        // kNumeric only
  Secrecy secrecy = Secrecy::kPublic;
  std::string_view doc = {};            // one sentence for the reference page
};

// True for columns that say when the store was written, not what the row means: digests and proofs leave them out.
[[nodiscard]] constexpr bool IsBookkeeping(const Column& column) {
  return column.merge == Merge::kBookkeeping || column.merge == Merge::kFirstSeen;
}

// A list of column indexes.
using Columns = std::vector<int>;

struct Unique {
  std::string_view name;   // index name
  std::vector<std::string_view> columns;
  std::string_view where = {};  // condition of a partial index, as SQL valid in SQLite and PostgreSQL
};

// An index that keeps nothing apart.
struct PlainIndex {
  std::vector<std::string_view> columns;
  std::string_view where = {};  // condition of a partial index, as for Unique
  bool for_serving = false;     // only a store that is served has it: a migration need not pay for it
};

struct Table {
  std::string_view name = {};
  std::string_view doc = {};
  std::vector<Column> columns = {};
  std::vector<std::string_view> key = {};    // what names a row to people and in repairs; rows are read and exported in its order
  // Primary key in SQLite and PostgreSQL where it is not `key`. Its first column is the owner, so that the rows of a tenant lie
  // together and a migration in order of tenants touches few pages; ids are digests and lie anywhere. As a customer has one
  // tenant, this keeps ids unique within their customer all the same; that derived ids are unique overall, CheckIntegrity tells.
  std::vector<std::string_view> stored_key = {};
  std::vector<std::string_view> merge_key = {};  // natural key: rows equal here are versions of one row (a key or Unique)
  std::string_view owner_column = {};        // tenant_id, or customer_id where the contract has no tenant_id; empty: none
  std::vector<Unique> unique = {};
  std::vector<PlainIndex> indexes = {};
  // Column that must name an existing customer, of the row's tenant if the table has tenant_id; empty: none.
  std::string_view references_customer = {};
  std::string_view partition_by = {};        // BigQuery: a DATE or TIMESTAMP column
  std::vector<std::string_view> cluster_by = {};
  bool own = false;                          // one of reeve's own tables (prefix reeve_)
  bool replaced_per_tenant = false;          // rows of a tenant are replaced as a whole by each attempt
  // SQLite: rows lie in the order in which they arrived, the key is an index beside them. For what grows without end: new rows then share pages,
  // and only the small index is touched at random.
  bool by_arrival = false;

  [[nodiscard]] const std::vector<std::string_view>& StoredKey() const { return stored_key.empty() ? key : stored_key; }
  // Position of `column`; asserts that it exists.
  [[nodiscard]] int Index(std::string_view column) const;
  // Position of `column` or -1.
  [[nodiscard]] int Find(std::string_view column) const;
};

// The seven tables of the contract, in the order in which a migration fills them.
[[nodiscard]] std::span<const Table> CentralTables();
// reeve's own tables.
[[nodiscard]] std::span<const Table> OwnTables();
// A table of either by name, or nullptr.
[[nodiscard]] const Table* FindTable(std::string_view name);

// Named access for code that fills or reads one table.
[[nodiscard]] const Table& Customers();
[[nodiscard]] const Table& Subscriptions();
[[nodiscard]] const Table& ApiKeys();
[[nodiscard]] const Table& Credentials();
[[nodiscard]] const Table& Usage();
[[nodiscard]] const Table& AuditLogs();
[[nodiscard]] const Table& Invitations();
[[nodiscard]] const Table& ReeveMeta();
[[nodiscard]] const Table& ReeveTenants();
[[nodiscard]] const Table& ReeveUsageRuns();
[[nodiscard]] const Table& ReeveDeadLetters();
[[nodiscard]] const Table& ReeveFindings();
[[nodiscard]] const Table& ReeveCertificates();
[[nodiscard]] const Table& ReeveRuns();
[[nodiscard]] const Table& ReeveRunTotals();

}  // namespace reeve::catalog
