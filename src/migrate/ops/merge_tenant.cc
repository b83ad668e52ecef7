// The merging rule, table by table (see tenant_rows.h). Kept apart from the reading, because an
// import merges rows of a file.
#include <algorithm>
#include <map>
#include <set>

#include "base/encoding.h"
#include "catalog/json_scan.h"
#include "crypto/sha256.h"
#include "migrate/audit.h"
#include "migrate/ops/ledger_count.h"
#include "migrate/ops/tenant_rows.h"
#include "migrate/ops/usage_count.h"
#include "store/ledger_chain.h"

namespace reeve::migrate::ops {
namespace {

constexpr Micros kAbandonedAfter = 24 * kHour;

using Group = std::vector<Row>;

// Rows of one table by what makes them one, in a fixed order.
std::map<std::string, Group> GroupBy(const RowBatch& batch, std::string_view column) {
  std::map<std::string, Group> groups;
  for (size_t i = 0; i < batch.size(); ++i) {
    const Cell& cell = At(batch.table(), batch.Row(i), column);
    const bool number = catalog::IsNumeric(batch.table().columns[static_cast<size_t>(batch.table().Index(column))].type);
    groups[number ? fmt::format("{:020}", cell.num) : std::string(cell.text)].push_back(batch.Row(i));
  }
  return groups;
}

// Oldest first, by `time`; equal times by content, so that the order does not depend on where a row
// came from.
void SortByTime(const Table& table, std::string_view time, Group* rows) {
  std::sort(rows->begin(), rows->end(), [&](Row a, Row b) {
    const int64_t left = NumAt(table, a, time), right = NumAt(table, b, time);
    return left != right ? left < right : LineOf(table, a) > LineOf(table, b);
  });
}

bool Known(const catalog::Column& column, const Cell& cell) {
  return !cell.is_null && (column.secrecy != catalog::Secrecy::kCiphertext || !cell.text.empty());
}

Cell MergedCell(const Table& table, size_t index, const Group& rows) {
  const catalog::Column& column = table.columns[index];
  Cell merged = rows.back()[index];
  for (auto row = rows.rbegin() + 1; row != rows.rend(); ++row) {
    const Cell& cell = (*row)[index];
    if (cell.is_null) continue;
    switch (column.merge) {
      case catalog::Merge::kMin:
      case catalog::Merge::kFirstSeen:
        if (merged.is_null || cell.num < merged.num) merged = cell;
        break;
      case catalog::Merge::kMax:
        if (merged.is_null || cell.num > merged.num) merged = cell;
        break;
      case catalog::Merge::kAnd: merged.num = merged.num != 0 && cell.num != 0; break;
      case catalog::Merge::kWithEarliest: break;
      default:
        if (!Known(column, merged) && Known(column, cell)) merged = cell;
    }
  }
  return merged;
}

// Who revoked: of the rows with the earliest revocation (of all, if none has a time) the smallest name.
Cell EarliestRevoker(const Table& table, const Group& rows) {
  const auto time = static_cast<size_t>(table.Index("revoked_at"));
  const auto who = static_cast<size_t>(table.Index("revoked_by"));
  Cell at, by;
  for (const Row row : rows) {
    const bool earlier = !row[time].is_null && (at.is_null || row[time].num < at.num);
    const bool same = row[time].is_null == at.is_null && row[time].num == at.num;
    if (earlier) at = row[time], by = row[who];
    else if (same && !row[who].is_null && (by.is_null || row[who].text < by.text)) by = row[who];
  }
  return by;
}

// One row of all versions in `rows`, oldest first.
std::span<Cell> AddMerged(const Table& table, const Group& rows, RowBatch* out) {
  const std::span<Cell> merged = CopyRow(rows.back(), out);
  if (rows.size() == 1) return merged;
  for (size_t i = 0; i < merged.size(); ++i) {
    const Cell cell = table.columns[i].merge == catalog::Merge::kWithEarliest ? EarliestRevoker(table, rows) : MergedCell(table, i, rows);
    merged[i] = cell;
    if (!cell.is_null && !catalog::IsNumeric(table.columns[i].type)) merged[i] = out->Own(cell.text);
  }
  return merged;
}

int StatusRank(std::string_view status) {
  if (status == "cancelled") return 3;
  if (status == "suspended") return 2;
  return status == "active" ? 0 : 1;
}

int InvitationRank(std::string_view status) {
  if (status == "revoked") return 3;
  if (status == "accepted") return 2;
  return status == "pending" ? 0 : 1;
}

class Merger {
 public:
  Merger(const TenantRows& before, Micros now) : before_(before), now_(now), out_{TenantRows(before.tenant()), {}, {}, {}} {}

  Result<MergedTenant> Run() {
    ChooseSurvivor();
    MergeSubscriptions();
    MergeCustomer();
    MergeKeys();
    MergeCredentials();
    REEVE_TRY(MergeRuns());
    MergeLedger();
    REEVE_TRY(MergeUsage());
    MoveAudit();
    MergeInvitations();
    Describe();
    return std::move(out_);
  }

 private:
  const RowBatch& In(const Table& table) const { return before_.Of(table); }
  RowBatch& Out(const Table& table) { return out_.rows.Of(table); }

  void ChooseSurvivor() {
    const Table& table = catalog::Customers();
    const RowBatch& customers = In(table);
    REEVE_ASSERT(!customers.empty());
    const std::string own = CustomerIdOf(before_.tenant());
    const auto rank = [&](Row row) {
      const std::string_view id = TextAt(table, row, "customer_id");
      return std::tuple(id != own, NumAt(table, row, "created_at"), id);
    };
    size_t best = 0;
    for (size_t i = 1; i < customers.size(); ++i)
      if (rank(customers.Row(i)) < rank(customers.Row(best))) best = i;
    out_.survivor = TextAt(table, customers.Row(best), "customer_id");
    for (const auto& ids : {before_.CustomerIds(), before_.MissingCustomers()})
      for (const std::string& id : ids)
        if (id != out_.survivor) out_.retired.push_back(id);
  }

  // A copy of a child that belongs to the survivor.
  std::span<Cell> Adopt(const Table& table, const Group& rows) {
    const std::span<Cell> row = AddMerged(table, rows, &Out(table));
    Put(&Out(table), row, "customer_id", out_.survivor);
    return row;
  }

  void MergeCustomer() {
    const Table& table = catalog::Customers();
    RowBatch& out = Out(table);
    Group rows;
    for (size_t i = 0; i < In(table).size(); ++i) rows.push_back(In(table).Row(i));
    SortByTime(table, "created_at", &rows);
    // The survivor speaks last, so that its values stand where it has any.
    std::stable_partition(rows.begin(), rows.end(), [&](Row row) { return TextAt(table, row, "customer_id") != out_.survivor; });
    const std::string before = LineOf(table, rows.back());
    const std::span<Cell> merged = AddMerged(table, rows, &out);
    for (const Row row : rows)
      if (StatusRank(TextAt(table, row, "status")) > StatusRank(TextAt(table, merged, "status")))
        Put(&out, merged, "status", TextAt(table, row, "status"));
    if (!current_plan_.empty()) Put(&out, merged, "subscription_plan", current_plan_);
    if (LineOf(table, merged) != before) Put(&out, merged, "updated_at", now_);
  }

  void MergeSubscriptions() {
    const Table& table = catalog::Subscriptions();
    RowBatch& out = Out(table);
    for (auto& [id, rows] : GroupBy(In(table), "subscription_id")) {
      SortByTime(table, "updated_at", &rows);
      Adopt(table, rows);
    }
    const auto is_current = [&](size_t i) { return At(table, out.Row(i), "billing_cycle_end").is_null; };
    const auto age = [&](size_t i) {
      return std::pair(NumAt(table, out.Row(i), "billing_cycle_start"), NumAt(table, out.Row(i), "created_at"));
    };
    std::optional<size_t> newest;
    for (size_t i = 0; i < out.size(); ++i)
      if (is_current(i) && (!newest || age(i) > age(*newest))) newest = i;
    if (!newest) return;
    current_plan_ = TextAt(table, out.Row(*newest), "plan_name");
    const int64_t start = NumAt(table, out.Row(*newest), "billing_cycle_start");
    for (size_t i = 0; i < out.size(); ++i) {
      if (i == *newest || !is_current(i)) continue;
      // The last day before the newer one began; never before its own first day.
      const int64_t own_start = NumAt(table, out.Row(i), "billing_cycle_start");
      Put(&out, out.Row(i), "billing_cycle_end", std::max(own_start, start - 1));
      Put(&out, out.Row(i), "updated_at", now_);
    }
  }

  void MergeKeys() {
    const Table& table = catalog::ApiKeys();
    RowBatch& out = Out(table);
    std::map<std::string, int> uses;
    for (auto& [hash, rows] : GroupBy(In(table), "api_key_hash")) {
      SortByTime(table, "created_at", &rows);
      const std::span<Cell> merged = Adopt(table, rows);
      if (!At(table, merged, "revoked_at").is_null) Put(&out, merged, "is_active", int64_t{0});
      for (const Row row : rows)
        if (TextAt(table, row, "api_key_id") < TextAt(table, merged, "api_key_id"))
          Put(&out, merged, "api_key_id", TextAt(table, row, "api_key_id"));
      ++uses[std::string(TextAt(table, merged, "api_key_id"))];
    }
    // Two different keys under one id: both take the id that follows from the key.
    for (size_t i = 0; i < out.size(); ++i) {
      if (uses[std::string(TextAt(table, out.Row(i), "api_key_id"))] < 2) continue;
      const std::string_view hash = TextAt(table, out.Row(i), "api_key_hash");
      Put(&out, out.Row(i), "api_key_id", crypto::DeterministicId("key_", "key", {before_.tenant(), hash}));
    }
  }

  // Two versions of a credential are one, the later counts. Equally late and different: both stay,
  // the second under a derived id.
  void MergeCredentials() {
    const Table& table = catalog::Credentials();
    RowBatch& out = Out(table);
    for (auto& [id, rows] : GroupBy(In(table), "credential_id")) {
      SortByTime(table, "updated_at", &rows);
      const int64_t latest = NumAt(table, rows.back(), "updated_at");
      const bool active = std::all_of(rows.begin(), rows.end(), [&](Row row) { return NumAt(table, row, "is_active") != 0; });
      std::set<std::string> contents;
      for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
        if (NumAt(table, *row, "updated_at") != latest) break;
        const std::string_view secret = TextAt(table, *row, "encrypted_credentials");
        if (!contents.emplace(secret).second) continue;
        const std::span<Cell> copy = Adopt(table, {*row});
        Put(&out, copy, "is_active", int64_t{active});
        if (contents.size() == 1) continue;
        Put(&out, copy, "credential_id",
            crypto::DeterministicId("cred_", "credential", {before_.tenant(), TextAt(table, *row, "provider"),
                                                            TextAt(table, *row, "credential_type"), HexEncode(secret)}));
      }
    }
  }

  Result<> MergeRuns() {
    const Table& table = catalog::ReeveUsageRuns();
    RowBatch& out = Out(table);
    for (auto& [month, rows] : GroupBy(In(table), "usage_month")) {
      const std::span<Cell> merged = CopyRow(rows.front(), &out);
      if (rows.size() == 1) continue;
      const auto first_day = static_cast<Days>(NumAt(table, merged, "usage_month"));
      domain::RunSet set;
      for (const Row row : rows) REEVE_TRY(set.Decode(TextAt(table, row, "runs"), first_day));
      Put(&out, merged, "runs", set.Encode(first_day));
    }
    return {};
  }

  // The ledger is the tenant's, whoever its customer is.
  void MergeLedger() {
    for (auto& [run, rows] : GroupBy(In(catalog::ReeveRuns()), "run_id")) AddMerged(catalog::ReeveRuns(), rows, &Out(catalog::ReeveRuns()));
    for (auto& [month, rows] : GroupBy(In(catalog::ReeveRunTotals()), "usage_month"))
      AddMerged(catalog::ReeveRunTotals(), rows, &Out(catalog::ReeveRunTotals()));
    ledger_ = CountLedger(Out(catalog::ReeveRunTotals()), Out(catalog::ReeveRuns()));
  }

  // The month's counters: recounted where the runs are known, else the larger of each. Never a sum:
  // both customers saw the same runs.
  Result<> MergeUsage() {
    const Table& table = catalog::Usage();
    RowBatch& out = Out(table);
    for (auto& [month, rows] : GroupBy(In(table), "usage_month")) {
      SortByTime(table, "updated_at", &rows);
      const auto first_day = static_cast<Days>(NumAt(table, rows.front(), "usage_month"));
      const std::string own = crypto::DeterministicId("usage_", "usage", {before_.tenant(), FormatMonth(first_day)});
      std::stable_partition(rows.begin(), rows.end(), [&](Row row) {
        return TextAt(table, row, "usage_id") != own && TextAt(table, row, "customer_id") != out_.survivor;
      });
      const std::span<Cell> merged = Adopt(table, rows);
      if (rows.size() == 1) continue;
      for (const char* column : {"pipelines_run_count", "pipelines_running_count", "storage_used_gb", "compute_hours",
                                 "api_requests_count", "last_pipeline_run_at", "quota_reset_at"})
        for (const Row row : rows) TakeLarger(At(table, row, column), &merged[static_cast<size_t>(table.Index(column))]);
      REEVE_TRY(Recount(first_day, merged));
      Put(&out, merged, "updated_at", now_);
    }
    return {};
  }

  static void TakeLarger(const Cell& cell, Cell* merged) {
    if (!cell.is_null && (merged->is_null || cell.num > merged->num)) *merged = cell;
  }

  Result<> Recount(Days month, std::span<Cell> row) {
    const RowBatch& runs = Out(catalog::ReeveUsageRuns());
    std::optional<domain::MonthUsage> legacy;
    for (size_t i = 0; i < runs.size(); ++i) {
      if (NumAt(runs.table(), runs.Row(i), "usage_month") != month) continue;
      REEVE_ASSIGN(legacy, CountStored(TextAt(runs.table(), runs.Row(i), "runs"), month, now_, kAbandonedAfter));
    }
    const auto served = ledger_.find(month);
    if (legacy || served != ledger_.end()) (void)SetCounts(United(legacy, served == ledger_.end() ? LedgerMonth() : served->second), row);
    return {};
  }

  // A link of the tenant's chain, or of the ledger's, keeps the id it was written with: changing it would break the
  // chain that proves it.
  static bool IsChained(Row event) {
    if (store::LinkOf(event)) return true;
    std::vector<catalog::JsonMember> members;
    if (!catalog::ScanJsonObject(TextAt(catalog::AuditLogs(), event, "metadata"), &members)) return false;
    const auto has = [&](std::string_view name) {
      return std::any_of(members.begin(), members.end(), [&](const auto& member) { return member.name == name; });
    };
    return has("seq") && has("prev");
  }

  void MoveAudit() {
    const Table& table = catalog::AuditLogs();
    for (auto& [id, rows] : GroupBy(In(table), "log_id")) {
      const std::span<Cell> copy = CopyRow(rows.front(), &Out(table));
      if (!IsChained(copy)) Put(&Out(table), copy, "customer_id", out_.survivor);
    }
  }

  void MergeInvitations() {
    const Table& table = catalog::Invitations();
    RowBatch& out = Out(table);
    for (auto& [token, rows] : GroupBy(In(table), "invitation_token")) {
      SortByTime(table, "created_at", &rows);
      const std::span<Cell> merged = Adopt(table, rows);
      for (const Row row : rows) {
        if (TextAt(table, row, "invitation_id") < TextAt(table, merged, "invitation_id"))
          Put(&out, merged, "invitation_id", TextAt(table, row, "invitation_id"));
        if (InvitationRank(TextAt(table, row, "status")) > InvitationRank(TextAt(table, merged, "status")))
          Put(&out, merged, "status", TextAt(table, row, "status"));
      }
    }
  }

  void Describe() {
    const std::vector<std::string> known = before_.CustomerIds();
    for (const std::string& id : out_.retired) {
      const bool row = std::binary_search(known.begin(), known.end(), id);
      std::string line = row ? fmt::format("customer {} merged into {}: ", id, out_.survivor)
                             : fmt::format("rows of customer {}, which does not exist, moved to {}: ", id, out_.survivor);
      out_.lines.push_back(line + Children(id));
    }
  }

  std::string Children(const std::string& customer) const {
    static constexpr std::pair<const Table& (*)(), std::string_view> kNouns[] = {
        {catalog::Subscriptions, "subscription"}, {catalog::ApiKeys, "key"},       {catalog::Credentials, "credential"},
        {catalog::Usage, "usage month"},          {catalog::AuditLogs, "audit event"}, {catalog::Invitations, "invitation"}};
    std::string text;
    for (const auto& [table, noun] : kNouns) {
      const RowBatch& rows = In(table());
      uint64_t count = 0;
      for (size_t i = 0; i < rows.size(); ++i)
        if (TextAt(rows.table(), rows.Row(i), "customer_id") == customer) ++count;
      if (count > 0) text += (text.empty() ? "" : ", ") + Counted(count, noun);
    }
    return text.empty() ? "no children" : text;
  }

  const TenantRows& before_;
  const Micros now_;
  MergedTenant out_;
  std::string current_plan_;
  std::map<Days, LedgerMonth> ledger_;
};

}  // namespace

Result<MergedTenant> MergeTenant(const TenantRows& before, Micros now) { return Merger(before, now).Run(); }

}  // namespace reeve::migrate::ops
