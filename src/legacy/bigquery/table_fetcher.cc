#include "legacy/bigquery/table_fetcher.h"

#include <algorithm>

namespace reeve::legacy {
namespace {

std::string KeyOf(ReadPath path, std::string_view dataset, std::string_view table) {
  return fmt::format("{} {}.{}", NameOf(path), dataset, table);
}

std::string KeyOf(ReadPath path, const EstateCatalog& catalog, TablePlace place) {
  return KeyOf(path, catalog.dataset(place).name, catalog.table(place).name);
}

}  // namespace

Result<std::unique_ptr<SpoolReader>> TableFetcher::Open(ReadPath path, const EstateCatalog& catalog, TablePlace place) {
  const std::string key = KeyOf(path, catalog, place);
  std::unique_lock lock(mu_);
  std::shared_ptr<Slot> slot;
  for (;;) {
    if (const auto found = slots_.find(key); found != slots_.end()) {
      slot = found->second;
      break;
    }
    if (fetching_ == kBatchesAtOnce) {
      changed_.wait(lock);
      continue;
    }
    const Plan plan = MakePlan(path, catalog, place);
    slot = slots_.at(key);
    ++fetching_;
    lock.unlock();
    Fetch(path, plan);
    lock.lock();
    break;
  }
  changed_.wait(lock, [&] { return slot->done; });
  if (slot->table.error) return Unexpected(*slot->table.error);
  Use(slot.get());
  return std::make_unique<SpoolReader>(slot->table.file, slot->table.runs);
}

void TableFetcher::Forget(const std::string& dataset, const std::string& table) {
  const std::lock_guard lock(mu_);
  for (const ReadPath path : {ReadPath::kCopier, ReadPath::kVerifier}) slots_.erase(KeyOf(path, dataset, table));
}

// Chooses the tables of a batch and makes their slots. REQUIRES: mu_ is held
TableFetcher::Plan TableFetcher::MakePlan(ReadPath path, const EstateCatalog& catalog, TablePlace place) {
  Plan plan{ReadBatch(project_, catalog.dataset(place).location), {}, catalog.instant};
  auto batch = std::make_shared<Batch>();
  batch->holds_keys = catalog.table(place).kind == catalog::LegacyKind::kKeys;
  const auto take = [&](TablePlace at) {
    if (!plan.batch.Add(catalog.dataset(at).name, catalog.table(at))) return;
    std::string key = KeyOf(path, catalog, at);
    auto slot = std::make_shared<Slot>();
    slot->batch = batch;
    plan.slots.push_back(slot);
    slots_[key] = std::move(slot);
    batch->keys.push_back(std::move(key));
    ++batch->not_asked;
  };
  const auto is_free = [&](TablePlace at) { return slots_.find(KeyOf(path, catalog, at)) == slots_.end(); };
  take(place);  // whatever else has room
  if (catalog.table(place).written) plan.instant.reset();
  const auto [group, position] = catalog.GroupOf(place);
  if (group == nullptr) return plan;
  const size_t at_once = reader_.TablesAtOnce();
  size_t first = position;
  while (first > 0 && position - first < kTablesBefore && is_free((*group)[first - 1]) &&
         dropped_.count(KeyOf(path, catalog, (*group)[first - 1])) == 0) {
    --first;
  }
  for (size_t i = first; i < group->size() && plan.slots.size() < at_once; ++i)
    if (is_free((*group)[i])) take((*group)[i]);
  return plan;
}

void TableFetcher::Fetch(ReadPath path, const Plan& plan) {
  std::vector<ReadTable> read = reader_.Read(path, plan.batch, plan.instant);
  const std::lock_guard lock(mu_);
  REEVE_ASSERT(read.size() == plan.slots.size());
  const std::shared_ptr<Batch> batch = plan.slots[0]->batch;
  batch->used = ++uses_;
  for (size_t i = 0; i < read.size(); ++i) {
    Slot& slot = *plan.slots[i];
    slot.table = std::move(read[i]);
    slot.done = true;
    if (!slot.table.error) continue;
    slots_.erase(batch->keys[i]);  // who waits for it is told; who comes later may have more luck
    --batch->not_asked;
  }
  batches_.push_back(batch);
  --fetching_;
  MakeRoom();
  changed_.notify_all();
}

void TableFetcher::Use(Slot* slot) {
  slot->batch->used = ++uses_;
  if (!slot->asked) --slot->batch->not_asked;
  slot->asked = true;
}

void TableFetcher::MakeRoom() {
  while (spool_.bytes() > spool_bytes_max_ || slots_.size() > kTablesKnownMax) {
    // The worst to lose sorts last.
    const auto before = [](const std::shared_ptr<Batch>& a, const std::shared_ptr<Batch>& b) {
      if (a->holds_keys != b->holds_keys) return !a->holds_keys;
      return a->holds_keys ? a->used > b->used : a->used < b->used;
    };
    auto victim = batches_.end();
    for (auto each = batches_.begin(); each != batches_.end(); ++each)
      if ((*each)->not_asked == 0 && (victim == batches_.end() || before(*each, *victim))) victim = each;
    if (victim == batches_.end()) return;
    Drop(**victim);
    batches_.erase(victim);
  }
}

void TableFetcher::Drop(const Batch& batch) {
  for (const std::string& key : batch.keys) {
    const auto found = slots_.find(key);
    if (found == slots_.end() || found->second->batch.get() != &batch) continue;
    slots_.erase(found);
    dropped_.insert(key);
  }
}

}  // namespace reeve::legacy
