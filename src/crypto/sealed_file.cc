#include "crypto/sealed_file.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/encoding.h"
#include "crypto/sha256.h"

namespace reeve::crypto {
namespace {

constexpr std::string_view kMagic = "reevSEAL";
constexpr std::string_view kVersion("\x01\0\0\0", 4);
constexpr size_t kKeyIdBytes = 8;
constexpr size_t kSaltBytes = 16;
constexpr size_t kNonceBytes = 12;
constexpr uint64_t kChunksMax = uint64_t{1} << 32;
static_assert(kMagic.size() + kVersion.size() + kKeyIdBytes + kSaltBytes == kSealHeaderBytes);

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string Hmac(std::string_view key, std::string_view text) {
  std::string mac(32, '\0');
  unsigned size = 0;
  REEVE_ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(text), text.size(), Bytes(mac), &size));
  REEVE_ASSERT(size == mac.size());
  return mac;
}

std::string Labelled(std::string_view label, std::string_view value) {
  std::string text(label);
  text.push_back('\0');
  return text.append(value);
}

std::string KeyIdOf(const Secret& key) {
  Sha256 hash;
  hash.Update(Labelled("reeve/sealed-file/key-id/v1", ""));
  hash.Update(key.Reveal());
  return hash.Finish().substr(0, kKeyIdBytes);
}

// One file's key, and its chunks in turn.
class ChunkCipher {
 public:
  ChunkCipher(const Secret& key, std::string_view header, std::string_view context, bool encrypt)
      : aad_(std::string(header).append(context)), encrypt_(encrypt), context_(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free) {
    REEVE_ASSERT(key.Reveal().size() == kSealKeyBytes && context_ != nullptr);
    const Secret file_key(Hmac(key.Reveal(), Labelled("reeve/sealed-file/v1", header.substr(header.size() - kSaltBytes))));
    REEVE_ASSERT(EVP_CipherInit_ex(context_.get(), EVP_aes_256_gcm(), nullptr, Bytes(file_key.Reveal()), nullptr,
                                   encrypt_ ? 1 : 0) == 1);
  }

  // Ciphertext and tag of the next chunk into `out`.
  void Seal(std::string_view plain, bool last, std::string* out) {
    Begin(last);
    out->resize(plain.size() + kSealTagBytes);
    Update(plain, out);
    int size = 0;
    REEVE_ASSERT(EVP_CipherFinal_ex(context_.get(), Bytes(*out), &size) == 1 && size == 0);
    REEVE_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kSealTagBytes,
                                     Bytes(*out) + plain.size()) == 1);
  }

  // The plain text of the next chunk into `out`; false (and nothing in `out`) if it is not authentic.
  bool Open(std::string_view sealed, bool last, std::string* out) {
    Begin(last);
    const size_t size = sealed.size() - kSealTagBytes;
    std::string tag(sealed.substr(size));
    out->resize(size);
    Update(sealed.substr(0, size), out);
    REEVE_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kSealTagBytes, Bytes(tag)) == 1);
    int rest = 0;
    unsigned char nothing[kSealTagBytes];
    if (EVP_CipherFinal_ex(context_.get(), nothing, &rest) == 1) return true;
    OPENSSL_cleanse(out->data(), out->size());
    out->clear();
    return false;
  }

 private:
  void Begin(bool last) {
    REEVE_ASSERT(number_ < kChunksMax);
    unsigned char nonce[kNonceBytes] = {};
    for (int i = 0; i < 8; ++i) nonce[kNonceBytes - 2 - i] = static_cast<unsigned char>(number_ >> (8 * i));
    nonce[kNonceBytes - 1] = last ? 1 : 0;
    ++number_;
    REEVE_ASSERT(EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, nonce, encrypt_ ? 1 : 0) == 1);
    int size = 0;
    REEVE_ASSERT(EVP_CipherUpdate(context_.get(), nullptr, &size, Bytes(aad_), static_cast<int>(aad_.size())) == 1);
  }

  void Update(std::string_view in, std::string* out) {
    int size = 0;
    REEVE_ASSERT(EVP_CipherUpdate(context_.get(), Bytes(*out), &size, Bytes(in), static_cast<int>(in.size())) == 1);
    REEVE_ASSERT(static_cast<size_t>(size) == in.size());
  }

  std::string aad_;
  const bool encrypt_;
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context_;
  uint64_t number_ = 0;
};

class Writer final : public SealingWriter {
 public:
  Writer(const Secret& key, std::string header, std::string_view context, AppendFile& out)
      : cipher_(key, header, context, true), out_(out), sealed_(std::move(header)) {
    plain_.reserve(kSealChunkBytes);
  }
  ~Writer() override { OPENSSL_cleanse(plain_.data(), plain_.size()); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Result<> Write(std::string_view bytes) override {
    REEVE_ASSERT(!finished_);
    while (!bytes.empty()) {
      if (plain_.size() == kSealChunkBytes) REEVE_TRY(PutChunk(false));  // now it is known not to be the last
      const std::string_view piece = bytes.substr(0, kSealChunkBytes - plain_.size());
      plain_.append(piece);
      bytes.remove_prefix(piece.size());
    }
    return {};
  }

  Result<> Finish() override {
    REEVE_ASSERT(!finished_);
    finished_ = true;
    return PutChunk(true);
  }

 private:
  Result<> PutChunk(bool last) {
    if (!begun_) REEVE_TRY(out_.Append(sealed_));  // the header
    begun_ = true;
    cipher_.Seal(plain_, last, &sealed_);
    plain_.clear();
    return out_.Append(sealed_);
  }

  ChunkCipher cipher_;
  AppendFile& out_;
  std::string sealed_;
  std::string plain_;
  bool begun_ = false;
  bool finished_ = false;
};

// Fills `out` up to `size` bytes; fewer only at the end.
Result<> ReadFull(ByteReader& from, size_t size, std::string* out) {
  const size_t before = out->size();
  out->resize(size);
  size_t have = before;
  while (have < size) {
    REEVE_ASSIGN(const size_t count, from.Read(out->data() + have, size - have));
    if (count == 0) break;
    have += count;
  }
  out->resize(have);
  return {};
}

class Reader final : public ByteReader {
 public:
  Reader(std::unique_ptr<ByteReader> sealed, std::string path, const Secret& key, std::string_view header,
         std::string_view context)
      : sealed_(std::move(sealed)), path_(std::move(path)), cipher_(key, header, context, false) {}
  ~Reader() override { OPENSSL_cleanse(plain_.data(), plain_.size()); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Result<size_t> Read(char* buffer, size_t size) override {
    if (taken_ == plain_.size() && !last_) REEVE_TRY(OpenChunk());
    const size_t count = std::min(size, plain_.size() - taken_);
    std::memcpy(buffer, plain_.data() + taken_, count);
    taken_ += count;
    return count;
  }

 private:
  // Reads one byte beyond the chunk: without it, the chunk must be the last.
  Result<> OpenChunk() {
    constexpr size_t kFull = kSealChunkBytes + kSealTagBytes;
    REEVE_TRY(ReadFull(*sealed_, kFull + 1, &input_));
    last_ = input_.size() <= kFull;
    const std::string_view chunk = std::string_view(input_).substr(0, kFull);
    const bool empty_rest = chunk.size() == kSealTagBytes && number_ > 0;
    if (chunk.size() < kSealTagBytes || empty_rest || !cipher_.Open(chunk, last_, &plain_)) {
      plain_.clear();
      taken_ = 0;
      return FailWithHint(Code::kCorrupt,
                          fmt::format("{}: damaged, cut or exchanged: chunk {} is not authentic", path_, number_),
                          "use another copy of the backup");
    }
    ++number_;
    taken_ = 0;
    input_.erase(0, chunk.size());
    return {};
  }

  const std::unique_ptr<ByteReader> sealed_;
  const std::string path_;
  ChunkCipher cipher_;
  std::string input_;  // at most a chunk and a byte
  std::string plain_;
  size_t taken_ = 0;
  uint64_t number_ = 0;
  bool last_ = false;
};

bool AllPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

}  // namespace

Result<Secret> ParseSealKey(std::string_view content) {
  Result<Secret> key;
  if (content.size() == kSealKeyBytes && !AllPrintable(content)) {
    key.value() = Secret(std::string(content));
    return key;
  }
  while (content.ends_with('\n') || content.ends_with('\r')) content.remove_suffix(1);
  std::optional<std::string> bytes;
  if (content.size() == 2 * kSealKeyBytes) bytes = HexDecode(content);
  if (content.size() == 44 && !Base64Decode(content, &bytes.emplace())) bytes.reset();
  if (bytes && bytes->size() == kSealKeyBytes) {
    key.value() = Secret(std::string(std::string_view(*bytes)));  // a move here makes GCC 12 warn of what cannot be
    OPENSSL_cleanse(bytes->data(), bytes->size());
    return key;
  }
  return FailWithHint(Code::kWrongKey, "no encryption key: expected 32 raw bytes, 64 hex digits or 44 characters of base64",
                      "make one with: openssl rand -hex 32 > backup.key");
}

Result<Secret> ReadSealKey(Files& files, const std::string& path) {
  REEVE_ASSIGN(std::string bytes, files.Read(path, 4096));
  const Secret content(std::move(bytes));
  Result<Secret> key = ParseSealKey(content.Reveal());
  if (!key) return Unexpected(std::move(key).error().Within(path));
  return key;
}

std::string SealKeyId(const Secret& key) { return HexEncode(KeyIdOf(key)); }

std::string SealMac(const Secret& key, std::string_view purpose, std::string_view text) {
  const Secret mac_key(Hmac(key.Reveal(), Labelled("reeve/mac/v1", purpose)));
  return HexEncode(Hmac(mac_key.Reveal(), text));
}

std::unique_ptr<SealingWriter> MakeSealingWriter(const Secret& key, std::string_view context, Entropy& entropy,
                                                 AppendFile& out) {
  std::string header(kMagic);
  header.append(kVersion).append(KeyIdOf(key)).append(entropy.Bytes(kSaltBytes));
  return std::make_unique<Writer>(key, std::move(header), context, out);
}

Result<std::unique_ptr<ByteReader>> OpenSealed(std::unique_ptr<ByteReader> sealed, std::string path, const Secret& key,
                                               std::string_view context) {
  std::string header;
  REEVE_TRY(ReadFull(*sealed, kSealHeaderBytes, &header));
  if (header.size() < kSealHeaderBytes || !header.starts_with(kMagic))
    return Fail(Code::kCorrupt, "{}: no sealed file: expected it to begin with \"{}\" and a header of {} bytes", path, kMagic,
                kSealHeaderBytes);
  if (header.substr(kMagic.size(), kVersion.size()) != kVersion)
    return Fail(Code::kCorrupt, "{}: sealed in another version than 1", path);
  const std::string key_id = header.substr(kMagic.size() + kVersion.size(), kKeyIdBytes);
  if (key_id != KeyIdOf(key))
    return FailWithHint(Code::kWrongKey,
                        fmt::format("{}: sealed with key {}, but the key given is {}", path, HexEncode(key_id), SealKeyId(key)),
                        "give the key file that the backup was made with");
  return std::make_unique<Reader>(std::move(sealed), std::move(path), key, header, context);
}

}  // namespace reeve::crypto
