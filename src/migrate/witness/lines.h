// Lines of a legacy table's part, cut from its bytes by the witness itself. For one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "legacy/estate.h"

namespace reeve::migrate::witness {

inline constexpr size_t kRowBytesMax = size_t{16} * 1024 * 1024;

class Lines {
 public:
  // Goes to the beginning of what `reader` reads; the buffer is kept from part to part.
  void Start(legacy::RawReader* reader);

  // The next line that is not only spaces, tabs and CR, without its newline, valid until the next call; false at the end. A line
  // over kRowBytesMax is passed over: `too_large` is then true and `line` empty.
  [[nodiscard]] Result<bool> Next(std::string_view* line, bool* too_large);

  // Bytes read since construction.
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  [[nodiscard]] Result<> Fill();
  [[nodiscard]] Result<bool> Cut(std::string_view* line, bool* too_large);

  legacy::RawReader* reader_ = nullptr;
  std::vector<char> buffer_;
  size_t begin_ = 0;     // of what is not handed out
  size_t end_ = 0;       // of what is read
  size_t searched_ = 0;  // no newline between begin_ and here
  bool at_end_ = false;
  uint64_t bytes_ = 0;
};

}  // namespace reeve::migrate::witness
