// CentralFiles: an export of a central dataset, checked from end to end, then read tenant by tenant.
//
// The files are sorted by different keys, so their rows are found through an index: 24 bytes a row
// and about 50 bytes and a name a customer; rows beyond kIndexRowsMax are indexed in further passes
// over the files. That is the memory it takes, plus the rows of one tenant. Not safe for concurrent
// use.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "env/files.h"
#include "migrate/ops/central_manifest.h"
#include "migrate/ops/tenant_rows.h"

namespace reeve::migrate::ops {

inline constexpr size_t kIndexRowsMax = 4'000'000;

class CentralFiles {
 public:
  // What was wrong with rows that otherwise read well; named by the caller in its report.
  using Conflict = std::function<void(std::string)>;
  // Reads every file once: digest, size, row count, every row against the catalog. Nothing of the
  // directory is trusted before. kNotFound without a manifest, kCorrupt with the file and line at
  // the first thing that is not as the manifest says.
  static Result<std::unique_ptr<CentralFiles>> Open(Files& files, const std::string& dir, size_t index_rows_max = kIndexRowsMax);

  [[nodiscard]] const CentralManifest& manifest() const { return manifest_; }
  // Tenants that have a customer.
  [[nodiscard]] uint64_t tenants() const { return places_.size(); }

  // Calls `visit` with all rows of each tenant, in order of their names (so that a store's pages
  // are touched in turn), then those of which only events are left. With several passes, each is in
  // order. Rows that cannot be given to any tenant, and keys that stand in two tenants, go to
  // `conflict` and not to `visit`.
  [[nodiscard]] Result<> ForEachTenant(const std::function<Result<>(TenantRows)>& visit, const Conflict& conflict);

 private:
  struct Entry {       // one row of a tenant
    uint64_t tenant;   // its place (see PlaceOf)
    uint64_t offset;
    uint32_t length;
    uint32_t file;
  };
  struct Customer {    // one row of customers
    uint64_t id;       // hash
    uint64_t tenant;   // place
  };
  struct Place {       // a tenant that has a customer
    uint64_t tenant;   // hash
    uint64_t place;    // rank of its name
  };
  struct Key {         // one row of customer_api_keys
    uint64_t hash;
    uint64_t tenant;   // place
  };
  using RowVisit = std::function<Result<>(const Table& table, Row row, uint64_t offset, uint32_t length)>;

  CentralFiles(Files& files, std::string dir) : files_(files), dir_(std::move(dir)) {}
  [[nodiscard]] std::string PathOf(size_t file) const;
  // Streams one file line by line; with `digest` also checks it against the manifest.
  Result<> Stream(size_t file, bool check, const RowVisit& visit);
  Result<> Check();
  void RankTenants();
  void FindShared();
  // Where a tenant comes in the order; tenants without a customer come behind all others.
  [[nodiscard]] uint64_t PlaceOf(std::string_view tenant) const;
  // The same for the tenant a row belongs to: by name, or through its customer; nullopt if nobody knows.
  [[nodiscard]] std::optional<uint64_t> TenantOf(const Table& table, Row row) const;
  [[nodiscard]] std::optional<uint64_t> TenantOfCustomer(std::string_view customer) const;
  [[nodiscard]] bool HasCustomer(uint64_t place) const { return place < places_.size(); }
  [[nodiscard]] bool IsShared(std::string_view hash) const;
  Result<> Index(size_t pass, size_t passes, const Conflict& conflict);
  Result<> Admit(const Table& table, Row row, const Entry& entry, const Conflict& conflict);
  Result<TenantRows> Load(size_t begin, size_t end);

  Files& files_;
  const std::string dir_;
  CentralManifest manifest_;
  size_t index_rows_max_ = kIndexRowsMax;
  std::vector<Customer> customers_;     // by id
  std::vector<Place> places_;           // by tenant
  // tenant and hash of its customer's id, only while customers are read
  std::vector<std::pair<std::string, uint64_t>> names_;
  std::vector<uint64_t> shared_;        // key hashes that stand in two tenants, sorted
  std::vector<Key> keys_;               // only while the files are checked
  std::vector<Entry> entries_;          // of the pass
  std::vector<std::unique_ptr<RandomReader>> readers_;
};

}  // namespace reeve::migrate::ops
