// Journal: every transition of every tenant, in order, checksummed and chained; the authority about how far a migration is.
//
// A file that only grows (grammar in docs/formats/journal.md):
//   line   = crc SP json LF          crc: 8 lower-case hex digits, CRC-32C of json
//   json   = {"v":1,"seq":N,"prev":"<first 16 hex of SHA-256 of the previous line without LF>","type":"…", …}
// A last line without its LF is the trace of a crash and is cut off when opened for writing. Anything else that does not fit is damage:
// reading refuses and names file, offset, what was expected and what was found. One writer (the store's lock); not safe for concurrent use.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_text.h"
#include "env/files.h"
#include "migrate/phase.h"

namespace reeve::migrate {

inline constexpr int kJournalVersion = 1;
inline constexpr size_t kJournalLineMax = 64 * 1024;

// One record. `type`: begin (a run starts or resumes), phase (a tenant moved), failed (a tenant could not be copied), end (a run ended).
struct JournalRecord {
  std::string type = {};
  std::string tenant = {};               // phase, failed
  std::string phase = {};                // phase: the new one
  int64_t attempt = 0;
  Micros at = 0;                         // wall time
  Micros as_of = 0;                      // begin, phase copied
  std::string source = {};               // begin: URL of the estate
  std::string digest = {};               // begin: plan digest; copied: source digest; verified: certificate digest
  std::string detail = {};               // failed: reason; end: outcome; rolled back: why
};

// What the records add up to.
struct TenantState {
  Phase phase = Phase::kLegacy;
  int64_t attempt = 0;
  Micros as_of = 0;
  std::string source_digest;
  std::string certificate;
  std::string failure;
};
struct JournalState {
  uint64_t records = 0;
  int64_t last_attempt = 0;
  bool run_open = false;            // a begin without its end
  Micros as_of = 0;                 // of the last begin
  std::string source;
  std::map<std::string, TenantState, std::less<>> tenants;
};

// Reads `path`; an absent file is the empty state. `torn_bytes`, if given, receives the length of a torn last line.
[[nodiscard]] Result<JournalState> ReadJournal(Files& files, const std::string& path, uint64_t* torn_bytes = nullptr);
// The same of bytes in memory; `name` for messages.
[[nodiscard]] Result<JournalState> ParseJournal(std::string_view bytes, std::string_view name, uint64_t* torn_bytes,
                                                const std::function<void(const JournalRecord&)>& visit = {});

class Journal {
 public:
  // Opens for writing: reads all, cuts a torn tail, continues the chain.
  static Result<std::unique_ptr<Journal>> Open(Files& files, const std::string& path);
  ~Journal();
  [[nodiscard]] const JournalState& state() const;
  // Adds a record to the pending ones; nothing is on disk yet.
  void Add(const JournalRecord& record);
  // Writes and syncs what is pending. After an error the journal must not be used any more.
  [[nodiscard]] Result<> Commit();

 private:
  struct Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeve::migrate
