// What a verification found about one tenant. Plain values.
//
// No field holds a secret: hashes are shortened to 12 hex digits, ciphertexts never appear.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace reeve::migrate::witness {

inline constexpr size_t kDifferencesMax = 100;  // listed; all are counted

enum class DifferenceKind : uint8_t {
  kMissingInCentral,
  kExtraInCentral,
  kValueDiffers,
  kDecisionDiffers,  // a key would be let in on one side and not on the other, or as another customer
  kUsageDiffers,     // the stored set of runs lacks or contradicts what legacy says, or is damaged
  kTenantFailed,     // the migration and the witness disagree on whether the tenant can be moved at all
};
// "missing_in_central", …
[[nodiscard]] std::string_view NameOf(DifferenceKind kind);

struct Difference {
  DifferenceKind kind = DifferenceKind::kValueDiffers;
  std::string table;
  std::string row;     // its key; a hash is shortened
  std::string column;  // or what differs, in words
};

// The rows of one table, as they must be and as they are.
//
// A digest is the SHA-256 over the rows in order of the table's key (cell by cell, texts by bytes), each a sequence of the
// table's cells in order without bookkeeping columns:
//   cell := 0                            NULL
//         | 1 ; 8 bytes, big endian      INT64, BOOL, TIMESTAMP (µs), DATE (days), NUMERIC (scaled), two's complement
//         | 2 ; 8 bytes size ; bytes     the others
// A row with a declared difference (Verdict::declared) enters both digests as central holds it.
struct TableProof {
  uint64_t rows_expected = 0;
  uint64_t rows_found = 0;
  std::string digest_expected;  // hex
  std::string digest_found;
};

// Every hash on either side, decided at as_of and one microsecond before, at and after every expiry on either side.
//   The digest is over the keys usable at as_of in order of their hashes: 64 hex digits of hash, customer_id, a zero byte.
struct KeyProof {
  uint64_t hashes = 0;
  uint64_t instants = 0;
  uint64_t usable = 0;
  std::string digest_expected;
  std::string digest_found;
};

// The union of legacy and stored runs of the counted months, and the stored ones, each by month in the order of docs/formats/run-set.md:
//   run := month as 4 bytes ; size of the id as 8 ; id ; status ; start as 8 ; {0 | 1 ; end} ; {0 | 1 ; duration}, big endian
struct UsageProof {
  uint64_t months = 0;         // rows of customer_usage compared
  uint64_t runs = 0;           // distinct ids in the union
  uint64_t vanished = 0;       // of them gone from legacy since they were stored
  uint64_t out_of_window = 0;  // in legacy, started outside the counted months
  std::string digest_expected;
  std::string digest_found;
};

struct CredentialProof {
  uint64_t compared = 0;
  uint64_t sealed = 0;    // opened and sealed anew
  uint64_t unproven = 0;  // carried as they were
  uint64_t withheld = 0;  // plaintext in legacy: empty in central
  uint64_t absent = 0;    // legacy holds none
};

struct Verdict {
  std::string tenant;
  // Both sides agree: everything arrived, or the tenant cannot be moved and the migration knew (then `failed` says why and nothing else
  // was compared).
  bool equal = false;
  std::string failed;  // why the tenant cannot be moved; empty if it can
  std::vector<Difference> differences;  // the first kDifferencesMax
  uint64_t differences_total = 0;
  // Differences that a rule allows, counted by class: "revoked in central", "gone from legacy" (and inactive), "not readable in
  // legacy" (left as it was, because not all rows of its kind could be read), "kept from an earlier migration", "created_at of an earlier migration", "month without runs", "month outside the window".
  std::map<std::string, uint64_t> declared;
  std::map<std::string, TableProof> tables;
  KeyProof keys;
  UsageProof usage;
  CredentialProof credentials;
  uint64_t quarantined_rows = 0;    // legacy rows that were not moved, one by one
  uint64_t quarantined_tables = 0;  // and whole tables of unknown shape
  uint64_t legacy_rows = 0;
  uint64_t legacy_bytes = 0;        // decompressed, of own carriers
};

}  // namespace reeve::migrate::witness
