#include "migrate/ops/carry_back.h"

namespace reeve::migrate::ops {

std::map<std::string, KeyAnswers> CarryBack::Run(const std::map<std::string, KeyQuestions>& questions) {
  questions_ = &questions;
  answers_.clear();
  for (const auto& [tenant, question] : questions) answers_[tenant];
  for (const CarrierTable& carrier : map_.shared) {
    if (carrier.kind != catalog::LegacyKind::kKeys || questions.empty()) continue;
    const Result<> treated = Treat(carrier, nullptr);
    if (treated) continue;
    for (auto& [tenant, answer] : answers_) answer.failure = treated.error().message;
  }
  for (const auto& [tenant, question] : questions) {
    const Tenant* carriers = map_.Find(tenant);
    if (carriers == nullptr) continue;
    for (const CarrierTable& carrier : carriers->tables) {
      if (carrier.kind != catalog::LegacyKind::kKeys) continue;
      const Result<> treated = Treat(carrier, &tenant);
      if (!treated) answers_[tenant].failure = treated.error().message;
    }
  }
  return std::move(answers_);
}

Result<> CarryBack::Treat(const CarrierTable& carrier, OwnerOf owner) {
  REEVE_ASSIGN(const Found found, Look(carrier.table, owner, true));
  if (!found.must_change || dry_run_) return {};
  const std::string name = carrier.table.dataset + "." + carrier.table.name;
  if (Result<> written = Rewrite(carrier.table, owner, found.columns); !written) return Unexpected(std::move(written).error().Within(name));
  REEVE_ASSIGN(const std::vector<legacy::Dataset> datasets, estate_.List());
  for (const legacy::Dataset& dataset : datasets) {
    if (dataset.name != carrier.table.dataset) continue;
    for (const legacy::LegacyTable& table : dataset.tables) {
      if (table.name != carrier.table.name) continue;
      REEVE_ASSIGN(const Found again, Look(table, owner, false));
      if (!again.must_change) return {};
    }
  }
  return Fail(Code::kFailed, "{}: a revoked key is still active after it was written back", name);
}

Result<CarryBack::Found> CarryBack::Look(const legacy::LegacyTable& table, OwnerOf owner, bool note) {
  Found found;
  if (table.schema)
    for (const std::string& column : *table.schema) found.columns.LookAt(column);
  REEVE_TRY(ForEachRawLine(estate_, table, [&](std::string_view line) -> Result<> {
    if (!table.schema) found.columns.Look(line);
    const std::optional<LegacyKey> key = ParseLegacyKey(line);
    if (key && DenialOf(*key, owner, note) != nullptr) found.must_change = true;
    return {};
  }));
  return found;
}

Result<> CarryBack::Rewrite(const legacy::LegacyTable& table, OwnerOf owner, const DenialColumns& columns) {
  std::string lines;
  REEVE_TRY(ForEachRawLine(estate_, table, [&](std::string_view line) -> Result<> {
    const std::optional<LegacyKey> key = ParseLegacyKey(line);
    const Denial* denial = key ? DenialOf(*key, owner, false) : nullptr;
    if (denial != nullptr) {
      lines += DenyInLine(line, *denial, columns);
    } else {
      lines += line;
    }
    lines += '\n';
    if (lines.size() > kRewriteBytesMax)
      return Fail(Code::kRefused, "the table is larger than {} bytes: revoke its keys in legacy first", kRewriteBytesMax);
    return {};
  }));
  return estate_.Replace(table.dataset, table.name, lines);
}

const Denial* CarryBack::DenialOf(const LegacyKey& key, OwnerOf owner, bool note) {
  const std::string& tenant = owner != nullptr ? *owner : key.tenant;
  const auto question = questions_->find(tenant);
  if (question == questions_->end()) return nullptr;
  const Denial* denial = nullptr;
  for (const std::string& hash : key.hashes) {
    if (note && question->second.expect.count(hash) != 0) answers_[tenant].found.insert(hash);
    const auto denied = question->second.deny.find(hash);
    if (!key.active || denied == question->second.deny.end()) continue;
    denial = &denied->second;
    if (note) answers_[tenant].carried.insert(hash);
  }
  return denial;
}

}  // namespace reeve::migrate::ops
