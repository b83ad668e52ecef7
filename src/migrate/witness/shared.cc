#include "migrate/witness/shared.h"

namespace reeve::migrate::witness {
namespace {

constexpr size_t kWindowsKept = 2;

}  // namespace

void SharedCarriers::Pack(const SharedTable& table, const Row& row, Reason reason, std::string* out) {
  if (reason == Reason::kNone) PackRow(table.carrier.kind, table.has_is_active, row, out);
  else PackRejected(table.carrier.kind, out);
}

Result<> SharedCarriers::Scan(const std::function<void(size_t tenant, const Row& row)>& key,
                              const std::function<void(bool recognised)>& table_done) {
  if (carriers_.shared().empty()) return {};
  sizes_.assign(carriers_.tenants().size(), 0);
  TableReader reader(estate_);
  std::string packed;
  for (const CarrierTable& carrier : carriers_.shared()) {
    std::vector<uint64_t> sizes(sizes_.size());
    uint64_t nobodys = 0;
    const TableOutcome outcome = reader.Read(carrier, [&](const Row& row, Reason reason) {
      const int64_t tenant = carriers_.Find(row.Text(TenantField(carrier.kind)));
      if (tenant < 0) {
        ++nobodys;
        return;
      }
      packed.clear();
      Pack({carrier, false}, row, reason, &packed);
      sizes[static_cast<size_t>(tenant)] += packed.size();
      if (carrier.kind == Kind::kKeys && reason == Reason::kNone) key(static_cast<size_t>(tenant), row);
    });
    if (!outcome.unreadable.empty()) return Fail(Code::kFailed, "{}", outcome.unreadable);
    table_done(outcome.recognised);
    if (!outcome.recognised) continue;
    rejected_ += nobodys;
    for (size_t i = 0; i < sizes.size(); ++i) sizes_[i] += sizes[i];
    tables_.push_back({carrier, outcome.has_is_active});
  }
  return {};
}

Result<std::shared_ptr<const SharedCarriers::Window>> SharedCarriers::Load(size_t tenant) {
  auto window = std::make_shared<Window>();
  window->begin = tenant;
  uint64_t bytes = 0;
  for (size_t i = tenant; i < sizes_.size() && (i == tenant || bytes + sizes_[i] <= window_bytes_); ++i) {
    bytes += sizes_[i];
    window->end = i + 1;
  }
  window->rows.resize(window->end - window->begin);
  for (size_t i = 0; i < window->rows.size(); ++i) window->rows[i].reserve(sizes_[window->begin + i]);
  TableReader reader(estate_);
  for (const SharedTable& table : tables_) {
    const TableOutcome outcome = reader.Read(table.carrier, [&](const Row& row, Reason reason) {
      const int64_t named = carriers_.Find(row.Text(TenantField(table.carrier.kind)));
      const auto position = static_cast<size_t>(named);
      if (named < 0 || position < window->begin || position >= window->end) return;
      Pack(table, row, reason, &window->rows[position - window->begin]);
    });
    if (!outcome.unreadable.empty()) return Fail(Code::kFailed, "{}", outcome.unreadable);
  }
  for (size_t i = 0; i < window->rows.size(); ++i) {
    if (window->rows[i].size() == sizes_[window->begin + i]) continue;
    return Fail(Code::kFailed, "the shared tables changed while they were read: rows of {} differ from the first reading",
                carriers_.tenants()[window->begin + i]);
  }
  return std::shared_ptr<const Window>(std::move(window));
}

Result<std::shared_ptr<const SharedCarriers::Window>> SharedCarriers::WindowOf(size_t tenant) {
  if (sizes_.empty() || sizes_[tenant] == 0) return std::shared_ptr<const Window>();
  const std::lock_guard lock(mu_);
  for (const auto& window : windows_) {
    if (tenant >= window->begin && tenant < window->end) return window;
  }
  REEVE_ASSIGN(auto loaded, Load(tenant));
  if (windows_.size() == kWindowsKept) windows_.erase(windows_.begin());
  windows_.push_back(loaded);
  return loaded;
}

}  // namespace reeve::migrate::witness
