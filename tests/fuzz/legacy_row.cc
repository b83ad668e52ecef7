#include <cstring>
#include <vector>

#include "catalog/legacy.h"
#include "migrate/copy/legacy_rows.h"
#include "migrate/witness/credentials.h"
#include "migrate/witness/keys.h"
#include "migrate/witness/record.h"
#include "migrate/witness/runs.h"
#include "tests/fuzz/targets.h"

// The two implementations of docs/mapping.md §2–§6 row by row: the same rows are taken, and taken as the same values.

namespace reeve::fuzz {
namespace {

namespace copy = migrate::copy;
namespace witness = migrate::witness;
using catalog::LegacyKind;
using witness::Reason;

constexpr Micros kAsOf = 1'795'370'580 * kSecond;  // 2026-11-22 18:03:00 UTC
constexpr std::string_view kTenant = "acme";

// What is fixed for a table.
struct World {
  LegacyKind kind;
  copy::RowContext context;
  copy::RowDecoder* decoder;
  witness::JsonRow* json;

  [[nodiscard]] witness::Kind Kind() const { return static_cast<witness::Kind>(kind); }
};

// The reason by which the copier refuses the row, empty if it takes it; and the witness.
void Agree(std::string_view copier, Reason reason) {
  if (copier.empty() && reason == Reason::kNone) return;
  if (copier == witness::NameOf(reason)) return;
  std::fprintf(stderr, "copier: \"%.*s\", witness: \"%s\"\n", static_cast<int>(copier.size()), copier.data(),
               std::string(witness::NameOf(reason)).c_str());
  // Which of several reasons is told is of no consequence; whether there is one is.
  Promise(!copier.empty() && reason != Reason::kNone, "both take the same rows");
}

void Same(bool same, std::string_view field) { Promise(same, std::string("both read the same ") + std::string(field)); }

Reason TenantRule(const World& world, const witness::Row& row) {
  const witness::FieldValue& named = row[witness::TenantField(world.Kind())];
  if (!named.present) return world.context.tenant.empty() ? Reason::kNoTenant : Reason::kNone;
  const bool foreign = !world.context.tenant.empty() && named.text != world.context.tenant;
  return foreign ? Reason::kForeignTenant : Reason::kNone;
}

std::string TenantOf(const World& world, const witness::Row& row) {
  const std::string_view named = row.Text(witness::TenantField(world.Kind()));
  return std::string(named.empty() ? world.context.tenant : named);
}

void CheckKey(const World& world, const witness::Row& row, Reason reason) {
  copy::KeyRow ours;
  const std::string_view why = copy::ReadKey(*world.decoder, world.context, &ours);
  witness::Digest hash{};
  if (reason == Reason::kNone) reason = witness::JudgeKey(row, {kAsOf, world.context.api_key_column_holds_hash}, &hash);
  Agree(why, reason);
  if (!why.empty()) return;
  const witness::Key theirs = witness::KeyOf(row, hash);
  Same(ours.tenant == TenantOf(world, row), "tenant");
  Same(ours.hash == witness::HexOf(witness::BytesOf(theirs.hash)), "hash");
  Same(ours.id == theirs.id, "id");
  Same(ours.sealed == theirs.cipher, "ciphertext");
  Same(ours.created_at == theirs.created_at && ours.expires_at == theirs.expires_at && ours.last_used_at == theirs.last_used_at &&
           ours.revoked_at == theirs.revoked_at,
       "times");
  Same(ours.is_active == theirs.is_active, "is_active");
  Same(ours.name == theirs.name && ours.created_by == theirs.created_by && ours.revoked_by == theirs.revoked_by, "names");
  Same(ours.scopes.value_or("") == theirs.scopes, "scopes");
}

void CheckCredential(const World& world, const witness::Row& row, Reason reason) {
  copy::CredentialRow ours;
  std::string_view why = copy::ReadCredential(*world.decoder, world.context, &ours);
  if (why.empty() && ours.created_at > kAsOf + kDay) why = "future_time";  // the copier asks at the end of the table
  if (reason == Reason::kNone) reason = witness::JudgeCredential(row, kAsOf);
  Agree(why, reason);
  if (!why.empty()) return;
  const witness::Credential theirs = witness::CredentialOf(row, TenantOf(world, row));
  Same(ours.tenant == TenantOf(world, row), "tenant");
  Same(ours.id == theirs.id, "id");
  Same(ours.provider == theirs.provider && ours.type == theirs.type && ours.name == theirs.name, "names");
  Same(ours.sealed == theirs.cipher, "ciphertext");
  Same((ours.cipher == copy::Cipher::kAbsent) == (theirs.mark == witness::Mark::kAbsent), "mark");
  Same((ours.cipher == copy::Cipher::kPlaintext) == (theirs.mark == witness::Mark::kPlaintextWithheld), "mark");
  Same(ours.metadata == theirs.metadata, "metadata");
  Same(ours.scopes.value_or("[]") == theirs.scopes, "scopes");
  Same(ours.created_at == theirs.created_at && ours.updated_at == theirs.updated_at && ours.expires_at == theirs.expires_at &&
           ours.last_validated_at == theirs.validated_at,
       "times");
  Same(ours.is_active.value_or(true) == theirs.is_active, "is_active");
}

void CheckRun(const World& world, const witness::Row& row, Reason reason) {
  domain::RunRow ours;
  const std::string_view why = copy::ReadRun(*world.decoder, world.context, &ours);
  witness::RunFacts theirs;
  if (reason == Reason::kNone) reason = witness::JudgeRun(row, kAsOf, &theirs);
  Agree(why, reason);
  if (!why.empty()) return;
  Same(ours.id == row.Text(witness::run_field::kId), "id");
  Same(static_cast<int>(ours.state) == static_cast<int>(theirs.status), "status");
  Same(ours.start == theirs.start, "start");
  if (theirs.status != witness::RunStatus::kTerminal) return;
  Same(ours.end == theirs.end && ours.duration_ms == theirs.duration, "end");
}

void CheckRecord(const World& world, const witness::Row& row, Reason reason) {
  copy::RecordRow ours;
  const std::string_view why = copy::ReadRecord(*world.decoder, world.context, &ours);
  Agree(why, reason);
  if (!why.empty()) return;
  const witness::Record theirs = witness::RecordOf(row);
  Same(ours.tenant == TenantOf(world, row), "tenant");
  Same(ours.company_name == theirs.company && ours.contact_email == theirs.email && ours.tier == theirs.tier &&
           ours.suspended_reason == theirs.suspended_reason,
       "texts");
  Same(ours.max_monthly == theirs.quotas[0] && ours.max_concurrent == theirs.quotas[1] && ours.max_storage_gb == theirs.quotas[2] &&
           ours.runs_this_month == theirs.runs_this_month,
       "numbers");
  Same(ours.created_at == theirs.created_at && ours.suspended_at == theirs.suspended_at, "times");
}

void CheckLine(const World& world, const legacy::Line& line) {
  const copy::Verdict verdict = world.decoder->Decode(line);
  if (verdict == copy::Verdict::kBlank) {
    Promise(line.text.find_first_not_of(" \t\r") == std::string_view::npos, "only blank lines are passed over");
    return;
  }
  Reason reason = world.json->Parse(line.text);
  Agree(verdict == copy::Verdict::kDead ? world.decoder->reason() : "", reason);
  if (reason != Reason::kNone) return;
  (void)world.decoder->RowKey();
  witness::Row row;
  reason = witness::ReadRow(*world.json, world.Kind(), &row);
  if (reason == Reason::kNone) reason = TenantRule(world, row);
  switch (world.kind) {
    case LegacyKind::kKeys: return CheckKey(world, row, reason);
    case LegacyKind::kCredentials: return CheckCredential(world, row, reason);
    case LegacyKind::kRuns: return CheckRun(world, row, reason);
    case LegacyKind::kRecord: return CheckRecord(world, row, reason);
  }
}

std::vector<std::string> SplitNames(std::string_view line) {
  std::vector<std::string> names;
  while (!line.empty()) {
    const size_t comma = std::min(line.find(','), line.size());
    names.emplace_back(line.substr(0, comma));
    line.remove_prefix(std::min(comma + 1, line.size()));
  }
  return names;
}

std::string_view TakeLine(std::string_view* input) {
  const size_t end = std::min(input->find('\n'), input->size());
  const std::string_view line = input->substr(0, end);
  input->remove_prefix(std::min(end + 1, input->size()));
  return line;
}

}  // namespace

// First byte: bits 0–1 the kind, 2 api_key holds hashes, 3 a shared carrier, 4 the first line names the schema's columns. The rest are lines.
void FuzzLegacyRow(std::string_view input) {
  const unsigned how = TakeByte(&input);
  static copy::RowDecoder decoder;
  static witness::JsonRow json;
  World world{static_cast<LegacyKind>(how & 3), {(how & 8) != 0 ? std::string_view() : kTenant, kAsOf, (how & 4) != 0}, &decoder, &json};
  std::optional<std::vector<std::string>> schema;
  if ((how & 16) != 0) schema = SplitNames(TakeLine(&input));
  decoder.StartTable(world.kind, schema);
  json.StartTable(world.Kind(), schema);
  uint64_t number = 0;
  while (!input.empty()) {
    const std::string_view text = TakeLine(&input);
    // A block of its own, so that a sanitizer sees every byte read beyond the padding.
    const auto block = std::make_unique<char[]>(text.size() + legacy::kLinePadding);
    if (!text.empty()) std::memcpy(block.get(), text.data(), text.size());
    std::memset(block.get() + text.size(), ' ', legacy::kLinePadding);
    CheckLine(world, {{block.get(), text.size()}, ++number, false});
  }
  Promise(catalog::IsRecognised(world.kind, decoder.Columns(), nullptr) == json.Recognised(), "both recognise the same tables");
  if (world.kind == LegacyKind::kCredentials)
    Promise(decoder.HasColumn(catalog::Field::kIsActive) == json.HasColumn("is_active"), "both know whether is_active is a column");
}

}  // namespace reeve::fuzz
