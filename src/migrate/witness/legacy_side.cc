#include "migrate/witness/legacy_side.h"

#include <algorithm>
#include <map>

#include "base/error.h"

namespace reeve::migrate::witness {
namespace {

void TakeEarliest(std::optional<Micros> from, std::optional<Micros>* into) {
  if (from && (!*into || *from < **into)) *into = from;
}

// The accepted rows so far, and those of the table at hand until its shape is known.
class Collector {
 public:
  Collector(const LegacyContext& context, TableReader* reader, RunTable* runs)
      : context_(context), reader_(*reader), runs_(*runs) {}

  void ReadOwn(const std::vector<CarrierTable>& tables);
  void TakeShared(std::string_view bytes);
  LegacySide Finish();

 private:
  // A credential row that waits for the answer to whether its table has the column is_active.
  struct PendingCredential {
    Credential credential;
    bool says_active = false;
  };

  bool ReadAll(const std::vector<CarrierTable>& tables);
  bool ReadTable(const CarrierTable& carrier);
  void Reject(Kind kind, Reason reason);
  void Miss(Kind kind);
  void Take(Kind kind, const Row& row);
  void TakeKey(const Row& row);
  void TakeRun(const Row& row);
  void Keep(Kind kind, bool has_is_active);
  void GiveBack();

  const LegacyContext& context_;
  TableReader& reader_;
  RunTable& runs_;
  LegacySide side_;
  std::vector<Key> keys_;
  std::vector<Credential> credentials_;
  std::vector<Record> records_;

  std::vector<Key> pending_keys_;
  std::vector<PendingCredential> pending_credentials_;
  std::vector<Record> pending_records_;
  std::optional<Micros> pending_start_;
  std::map<size_t, uint64_t> passed_over_;  // runs tables of unknown shape, and their rows
};

void Collector::Reject(Kind kind, Reason reason) {
  ++side_.rejected_rows;
  if (reason != Reason::kHashInTwoTenants) Miss(kind);
  if (kind == Kind::kRecord && side_.failed.empty()) {
    side_.failed = "a row of the tenant's own record cannot be read: " + std::string(NameOf(reason));
  }
}

// Notes that not all of a kind could be read.
void Collector::Miss(Kind kind) {
  if (kind == Kind::kKeys) side_.keys_unread = true;
  if (kind == Kind::kCredentials) side_.credentials_unread = true;
}

void Collector::TakeKey(const Row& row) {
  Digest hash;
  Reason reason = JudgeKey(row, context_.key_rules, &hash);
  const auto& many = *context_.hashes_of_many;
  if (reason == Reason::kNone && std::binary_search(many.begin(), many.end(), hash)) reason = Reason::kHashInTwoTenants;
  if (reason != Reason::kNone) return Reject(Kind::kKeys, reason);
  pending_keys_.push_back(KeyOf(row, hash));
}

void Collector::TakeRun(const Row& row) {
  RunFacts facts;
  if (const Reason reason = JudgeRun(row, context_.key_rules.as_of, &facts); reason != Reason::kNone) {
    return Reject(Kind::kRuns, reason);
  }
  TakeEarliest(facts.start, &pending_start_);
  bool is_new = false;
  RunTable::Run& run = runs_.Get(row.Text(run_field::kId), facts, &is_new);
  if (!is_new) run.facts = Unite(run.facts, facts);
  run.in_legacy = true;
}

void Collector::Take(Kind kind, const Row& row) {
  switch (kind) {
    case Kind::kKeys: return TakeKey(row);
    case Kind::kRuns: return TakeRun(row);
    case Kind::kRecord: return pending_records_.push_back(RecordOf(row));
    case Kind::kCredentials: {
      const Reason reason = JudgeCredential(row, context_.key_rules.as_of);
      if (reason != Reason::kNone) return Reject(kind, reason);
      pending_credentials_.push_back({CredentialOf(row, context_.tenant),
                                      row[credential_field::kIsActive].present});
    }
  }
}

// Takes what is pending for good.
void Collector::Keep(Kind kind, bool has_is_active) {
  std::move(pending_keys_.begin(), pending_keys_.end(), std::back_inserter(keys_));
  std::move(pending_records_.begin(), pending_records_.end(), std::back_inserter(records_));
  for (PendingCredential& pending : pending_credentials_) {
    if (has_is_active && !pending.says_active) Reject(kind, Reason::kMissingIsActive);
    else credentials_.push_back(std::move(pending.credential));
  }
  TakeEarliest(pending_start_, &side_.evidence);
  GiveBack();
}

void Collector::GiveBack() {
  pending_keys_.clear();
  pending_credentials_.clear();
  pending_records_.clear();
  pending_start_.reset();
}

// False when the shape is unknown.
bool Collector::ReadTable(const CarrierTable& carrier) {
  const uint64_t rejected_before = side_.rejected_rows;
  const TableOutcome outcome = reader_.Read(carrier, [&](const Row& row, Reason reason) {
    if (reason == Reason::kNone && NamesAnother(row, carrier.kind, context_.tenant)) reason = Reason::kForeignTenant;
    if (reason != Reason::kNone) Reject(carrier.kind, reason);
    else Take(carrier.kind, row);
  });
  side_.rows += outcome.rows;
  if (!outcome.unreadable.empty()) {
    side_.failed = outcome.unreadable;
    return true;
  }
  if (!outcome.recognised) {
    GiveBack();
    Miss(carrier.kind);
    ++side_.rejected_tables;
    side_.rejected_rows = rejected_before;
    if (carrier.kind == Kind::kRecord) side_.failed = "the tenant's own record has an unknown shape";
    return false;
  }
  side_.has_runs_table |= carrier.kind == Kind::kRuns;
  Keep(carrier.kind, outcome.has_is_active);
  return true;
}

// False when a runs table turned out to have an unknown shape after its runs were mixed with others: all must be read again without it.
bool Collector::ReadAll(const std::vector<CarrierTable>& tables) {
  side_ = {};
  keys_.clear();
  credentials_.clear();
  records_.clear();
  runs_.Clear();
  for (size_t i = 0; i < tables.size() && side_.failed.empty(); ++i) {
    if (const auto passed = passed_over_.find(i); passed != passed_over_.end()) {
      ++side_.rejected_tables;
      side_.rows += passed->second;
      continue;
    }
    const uint64_t rows_before = side_.rows;
    const bool mixed = !runs_.runs().empty();
    if (ReadTable(tables[i]) || tables[i].kind != Kind::kRuns) continue;
    passed_over_[i] = side_.rows - rows_before;
    if (mixed) return false;
    runs_.Clear();
  }
  return true;
}

void Collector::ReadOwn(const std::vector<CarrierTable>& tables) {
  while (!ReadAll(tables)) {
  }
}

void Collector::TakeShared(std::string_view bytes) {
  PackedRow packed;
  while (!bytes.empty()) {
    UnpackRow(&bytes, &packed);
    ++side_.rows;
    if (packed.rejected) {
      Reject(packed.kind, Reason::kBadText);
      continue;
    }
    Take(packed.kind, packed.row);
    Keep(packed.kind, packed.has_is_active);
  }
}

LegacySide Collector::Finish() {
  side_.keys = MergeKeys(std::move(keys_), context_.tenant);
  for (const Key& key : side_.keys) TakeEarliest(key.created_at, &side_.evidence);
  MergedCredentials merged = MergeCredentials(std::move(credentials_));
  side_.credentials = std::move(merged.credentials);
  side_.rejected_rows += merged.conflicting;
  TakeEarliest(merged.earliest, &side_.evidence);
  if (!records_.empty()) side_.record = MergeRecords(records_);
  return std::move(side_);
}

}  // namespace

bool NamesAnother(const Row& row, Kind kind, std::string_view tenant) {
  const FieldValue& named = row[TenantField(kind)];
  return named.present && named.text != tenant;
}

LegacySide ReadLegacySide(const LegacyContext& context, const std::vector<CarrierTable>& tables,
                          std::string_view shared_rows, TableReader* reader, RunTable* runs) {
  Collector collector(context, reader, runs);
  collector.ReadOwn(tables);
  collector.TakeShared(shared_rows);
  return collector.Finish();
}

}  // namespace reeve::migrate::witness
