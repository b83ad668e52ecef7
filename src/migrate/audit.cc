#include "migrate/audit.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstring>
#include <optional>
#include <tuple>

#include "base/encoding.h"
#include "catalog/ndjson.h"
#include "crypto/sha256.h"

namespace reeve::migrate {
namespace {

using catalog::AuditLogs;
using catalog::Cell;

std::span<const Cell>::reference At(std::span<const Cell> row, std::string_view column) {
  return row[static_cast<size_t>(AuditLogs().Index(column))];
}

struct Link {
  int64_t seq = 0;
  std::string prev;
  std::string digest;  // of the event's line
};

std::optional<Link> LinkOf(std::span<const Cell> row) {
  const std::string_view text = At(row, "metadata").text;
  if (text.find(R"("seq")") == std::string_view::npos) return std::nullopt;  // most are the ledger's
  boost::system::error_code error;
  const boost::json::value metadata = boost::json::parse(std::string(text), error);
  if (error || !metadata.is_object()) return std::nullopt;
  const auto* seq = metadata.as_object().if_contains("seq");
  const auto* prev = metadata.as_object().if_contains("prev");
  if (seq == nullptr || !seq->is_int64() || prev == nullptr || !prev->is_string()) return std::nullopt;
  std::string line;
  catalog::AppendRow(AuditLogs(), row, &line);
  return Link{seq->as_int64(), std::string(prev->as_string()), crypto::Sha256Hex(line)};
}

// The chain's last link in `batch`; events of other origin (without seq) are not part of it.
void FindLast(const catalog::RowBatch& batch, std::string_view tenant, Link* last) {
  for (size_t i = 0; i < batch.size(); ++i) {
    if (At(batch.Row(i), "tenant_id").text != tenant) continue;
    const std::optional<Link> link = LinkOf(batch.Row(i));
    if (link && link->seq > last->seq) *last = *link;
  }
}

bool HasEvent(const catalog::RowBatch& batch, std::string_view log_id) {
  for (size_t i = 0; i < batch.size(); ++i)
    if (At(batch.Row(i), "log_id").text == log_id) return true;
  return false;
}

void Fill(const store::Owner& owner, const AuditEvent& event, const std::string& log_id,
          const Link& last, catalog::RowBatch* out) {
  std::string metadata = fmt::format(R"({{"seq":{},"prev":"{}","facts":)", last.seq + 1, last.digest);
  metadata += event.facts.empty() ? "{}" : event.facts;
  metadata += "}";
  const std::span<Cell> row = out->AddRow();
  const auto put = [&](std::string_view column, std::string_view text) {
    row[static_cast<size_t>(AuditLogs().Index(column))] = out->Own(text);
  };
  put("log_id", log_id);
  put("customer_id", owner.customer_id);
  put("tenant_id", owner.tenant_id);
  put("event_type", event.event_type);
  put("event_category", "admin");
  put("actor_type", "system");
  put("actor_id", "reeve");
  put("resource_type", event.resource_type);
  put("resource_id", event.resource_id.empty() ? owner.customer_id : event.resource_id);
  put("action", event.action);
  put("result", event.result);
  put("metadata", metadata);
  row[static_cast<size_t>(AuditLogs().Index("created_at"))] = Cell::Int(event.created_at);
}

}  // namespace

std::string CustomerIdOf(std::string_view tenant) {
  return crypto::DeterministicId("cust_", "customer", {tenant});
}

Result<> AddAuditEvent(store::CentralReader* existing, const store::Owner& owner, const AuditEvent& event,
                       catalog::RowBatch* out) {
  const std::string log_id = crypto::DeterministicId(
      "log_", "log", {owner.tenant_id, event.event_type, event.result, event.facts});
  catalog::RowBatch stored(AuditLogs());
  if (existing != nullptr) REEVE_TRY(existing->Read(AuditLogs(), owner, &stored));
  if (HasEvent(stored, log_id) || HasEvent(*out, log_id)) return {};
  Link last;
  FindLast(stored, owner.tenant_id, &last);
  FindLast(*out, owner.tenant_id, &last);
  Fill(owner, event, log_id, last, out);
  return {};
}

AuditChains::Name AuditChains::NameOf(std::string_view text) {
  const crypto::Digest digest = crypto::Sha256Digest(text);
  Name name;
  std::memcpy(name.data(), digest.data(), sizeof name);
  return name;
}

void AuditChains::Add(std::span<const Cell> row) {
  const std::optional<Link> link = LinkOf(row);
  if (!link) return;
  events_.push_back({NameOf(At(row, "tenant_id").text), link->seq, NameOf(link->prev), NameOf(link->digest)});
  sorted_ = false;
}

std::string AuditChains::Check(std::string_view tenant) {
  if (!sorted_) std::sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) { return std::tie(a.tenant, a.seq) < std::tie(b.tenant, b.seq); });
  sorted_ = true;
  const Name name = NameOf(tenant);
  auto at = std::lower_bound(events_.begin(), events_.end(), name, [](const Event& event, const Name& value) { return event.tenant < value; });
  Name prev = NameOf({});
  for (int64_t seq = 1; at != events_.end() && at->tenant == name; ++at, ++seq) {
    if (at->seq != seq) return fmt::format("event {} of {} is missing or doubled", seq, tenant);
    if (at->prev != prev) return fmt::format("event {} of {} does not follow the one before it", seq, tenant);
    prev = at->digest;
  }
  return {};
}

Result<std::string> CheckAuditChain(store::CentralReader& reader, const store::Owner& owner) {
  catalog::RowBatch stored(AuditLogs());
  REEVE_TRY(reader.Read(AuditLogs(), owner, &stored));
  AuditChains chains;
  for (size_t i = 0; i < stored.size(); ++i) chains.Add(stored.Row(i));
  return chains.Check(owner.tenant_id);
}

}  // namespace reeve::migrate
