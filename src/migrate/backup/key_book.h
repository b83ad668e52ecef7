// KeyBook: what is known about the keys of a backup on all sides, so that a restore never revives one.
//
// Denial is a lattice: a key that any row of the backup, any row of the target or the central store calls revoked is denied, since the
// earliest time that any of them gives. Filled first, asked then; one thread.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <unordered_map>

#include "migrate/backup/natural_key.h"

namespace reeve::migrate {

// True if the central store has revoked the key with this hash (64 lower-case hex digits).
using RevokedHash = std::function<bool(const std::string& hash)>;

struct Denial {
  std::optional<Micros> since;  // unknown times are not invented
};

class KeyBook {
 public:
  void AddBackupRow(const KeyFacts& row);
  // Counts only for keys that the backup has: all others are none of a restore's business.
  void AddTargetRow(const KeyFacts& row);
  // Asks about every key of the backup.
  void AddCentral(const RevokedHash& revoked);

  // nullopt if the key is not denied, or not in the backup.
  [[nodiscard]] std::optional<Denial> Find(const KeyFacts& row) const;

 private:
  struct Entry {
    bool denied = false;
    std::optional<Micros> since;
  };
  static void Merge(const KeyFacts& row, Entry* entry);

  std::unordered_map<std::string, Entry> keys_;  // by hash; a key with two possible hashes has two entries
};

// The columns a row of a table may have.
struct Columns {
  std::set<std::string, std::less<>> names;
  [[nodiscard]] bool Has(std::string_view name) const { return names.find(name) != names.end(); }
};

// The row with is_active false and, where it has a column for it, revoked since the earlier of its own time and
// `denial.since`; nullopt if it says so already. Everything else stays byte for byte.
[[nodiscard]] std::optional<std::string> DenyRow(const RowText& row, const Denial& denial, const Columns& columns);

}  // namespace reeve::migrate
