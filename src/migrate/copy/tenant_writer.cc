#include "migrate/copy/tenant_writer.h"

#include <algorithm>

#include "base/encoding.h"
#include "migrate/audit.h"
#include "migrate/copy/row_writer.h"

namespace reeve::migrate::copy {
namespace {

using catalog::Cell;
using catalog::RowBatch;

constexpr std::string_view kGone = "reeve:gone-from-legacy";

const Cell& At(const RowBatch& batch, size_t row, std::string_view column) {
  return batch.Row(row)[static_cast<size_t>(batch.table().Index(column))];
}

// Takes the keys that another tenant has too out of the rows.
void QuarantineCollisions(const std::set<std::string>& collisions, TenantRows* rows, MappingNotes* notes) {
  if (collisions.empty()) return;
  const auto shared = [&](const Placed<KeyRow>& key) { return collisions.count(key.row.hash) != 0; };
  for (const Placed<KeyRow>& key : rows->keys) {
    if (!shared(key)) continue;
    notes->dead_letters.push_back({key.origin, key.row.id, "hash_in_two_tenants", "hash " + key.row.hash.substr(0, 12) + "…"});
  }
  rows->keys.erase(std::remove_if(rows->keys.begin(), rows->keys.end(), shared), rows->keys.end());
}

std::set<std::string_view> ValuesOf(const RowBatch& batch, std::string_view column) {
  std::set<std::string_view> values;
  for (size_t i = 0; i < batch.size(); ++i) values.insert(At(batch, i, column).text);
  return values;
}

// Appends `row` of `from`, its texts copied.
std::span<Cell> CopyRow(const RowBatch& from, size_t row, RowBatch* to) {
  const std::span<Cell> cells = to->AddRow();
  for (size_t c = 0; c < cells.size(); ++c) {
    cells[c] = from.Row(row)[c];
    if (!cells[c].text.empty()) cells[c].text = to->Own(cells[c].text).text;
  }
  return cells;
}

// How rows of a table are missed in legacy, and what is said of them.
struct Vanishing {
  std::string_view told_apart_by, id;
  std::string_view gone, gone_detail;
  std::string_view unreadable, unreadable_detail;
};

constexpr Vanishing kVanishedKeys = {"api_key_hash", "api_key_id", "key_gone", "no longer in legacy: revoked in central",
                                     "key_unreadable", "in central but not among the readable legacy keys; left as it is"};
constexpr Vanishing kVanishedCredentials = {"credential_id", "credential_id", "credential_gone", "no longer in legacy: inactive in central",
                                            "credential_unreadable", "in central but not among the readable legacy credentials; left as it is"};

// Rows that central has and legacy has no more stay, inactive: appended to `rows`, unless they are so already. Not `complete`: legacy may have them
// where it could not be read, and they are left as they are.
Result<> RetireVanished(const WriteContext& context, const store::Owner& owner, bool complete, const Vanishing& words, RowBatch* rows,
                        MappingNotes* notes) {
  RowBatch stored(rows->table());
  REEVE_TRY(context.existing->Read(rows->table(), owner, &stored));
  const std::set<std::string_view> present = ValuesOf(*rows, words.told_apart_by);
  std::vector<size_t> vanished;
  for (size_t i = 0; i < stored.size(); ++i)
    if (present.count(At(stored, i, words.told_apart_by).text) == 0) vanished.push_back(i);
  for (const size_t i : vanished) {
    const std::string id(At(stored, i, words.id).text);
    if (!complete) {
      notes->findings.push_back({std::string(words.unreadable), id, std::string(words.unreadable_detail)});
      continue;
    }
    notes->findings.push_back({std::string(words.gone), id, std::string(words.gone_detail)});
    if (At(stored, i, "is_active").num == 0) continue;
    CopyRow(stored, i, rows)[static_cast<size_t>(rows->table().Index("is_active"))] = Cell::Int(0);
  }
  return {};
}

// Such a key is revoked, as of the migration; never the other way round.
Result<> RevokeVanishedKeys(const WriteContext& context, const store::Owner& owner, bool complete, RowBatch* keys, MappingNotes* notes) {
  const size_t first = keys->size();
  REEVE_TRY(RetireVanished(context, owner, complete, kVanishedKeys, keys, notes));
  for (size_t i = first; i < keys->size(); ++i) {
    const std::span<Cell> row = keys->Row(i);
    Cell& revoked_at = row[static_cast<size_t>(keys->table().Index("revoked_at"))];
    if (!revoked_at.is_null) continue;
    revoked_at = Cell::Int(context.mapping.as_of);
    row[static_cast<size_t>(keys->table().Index("revoked_by"))] = keys->Own(kGone);
  }
  return {};
}

Result<> UniteStoredRuns(const WriteContext& context, const store::Owner& owner, domain::RunSet* runs) {
  RowBatch stored(catalog::ReeveUsageRuns());
  REEVE_TRY(context.existing->Read(catalog::ReeveUsageRuns(), owner, &stored));
  for (size_t i = 0; i < stored.size(); ++i) {
    const auto month = static_cast<Days>(At(stored, i, "usage_month").num);
    Result<> decoded = runs->Decode(At(stored, i, "runs").text, month);
    if (!decoded) return Unexpected(std::move(decoded).error().Within("reeve_usage_runs of " + owner.tenant_id));
  }
  return {};
}

std::string CountsJson(const WriteSummary& summary) {
  std::string json = R"({"legacy":{)";
  const auto append = [&json](const std::map<std::string, uint64_t>& counts) {
    bool first = true;
    for (const auto& [name, count] : counts) {
      json += fmt::format(R"({}"{}":{})", first ? "" : ",", name, count);
      first = false;
    }
  };
  append(summary.legacy_rows);
  json += R"(},"central":{)";
  append(summary.central_rows);
  return json + "}}";
}

RowBatch StateRow(const WriteContext& context, const store::Owner& owner, const WriteSummary& summary,
                  std::string_view source_digest) {
  RowBatch batch(catalog::ReeveTenants());
  RowWriter row(&batch);
  const bool failed = !summary.failure.empty();
  row.Text("tenant_id", owner.tenant_id).Text("customer_id", owner.customer_id);
  row.Text("dataset_id", context.mapping.dataset_id);
  row.Text("phase", PhaseName(failed ? context.phase_before : Phase::kCopied)).Int("attempt", context.attempt);
  row.Time("as_of", context.mapping.as_of).Text("source", context.source).Text("source_digest", source_digest);
  row.Text("counts", CountsJson(summary)).Int("quarantined", static_cast<int64_t>(summary.dead_letters));
  row.Int("findings", static_cast<int64_t>(summary.findings)).TextOrNull("reason", summary.failure);
  row.Time("updated_at", context.mapping.as_of);
  return batch;
}

Result<RowBatch> AuditRow(const WriteContext& context, const store::Owner& owner, const WriteSummary& summary,
                          std::string_view source_digest) {
  AuditEvent event;
  event.action = "migrate";
  event.created_at = context.mapping.as_of;
  if (summary.failure.empty()) {
    event.event_type = "customer.migrated";
    event.result = summary.dead_letters == 0 ? "success" : "partial";
    event.facts = fmt::format(R"({{"counts":{},"dead_letters":{},"findings":{},"source_sha256":"{}"}})",
                              CountsJson(summary), summary.dead_letters, summary.findings, source_digest);
  } else {
    event.event_type = "customer.migration_failed";
    event.result = "failure";
    event.facts = R"({"reason":)";
    AppendJsonString(summary.failure, &event.facts);
    event.facts += "}";
  }
  RowBatch batch(catalog::AuditLogs());
  REEVE_TRY(AddAuditEvent(context.existing, owner, event, &batch));
  return batch;
}

// Maps the rows into `write`; the rest of what belongs to a tenant is the caller's.
Result<> MapRows(const WriteContext& context, TenantRows* rows, store::TenantWrite* write, WriteSummary* summary,
                 MappingNotes* notes) {
  const MappingContext& mapping = context.mapping;
  RowBatch customers(catalog::Customers()), subscriptions(catalog::Subscriptions()), keys(catalog::ApiKeys()),
      credentials(catalog::Credentials()), usage(catalog::Usage()), stored_runs(catalog::ReeveUsageRuns());
  QuarantineCollisions(context.collisions, rows, notes);
  CustomerFacts facts{std::move(rows->records), rows->earliest_run, std::nullopt};
  for (const std::optional<Micros>& evidence :
       {MapKeys(mapping, std::move(rows->keys), &keys, notes),
        MapCredentials(mapping, std::move(rows->credentials), &credentials, notes)})
    if (evidence) facts.earliest_evidence = std::min(facts.earliest_evidence.value_or(kTimeMax), *evidence);
  if (context.existing != nullptr) {
    REEVE_TRY(RevokeVanishedKeys(context, write->owner, rows->keys_complete, &keys, notes));
    REEVE_TRY(RetireVanished(context, write->owner, rows->credentials_complete, kVanishedCredentials, &credentials, notes));
    REEVE_TRY(UniteStoredRuns(context, write->owner, &rows->runs));
  }
  if (rows->runs_known) {
    facts.runs_this_month = MapUsage(mapping, rows->runs, &usage, &stored_runs, notes).runs_this_month;
  } else {
    notes->findings.push_back({"usage_unknown", "", "no readable table of runs: usage is unknown, not zero"});
  }
  summary->plan = MapCustomer(mapping, facts, &customers, &subscriptions, notes);
  for (RowBatch* batch : {&customers, &subscriptions, &keys, &credentials, &usage, &stored_runs}) {
    if (!batch->table().own) summary->central_rows[std::string(batch->table().name)] = batch->size();
    write->tables.push_back(std::move(*batch));
  }
  return {};
}

}  // namespace

RowBatch DeadLetterRows(std::string_view tenant, const std::vector<DeadLetter>& dead_letters) {
  RowBatch batch(catalog::ReeveDeadLetters());
  for (const DeadLetter& letter : dead_letters) {
    RowWriter row(&batch);
    row.Text("tenant_id", tenant).Text("dataset", letter.origin.dataset).Text("table_name", letter.origin.table);
    row.Text("part", letter.origin.part).Int("line", static_cast<int64_t>(letter.origin.line));
    row.TextOrNull("row_key", letter.row_key).Text("reason", letter.reason).TextOrNull("detail", letter.detail);
  }
  return batch;
}

RowBatch FindingRows(std::string_view tenant, std::vector<Finding> findings) {
  std::sort(findings.begin(), findings.end());
  findings.erase(std::unique(findings.begin(), findings.end(),
                             [](const Finding& a, const Finding& b) { return a.code == b.code && a.subject == b.subject; }),
                 findings.end());
  RowBatch batch(catalog::ReeveFindings());
  for (const Finding& finding : findings) {
    RowWriter row(&batch);
    row.Text("tenant_id", tenant).Text("code", finding.code).Text("subject", finding.subject).Text("detail", finding.detail);
  }
  return batch;
}

Result<store::TenantWrite> MakeTenantWrite(const WriteContext& context, TenantRows rows, WriteSummary* summary,
                                           MappingNotes* notes) {
  store::TenantWrite write;
  write.owner = {context.mapping.tenant, context.mapping.customer_id};
  write.attempt = context.attempt;
  summary->failure = rows.failure;
  for (int kind = 0; kind < catalog::kLegacyKinds; ++kind)
    summary->legacy_rows[std::string(catalog::LegacyKindName(catalog::LegacyKind(kind)))] = rows.rows[kind];
  notes->dead_letters = std::move(rows.dead_letters);
  for (const EstateFinding& finding : context.estate_findings)
    notes->findings.push_back({finding.code, finding.subject, finding.detail});
  const std::string source_digest = rows.source_digest;
  if (rows.dead_letters_left_out > 0)
    notes->findings.push_back({"dead_letters_left_out", "", fmt::format("{} more rows were refused", rows.dead_letters_left_out)});
  if (rows.failure.empty()) REEVE_TRY(MapRows(context, &rows, &write, summary, notes));
  summary->dead_letters = notes->dead_letters.size() + rows.dead_letters_left_out;
  RowBatch findings = FindingRows(write.owner.tenant_id, notes->findings);
  summary->findings = findings.size();
  REEVE_ASSIGN(RowBatch audit, AuditRow(context, write.owner, *summary, source_digest));
  write.tables.push_back(StateRow(context, write.owner, *summary, source_digest));
  write.tables.push_back(std::move(audit));
  write.tables.push_back(DeadLetterRows(write.owner.tenant_id, notes->dead_letters));
  write.tables.push_back(std::move(findings));
  return write;
}

}  // namespace reeve::migrate::copy
