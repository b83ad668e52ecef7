// One file of a backup: written and read back with digests, sealed or not. One thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "crypto/sha256.h"
#include "env/entropy.h"
#include "env/files.h"
#include "migrate/backup/manifest.h"

namespace reeve::migrate {

// Counts rows, bytes and the digest of a content that comes in pieces.
class ContentMeter {
 public:
  void Add(std::string_view piece);
  // Rows, bytes and sha256; once.
  [[nodiscard]] Digests Finish();

 private:
  crypto::Sha256 hash_;
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
  bool line_has_content_ = false;
};

// Receives a content piece by piece.
using Sink = std::function<Result<>(std::string_view piece)>;

class StoredFile {
 public:
  // `name` below `dir`, as StoredName makes it; it is part of what a seal covers. `key` null: not sealed. All outlive this object.
  StoredFile(Files& files, const std::string& dir, std::string name, const Secret* key)
      : files_(files), name_(std::move(name)), path_(dir + "/" + name_), key_(key) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  // Writes what `produce` puts into the sink it is given, replacing the file (mode 0600). Not synced: that is done
  // once for all files. On failure a part may lie there.
  [[nodiscard]] Result<Digests> Write(Entropy& entropy, const std::function<Result<>(const Sink&)>& produce);
  // Reads all of it, showing every piece to `visit` if there is one. kCorrupt for a damaged seal; nothing is compared.
  [[nodiscard]] Result<Digests> Read(const Sink& visit = nullptr);
  // As Read, but kCorrupt unless what it holds is `expected`.
  [[nodiscard]] Result<> Check(const Digests& expected, const Sink& visit = nullptr);

 private:
  Files& files_;
  const std::string name_;
  const std::string path_;
  const Secret* const key_;
};

}  // namespace reeve::migrate
