// Why a key is accepted or refused, in every phase and on both sides. Looks at central by hash and
// at every legacy key table; says nothing of the key but its hash.
#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "catalog/ndjson.h"
#include "crypto/sha256.h"
#include "domain/decision.h"
#include "migrate/estate_map.h"
#include "migrate/ops/legacy_keys.h"
#include "migrate/ops/legacy_runs.h"
#include "migrate/ops/ops.h"
#include "migrate/ops/row_tools.h"

namespace reeve::migrate {
namespace {

using namespace ops;

constexpr std::string_view kInvalid = "INVALID_API_KEY";
constexpr std::string_view kUnknown = "UNKNOWN";
constexpr size_t kNotesMax = 100;
constexpr size_t kHashPrefix = 12;  // as dead letters show it

// What each side says, boiled down to what a verdict needs.
struct LegacyView {
  bool asked = false;      // an estate was given and read to its end
  bool found = false;
  bool accepted = false;   // some row is active: the platform takes any
  bool denied = false;     // some row is revoked
  std::optional<Micros> expired_at;
};
struct CentralView {
  bool found = false;
  bool denied = false;
  std::optional<Micros> expired_at;
  std::string customer_status;  // empty: no customer
  bool subscribed = false;
};

KeyVerdict Verdict(std::string_view phase, bool accepted, std::string_view code, std::string why) {
  return {std::string(phase), accepted, std::string(code), std::move(why)};
}

KeyVerdict ByLegacy(std::string_view phase, const LegacyView& legacy) {
  if (!legacy.asked) return Verdict(phase, false, kUnknown, "what legacy says is not known here: give the legacy estate with --from");
  if (!legacy.found) return Verdict(phase, false, kInvalid, "legacy does not know this key");
  if (!legacy.accepted) return Verdict(phase, false, kInvalid, "revoked in legacy");
  std::string why = "active in legacy";
  if (legacy.denied) why = "one of its rows in legacy is revoked and another is active: the legacy platform takes any that is active";
  if (legacy.expired_at)
    why += fmt::format("; it expired on {}, but the legacy platform does not look at expires_at", FormatTime(*legacy.expired_at));
  return Verdict(phase, true, "", std::move(why));
}

// The ladder that the gate climbs (domain/decision.h), so that this is what a server answers; the words are for the operator, who may know more than
// whoever shows the key.
KeyVerdict ByCentral(std::string_view phase, const CentralView& central) {
  const domain::Outcome outcome = domain::JudgeStanding({.known = central.found && !central.customer_status.empty(),
                                                         .revoked = central.denied,
                                                         .expired = central.expired_at.has_value(),
                                                         .suspended = central.customer_status == "suspended",
                                                         .cancelled = central.customer_status != "active" && central.customer_status != "suspended",
                                                         .subscribed = central.subscribed,
                                                         .has_scope = true});
  const auto verdict = [&](std::string why) { return Verdict(phase, outcome == domain::Outcome::kAllowed, domain::ErrorCode(outcome), std::move(why)); };
  switch (outcome) {
    case domain::Outcome::kAllowed: return verdict("active in central, as are its customer and subscription");
    case domain::Outcome::kRevokedKey: return verdict("revoked in central");
    case domain::Outcome::kExpiredKey: return verdict("expired on " + FormatTime(*central.expired_at));
    case domain::Outcome::kCustomerSuspended:
    case domain::Outcome::kCustomerCancelled: return verdict("its customer is " + central.customer_status);
    case domain::Outcome::kSubscriptionInactive: return verdict("its customer has no current subscription");
    case domain::Outcome::kUnknownKey:
      return verdict(central.found ? "its customer does not exist in central" : "central does not know this key");
    case domain::Outcome::kStoreUnavailable:
    case domain::Outcome::kMalformedKey:
    case domain::Outcome::kScopeMissing:
    case domain::Outcome::kRateLimited:
    case domain::Outcome::kStorageQuota:
    case domain::Outcome::kMonthlyQuota:
    case domain::Outcome::kConcurrentQuota: break;  // no standing of a key
  }
  REEVE_ASSERT(false);
  return {};
}

std::vector<KeyVerdict> Judge(const LegacyView& legacy, const CentralView& central) {
  std::vector<KeyVerdict> verdicts;
  verdicts.push_back(ByLegacy("legacy", legacy));
  KeyVerdict shadow = ByLegacy("shadow", legacy);
  if (central.denied && (shadow.accepted || !legacy.asked))
    shadow = Verdict("shadow", false, kInvalid, "revoked in central: legacy answers in this phase, but a refusal of either side wins");
  verdicts.push_back(std::move(shadow));
  KeyVerdict serving = ByCentral("central", central);
  if (legacy.denied && serving.accepted)
    serving = Verdict("central", false, kInvalid, "revoked in legacy: central answers in this phase, but a refusal of either side wins");
  if (serving.accepted && !legacy.asked) serving.why += "; whether legacy refuses it, which would win, is not known here";
  verdicts.push_back(std::move(serving));
  verdicts.push_back(ByCentral("final", central));
  return verdicts;
}

std::optional<Micros> OptionalTime(const Cell& cell) { return cell.is_null ? std::nullopt : std::optional<Micros>(cell.num); }

std::string StateOf(bool denied, std::optional<Micros> expires_at, Micros now) {
  if (denied) return "revoked";
  return expires_at && *expires_at <= now ? "expired" : "active";
}

class Explainer {
 public:
  Explainer(store::CentralReader& reader, legacy::LegacyEstate* estate, const Options& options, Micros now)
      : reader_(reader), estate_(estate), options_(options), now_(now) {}

  Result<ExplainReport> Run(const Secret& key_or_hash) {
    const std::string_view text = key_or_hash.Reveal();
    if (text.empty()) return Fail(Code::kUsage, "name a key or its hash");
    const bool is_hash = text.size() == 64 && HexDecode(text).has_value();
    report_.hash = is_hash ? AsciiLower(text) : crypto::Sha256Hex(text);
    REEVE_TRY(LookIntoCentral());
    if (estate_ != nullptr) REEVE_TRY(LookIntoLegacy());
    REEVE_TRY(LookAtTenant());
    REEVE_TRY(GatherNotes());
    report_.verdicts = Judge(legacy_, central_);
    return std::move(report_);
  }

 private:
  Result<> LookIntoCentral() {
    const Table& table = catalog::ApiKeys();
    RowBatch found(table);
    const std::string_view column = "api_key_hash";
    const Cell value = Cell::Text(report_.hash);
    REEVE_TRY(reader_.Find(table, {&column, 1}, {&value, 1}, &found));
    for (size_t i = 0; i < found.size(); ++i) {
      const Row row = found.Row(i);
      KeySide side;
      side.where = "central";
      side.tenant = TextAt(table, row, "tenant_id");
      side.customer_id = TextAt(table, row, "customer_id");
      side.api_key_id = TextAt(table, row, "api_key_id");
      side.created_at = OptionalTime(At(table, row, "created_at"));
      side.expires_at = OptionalTime(At(table, row, "expires_at"));
      side.revoked_at = OptionalTime(At(table, row, "revoked_at"));
      side.last_used_at = OptionalTime(At(table, row, "last_used_at"));
      side.revoked_by = TextAt(table, row, "revoked_by");
      side.scopes = catalog::StringsFromJson(TextAt(table, row, "scopes")).value_or(std::vector<std::string>());
      const bool denied = NumAt(table, row, "is_active") == 0 || side.revoked_at;
      side.state = StateOf(denied, side.expires_at, now_);
      central_.found = true;
      central_.denied = central_.denied || denied;
      if (side.expires_at && *side.expires_at <= now_) central_.expired_at = side.expires_at;
      report_.sides.push_back(std::move(side));
    }
    return {};
  }

  Result<> LookIntoLegacy() {
    REEVE_ASSIGN(std::vector<std::string> declared, KnownTenants(reader_));
    declared.insert(declared.end(), options_.declared.begin(), options_.declared.end());
    REEVE_ASSIGN(std::vector<legacy::Dataset> datasets, estate_->List());
    const EstateMap map = MapEstate(std::move(datasets), declared);
    legacy_.asked = true;
    for (const CarrierTable& carrier : map.shared) ReadCarrier(carrier, {});
    for (const Tenant& tenant : map.tenants)
      for (const CarrierTable& carrier : tenant.tables) ReadCarrier(carrier, tenant.name);
    return {};
  }

  // A table that cannot be read leaves the question open, and the report says so.
  void ReadCarrier(const CarrierTable& carrier, const std::string& tenant) {
    if (carrier.kind != catalog::LegacyKind::kKeys) return;
    for (size_t part = 0; part < carrier.table.parts.size(); ++part) {
      const Result<> read = ReadPart(carrier.table, part, tenant);
      if (read) continue;
      if (!legacy_.found) legacy_.asked = false;
      Note(fmt::format("legacy {}.{} could not be read, what it says is unknown: {}", carrier.table.dataset, carrier.table.name, read.error().message));
    }
  }

  Result<> ReadPart(const legacy::LegacyTable& table, size_t part, const std::string& tenant) {
    REEVE_ASSIGN(const std::unique_ptr<legacy::LineReader> lines, estate_->OpenLines(table, part));
    const std::string& path = table.parts[part].name;
    for (legacy::Line line;;) {
      REEVE_ASSIGN(const bool more, lines->Next(&line));
      if (!more) return {};
      const std::optional<LegacyKey> key = ParseLegacyKey(line.text);
      if (!key || std::find(key->hashes.begin(), key->hashes.end(), report_.hash) == key->hashes.end()) continue;
      const std::string where = fmt::format("legacy {}.{}, {} line {}", table.dataset, table.name, path.substr(path.rfind('/') + 1), line.number);
      AddLegacySide(*key, where, tenant.empty() ? key->tenant : tenant);
      if (!tenant.empty() && !key->tenant.empty() && key->tenant != tenant) Note(where + ": the row names another tenant, " + key->tenant);
      if (key->hashes.size() > 1)
        Note(where + ": its key column holds 64 hex digits, a key or a hash (--api-key-column-holds-hash says which)");
    }
  }

  void AddLegacySide(const LegacyKey& key, const std::string& where, const std::string& tenant) {
    KeySide side;
    side.where = where;
    side.tenant = tenant;
    side.api_key_id = key.id;
    side.created_at = key.created_at;
    side.expires_at = key.expires_at;
    side.revoked_at = key.revoked_at;
    side.last_used_at = key.last_used_at;
    side.revoked_by = key.revoked_by;
    side.scopes = key.scopes;
    const bool denied = !key.active || key.revoked_at;
    side.state = StateOf(denied, key.expires_at, now_);
    if (key.active && key.revoked_at) Note(where + ": it has a revocation time, but is_active is true, and the legacy platform looks only at that");
    legacy_.found = legacy_.asked = true;
    legacy_.accepted = legacy_.accepted || key.active;
    legacy_.denied = legacy_.denied || denied;
    if (side.expires_at && *side.expires_at <= now_) legacy_.expired_at = side.expires_at;
    report_.sides.push_back(std::move(side));
  }

  // The customer that the key belongs to, or would belong to.
  Result<> LookAtTenant() {
    if (report_.sides.empty()) return {};
    const KeySide& side = report_.sides.front();
    const Table& table = catalog::Customers();
    RowBatch customer(table);
    const std::string_view column = side.customer_id.empty() ? "tenant_id" : "customer_id";
    const Cell value = Cell::Text(side.customer_id.empty() ? side.tenant : side.customer_id);
    REEVE_TRY(reader_.Find(table, {&column, 1}, {&value, 1}, &customer));
    if (!customer.empty()) {
      const std::string id(TextAt(table, customer.Row(0), "customer_id"));
      report_.customer_status = central_.customer_status = TextAt(table, customer.Row(0), "status");
      REEVE_TRY(LookAtSubscription({side.tenant, id}));
    }
    REEVE_ASSIGN(const RowBatch state, ReadTenantRow(reader_, side.tenant));
    if (!state.empty()) report_.current_phase = TextAt(state.table(), state.Row(0), "phase");
    for (const KeySide& other : report_.sides)
      if (other.tenant != side.tenant) Note(fmt::format("the same hash stands in {} and in {}: no tenant's key is moved then", side.tenant, other.tenant));
    return {};
  }

  Result<> LookAtSubscription(const store::Owner& owner) {
    const Table& table = catalog::Subscriptions();
    RowBatch rows(table);
    REEVE_TRY(reader_.Read(table, owner, &rows));
    report_.subscription = "none is current";
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!At(table, rows.Row(i), "billing_cycle_end").is_null) continue;
      central_.subscribed = true;
      report_.subscription = fmt::format("{} since {}", TextAt(table, rows.Row(i), "plan_name"),
                                         FormatDate(static_cast<Days>(NumAt(table, rows.Row(i), "billing_cycle_start"))));
    }
    return {};
  }

  // Dead letters and findings that name the hash, or the key's id in its tenant.
  Result<> GatherNotes() {
    const std::string prefix = report_.hash.substr(0, kHashPrefix);
    std::set<std::pair<std::string, std::string>> ids;
    for (const KeySide& side : report_.sides)
      if (!side.api_key_id.empty()) ids.emplace(side.tenant, side.api_key_id);
    const auto about = [&](std::string_view tenant, std::string_view subject, std::string_view detail) {
      if (subject.find(prefix) != std::string_view::npos || detail.find(prefix) != std::string_view::npos) return true;
      return ids.count({std::string(tenant), std::string(subject)}) != 0;
    };
    const Table& letters = catalog::ReeveDeadLetters();
    REEVE_TRY(reader_.Scan(letters, [&](Row row) -> Result<> {
      if (about(TextAt(letters, row, "tenant_id"), TextAt(letters, row, "row_key"), TextAt(letters, row, "detail")))
        Note(fmt::format("dead letter {}: {}.{}, {} line {}", TextAt(letters, row, "reason"), TextAt(letters, row, "dataset"),
                         TextAt(letters, row, "table_name"), TextAt(letters, row, "part"), NumAt(letters, row, "line")));
      return {};
    }));
    const Table& findings = catalog::ReeveFindings();
    return reader_.Scan(findings, [&](Row row) -> Result<> {
      if (about(TextAt(findings, row, "tenant_id"), TextAt(findings, row, "subject"), TextAt(findings, row, "detail")))
        Note(fmt::format("finding {} of {}: {}", TextAt(findings, row, "code"), TextAt(findings, row, "tenant_id"), TextAt(findings, row, "detail")));
      return {};
    });
  }

  void Note(std::string note) {
    if (report_.notes.size() < kNotesMax) report_.notes.push_back(std::move(note));
  }

  store::CentralReader& reader_;
  legacy::LegacyEstate* const estate_;
  const Options& options_;
  const Micros now_;
  ExplainReport report_;
  LegacyView legacy_;
  CentralView central_;
};

}  // namespace

Result<ExplainReport> ExplainKey(store::CentralReader& reader, legacy::LegacyEstate* estate, const Secret& key_or_hash,
                                 const Options& options, Micros now) {
  return Explainer(reader, estate, options, now).Run(key_or_hash);
}

}  // namespace reeve::migrate
