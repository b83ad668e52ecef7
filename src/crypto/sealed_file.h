// Sealed files: a stream of any length, encrypted and authenticated, for backups.
//
// Not for single small values (those go through an envelope) and not for passwords: a key is 32 random bytes. A reader hands
// out nothing that it has not authenticated, but a cut at the end shows only at the end: who must not act on half a file
// reads it through first. Writers and readers belong to one thread; the functions are safe from any.
//
//   file     := header chunk* last
//   header   := magic version zeros key-id salt                        (36 bytes)
//   magic    := "reevSEAL"         version := 0x01      zeros := 3 × 0x00
//   key-id   := first 8 bytes of SHA-256("reeve/sealed-file/key-id/v1" 0x00 key)
//   salt     := 16 random bytes
//   chunk    := AES-256-GCM of 65,536 bytes, then its 16-byte tag
//   last     := the same of 0 to 65,536 bytes; of 0 only if there is no chunk
//
//   file key = HMAC-SHA256(key, "reeve/sealed-file/v1" 0x00 salt)
//   nonce    = number of the chunk from 0, 11 bytes big-endian, then 0x01 for the last and 0x00 for the others
//   AAD      = header, context
//
// A file is valid when every tag is right. Since the nonce holds number and last-mark, chunks that were left out, repeated,
// moved, appended or taken from another file fail. `context` names what the file is (its path in the backup), so that one
// file cannot stand in for another.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "env/entropy.h"
#include "env/files.h"

namespace reeve::crypto {

inline constexpr size_t kSealKeyBytes = 32;
inline constexpr size_t kSealChunkBytes = 64 * 1024;
inline constexpr size_t kSealHeaderBytes = 36;
inline constexpr size_t kSealTagBytes = 16;

// The key in a key file: 32 raw bytes, 64 hex digits or 44 characters of base64, the texts with or without a newline.
// kWrongKey otherwise, and for 32 printable characters (a text of that length is no key).
[[nodiscard]] Result<Secret> ParseSealKey(std::string_view content);
[[nodiscard]] Result<Secret> ReadSealKey(Files& files, const std::string& path);

// 16 lower-case hex digits that tell keys apart and say nothing else about them.
[[nodiscard]] std::string SealKeyId(const Secret& key);
// HMAC-SHA256 of `text` under a key made from `key` for `purpose`; 64 lower-case hex digits.
[[nodiscard]] std::string SealMac(const Secret& key, std::string_view purpose, std::string_view text);

class SealingWriter {
 public:
  virtual ~SealingWriter() = default;
  [[nodiscard]] virtual Result<> Write(std::string_view bytes) = 0;
  // Writes the last chunk. Without it the file is invalid. Write must not be called afterwards.
  [[nodiscard]] virtual Result<> Finish() = 0;
};

// REQUIRES: `out` is empty and outlives the writer.
[[nodiscard]] std::unique_ptr<SealingWriter> MakeSealingWriter(const Secret& key, std::string_view context, Entropy& entropy,
                                                               AppendFile& out);

// The text of `sealed`; `path` is for messages. kWrongKey if the header names another key, kCorrupt if it is no sealed file; Read
// gives kCorrupt for any damage.
[[nodiscard]] Result<std::unique_ptr<ByteReader>> OpenSealed(std::unique_ptr<ByteReader> sealed, std::string path,
                                                             const Secret& key, std::string_view context);

}  // namespace reeve::crypto
