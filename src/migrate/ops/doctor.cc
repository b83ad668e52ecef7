// The post-migration checklist, every line with what was counted. The counting is in
// doctor_facts.h; here it is judged.
#include <algorithm>

#include "migrate/journal.h"
#include "migrate/ops/doctor_facts.h"
#include "migrate/ops/ops.h"

namespace reeve::migrate {
namespace {

using namespace ops;
using State = Check::State;

constexpr int kWorldReadable = 0004;
constexpr int kWorldWritable = 0002;

std::string CountsText(const std::map<std::string, uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
  return text.empty() ? "none" : text;
}

uint64_t CountOf(const std::map<std::string, uint64_t>& counts, const std::string& name) {
  const auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

class Checklist {
 public:
  std::vector<Check> checks;

  void Ok(std::string name, std::string evidence) { checks.push_back({std::move(name), State::kOk, std::move(evidence), {}}); }
  void Add(std::string name, State state, std::string evidence, std::string advice) {
    checks.push_back({std::move(name), state, std::move(evidence), std::move(advice)});
  }
  // Fine when nothing was seen.
  void None(std::string name, const Seen& seen, State otherwise, std::string_view what, std::string advice, std::string fine) {
    if (seen.count == 0) return Ok(std::move(name), std::move(fine));
    Add(std::move(name), otherwise, fmt::format("{}: {}", what, seen.Text()), std::move(advice));
  }
};

void CheckTenants(const DoctorFacts& facts, Checklist* list) {
  const std::string phases = CountsText(facts.phases);
  if (facts.tenants == 0 && facts.customers == 0) {
    list->Add("All tenants migrated", State::kUnknown, "the store holds no tenant", "reeve migrate");
  } else {
    list->None("All tenants migrated", facts.not_migrated, State::kFailed, "not migrated", "mend the cause, then 'reeve migrate' again",
               fmt::format("{} tenants: {}", facts.tenants, phases));
  }
  if (facts.stateless.count > 0)
    list->Add("Every customer came through a migration", State::kWarning, "customers that no migration vouches for: " + facts.stateless.Text(),
              "they were made elsewhere; 'reeve migrate' takes them up, 'reeve repair duplicates' merges doubles");
  list->None("Every tenant verified", facts.not_verified, State::kFailed, "without a certificate of their present attempt", "reeve verify",
             fmt::format("{} tenants hold a certificate of their present attempt", facts.tenants - facts.not_migrated.count));
  if (facts.keys_lost.count > 0) {
    list->Add("API keys migrated", State::kFailed, "tenants whose legacy keys all stayed behind: " + facts.keys_lost.Text(),
              "look at their dead letters, mend the rows and migrate again");
  } else if (facts.keys_gone_since.count > 0) {
    list->Add("API keys migrated", State::kWarning, "tenants that had a usable key when verified and have none now: " + facts.keys_gone_since.Text(),
              "their keys expired or were revoked since: issue new ones");
  } else if (facts.keys_unproven.count > 0) {
    list->Add("API keys migrated", State::kUnknown, "tenants without a usable key, and no certificate says that legacy had none: " + facts.keys_unproven.Text(),
              "reeve verify");
  } else {
    list->Ok("API keys migrated", fmt::format("{} keys; every tenant with a usable legacy key has a usable central one", facts.keys));
  }
}

void CheckSubscriptions(const DoctorFacts& facts, Checklist* list) {
  const std::string name = "One current subscription for every customer";
  const uint64_t wrong = facts.no_subscription.count + facts.many_subscriptions.count;
  if (wrong == 0) return list->Ok(name, fmt::format("{} customers, {} subscriptions", facts.customers, facts.subscriptions));
  list->Add(name, State::kFailed, fmt::format("none: {}; several: {}", facts.no_subscription.Text(), facts.many_subscriptions.Text()),
            "reeve migrate makes a missing one, reeve repair duplicates closes the older of several");
}

void CheckUsage(const DoctorFacts& facts, Checklist* list) {
  const uint64_t unknown = CountOf(facts.findings, "usage_unknown");
  if (facts.no_usage.count == 0) {
    list->Ok("Usage tracked", fmt::format("all {} customers have a row for the present month", facts.customers));
  } else {
    const bool all_listed = facts.no_usage.count <= unknown;
    list->Add("Usage tracked", all_listed ? State::kUnknown : State::kWarning,
              fmt::format("no row for the present month: {}; of these, usage unknown because legacy had no readable runs: {}", facts.no_usage.Text(), unknown),
              "absence counts as zero when serving; after a change of month this is normal, else reeve repair usage");
  }
  list->None("Usage equals its runs", facts.miscounted, State::kFailed, "months that differ from their set of runs", "reeve repair usage",
             "every month that came from legacy equals its set of distinct runs");
}

void CheckLedger(const LedgerFacts& facts, Checklist* list) {
  const std::string counters = "Counters equal the ledger", leases = "Open runs are alive", fences = "Fences in order";
  if (facts.tenants == 0) return list->Ok(counters, "no tenant was served from this store");
  list->None(counters, facts.differing, State::kFailed, "months that are not legacy's part and the ledger's runs", "reeve repair usage",
             fmt::format("{} tenants served, {} runs granted and {} refused", facts.tenants, facts.runs, facts.refused));
  list->None(leases, facts.overdue, State::kWarning, "open runs whose lease is over", "the server expires them when it starts",
             fmt::format("{} runs are open, none beyond its lease", facts.open));
  list->None(fences, facts.disorder, State::kFailed, "what cannot be", "keep the store as it is and find out who wrote to it",
             "every open run has a fence of its own; marks are ahead of all rows");
}

// Marks and events are of one view: the reader's.
void CheckLedgerChain(const store::LedgerVerdict& chain, Checklist* list) {
  using Found = store::LedgerState;
  const std::string name = "Audit chain of the ledger whole";
  const auto failed = [&](std::string advice) { list->Add(name, State::kFailed, store::Describe(chain), std::move(advice)); };
  switch (chain.state) {
    case Found::kWhole:
      return list->Ok(name, chain.events == 0 ? "the ledger has no event" : fmt::format("{} events in one chain, up to its mark", chain.events));
    case Found::kNoMark:
      return list->Add(name, State::kUnknown, store::Describe(chain),
                       "right after an import: compare the number with the store that it came from; reeve serve sets the mark and goes on from there");
    case Found::kTwoChains:
      return list->Add(name, State::kWarning, store::Describe(chain),
                       "nothing is missing: an export with a ledger was imported beside one, or an older reeve served it with numbers of its own; keep that export");
    case Found::kManyChains:
    case Found::kUnreadable:
    case Found::kMissing:
    case Found::kDoubled:
    case Found::kChanged:
      return failed("keep the store as it is and find out who changed the events; a backup or an export from before has them as they were");
    case Found::kMarkBehind:
    case Found::kMarkAhead:
    case Found::kMarkElsewhere:
      return failed("keep the store as it is: the last events, or the rows ledger_audit_* of reeve_meta, were changed, or the file was copied while it was served");
  }
}

void CheckBreaches(const DoctorFacts& facts, Checklist* list) {
  list->None("Every row has its customer", facts.orphans, State::kFailed, "rows whose customer does not exist",
             "reeve repair duplicates moves those whose tenant is known", "no orphan in any table");
  list->None("Rows belong to one tenant", facts.foreign, State::kFailed, "rows of another tenant than their customer's",
             "find out who wrote them; nobody may read them until then", "no row names another tenant than its customer");
  const uint64_t doubles = facts.duplicate_tenants.count + facts.duplicate_hashes.count + facts.duplicate_months.count;
  if (doubles == 0) {
    list->Ok("Names, hashes and months are unique", "no tenant, key hash or month twice");
  } else {
    list->Add("Names, hashes and months are unique", State::kFailed,
              fmt::format("customers that share a tenant: {}; key hashes twice: {}; months twice: {}", facts.duplicate_tenants.Text(),
                          facts.duplicate_hashes.count, facts.duplicate_months.count),
              "reeve repair duplicates");
  }
  list->None("Audit trail whole", facts.broken_chains, State::kFailed, "broken chains", "keep the store as it is and find out who changed the events",
             fmt::format("{} events, every chain sound", facts.events));
}

// A journal that reads well can still tell a strange story.
std::string StrangeHistory(std::string_view bytes, const std::string& path) {
  std::map<std::string, Phase, std::less<>> phases;
  std::string strange;
  const auto visit = [&](const JournalRecord& record) {
    const std::optional<Phase> to = record.type == "phase" ? ParsePhase(record.phase) : std::nullopt;
    if (!to) return;
    Phase& from = phases[record.tenant];
    const bool odd = from == Phase::kFinal || (*to == Phase::kVerified && from < Phase::kCopied) || (*to >= Phase::kShadow && from < Phase::kVerified);
    if (odd && strange.empty()) strange = fmt::format("{} went from {} to {}", record.tenant, PhaseName(from), PhaseName(*to));
    from = *to;
  };
  uint64_t torn = 0;
  (void)ParseJournal(bytes, path, &torn, visit);
  return strange;
}

Result<> CheckJournal(Files& files, const std::string& state_path, Checklist* list) {
  constexpr uint64_t kJournalBytesMax = 1ull << 30;
  const std::string name = "Journal readable", path = state_path + ".journal";
  if (!files.Exists(path)) {
    list->Add(name, State::kWarning, path + " does not exist", "it stands beside the store; without it a migration cannot be resumed, only repeated");
    return {};
  }
  uint64_t torn = 0;
  const Result<JournalState> state = ReadJournal(files, path, &torn);
  if (!state) {
    list->Add(name, State::kFailed, state.error().message, "restore it from a backup; nothing is repaired silently");
    return {};
  }
  REEVE_ASSIGN(const std::string bytes, files.Read(path, kJournalBytesMax));
  const std::string strange = StrangeHistory(bytes, path);
  const std::string records = fmt::format("{} records", state->records);
  if (!strange.empty()) {
    list->Add(name, State::kWarning, records + "; " + strange, "find out which program wrote that");
  } else if (state->run_open || torn > 0) {
    list->Add(name, State::kWarning, records + (state->run_open ? "; a run did not end" : "; its last line is cut off"), "run 'reeve migrate' again: it resumes");
  } else {
    list->Ok(name, records + ", checksums and chain right");
  }
  return {};
}

void CheckOpenPoints(const DoctorFacts& facts, Checklist* list) {
  if (facts.dead_letters.empty()) {
    list->Ok("No rows quarantined", "no dead letters");
  } else {
    list->Add("No rows quarantined", State::kWarning, CountsText(facts.dead_letters), "mend the rows in legacy and migrate again, or accept them");
  }
  const uint64_t exposed = CountOf(facts.findings, "key_exposed") + CountOf(facts.findings, "credential_plaintext");
  if (exposed == 0) {
    list->Ok("No secret lay open in legacy", "no key or credential was found in plaintext");
  } else {
    list->Add("No secret lay open in legacy", State::kWarning,
              fmt::format("keys in plaintext: {}, credentials in plaintext: {}", CountOf(facts.findings, "key_exposed"), CountOf(facts.findings, "credential_plaintext")),
              "rotate them: whoever could read the legacy tables has them");
  }
  list->None("No key about to expire", facts.expiring, State::kWarning, "active keys that expire within 30 days", "tell their owners, or rotate them",
             "no active key expires within 30 days");
  list->None("No expired key in use", facts.expired, State::kWarning, "keys that are active but expired",
             "the legacy platform still accepts them, central does not: renew those that are used before switching over", "no active key has expired");
  const uint64_t collisions = CountOf(facts.findings, "case_collision");
  if (collisions == 0) {
    list->Ok("No names that differ only in case", "none");
  } else {
    list->Add("No names that differ only in case", State::kWarning, fmt::format("{} findings", collisions), "tell these tenants apart before people have to");
  }
}

void CheckEngine(const std::vector<store::Drift>& drift, const std::vector<std::string>& integrity, Checklist* list) {
  if (drift.empty()) {
    list->Ok("Schema as declared", "no drift");
  } else {
    const bool repairable = std::all_of(drift.begin(), drift.end(), [](const store::Drift& one) { return one.repairable; });
    list->Add("Schema as declared", repairable ? State::kWarning : State::kFailed,
              fmt::format("{} differences, the first: {}: {}", drift.size(), drift.front().table, drift.front().what),
              repairable ? "reeve schema apply" : "reeve export, then import into a new store");
  }
  if (integrity.empty()) {
    list->Ok("Store sound", "the engine's own check found nothing");
  } else {
    list->Add("Store sound", State::kFailed, fmt::format("{} findings, the first: {}", integrity.size(), integrity.front()),
              "stop writing, copy the files, restore a backup or migrate again");
  }
}

void CheckPermissions(Files& files, const std::string& state_path, Checklist* list) {
  const std::string name = "The store's files are private";
  std::string readable, looked_at;
  bool writable = false;
  for (const char* suffix : {"", "-wal", "-shm", ".journal", ".deadletter.jsonl"}) {
    const std::string path = state_path + suffix;
    if (!files.Exists(path)) continue;
    const Result<int> mode = files.Mode(path);
    if (!mode) return list->Add(name, State::kUnknown, mode.error().message, "look at them yourself: only reeve's user should read them");
    looked_at += fmt::format("{}{} {:04o}", looked_at.empty() ? "" : ", ", path.substr(path.rfind('/') + 1), *mode);
    writable = writable || (*mode & kWorldWritable) != 0;
    if ((*mode & (kWorldReadable | kWorldWritable)) != 0) readable += (readable.empty() ? "" : " ") + path;
  }
  if (looked_at.empty()) return list->Add(name, State::kUnknown, "the store is no file here", "look at its access rules yourself");
  if (readable.empty()) return list->Ok(name, looked_at);
  list->Add(name, writable ? State::kFailed : State::kWarning, "everybody on this machine can read them: " + looked_at, "chmod o= " + readable);
}

void CheckWhatNobodySees(const DoctorFacts& facts, Checklist* list) {
  const uint64_t served = CountOf(facts.phases, "central") + CountOf(facts.phases, "final");
  if (facts.tenants > 0 && served == facts.tenants) {
    list->Ok("Application answers from central", fmt::format("all {} tenants are in phase central or final", facts.tenants));
  } else {
    list->Add("Application answers from central", State::kUnknown,
              fmt::format("{} of {} tenants are in phase central or final, {} were served from this store", served, facts.tenants, facts.ledger.tenants),
              "reeve serve answers from it; whether the application asks there is not visible from here");
  }
  list->Add("Backup kept", State::kUnknown, "a backup is not visible from the store", "reeve backup, and keep it at least six months after the last tenant is final");
  list->Add("Dashboards, documentation, training", State::kUnknown, "not visible from here",
            "let dashboards read reeve's metrics, and people know the new commands, before the legacy tables go");
}

}  // namespace

Result<std::vector<Check>> Doctor(store::CentralReader& reader, Files& files, const std::string& state_path, Micros now,
                                  const std::vector<store::Drift>& drift, const std::vector<std::string>& integrity) {
  REEVE_ASSIGN(const DoctorFacts facts, GatherFacts(reader, now));
  Checklist list;
  CheckTenants(facts, &list);
  CheckSubscriptions(facts, &list);
  CheckUsage(facts, &list);
  CheckLedger(facts.ledger, &list);
  CheckLedgerChain(facts.ledger_chain, &list);
  CheckBreaches(facts, &list);
  REEVE_TRY(CheckJournal(files, state_path, &list));
  CheckOpenPoints(facts, &list);
  CheckEngine(drift, integrity, &list);
  CheckPermissions(files, state_path, &list);
  CheckWhatNobodySees(facts, &list);
  return std::move(list.checks);
}

}  // namespace reeve::migrate
