#include "gate/ledger_audit.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "catalog/ndjson.h"
#include "crypto/sha256.h"

namespace reeve::gate {
namespace {

using catalog::AuditLogs;
using catalog::Cell;

constexpr std::string_view kSeq = R"({"ledger_seq":)";
constexpr std::string_view kPrev = R"(,"ledger_prev":")";
constexpr std::string_view kFacts = R"(","facts":)";

// Positions of the columns, looked up once.
struct Columns {
  size_t log_id, customer_id, tenant_id, event_type, event_category, actor_type, actor_id, resource_type, resource_id, action, result, metadata, created_at;
};
const Columns& Col() {
  static const auto at = [](std::string_view name) { return static_cast<size_t>(AuditLogs().Index(name)); };
  static const Columns columns{at("log_id"),        at("customer_id"), at("tenant_id"), at("event_type"), at("event_category"), at("actor_type"), at("actor_id"),
                               at("resource_type"), at("resource_id"), at("action"),    at("result"),     at("metadata"),       at("created_at")};
  return columns;
}

struct Link {
  int64_t seq = 0;
  std::string_view prev;
  std::string digest;
};

// nullopt: no event of the ledger. A row that begins like one and goes on otherwise counts as number 0, which no chain has.
std::optional<Link> LinkOf(std::span<const Cell> row) {
  std::string_view text = row[Col().metadata].text;
  if (text.substr(0, kSeq.size()) != kSeq) return std::nullopt;
  text.remove_prefix(kSeq.size());
  Link link;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), link.seq);
  if (error != std::errc()) return Link{};
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (text.substr(0, kPrev.size()) != kPrev) return Link{};
  text.remove_prefix(kPrev.size());
  const size_t quote = text.find('"');
  if (quote == std::string_view::npos) return Link{};
  link.prev = text.substr(0, quote);
  std::string line;
  catalog::AppendRow(AuditLogs(), row, &line);
  link.digest = crypto::Sha256Hex(line);
  return link;
}

}  // namespace

void LedgerChain::Append(const LedgerEvent& event, catalog::RowBatch* out) {
  ++seq_;
  const std::string seq = std::to_string(seq_);
  const std::span<Cell> row = out->AddRow();
  const auto put = [&](size_t column, std::string_view text) { row[column] = out->Own(text); };
  put(Col().log_id, crypto::DeterministicId("log_", "ledger", {event.tenant_id, event.event_type, event.resource_id, seq}));
  put(Col().customer_id, event.customer_id);
  put(Col().tenant_id, event.tenant_id);
  put(Col().event_type, event.event_type);
  put(Col().event_category, event.category);
  put(Col().actor_type, event.actor_type);
  put(Col().actor_id, event.actor_id);
  put(Col().resource_type, event.resource_type);
  put(Col().resource_id, event.resource_id);
  put(Col().action, event.action);
  put(Col().result, event.success ? "success" : "failure");
  line_.assign(kSeq).append(seq).append(kPrev).append(head_).append(kFacts).append(event.facts.empty() ? "{}" : event.facts).append("}");
  put(Col().metadata, line_);
  row[Col().created_at] = Cell::Int(event.at);
  line_.clear();
  catalog::AppendRow(AuditLogs(), row, &line_);
  head_ = crypto::Sha256Hex(line_);
}

std::string CheckLedgerChain(const catalog::RowBatch& rows, int64_t seq, std::string_view head) {
  std::vector<Link> links;
  for (size_t i = 0; i < rows.size(); ++i)
    if (std::optional<Link> link = LinkOf(rows.Row(i))) links.push_back(std::move(*link));
  std::sort(links.begin(), links.end(), [](const Link& a, const Link& b) { return a.seq < b.seq; });
  std::string_view prev;
  int64_t expected = 0;
  for (const Link& link : links) {
    if (link.seq != ++expected) return fmt::format("event {} of the ledger is missing or doubled", expected);
    if (link.prev != prev) return fmt::format("event {} of the ledger does not follow the one before it", expected);
    prev = link.digest;
  }
  if (expected != seq) return fmt::format("the ledger has {} events, its mark says {}", expected, seq);
  if (prev != head) return fmt::format("event {} of the ledger is not the one that its mark names", expected);
  return {};
}

}  // namespace reeve::gate
