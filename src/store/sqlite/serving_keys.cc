#include "store/sqlite/serving_keys.h"

#include "base/encoding.h"
#include "env/processors.h"
#include "store/sqlite/sqlite_open.h"

namespace reeve::store {

namespace {

constexpr int64_t kRangeRows = 4'096;
constexpr size_t kBlocksMax = 24;  // about a MiB each

constexpr std::string_view kReadKeys =
    "SELECT visit_row(api_key_hash, customer_id, api_key_id, is_active, revoked_at, expires_at, scopes) FROM customer_api_keys NOT INDEXED "
    "WHERE rowid BETWEEN ?1 AND ?2";

// Pages are read once each: few of them stay in the processor's cache, where many would push one another out of it.
constexpr std::string_view kScanCache = "PRAGMA cache_size=-256";

// The texts point into the row.
Result<> ReadKey(const sqlite::RowValues& row, ServedKey* key) {
  if (!HexDecodeTo(row.Text(0), key->digest.data(), key->digest.size()))
    return Fail(Code::kCorrupt, "customer_api_keys: the hash of key {} is not 64 hex digits", row.Text(2));
  key->customer_id = row.Text(1);
  key->api_key_id = row.Text(2);
  key->is_active = row.Int(3) != 0;
  key->revoked_at = row.MaybeInt(4);
  key->expires_at = row.MaybeInt(5);
  key->scopes = row.Text(6);
  return {};
}

// A connection of its own, which scans.
class KeyScan {
 public:
  static Result<KeyScan> Open(const std::string& path) {
    KeyScan scan;
    REEVE_ASSIGN(scan.database_, OpenForReading(path));
    REEVE_TRY(scan.database_->Execute(std::string(kScanCache)));
    REEVE_ASSIGN(scan.read_, scan.database_->Prepare(kReadKeys));
    return scan;
  }
  template <typename Visit>
  Result<> Read(int64_t first, int64_t last, const Visit& visit) {
    read_.BindInt(1, first);
    read_.BindInt(2, last);
    ServedKey key;
    return database_->VisitRows(read_, [&](const sqlite::RowValues& row) -> Result<> {
      REEVE_TRY(ReadKey(row, &key));
      visit(key);
      return {};
    });
  }

 private:
  std::unique_ptr<sqlite::Database> database_;
  sqlite::Statement read_;
};

}  // namespace

// Keys with their texts back to back.
struct KeyBlock {
  struct Key {
    ServedKey key;                                        // its views are set when it is handed over
    uint32_t customer = 0, id = 0, scopes = 0;            // lengths
  };
  std::vector<Key> keys;
  std::string texts;

  void Add(const ServedKey& key) {
    keys.push_back({key, static_cast<uint32_t>(key.customer_id.size()), static_cast<uint32_t>(key.api_key_id.size()),
                    static_cast<uint32_t>(key.scopes.size())});
    texts.append(key.customer_id).append(key.api_key_id).append(key.scopes);
  }
  void Visit(const std::function<void(const ServedKey&)>& visit) {
    std::string_view rest = texts;
    const auto take = [&rest](uint32_t size) {
      const std::string_view text = rest.substr(0, size);
      rest.remove_prefix(size);
      return text;
    };
    for (Key& one : keys) {
      one.key.customer_id = take(one.customer);
      one.key.api_key_id = take(one.id);
      one.key.scopes = take(one.scopes);
      visit(one.key);
    }
  }
};

struct KeyLoad::Range {
  int64_t first = 0, last = 0;
};

KeyLoad::KeyLoad(std::string path) : path_(std::move(path)), blocks_(kBlocksMax) {}

KeyLoad::~KeyLoad() {
  blocks_.Close();
  if (helper_.joinable()) helper_.join();
}

Result<> KeyLoad::Start(sqlite::Database& database) {
  // Two questions: each alone is a look at one end of the table.
  REEVE_ASSIGN(first_, database.QueryInt("SELECT coalesce(min(rowid), 0) FROM customer_api_keys"));
  REEVE_ASSIGN(last_, database.QueryInt("SELECT coalesce(max(rowid), -1) FROM customer_api_keys"));
  next_ = first_;
  if (last_ - first_ > kRangeRows && UsableProcessors() > 1) helper_ = std::thread([this] { Help(); });
  return {};
}

bool KeyLoad::NextRange(Range* range) {
  range->first = next_.fetch_add(kRangeRows);
  range->last = std::min(range->first + kRangeRows - 1, last_);
  return range->first <= last_;
}

void KeyLoad::Help() {
  helped_ = ReadBlocks();
  blocks_.Close();
}

Result<> KeyLoad::ReadBlocks() {
  REEVE_ASSIGN(KeyScan scan, KeyScan::Open(path_));
  for (Range range; NextRange(&range);) {
    auto block = std::make_unique<KeyBlock>();
    block->keys.reserve(kRangeRows);
    REEVE_TRY(scan.Read(range.first, range.last, [&](const ServedKey& key) { block->Add(key); }));
    if (!blocks_.Push(std::move(block))) return {};
  }
  return {};
}

Result<> KeyLoad::Visit(const std::function<void(const ServedKey&)>& visit) {
  REEVE_ASSIGN(KeyScan scan, KeyScan::Open(path_));
  for (Range range;;) {
    while (auto block = blocks_.TryPop()) (*block)->Visit(visit);
    if (!NextRange(&range)) break;
    REEVE_TRY(scan.Read(range.first, range.last, visit));
  }
  if (!helper_.joinable()) return {};
  while (auto block = blocks_.Pop()) (*block)->Visit(visit);
  helper_.join();
  return std::move(helped_);
}

}  // namespace reeve::store
