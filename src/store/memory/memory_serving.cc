// The ServingStore port over plain maps: what Commit and Load mean, without SQL.
#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "domain/run_set.h"
#include "store/ledger_chain.h"
#include "store/memory/memory.h"
#include "store/memory/memory_data.h"
#include "store/serving_rows.h"

namespace reeve::store {

using catalog::Table;

namespace {

Value Text(std::string_view text) { return {false, 0, std::string(text)}; }
Value TextOrNull(std::string_view text) { return text.empty() ? Value() : Text(text); }
Value Int(int64_t value) { return {false, value, {}}; }
Value IntOrNull(int64_t value) { return value == 0 ? Value() : Int(value); }
Value Maybe(std::optional<int64_t> value) { return value ? Int(*value) : Value(); }
std::string HexOf(const KeyDigest& digest) { return HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()}); }

// One row by column names.
class View {
 public:
  View(const Table& table, const Values& row) : table_(table), row_(row) {}
  [[nodiscard]] const Value& At(std::string_view column) const { return row_[static_cast<size_t>(table_.Index(column))]; }
  [[nodiscard]] const std::string& Text(std::string_view column) const { return At(column).text; }
  [[nodiscard]] int64_t Num(std::string_view column) const { return At(column).num; }
  [[nodiscard]] std::optional<int64_t> MaybeNum(std::string_view column) const { return At(column).is_null ? std::nullopt : std::optional(Num(column)); }

 private:
  const Table& table_;
  const Values& row_;
};

Values RowOf(const RunRow& run) {
  return {Text(run.tenant_id), Text(run.run_id), Int(run.month), Int(static_cast<int64_t>(run.state)), Text(run.pipeline_id), Text(run.api_key_id),
          IntOrNull(run.refusal), Int(run.ttl_ms), Int(run.fence), Int(run.reserved_at), IntOrNull(run.expires_at), IntOrNull(EndOf(run)), Int(run.compute_ms),
          Text(run.request_digest), TextOrNull(run.outcome), TextOrNull(run.reply)};
}

RunRow RunOf(const Values& row, std::string customer_id) {
  const View view(catalog::ReeveRuns(), row);
  RunRow run;
  run.customer_id = std::move(customer_id);
  run.tenant_id = view.Text("tenant_id");
  run.run_id = view.Text("run_id");
  run.month = static_cast<Days>(view.Num("usage_month"));
  run.state = static_cast<RunState>(view.Num("state"));
  run.pipeline_id = view.Text("pipeline_id");
  run.api_key_id = view.Text("api_key_id");
  run.refusal = static_cast<int32_t>(view.Num("refusal"));
  run.ttl_ms = view.Num("ttl_ms");
  run.fence = view.Num("fence");
  run.reserved_at = view.Num("reserved_at");
  run.expires_at = view.Num("expires_at");
  run.ended_at = view.Num("ended_at");
  run.compute_ms = view.Num("compute_ms");
  run.request_digest = view.Text("request_digest");
  run.outcome = view.Text("outcome");
  run.reply = view.Text("reply");
  return run;
}

class MemoryServingStore final : public ServingStore {
 public:
  explicit MemoryServingStore(std::shared_ptr<MemoryData> data) : data_(std::move(data)) {
    const std::lock_guard lock(data_->mu);
    AdoptChain();
  }

  Result<ServingMarks> Load(Days from_month, const ServingVisitor& visitor) override {
    const std::lock_guard lock(data_->mu);
    if (failed_) return Failed();
    VisitCustomers(visitor);
    VisitKeys(visitor);
    std::vector<RunRow> open;
    for (const auto& [key, row] : tables().RowsOf(catalog::ReeveRuns()))
      if (View(catalog::ReeveRuns(), row).At("ended_at").is_null) open.push_back(RunOf(row, CustomerOf(row[0].text)));
    std::sort(open.begin(), open.end(), [](const RunRow& a, const RunRow& b) { return a.fence < b.fence; });
    std::set<int64_t> months;
    for (const RunRow& run : open) months.insert(run.month);
    VisitUsage(FirstServedMonth(from_month, Marks()), months, visitor);
    for (const RunRow& run : open) visitor.run(run);
    return Marks();
  }

  Result<std::optional<RunRow>> FindRun(std::string_view tenant_id, std::string_view run_id) override {
    const std::lock_guard lock(data_->mu);
    if (failed_) return Failed();
    const Values* row = Find(catalog::ReeveRuns(), {Text(tenant_id), Text(run_id)});
    if (row == nullptr) return std::nullopt;
    return RunOf(*row, {});
  }

  Result<> Commit(const ServingWrites& writes) override {
    const std::lock_guard lock(data_->mu);
    if (failed_) return Failed();
    const size_t mark = tables().Mark();
    std::string wrong = Write(writes);
    if (!wrong.empty()) tables().Undo(mark);
    tables().Forget();
    if (wrong.empty()) return {};
    failed_ = true;
    return Fail(Code::kFailed, "{}", wrong);
  }

  Result<> Settle() override {
    if (failed_) return Failed();
    return {};
  }

  Result<> Probe() override {
    if (failed_) return Failed();
    return {};
  }

 private:
  static Unexpected Failed() { return Fail(Code::kFailed, "the store failed before"); }
  MemoryTables& tables() { return data_->tables; }
  const Values* Find(const Table& table, const Values& stored_key) { return tables().Find(table, table.StoredKey(), stored_key); }
  std::string CustomerOf(const std::string& tenant) {
    const Values* row = tables().Find(catalog::Customers(), catalog::Customers().merge_key, {Text(tenant)});
    return row == nullptr ? std::string() : View(catalog::Customers(), *row).Text("customer_id");
  }

  // Puts `row` in the place of what has its key.
  std::string Replace(const Table& table, const Values& row) {
    (void)tables().Remove(table, Pick(table, row, table.StoredKey()));
    bool changed = false;
    return tables().Merge(table, row, &changed);
  }

  std::string Write(const ServingWrites& writes) {
    std::string wrong;
    const auto each = [&wrong](const auto& list, const auto& put) {
      for (const auto& one : list)
        if (wrong.empty()) wrong = put(one);
    };
    each(writes.runs, [&](const RunRow& run) { return Replace(catalog::ReeveRuns(), RowOf(run)); });
    each(writes.usage, [&](const UsageRow& usage) { return PutUsage(usage, writes.ledger_time); });
    each(writes.touches, [&](const KeyTouch& touch) { return Touch(touch); });
    each(writes.revocations, [&](const KeyRevocation& revocation) { return Revoke(revocation); });
    each(writes.changes, [&](const CustomerChange& change) { return Change(change, writes.ledger_time); });
    for (size_t i = 0; writes.audit && i < writes.audit->size() && wrong.empty(); ++i) {
      bool changed = false;
      wrong = tables().Merge(catalog::AuditLogs(), OwnCells(writes.audit->Row(i)), &changed);
    }
    if (wrong.empty()) PutMarks(MarksAfter(Marks(), writes));
    return wrong;
  }

  // The month's row of reeve_run_totals after `usage`; made of what the month held, if the ledger has not counted it yet.
  Values TotalsOf(const UsageRow& usage, const Values* counted) {
    const Table& table = catalog::ReeveRunTotals();
    if (const Values* stored = Find(table, {Text(usage.tenant_id), Int(usage.month)})) {
      Values totals = *stored;
      totals[static_cast<size_t>(table.Index("compute_ms"))] = Int(usage.compute_ms);
      return totals;
    }
    LegacyPart part;
    if (counted != nullptr) {
      const View view(catalog::Usage(), *counted);
      const Values* set = Find(catalog::ReeveUsageRuns(), {Text(usage.tenant_id), Int(usage.month)});
      std::optional<std::string_view> blob;
      if (set != nullptr) blob = View(catalog::ReeveUsageRuns(), *set).Text("runs");
      part = LegacyPartOf(view.Num("pipelines_run_count"), view.Num("pipelines_running_count"), view.Num("compute_hours"), blob, usage.month);
    }
    return {Text(usage.tenant_id), Int(usage.month), Int(usage.compute_ms), Int(part.runs), Int(part.running), Int(part.compute_ms)};
  }

  std::string PutUsage(const UsageRow& usage, Micros now) {
    const Table& table = catalog::Usage();
    const Values* counted = Find(table, {Text(usage.tenant_id), Int(usage.month)});
    const Values* before = Find(catalog::ReeveRunTotals(), {Text(usage.tenant_id), Int(usage.month)});
    const int64_t compute_before = before == nullptr ? 0 : View(catalog::ReeveRunTotals(), *before).Num("compute_ms");
    const Values totals = TotalsOf(usage, counted);
    Values row(table.columns.size());
    const auto put = [&](std::string_view column, Value value) { row[static_cast<size_t>(table.Index(column))] = std::move(value); };
    if (counted != nullptr) {
      row = *counted;
    } else {
      put("usage_id", Text(UsageIdOf(usage.tenant_id, usage.month)));
      put("customer_id", Text(usage.customer_id));
      put("tenant_id", Text(usage.tenant_id));
      put("usage_month", Int(usage.month));
      put("quota_reset_at", Int(StartOf(MonthStart(usage.month, 1))));
      for (const char* column : {"storage_used_gb", "compute_hours"}) put(column, Int(0));
      put("created_at", Int(now));
      put("updated_at", Int(now));
    }
    put("pipelines_run_count", Int(usage.run_count));
    put("pipelines_running_count", Int(usage.running_count));
    put("api_requests_count", Int(usage.api_requests));
    if (usage.compute_ms != compute_before) put("compute_hours", Int(domain::HundredthsOfHours(totals.back().num + usage.compute_ms)));
    const auto latest = View(table, row).MaybeNum("last_pipeline_run_at");
    put("last_pipeline_run_at", Maybe(usage.last_run_at ? std::max(usage.last_run_at, latest) : latest));
    if (counted == nullptr || row != *counted) put("updated_at", Int(now));
    std::string wrong = Replace(table, row);
    return wrong.empty() ? Replace(catalog::ReeveRunTotals(), totals) : wrong;
  }

  std::string Touch(const KeyTouch& touch) {
    const Table& table = catalog::ApiKeys();
    const Values* stored = tables().Find(table, table.merge_key, {Text(HexOf(touch.digest))});
    if (stored == nullptr) return {};
    Values row = *stored;
    row[static_cast<size_t>(table.Index("last_used_at"))] = Int(touch.last_used_at);
    bool changed = false;
    return tables().Merge(table, row, &changed);
  }

  std::string Revoke(const KeyRevocation& revocation) {
    const Table& table = catalog::ApiKeys();
    const Values* stored = tables().Find(table, table.merge_key, {Text(HexOf(revocation.digest))});
    if (stored == nullptr) return "a key that is to be revoked is not in the store";
    Values row = *stored;
    row[static_cast<size_t>(table.Index("is_active"))] = Int(0);
    row[static_cast<size_t>(table.Index("revoked_at"))] = Int(revocation.at);
    row[static_cast<size_t>(table.Index("revoked_by"))] = Text(revocation.by);
    bool changed = false;
    return tables().Merge(table, row, &changed);
  }

  std::string Change(const CustomerChange& change, Micros now) {
    const Values* stored = Find(catalog::Customers(), {Text(change.customer_id)});
    if (stored == nullptr) return fmt::format("customer {} is not in the store", change.customer_id);
    bool changed = false;
    if (change.status) {
      Values row = *stored;
      row[static_cast<size_t>(catalog::Customers().Index("status"))] = Text(*change.status);
      row[static_cast<size_t>(catalog::Customers().Index("updated_at"))] = Int(now);
      std::string wrong = tables().Merge(catalog::Customers(), row, &changed);
      if (!wrong.empty()) return wrong;
    }
    if (!change.quotas) return {};
    const Table& table = catalog::Subscriptions();
    const std::string_view current = "customer_id";
    const Values* subscription = tables().Find(table, {&current, 1}, {Text(change.customer_id)});
    if (subscription == nullptr || !View(table, *subscription).At("billing_cycle_end").is_null) return {};
    Values row = *subscription;
    row[static_cast<size_t>(table.Index("monthly_pipeline_quota"))] = Maybe(change.quotas->monthly_runs);
    row[static_cast<size_t>(table.Index("concurrent_pipeline_quota"))] = Maybe(change.quotas->concurrent_runs);
    row[static_cast<size_t>(table.Index("storage_quota_gb"))] = Maybe(change.quotas->storage_gb);
    row[static_cast<size_t>(table.Index("updated_at"))] = Int(now);
    return tables().Merge(table, row, &changed);
  }

  ServingMarks Marks() {
    const auto text = [&](std::string_view name) {
      const Values* row = Find(catalog::ReeveMeta(), {Text(name)});
      return row == nullptr ? std::string() : row->back().text;
    };
    const auto number = [&](std::string_view name) { return ParseMark(text(name)).value_or(0); };
    return {number(kLedgerTimeMark), number(kFenceMark), number(kAuditSeqMark), text(kAuditHeadMark)};
  }

  void PutMarks(const ServingMarks& marks) {
    const std::pair<std::string_view, std::string> rows[] = {{kLedgerTimeMark, std::to_string(marks.ledger_time)},
                                                             {kFenceMark, std::to_string(marks.fence)},
                                                             {kAuditSeqMark, std::to_string(marks.audit_seq)},
                                                             {kAuditHeadMark, marks.audit_head}};
    for (const auto& [name, value] : rows) {
      if (value.empty() || value == "0") continue;
      const std::string wrong = Replace(catalog::ReeveMeta(), {Text(name), Text(value)});
      REEVE_ASSERT(wrong.empty());
    }
  }

  // Audit events of the ledger without marks came with an import: their chain is gone on with.
  void AdoptChain() {
    ServingMarks marks = Marks();
    if (marks.audit_seq != 0 || !marks.audit_head.empty()) return;
    LedgerEndFinder finder;
    for (const auto& [key, row] : tables().RowsOf(catalog::AuditLogs())) {
      std::vector<catalog::Cell> cells;
      for (const Value& value : row) cells.push_back(ViewOf(value));
      finder.Add(cells);
    }
    const LedgerEnd end = finder.end();
    if (end.seq == 0) return;
    marks.audit_seq = end.seq;
    marks.audit_head = end.head;
    PutMarks(marks);
    tables().Forget();
  }

  void VisitCustomers(const ServingVisitor& visitor) {
    for (const auto& [key, row] : tables().RowsOf(catalog::Customers())) {
      const View view(catalog::Customers(), row);
      ServedCustomer customer;
      customer.customer_id = view.Text("customer_id");
      customer.tenant_id = view.Text("tenant_id");
      customer.status = view.Text("status");
      customer.plan = view.Text("subscription_plan");
      for (const auto& [id, subscription] : tables().RowsOf(catalog::Subscriptions())) {
        const View quotas(catalog::Subscriptions(), subscription);
        if (quotas.Text("customer_id") != customer.customer_id || !quotas.At("billing_cycle_end").is_null) continue;
        customer.has_subscription = true;
        customer.monthly_runs = quotas.MaybeNum("monthly_pipeline_quota");
        customer.concurrent_runs = quotas.MaybeNum("concurrent_pipeline_quota");
        customer.storage_gb = quotas.MaybeNum("storage_quota_gb");
      }
      for (const auto& [month, usage] : tables().RowsOf(catalog::Usage())) {  // in order of the month
        const View used(catalog::Usage(), usage);
        if (used.Text("tenant_id") == customer.tenant_id && used.Num("storage_used_gb") != 0) customer.storage_used_hundredths = used.Num("storage_used_gb");
      }
      visitor.customer(customer);
    }
  }

  void VisitKeys(const ServingVisitor& visitor) {
    for (const auto& [id, row] : tables().RowsOf(catalog::ApiKeys())) {
      const View view(catalog::ApiKeys(), row);
      ServedKey key;
      REEVE_ASSERT(HexDecodeTo(view.Text("api_key_hash"), key.digest.data(), key.digest.size()));
      key.customer_id = view.Text("customer_id");
      key.api_key_id = view.Text("api_key_id");
      key.is_active = view.Num("is_active") != 0;
      key.revoked_at = view.MaybeNum("revoked_at");
      key.expires_at = view.MaybeNum("expires_at");
      key.scopes = view.Text("scopes");
      visitor.key(key);
    }
  }

  void VisitUsage(Days from_month, const std::set<int64_t>& months, const ServingVisitor& visitor) {
    for (const auto& [id, row] : tables().RowsOf(catalog::Usage())) {
      const View view(catalog::Usage(), row);
      const auto month = static_cast<Days>(view.Num("usage_month"));
      if (month < from_month && !months.contains(month)) continue;
      const Values* totals = Find(catalog::ReeveRunTotals(), {Text(view.Text("tenant_id")), Int(month)});
      const int64_t compute = totals == nullptr ? 0 : View(catalog::ReeveRunTotals(), *totals).Num("compute_ms");
      visitor.usage({view.Text("customer_id"), view.Text("tenant_id"), month, view.Num("pipelines_run_count"), view.Num("pipelines_running_count"), compute,
                     view.Num("api_requests_count"), view.MaybeNum("last_pipeline_run_at")});
    }
  }

  std::shared_ptr<MemoryData> data_;
  bool failed_ = false;  // as an engine whose commit failed
};

}  // namespace

std::unique_ptr<ServingStore> MakeMemoryServingStore(std::shared_ptr<MemoryData> data) { return std::make_unique<MemoryServingStore>(std::move(data)); }

}  // namespace reeve::store
