// Decompresses a .gz file for the copier. Not for the verifier, which has its own (raw_reader.h). One thread.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "env/files.h"

namespace reeve::legacy {

// The text of all members of the gzip file `compressed`, whose `path` is for messages. Read fails if the file is empty, ends
// within a member, fails a checksum, or has other bytes behind a member.
[[nodiscard]] Result<std::unique_ptr<ByteReader>> OpenGzip(std::unique_ptr<ByteReader> compressed, std::string path);

// `text` as one gzip member.
[[nodiscard]] std::string GzipCompress(std::string_view text);

}  // namespace reeve::legacy
