#include "migrate/ops/central_files.h"

#include <algorithm>

#include "base/encoding.h"
#include "catalog/ndjson.h"
#include "crypto/sha256.h"
#include "env/interrupt.h"

namespace reeve::migrate::ops {
namespace {

constexpr size_t kChunkBytes = 256 * 1024;
constexpr size_t kLineBytesMax = 64 * 1024 * 1024;  // a row holds at most a few values of 16 MiB

Unexpected Damaged(const std::string& path, std::string_view what) {
  return FailWithHint(Code::kCorrupt, fmt::format("{}: {}", path, what), "nothing was imported; export again or copy the files again");
}

// Tables whose rows nothing can be done with unless the tenant has a customer.
bool NeedsCustomer(const Table& table) {
  return &table != &catalog::Customers() && &table != &catalog::AuditLogs();
}

}  // namespace

std::string CentralFiles::PathOf(size_t file) const { return fmt::format("{}/{}.json", dir_, ExportedTables()[file]->name); }

Result<std::unique_ptr<CentralFiles>> CentralFiles::Open(Files& files, const std::string& dir, size_t index_rows_max) {
  std::unique_ptr<CentralFiles> central(new CentralFiles(files, dir));
  central->index_rows_max_ = std::max<size_t>(index_rows_max, 1);
  REEVE_ASSIGN(central->manifest_, ReadManifest(files, dir));
  REEVE_TRY(central->Check());
  return central;
}

Result<> CentralFiles::Stream(size_t file, bool check, const RowVisit& visit) {
  const Table& table = *ExportedTables()[file];
  const ExportReport::Item& expected = manifest_.tables[file];
  if (expected.sha256.empty()) return {};  // not in this version of an export
  const std::string path = PathOf(file);
  REEVE_ASSIGN(const std::unique_ptr<ByteReader> source, files_.Open(path));
  crypto::Sha256 digest;
  RowBatch parsed(table);
  std::string pending, chunk(kChunkBytes, '\0');
  uint64_t offset = 0, rows = 0;
  for (;;) {
    REEVE_ASSIGN(const size_t count, source->Read(chunk.data(), chunk.size()));
    if (count == 0) break;
    if (check) digest.Update({chunk.data(), count});
    pending.append(chunk, 0, count);
    size_t start = 0;
    for (size_t end; (end = pending.find('\n', start)) != std::string::npos; start = end + 1) {
      parsed.Clear();
      const Result<> row = catalog::ParseRow(std::string_view(pending).substr(start, end - start), &parsed);
      if (!row) return Damaged(path, fmt::format("line {}: {}", rows + 1, row.error().message));
      const uint64_t length = end + 1 - start;
      REEVE_TRY(visit(table, parsed.Row(0), offset, static_cast<uint32_t>(length)));
      offset += length;
      ++rows;
    }
    pending.erase(0, start);
    if (pending.size() > kLineBytesMax) return Damaged(path, fmt::format("line {} is longer than {} bytes", rows + 1, kLineBytesMax));
    if (Interrupted()) return Fail(Code::kInterrupted, "stopped while reading {}", path);
  }
  if (!pending.empty()) return Damaged(path, "it does not end with a line break: it was cut off");
  if (!check) return {};
  if (rows != expected.rows || offset != expected.bytes)
    return Damaged(path, fmt::format("it has {} rows in {} bytes, the manifest says {} in {}", rows, offset, expected.rows, expected.bytes));
  if (HexEncode(digest.Finish()) != expected.sha256) return Damaged(path, "its SHA-256 is not the manifest's");
  return {};
}

// Everything is read once before anything is believed; on the way it is noted who has which
// customers and keys.
Result<> CentralFiles::Check() {
  for (size_t file = 0; file < ExportedTables().size(); ++file) {
    REEVE_TRY(Stream(file, true, [&](const Table& table, Row row, uint64_t, uint32_t) -> Result<> {
      if (&table == &catalog::Customers())
        names_.emplace_back(TextAt(table, row, "tenant_id"), Hash64(TextAt(table, row, "customer_id")));
      if (&table == &catalog::ApiKeys())
        keys_.push_back({Hash64(TextAt(table, row, "api_key_hash")), PlaceOf(TextAt(table, row, "tenant_id"))});
      return {};
    }));
    if (file == 0) RankTenants();  // customers come first
    readers_.emplace_back();
    if (manifest_.tables[file].sha256.empty()) continue;
    REEVE_ASSIGN(readers_.back(), files_.OpenRandom(PathOf(file)));
  }
  FindShared();
  return {};
}

void CentralFiles::RankTenants() {
  std::sort(names_.begin(), names_.end());
  for (size_t i = 0; i < names_.size(); ++i) {
    if (i == 0 || names_[i].first != names_[i - 1].first) places_.push_back({Hash64(names_[i].first), places_.size()});
    customers_.push_back({names_[i].second, places_.size() - 1});
  }
  names_ = {};
  std::sort(places_.begin(), places_.end(), [](const Place& a, const Place& b) { return a.tenant < b.tenant; });
  std::sort(customers_.begin(), customers_.end(),
            [](const Customer& a, const Customer& b) { return std::pair(a.id, a.tenant) < std::pair(b.id, b.tenant); });
}

void CentralFiles::FindShared() {
  std::sort(keys_.begin(), keys_.end(), [](const Key& a, const Key& b) { return std::pair(a.hash, a.tenant) < std::pair(b.hash, b.tenant); });
  for (size_t i = 1; i < keys_.size(); ++i)
    if (keys_[i].hash == keys_[i - 1].hash && keys_[i].tenant != keys_[i - 1].tenant) shared_.push_back(keys_[i].hash);
  keys_ = {};
}

uint64_t CentralFiles::PlaceOf(std::string_view tenant) const {
  constexpr uint64_t kBehind = 1ull << 63;
  const uint64_t hash = Hash64(tenant);
  const auto at = std::lower_bound(places_.begin(), places_.end(), hash, [](const Place& entry, uint64_t value) { return entry.tenant < value; });
  return at != places_.end() && at->tenant == hash ? at->place : kBehind | hash;
}

std::optional<uint64_t> CentralFiles::TenantOfCustomer(std::string_view customer) const {
  const uint64_t id = Hash64(customer);
  const auto at = std::lower_bound(customers_.begin(), customers_.end(), id,
                                   [](const Customer& entry, uint64_t value) { return entry.id < value; });
  if (at == customers_.end() || at->id != id) return std::nullopt;
  return at->tenant;
}

bool CentralFiles::IsShared(std::string_view hash) const {
  return !shared_.empty() && std::binary_search(shared_.begin(), shared_.end(), Hash64(hash));
}

std::optional<uint64_t> CentralFiles::TenantOf(const Table& table, Row row) const {
  if (table.Find("tenant_id") >= 0) return PlaceOf(TextAt(table, row, "tenant_id"));
  return TenantOfCustomer(TextAt(table, row, "customer_id"));
}

// Notes a row of this pass, or says why it cannot be imported.
Result<> CentralFiles::Admit(const Table& table, Row row, const Entry& entry, const Conflict& conflict) {
  const bool has_customer = table.Find("customer_id") >= 0;
  const auto refuse = [&](const std::string& why) -> Result<> {
    std::string key;
    for (const std::string_view column : table.key) {
      const Cell& cell = At(table, row, column);
      const bool number = catalog::IsNumeric(table.columns[static_cast<size_t>(table.Index(column))].type);
      key += " " + (number ? FormatDate(static_cast<Days>(cell.num)) : std::string(cell.text));
    }
    conflict(fmt::format("{}{}: {}; not imported", table.name, key, why));
    return {};
  };
  if (NeedsCustomer(table) && !HasCustomer(entry.tenant)) return refuse("its tenant has no customer");
  if (NeedsCustomer(table) && has_customer) {
    const auto owner = TenantOfCustomer(TextAt(table, row, "customer_id"));
    if (owner && *owner != entry.tenant) return refuse("its customer belongs to another tenant");
  }
  if (&table == &catalog::ApiKeys() && IsShared(TextAt(table, row, "api_key_hash")))
    return refuse("the same hash stands in two tenants");
  entries_.push_back(entry);
  return {};
}

Result<> CentralFiles::Index(size_t pass, size_t passes, const Conflict& conflict) {
  entries_.clear();
  for (size_t file = 0; file < ExportedTables().size(); ++file) {
    REEVE_TRY(Stream(file, false, [&](const Table& table, Row row, uint64_t offset, uint32_t length) -> Result<> {
      const std::optional<uint64_t> tenant = TenantOf(table, row);
      if (!tenant) {
        if (pass == 0) conflict(fmt::format("{} {}: its customer is not in the export; not imported", table.name, row[0].text));
        return {};
      }
      if (*tenant % passes != pass) return {};
      return Admit(table, row, {*tenant, offset, length, static_cast<uint32_t>(file)}, conflict);
    }));
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.tenant, a.file, a.offset) < std::tie(b.tenant, b.file, b.offset);
  });
  return {};
}

Result<TenantRows> CentralFiles::Load(size_t begin, size_t end) {
  std::string name, line;
  std::vector<RowBatch> batches;
  for (const Table* table : ExportedTables()) batches.emplace_back(*table);
  for (size_t i = begin; i < end; ++i) {
    const Entry& entry = entries_[i];
    RowBatch& batch = batches[entry.file];
    line.resize(entry.length);
    REEVE_TRY(readers_[entry.file]->ReadAt(entry.offset, line.data(), line.size()));
    line.pop_back();
    const Result<> parsed = catalog::ParseRow(line, &batch);
    const auto tenant = parsed ? TenantOf(batch.table(), batch.Row(batch.size() - 1)) : std::nullopt;
    if (tenant != entry.tenant) return Damaged(PathOf(entry.file), "it changed while it was read");
    if (batch.table().Find("tenant_id") >= 0) name = TextAt(batch.table(), batch.Row(batch.size() - 1), "tenant_id");
  }
  TenantRows rows(name);
  for (RowBatch& batch : batches) rows.Of(batch.table()) = std::move(batch);
  return rows;
}

Result<> CentralFiles::ForEachTenant(const std::function<Result<>(TenantRows)>& visit, const Conflict& conflict) {
  uint64_t total = 0;
  for (const ExportReport::Item& item : manifest_.tables) total += item.rows;
  const size_t passes = static_cast<size_t>(total / index_rows_max_) + 1;
  for (size_t pass = 0; pass < passes; ++pass) {
    REEVE_TRY(Index(pass, passes, conflict));
    for (size_t begin = 0, end = 0; begin < entries_.size(); begin = end) {
      while (end < entries_.size() && entries_[end].tenant == entries_[begin].tenant) ++end;
      REEVE_ASSIGN(TenantRows rows, Load(begin, end));
      REEVE_TRY(visit(std::move(rows)));
    }
  }
  return {};
}

}  // namespace reeve::migrate::ops
