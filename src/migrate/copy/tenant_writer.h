// Everything that is written for one tenant, made from what legacy holds and what central already has. Plain functions; safe from any thread as
// long as the reader is not shared.
#pragma once

#include <map>
#include <set>
#include <string>

#include "migrate/copy/tenant_reader.h"
#include "migrate/phase.h"
#include "store/central_sink.h"

namespace reeve::migrate::copy {

struct WriteContext {
  MappingContext mapping;
  int64_t attempt = 0;
  std::string source;                            // URL of the estate
  std::set<std::string> collisions;              // hashes of this tenant that another tenant has too
  std::vector<EstateFinding> estate_findings;    // about this tenant's name
  store::CentralReader* existing = nullptr;      // null: central knows nothing of this tenant
  Phase phase_before = Phase::kLegacy;           // kept if the tenant fails
};

struct WriteSummary {
  std::string plan;                              // subscription plan
  std::map<std::string, uint64_t> legacy_rows;   // by kind
  std::map<std::string, uint64_t> central_rows;  // by table
  uint64_t dead_letters = 0;
  uint64_t findings = 0;
  std::string failure;
};

// The tenant's rows in all tables; or, if it failed, only its state and the audit event that says so.
[[nodiscard]] Result<store::TenantWrite> MakeTenantWrite(const WriteContext& context, TenantRows rows, WriteSummary* summary,
                                                         MappingNotes* notes);

// Rows of reeve_dead_letters and reeve_findings.
[[nodiscard]] catalog::RowBatch DeadLetterRows(std::string_view tenant, const std::vector<DeadLetter>& dead_letters);
[[nodiscard]] catalog::RowBatch FindingRows(std::string_view tenant, std::vector<Finding> findings);

}  // namespace reeve::migrate::copy
