#include "domain/run_set.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

namespace reeve::domain {
namespace {

constexpr char kTextId = '\0';
constexpr char kUuidId = '\1';
constexpr uint8_t kVersion = 1;
constexpr uint8_t kHasEnd = 1;
constexpr uint8_t kHasDuration = 2;
constexpr size_t kBlockBytes = 8 * 1024;
constexpr size_t kIdBytesMax = 1024 * 1024;

int LowerHex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Packs a canonical lower-case UUID into 16 bytes; false for any other text.
bool PackUuid(std::string_view text, char* out) {
  if (text.size() != 36) return false;
  int bytes = 0;
  for (size_t i = 0; i < 36;) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return false;
      continue;
    }
    const int high = LowerHex(text[i]);
    const int low = LowerHex(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out[bytes++] = static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

// An id as Run::id holds it.
class Packed {
 public:
  explicit Packed(std::string_view id) {
    if (PackUuid(id, uuid_.data() + 1)) {
      uuid_[0] = kUuidId;
      packed_ = {uuid_.data(), uuid_.size()};
    } else {
      text_.append(1, kTextId).append(id);
      packed_ = text_;
    }
  }
  Packed(const Packed&) = delete;
  Packed& operator=(const Packed&) = delete;
  [[nodiscard]] std::string_view get() const { return packed_; }

 private:
  std::array<char, 17> uuid_;
  std::string text_;
  std::string_view packed_;
};

uint64_t HashOf(std::string_view packed) {
  uint64_t hash = 0xcbf29ce484222325ULL ^ packed.size();
  size_t i = 1;
  for (; i + 8 <= packed.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, packed.data() + i, 8);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
  }
  for (; i < packed.size(); ++i) hash = (hash ^ static_cast<uint8_t>(packed[i])) * 0x100000001b3ULL;
  return hash ^ (hash >> 32);
}

void PutVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}
// Differences wrap: any two instants survive the way there and back.
int64_t Minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t Plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

// Reads a stored set; every step fails at the end of the bytes.
class BlobReader {
 public:
  explicit BlobReader(std::string_view blob) : blob_(blob) {}
  [[nodiscard]] bool AtEnd() const { return at_ == blob_.size(); }
  [[nodiscard]] size_t offset() const { return at_; }
  bool Byte(uint8_t* out) {
    if (AtEnd()) return false;
    *out = static_cast<uint8_t>(blob_[at_++]);
    return true;
  }
  bool Varint(uint64_t* out) {
    *out = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t byte = 0;
      if (!Byte(&byte) || (shift == 63 && byte > 1)) return false;
      *out |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return byte != 0 || shift == 0;  // the shortest form only
    }
    return false;
  }
  bool Bytes(uint64_t size, std::string_view* out) {
    if (size > blob_.size() - at_) return false;
    *out = blob_.substr(at_, size);
    at_ += size;
    return true;
  }

 private:
  std::string_view blob_;
  size_t at_ = 0;
};

// Merges what another row says about the same run.
void MergeInto(Run* run, const Run& other) {
  run->start = std::min(run->start, other.start);
  run->end = std::max(run->end, other.end);
  run->duration_ms = std::max(run->duration_ms, other.duration_ms);
  run->state = std::max(run->state, other.state);
}

void EncodeRun(const Run& run, Micros month_start, std::string* out) {
  out->push_back(run.id[0]);
  out->push_back(static_cast<char>(run.state));
  if (run.id[0] == kTextId) PutVarint(run.id.size() - 1, out);
  out->append(run.id.substr(1));
  PutVarint(ZigZag(Minus(run.start, month_start)), out);
  const bool has_end = run.end != Run::kNoEnd;
  const bool has_duration = run.duration_ms >= 0;
  out->push_back(static_cast<char>((has_end ? kHasEnd : 0) | (has_duration ? kHasDuration : 0)));
  if (has_end) PutVarint(ZigZag(Minus(run.end, run.start)), out);
  if (has_duration) PutVarint(static_cast<uint64_t>(run.duration_ms), out);
}

// Reads one run of docs/formats/run-set.md; its id points into the blob except for the kind byte, so the packed id is built in `id`.
bool DecodeRun(BlobReader* reader, Days month, std::string* id, Run* run) {
  const Micros month_start = StartOf(month);
  uint8_t kind = 0;
  uint8_t state = 0;
  if (!reader->Byte(&kind) || kind > 1 || !reader->Byte(&state) || state < 1 || state > 3) return false;
  uint64_t size = 16;
  if (kind == kTextId && (!reader->Varint(&size) || size == 0 || size > kIdBytesMax)) return false;
  std::string_view text;
  uint64_t start = 0;
  uint8_t flags = 0;
  if (!reader->Bytes(size, &text) || !reader->Varint(&start) || !reader->Byte(&flags) || flags > 3) return false;
  char uuid[16];
  if (kind == kTextId && PackUuid(text, uuid)) return false;
  id->assign(1, static_cast<char>(kind));
  id->append(text);
  run->state = static_cast<RunState>(state);
  run->start = Plus(UnZigZag(start), month_start);
  if (run->start < month_start || run->start >= StartOf(MonthStart(month, 1))) return false;
  const bool terminal = run->state == RunState::kTerminal;  // what another run says about its end does not count
  uint64_t value = 0;
  if ((flags & kHasEnd) != 0) {
    int64_t end = 0;
    if (!reader->Varint(&value) || __builtin_add_overflow(run->start, UnZigZag(value), &end)) return false;
    if (terminal) run->end = end;
  }
  if ((flags & kHasDuration) != 0) {
    if (!reader->Varint(&value) || value > static_cast<uint64_t>(INT64_MAX)) return false;
    if (terminal) run->duration_ms = static_cast<int64_t>(value);
  }
  return true;
}

}  // namespace

int64_t Run::ComputeMs() const {
  if (duration_ms >= 0) return duration_ms;
  return end != kNoEnd && end >= start ? Minus(end, start) / 1000 : 0;
}

int64_t HundredthsOfHours(int64_t milliseconds) {
  constexpr int64_t kPerHundredth = 36'000;
  return milliseconds / kPerHundredth + (milliseconds % kPerHundredth >= kPerHundredth / 2 ? 1 : 0);
}

RunSet::RunSet() : slots_(64) {}

std::string_view RunSet::Keep(std::string_view packed_id) {
  if (block_left_ < packed_id.size()) {
    block_left_ = std::max(kBlockBytes, packed_id.size());
    blocks_.push_back(std::make_unique<char[]>(block_left_));
    block_next_ = blocks_.back().get();
  }
  std::memcpy(block_next_, packed_id.data(), packed_id.size());
  const std::string_view kept(block_next_, packed_id.size());
  block_next_ += packed_id.size();
  block_left_ -= packed_id.size();
  return kept;
}

void RunSet::Rehash(size_t count) {
  std::vector<uint32_t> slots(count);
  const size_t mask = slots.size() - 1;
  for (uint32_t i = 0; i < runs_.size(); ++i) {
    size_t at = HashOf(runs_[i].id) & mask;
    while (slots[at] != 0) at = (at + 1) & mask;
    slots[at] = i + 1;
  }
  slots_ = std::move(slots);
}

Run& RunSet::Slot(std::string_view packed_id, bool* fresh) {
  if ((runs_.size() + 1) * 4 > slots_.size() * 3) Rehash(slots_.size() * 2);
  const size_t mask = slots_.size() - 1;
  size_t at = HashOf(packed_id) & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    Run& run = runs_[slots_[at] - 1];
    if (run.id == packed_id) {
      *fresh = false;
      return run;
    }
  }
  slots_[at] = static_cast<uint32_t>(runs_.size() + 1);
  runs_.push_back({});
  runs_.back().id = Keep(packed_id);
  *fresh = true;
  return runs_.back();
}

void RunSet::Add(const RunRow& row) {
  const Packed packed(row.id);
  Run said;
  said.start = row.start;
  said.state = row.state;
  if (row.state == RunState::kTerminal) {
    said.end = row.end.value_or(Run::kNoEnd);
    said.duration_ms = row.duration_ms.value_or(-1);
  }
  bool fresh = false;
  Run& run = Slot(packed.get(), &fresh);
  if (fresh) {
    said.id = run.id;
    run = said;
  } else {
    MergeInto(&run, said);
  }
}

void RunSet::Merge(const RunSet& other) {
  for (const Run& theirs : other.runs_) {
    bool fresh = false;
    Run& run = Slot(theirs.id, &fresh);
    const std::string_view id = run.id;
    if (fresh) {
      run = theirs;
      run.id = id;
    } else {
      MergeInto(&run, theirs);
    }
  }
}

size_t RunSet::Remove(std::span<const std::string> ids) {
  std::set<std::string, std::less<>> packed;
  for (const std::string& id : ids) packed.emplace(Packed(id).get());
  const size_t removed = std::erase_if(runs_, [&](const Run& run) { return packed.contains(run.id); });
  Rehash(slots_.size());
  return removed;
}

void RunSet::Clear() {
  runs_.clear();
  slots_.assign(64, 0);
  blocks_.clear();
  block_left_ = 0;
  block_next_ = nullptr;
}

std::vector<Days> RunSet::Months() const {
  std::vector<Days> months;
  Days last = std::numeric_limits<Days>::min();
  for (const Run& run : runs_) {
    const Days month = MonthStart(DateOf(run.start));
    if (month == last) continue;
    last = month;
    if (std::find(months.begin(), months.end(), month) == months.end()) months.push_back(month);
  }
  std::sort(months.begin(), months.end());
  return months;
}

std::string RunSet::Encode(Days month) const {
  const Micros from = StartOf(month);
  const Micros to = StartOf(MonthStart(month, 1));
  std::vector<const Run*> chosen;
  for (const Run& run : runs_)
    if (run.start >= from && run.start < to) chosen.push_back(&run);
  std::sort(chosen.begin(), chosen.end(), [](const Run* a, const Run* b) { return a->id < b->id; });
  std::string out(1, static_cast<char>(kVersion));
  out.reserve(1 + chosen.size() * 32);
  for (const Run* run : chosen) EncodeRun(*run, from, &out);
  return out;
}

Result<> RunSet::Decode(std::string_view blob, Days month) {
  BlobReader reader(blob);
  uint8_t version = 0;
  if (!reader.Byte(&version) || version != kVersion)
    return Fail(Code::kCorrupt, "run set of {}: version {} at offset 0, expected {}", FormatMonth(month),
                version, kVersion);
  std::string id;
  std::string before;
  while (!reader.AtEnd()) {
    const size_t offset = reader.offset();
    Run said;
    before.swap(id);
    if (!DecodeRun(&reader, month, &id, &said) || id <= before)
      return Fail(Code::kCorrupt, "run set of {}: no valid run at offset {}", FormatMonth(month), offset);
    bool fresh = false;
    Run& run = Slot(id, &fresh);
    const std::string_view kept = run.id;
    if (fresh) {
      run = said;
      run.id = kept;
    } else {
      MergeInto(&run, said);
    }
  }
  return {};
}

MonthUsage RunSet::Usage(Days month, Micros as_of, Micros abandoned_after) const {
  const Micros from = StartOf(month);
  const Micros to = StartOf(MonthStart(month, 1));
  MonthUsage usage;
  for (const Run& run : runs_) {
    if (run.start < from || run.start >= to) continue;
    ++usage.runs;
    usage.last_start = std::max(usage.last_start, run.start);
    if (run.state == RunState::kTerminal) {
      usage.compute_ms = Plus(usage.compute_ms, run.ComputeMs());
    } else if (as_of - run.start < abandoned_after) {
      ++usage.running;
    } else {
      ++usage.abandoned;
    }
  }
  return usage;
}

}  // namespace reeve::domain
