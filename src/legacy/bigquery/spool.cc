#include "legacy/bigquery/spool.h"

#include <algorithm>

#include "base/encoding.h"

namespace reeve::legacy {
namespace {

constexpr int kSpoolMode = 0600;
constexpr size_t kSizeBytes = 4;
constexpr size_t kLineOverhead = 64;  // of a line in memory

void AppendSize(size_t size, std::string* out) {
  REEVE_ASSERT(size <= UINT32_MAX);
  for (size_t i = 0; i < kSizeBytes; ++i) out->push_back(static_cast<char>(size >> (8 * i)));
}

size_t SizeAt(std::string_view bytes) {
  size_t size = 0;
  for (size_t i = 0; i < kSizeBytes; ++i) size |= static_cast<size_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return size;
}

}  // namespace

SpoolFile::~SpoolFile() {
  if (total_ != nullptr) *total_ -= size_;
}

Result<> SpoolFile::Append(std::string_view bytes) {
  REEVE_TRY(out_->Append(bytes));
  size_ += bytes.size();
  *total_ += bytes.size();
  return {};
}

Result<std::shared_ptr<SpoolFile>> SpoolDirectory::Create() {
  const std::string path = fmt::format("{}/reeve-spool-{}", path_, HexEncode(entropy_.Bytes(12)));
  std::shared_ptr<SpoolFile> file(new SpoolFile);
  REEVE_ASSIGN(file->out_, files_.Create(path, kSpoolMode));
  Result<std::unique_ptr<RandomReader>> in = files_.OpenRandom(path);
  REEVE_TRY(files_.Remove(path));
  if (!in) return Unexpected(std::move(in).error());
  file->in_ = std::move(*in);
  file->total_ = total_;
  return file;
}

Result<> SpoolWriter::Add(size_t table, std::string line) {
  REEVE_ASSERT(table < pending_.size());
  pending_bytes_ += line.size() + kLineOverhead;
  pending_[table].push_back(std::move(line));
  return pending_bytes_ < buffer_bytes_ ? Result<>() : Flush();
}

Result<> SpoolWriter::Flush() {
  std::string bytes;
  for (size_t table = 0; table < pending_.size(); ++table) {
    std::vector<std::string>& lines = pending_[table];
    if (lines.empty()) continue;
    std::sort(lines.begin(), lines.end());
    const uint64_t begin = bytes.size();
    for (const std::string& line : lines) {
      AppendSize(line.size(), &bytes);
      bytes += line;
    }
    runs_[table].push_back({file_.size() + begin, bytes.size() - begin});
    std::vector<std::string>().swap(lines);
  }
  pending_bytes_ = 0;
  return bytes.empty() ? Result<>() : file_.Append(bytes);
}

Result<std::vector<std::vector<SpoolRun>>> SpoolWriter::Finish() {
  REEVE_TRY(Flush());
  return std::move(runs_);
}

SpoolReader::SpoolReader(std::shared_ptr<const SpoolFile> file, const std::vector<SpoolRun>& runs)
    : file_(std::move(file)), chunk_(std::max(kMergeBufferBytes / std::max<size_t>(1, runs.size()), kRunBufferBytesMin)) {
  for (const SpoolRun& run : runs) {
    auto cursor = std::make_unique<Cursor>();
    cursor->offset = run.offset;
    cursor->end = run.offset + run.bytes;
    heap_.push_back(std::move(cursor));
  }
}

Result<> SpoolReader::Fill(Cursor* cursor, size_t size) const {
  if (cursor->buffer.size() - cursor->at >= size) return {};
  cursor->buffer.erase(0, cursor->at);
  cursor->at = 0;
  const size_t before = cursor->buffer.size();
  const auto left = static_cast<size_t>(cursor->end - cursor->offset);
  const size_t wanted = std::min(std::max(chunk_, size - before), left);
  if (before + wanted < size) return Fail(Code::kCorrupt, "a spool file ends within a row");
  cursor->buffer.resize(before + wanted);
  REEVE_TRY(file_->ReadAt(cursor->offset, cursor->buffer.data() + before, wanted));
  cursor->offset += wanted;
  return {};
}

Result<bool> SpoolReader::Advance(Cursor* cursor) const {
  cursor->at += cursor->length;
  cursor->length = 0;
  if (cursor->at == cursor->buffer.size() && cursor->offset == cursor->end) return false;
  REEVE_TRY(Fill(cursor, kSizeBytes));
  const size_t size = SizeAt(std::string_view(cursor->buffer).substr(cursor->at));
  cursor->at += kSizeBytes;
  REEVE_TRY(Fill(cursor, size));
  cursor->length = size;
  return true;
}

Result<bool> SpoolReader::Next(std::string* line) {
  const auto after = [](const auto& a, const auto& b) { return a->line() > b->line(); };
  if (!started_) {
    started_ = true;
    std::vector<std::unique_ptr<Cursor>> begun;
    for (std::unique_ptr<Cursor>& cursor : heap_) {
      REEVE_ASSIGN(const bool any, Advance(cursor.get()));
      if (any) begun.push_back(std::move(cursor));
    }
    heap_ = std::move(begun);
    std::make_heap(heap_.begin(), heap_.end(), after);
  }
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), after);
  Cursor* const first = heap_.back().get();
  line->assign(first->line());
  REEVE_ASSIGN(const bool more, Advance(first));
  if (more) {
    std::push_heap(heap_.begin(), heap_.end(), after);
  } else {
    heap_.pop_back();
  }
  return true;
}

}  // namespace reeve::legacy
