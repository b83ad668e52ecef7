#include "store/sqlite/commit_log.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "base/encoding.h"

namespace reeve::store {
namespace {

constexpr std::string_view kMagic = "reeve-commits/1 ";
constexpr uint64_t kFileBytesMax = 256u << 20;
constexpr uint64_t kNumbersAhead = 1u << 20;  // what a number behind a damaged record is believed
constexpr int kMode = 0600;  // names of customers and runs
constexpr std::string_view kHint = "keep the store and its files; restore a backup, or, if these files are of another store, move them away";

std::string FileAt(const std::string& path, size_t i) { return fmt::format("{}.commits-{}", path, i); }
std::string HeaderOf(std::string_view store_id) { return fmt::format("{}{}\n", kMagic, store_id); }

// Before each record.
struct Frame {
  uint32_t size = 0, crc = 0;  // of the record; CRC-32C of number and record
  uint64_t number = 0;
};
static_assert(sizeof(Frame) == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

// Of one file.
struct Kept {
  std::string path, bytes;
  struct Record {
    uint64_t number = 0;
    std::string_view record;
  };
  std::vector<Record> records;
};

// The record at the beginning of `bytes`, if there is a whole one whose number `expects` takes.
std::optional<Kept::Record> WholeRecord(std::string_view bytes, const std::function<bool(uint64_t)>& expects) {
  Frame frame;
  if (bytes.size() < sizeof frame) return std::nullopt;
  std::memcpy(&frame, bytes.data(), sizeof frame);
  if (frame.size > bytes.size() - sizeof frame || !expects(frame.number)) return std::nullopt;
  if (Crc32c(bytes.substr(offsetof(Frame, number), sizeof frame.number + frame.size)) != frame.crc) return std::nullopt;
  return Kept::Record{frame.number, bytes.substr(sizeof frame, frame.size)};
}

// The records of a file up to the first that does not follow. Behind it may lie what was written earlier and is in the tables (numbers up to `applied`), or one record
// that was being written when the process ended. Newer whole records behind it mean that it is damaged.
Result<> Split(size_t header_size, uint64_t applied, Kept* kept) {
  std::string_view left = std::string_view(kept->bytes).substr(header_size);
  const auto follows = [kept](uint64_t number) { return kept->records.empty() || number == kept->records.back().number + 1; };
  while (const auto record = WholeRecord(left, follows)) {
    kept->records.push_back(*record);
    left.remove_prefix(sizeof(Frame) + record->record.size());
  }
  const uint64_t last = kept->records.empty() ? applied : std::max(applied, kept->records.back().number);
  const auto newer = [last](uint64_t number) { return number > last && number - last <= kNumbersAhead; };
  for (size_t at = 1; at < left.size(); ++at) {
    if (!WholeRecord(left.substr(at), newer)) continue;
    return FailWithHint(Code::kCorrupt, fmt::format("{}: the record at byte {} is damaged, and others follow it", kept->path, kept->bytes.size() - left.size()),
                        std::string(kHint));
  }
  return {};
}

Result<> ReadFile(Files& files, const std::string& path, std::string_view header, uint64_t applied, std::vector<Kept>* kept) {
  if (!files.Exists(path)) return {};
  Kept one;
  one.path = path;
  REEVE_ASSIGN(one.bytes, files.Read(path, kFileBytesMax));
  const std::string_view bytes = one.bytes;
  if (!bytes.starts_with(header)) {
    // Zeros, or the beginning of a header before them: never written as a whole.
    const std::string_view lead = bytes.substr(0, std::min(bytes.find('\0'), bytes.size()));
    if (header.starts_with(lead)) return {};
    return FailWithHint(Code::kCorrupt, fmt::format("{}: does not begin with \"{}\"", path, header.substr(0, header.size() - 1)), std::string(kHint));
  }
  Kept& stays = kept->emplace_back(std::move(one));  // views into its bytes are taken where it stays
  REEVE_TRY(Split(header.size(), applied, &stays));
  if (stays.records.empty()) kept->pop_back();
  return {};
}

}  // namespace

CommitLog::CommitLog(Files& files, std::string path, std::string_view store_id, uint64_t last, uint64_t segment_bytes)
    : files_(files), path_(std::move(path)), header_(HeaderOf(store_id)), segment_bytes_(segment_bytes), last_(last), released_(last) {}

bool CommitLog::Fits(size_t record_bytes) const { return header_.size() + sizeof(Frame) + record_bytes <= segment_bytes_; }

bool CommitLog::HasRoom(size_t record_bytes) const {
  const uint64_t end = segments_[current_].end;
  return (end == 0 ? header_.size() : end) + sizeof(Frame) + record_bytes <= segment_bytes_;
}

uint64_t CommitLog::Needs(size_t record_bytes) const { return HasRoom(record_bytes) ? 0 : segments_[Next()].last; }

Result<> CommitLog::Append(std::string_view record) {
  REEVE_ASSERT(Fits(record.size()) && Needs(record.size()) <= released());
  if (!HasRoom(record.size())) {
    current_ = Next();
    segments_[current_].end = 0;
  }
  Segment& segment = segments_[current_];
  if (segment.file == nullptr) {
    REEVE_ASSIGN(segment.file, files_.OpenFixed(FileAt(path_, current_), segment_bytes_, kMode));
  }
  buffer_.clear();
  if (segment.end == 0) buffer_ += header_;
  const size_t at = buffer_.size();
  Frame frame{static_cast<uint32_t>(record.size()), 0, last_ + 1};
  buffer_.append(reinterpret_cast<const char*>(&frame), sizeof frame).append(record);
  frame.crc = Crc32c(std::string_view(buffer_).substr(at + offsetof(Frame, number)));
  std::memcpy(buffer_.data() + at, &frame, sizeof frame);
  REEVE_TRY(segment.file->WriteAt(segment.end, buffer_));
  REEVE_TRY(segment.file->Sync());
  segment.end += buffer_.size();
  segment.last = ++last_;
  return {};
}

bool HasCommitLog(Files& files, const std::string& path) { 
  for (size_t i = 0; i < kCommitSegments; ++i)
    if (files.Exists(FileAt(path, i))) return true;
  return false;
}

Result<> ReadCommitLog(Files& files, const std::string& path, std::string_view store_id, uint64_t applied,
                       const std::function<Result<>(uint64_t number, std::string_view record)>& visit) {
  std::vector<Kept> kept;
  kept.reserve(kCommitSegments);
  for (size_t i = 0; i < kCommitSegments; ++i) REEVE_TRY(ReadFile(files, FileAt(path, i), HeaderOf(store_id), applied, &kept));
  std::sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) { return a.records.front().number < b.records.front().number; });
  uint64_t last = applied;
  for (const Kept& file : kept) {
    for (const Kept::Record& record : file.records) {
      if (record.number <= applied) continue;
      if (record.number != last + 1)
        return FailWithHint(Code::kCorrupt, fmt::format("{}: number {} follows {}; those between are missing", file.path, record.number, last), std::string(kHint));
      REEVE_TRY(visit(record.number, record.record));
      last = record.number;
    }
  }
  return {};
}

Result<> RemoveCommitLog(Files& files, const std::string& path) {
  for (size_t i = 0; i < kCommitSegments; ++i) REEVE_TRY(files.Remove(FileAt(path, i)));
  return {};
}

}  // namespace reeve::store
