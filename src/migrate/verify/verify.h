// `reeve verify`: has the witness read both sides of every copied tenant, and issues certificates.
//
// Nothing of legacy or of the seven tables is changed, but for the audit event that says what was found. Of reeve's own tables
// reeve_tenants and reeve_certificates are written, and the journal. One verification at a time per store.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "migrate/engine.h"
#include "migrate/journal.h"
#include "migrate/witness/witness.h"

namespace reeve::migrate {

struct VerifiedTenant {
  std::string tenant;
  bool equal = false;
  std::string certificate_digest;         // hex, when a certificate was issued
  std::vector<std::string> differences;   // for people, at most 100; of a tenant that was not copied: why
  uint64_t difference_count = 0;
  uint64_t quarantined_rows = 0;
};

struct VerifyReport {
  Micros as_of = 0;
  // tenants = equal + differing + not_copied, unless interrupted.
  uint64_t tenants = 0, equal = 0, differing = 0, not_copied = 0, legacy_rows = 0, legacy_bytes = 0;
  uint64_t quarantined_rows = 0;
  std::vector<VerifiedTenant> details;    // differing and failed tenants by name (and all, with `all_details`)
  bool interrupted = false;
  double wall_seconds = 0;
};

struct VerifyOptions {
  Options options;
  bool all_details = false;
  std::string certificates_dir;           // write one JSON file per tenant here; empty: none
};

// Needs engine.sink (certificates and the phase are written). Exit 3 material: report.differing > 0.
[[nodiscard]] Result<VerifyReport> Verify(const Engine& engine, const VerifyOptions& options);

// The same in steps, for whoever verifies what it is just copying: with its listing, and with the key tables read meanwhile. One thread; Run starts
// its own workers.
class Verifier {
 public:
  // Lists the estate and reads its key tables. `as_of` is used for what belongs to no single tenant; each tenant is compared as of the
  // instant that reeve_tenants holds.
  // REQUIRES: engine.estate and engine.sink are set and outlive the verifier, as do its files, clock and progress.
  static Result<std::unique_ptr<Verifier>> Start(const Engine& engine, const VerifyOptions& options, Micros as_of);
  // Classifies `listing`, keeping nothing of it, and reads nothing yet. REQUIRES: as above; and ReadKeysMeanwhile() before Run.
  static Result<std::unique_ptr<Verifier>> Open(const Engine& engine, const VerifyOptions& options, Micros as_of,
                                                const std::vector<legacy::Dataset>& listing);
  // Reads the key tables in a thread of its own, once; Run waits for it and returns its error, the destructor waits too.
  void ReadKeysMeanwhile();
  // With a witness that has read its keys.
  Verifier(const Engine& engine, const VerifyOptions& options, std::unique_ptr<witness::Witness> witness);
  ~Verifier();

  // Verifies the tenants called so, which should be in byte order. `journal`: open and without pending records; null: opened for this run.
  // kNotFound for a name that the estate does not have. After an error what was written stays; repeating it is fine.
  [[nodiscard]] Result<VerifyReport> Run(const std::vector<std::string>& names, Journal* journal = nullptr);
  // Tenants of the estate that options.only and options.limit leave. kNotFound if `only` names another.
  [[nodiscard]] Result<std::vector<std::string>> Chosen() const;
  // Adds to `report` what only concerns the whole: tenants that central has and the estate has not (differing), rows of nobody.
  [[nodiscard]] Result<> AddLeftovers(VerifyReport* report) const;

 private:
  const Engine engine_;
  const VerifyOptions options_;
  const std::unique_ptr<witness::Witness> witness_;
  std::future<Result<>> keys_read_;  // valid from ReadKeysMeanwhile to Run
};

// What the migration was told, as the witness wants to hear it.
[[nodiscard]] witness::Assumptions AssumptionsOf(const Options& options, Micros as_of);

}  // namespace reeve::migrate
