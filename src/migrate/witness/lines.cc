#include "migrate/witness/lines.h"

#include <algorithm>
#include <cstring>

namespace reeve::migrate::witness {
namespace {

constexpr size_t kChunkBytes = size_t{256} * 1024;
constexpr size_t kBufferKeptMax = size_t{4} * 1024 * 1024;  // a larger one goes with the part that needed it

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

void Lines::Start(legacy::RawReader* reader) {
  reader_ = reader;
  begin_ = end_ = searched_ = 0;
  at_end_ = false;
  if (buffer_.size() > kBufferKeptMax) std::vector<char>().swap(buffer_);
}

Result<> Lines::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    searched_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < end_ + kChunkBytes) buffer_.resize(std::max(end_ + kChunkBytes, buffer_.size() * 2));
  REEVE_ASSIGN(const size_t count, reader_->Read(buffer_.data() + end_, buffer_.size() - end_));
  at_end_ = count == 0;
  end_ += count;
  bytes_ += count;
  return {};
}

Result<bool> Lines::Cut(std::string_view* line, bool* too_large) {
  *too_large = false;
  for (;;) {
    const char* from = buffer_.data() + searched_;
    const void* found = searched_ < end_ ? std::memchr(from, '\n', end_ - searched_) : nullptr;
    const bool whole = found != nullptr || at_end_;
    const size_t line_end = found != nullptr ? static_cast<size_t>(static_cast<const char*>(found) - buffer_.data()) : end_;
    if (line_end - begin_ > kRowBytesMax) *too_large = true;
    if (whole) {
      *line = *too_large ? std::string_view() : std::string_view(buffer_.data() + begin_, line_end - begin_);
      const bool any = found != nullptr || line_end > begin_ || *too_large;
      begin_ = searched_ = std::min(line_end + 1, end_);
      return any;
    }
    searched_ = line_end;
    if (*too_large) begin_ = searched_;  // its bytes are not kept
    REEVE_TRY(Fill());
  }
}

Result<bool> Lines::Next(std::string_view* line, bool* too_large) {
  for (;;) {
    REEVE_ASSIGN(const bool any, Cut(line, too_large));
    if (!any) return false;
    if (*too_large || !IsBlank(*line)) return true;
  }
}

}  // namespace reeve::migrate::witness
