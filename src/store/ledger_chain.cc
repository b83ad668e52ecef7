#include "store/ledger_chain.h"

#include <charconv>

#include "catalog/ndjson.h"
#include "catalog/table.h"
#include "crypto/sha256.h"

namespace reeve::store {
namespace {

using catalog::AuditLogs;

constexpr std::string_view kSeq = R"({"ledger_seq":)";
constexpr std::string_view kPrev = R"(,"ledger_prev":")";
constexpr std::string_view kFacts = R"(","facts":)";

size_t MetadataColumn() {
  static const auto column = static_cast<size_t>(AuditLogs().Index("metadata"));
  return column;
}

bool Skip(std::string_view* text, std::string_view token) {
  if (text->substr(0, token.size()) != token) return false;
  text->remove_prefix(token.size());
  return true;
}

}  // namespace

std::optional<LedgerLink> LinkOf(EventRow row) {
  std::string_view text = row[MetadataColumn()].text;
  if (!Skip(&text, kSeq)) return std::nullopt;
  LedgerLink link;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), link.seq);
  if (error != std::errc() || link.seq < 1) return LedgerLink{};
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (!Skip(&text, kPrev)) return LedgerLink{};
  link.prev = text.substr(0, text.find('"'));
  text.remove_prefix(link.prev.size());
  return Skip(&text, kFacts) ? link : LedgerLink{};
}

void AppendLedgerMetadata(int64_t seq, std::string_view prev, std::string_view facts, std::string* out) {
  out->append(kSeq).append(std::to_string(seq)).append(kPrev).append(prev).append(kFacts).append(facts.empty() ? "{}" : facts).append("}");
}

std::string LedgerDigest(EventRow row, std::string* line) {
  line->clear();
  catalog::AppendRow(AuditLogs(), row, line);
  return crypto::Sha256Hex(*line);
}

void LedgerEndFinder::Add(EventRow row) {
  const std::optional<LedgerLink> link = LinkOf(row);
  if (!link) return;
  ++events_;
  if (link->seq <= seq_) return;
  seq_ = link->seq;
  line_.clear();
  catalog::AppendRow(AuditLogs(), row, &line_);
}

LedgerEnd LedgerEndFinder::end() const { return {seq_, seq_ == 0 ? std::string() : crypto::Sha256Hex(line_)}; }

}  // namespace reeve::store
