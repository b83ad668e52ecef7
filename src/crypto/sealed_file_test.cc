#include "crypto/sealed_file.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace reeve::crypto {
namespace {

class MemoryFile final : public AppendFile {
 public:
  Result<> Append(std::string_view more) override {
    bytes.append(more);
    return {};
  }
  Result<> Sync() override { return {}; }
  Result<> Truncate(uint64_t size) override {
    bytes.resize(size);
    return {};
  }
  uint64_t Size() const override { return bytes.size(); }
  std::string bytes;
};

// Hands out at most `step` bytes at a time.
class MemoryReader final : public ByteReader {
 public:
  MemoryReader(std::string bytes, size_t step) : bytes_(std::move(bytes)), step_(step) {}
  Result<size_t> Read(char* buffer, size_t size) override {
    const size_t count = bytes_.copy(buffer, std::min(size, step_), at_);
    at_ += count;
    return count;
  }

 private:
  const std::string bytes_;
  const size_t step_;
  size_t at_ = 0;
};

Secret Key(char fill) { return Secret(std::string(kSealKeyBytes, fill)); }

std::string Seal(std::string_view text, const Secret& key, std::string_view context = "c", size_t step = 10'000) {
  const auto entropy = MakeSeededEntropy(1);
  MemoryFile file;
  const auto writer = MakeSealingWriter(key, context, *entropy, file);
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) EXPECT_TRUE(writer->Write(text.substr(0, step)));
  EXPECT_TRUE(writer->Finish());
  return file.bytes;
}

Result<std::string> Open(std::string sealed, const Secret& key, std::string_view context = "c", size_t step = 7'777,
                         std::string* before_error = nullptr) {
  REEVE_ASSIGN(const auto reader, OpenSealed(std::make_unique<MemoryReader>(std::move(sealed), step), "file", key, context));
  std::string text;
  std::string buffer(5'000, '\0');
  for (;;) {
    const Result<size_t> count = reader->Read(buffer.data(), buffer.size());
    if (!count) return Unexpected(count.error());
    if (*count == 0) return text;
    text.append(buffer, 0, *count);
    if (before_error != nullptr) *before_error = text;
  }
}

std::string Text(size_t size) { return MakeSeededEntropy(size)->Bytes(size); }

TEST(SealedFile, WhatWasSealedIsOpenedWhateverItsLength) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, kSealChunkBytes - 1, kSealChunkBytes, kSealChunkBytes + 1,
                            2 * kSealChunkBytes, 3 * kSealChunkBytes + 17}) {
    const std::string sealed = Seal(Text(size), Key('k'));
    const size_t chunks = size == 0 ? 1 : (size + kSealChunkBytes - 1) / kSealChunkBytes;
    EXPECT_EQ(sealed.size(), kSealHeaderBytes + size + chunks * kSealTagBytes);
    for (const size_t step : {size_t{1'000}, size_t{1'000'000}}) {
      const auto text = Open(sealed, Key('k'), "c", step);
      ASSERT_TRUE(text) << text.error().message;
      EXPECT_EQ(*text, Text(size));
    }
  }
}

TEST(SealedFile, TheSameBytesComeOutHoweverTheyWereWritten) {
  EXPECT_EQ(Seal(Text(200'000), Key('k'), "c", 1), Seal(Text(200'000), Key('k'), "c", 1'000'000));
}

TEST(SealedFile, TwoSealingsOfOneTextShareNothing) {
  const auto entropy = MakeSystemEntropy();
  MemoryFile files[2];
  for (MemoryFile& file : files) {
    const auto writer = MakeSealingWriter(Key('k'), "c", *entropy, file);
    ASSERT_TRUE(writer->Write("the same text"));
    ASSERT_TRUE(writer->Finish());
  }
  EXPECT_NE(files[0].bytes.substr(kSealHeaderBytes), files[1].bytes.substr(kSealHeaderBytes));
}

TEST(SealedFile, AWrongKeyIsNamedBeforeAnyOutput) {
  const auto text = Open(Seal("secret", Key('k')), Key('x'));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Code::kWrongKey);
  EXPECT_NE(text.error().message.find(SealKeyId(Key('k'))), std::string::npos);
  EXPECT_NE(text.error().message.find(SealKeyId(Key('x'))), std::string::npos);
}

TEST(SealedFile, EveryChangedByteIsFound) {
  const std::string sealed = Seal("a short secret", Key('k'));
  for (size_t at = 0; at < sealed.size(); ++at)
    for (const int bit : {0, 3, 7}) {
      std::string damaged = sealed;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      std::string out;
      const auto text = Open(damaged, Key('k'), "c", 7'777, &out);
      ASSERT_FALSE(text) << "byte " << at;
      EXPECT_EQ(out, "") << "byte " << at;
      EXPECT_TRUE(text.error().code == Code::kCorrupt || text.error().code == Code::kWrongKey);
    }
}

TEST(SealedFile, EveryCutIsFoundAndNothingUnauthenticComesOut) {
  const std::string plain = Text(2 * kSealChunkBytes + 5);
  const std::string sealed = Seal(plain, Key('k'));
  constexpr size_t kChunk = kSealChunkBytes + kSealTagBytes;
  std::vector<size_t> sizes;
  for (size_t size = 0; size < kSealHeaderBytes + 40; ++size) sizes.push_back(size);
  for (size_t chunk = 1; chunk <= 2; ++chunk)
    for (size_t around = 0; around < 40; ++around) sizes.push_back(kSealHeaderBytes + chunk * kChunk - 20 + around);
  sizes.push_back(sealed.size() - 1);
  for (const size_t size : sizes) {
    if (size >= sealed.size()) continue;
    std::string out;
    const auto text = Open(sealed.substr(0, size), Key('k'), "c", 7'777, &out);
    ASSERT_FALSE(text) << "cut at " << size;
    EXPECT_EQ(text.error().code, Code::kCorrupt);
    EXPECT_TRUE(plain.starts_with(out));
  }
}

TEST(SealedFile, ChunksCannotBeMovedRepeatedDroppedOrAppended) {
  const std::string sealed = Seal(Text(3 * kSealChunkBytes), Key('k'));
  constexpr size_t kChunk = kSealChunkBytes + kSealTagBytes;
  const std::string header = sealed.substr(0, kSealHeaderBytes);
  std::string c[3];
  for (size_t i = 0; i < 3; ++i) c[i] = sealed.substr(kSealHeaderBytes + i * kChunk, kChunk);
  ASSERT_TRUE(Open(header + c[0] + c[1] + c[2], Key('k')));
  for (const std::string& body : {c[1] + c[0] + c[2], c[0] + c[0] + c[1] + c[2], c[0] + c[2], c[1] + c[2], c[0] + c[1],
                                  c[0] + c[1] + c[2] + c[2], c[2], c[0] + c[1] + c[2] + "x", c[0] + c[2] + c[1]})
    EXPECT_FALSE(Open(header + body, Key('k')));
  const auto other_salt = MakeSeededEntropy(2);
  MemoryFile other;
  const auto writer = MakeSealingWriter(Key('k'), "c", *other_salt, other);
  ASSERT_TRUE(writer->Write(Text(3 * kSealChunkBytes)));
  ASSERT_TRUE(writer->Finish());
  EXPECT_FALSE(Open(header + other.bytes.substr(kSealHeaderBytes, kChunk) + c[1] + c[2], Key('k')));
}

TEST(SealedFile, OneFileCannotStandInForAnother) {
  const std::string sealed = Seal("rows of acme", Key('k'), "acme/keys");
  EXPECT_TRUE(Open(sealed, Key('k'), "acme/keys"));
  EXPECT_FALSE(Open(sealed, Key('k'), "beta/keys"));
}

TEST(SealedFile, AnUnfinishedFileIsInvalid) {
  const auto entropy = MakeSeededEntropy(1);
  MemoryFile file;
  const auto writer = MakeSealingWriter(Key('k'), "c", *entropy, file);
  ASSERT_TRUE(writer->Write(Text(3 * kSealChunkBytes)));
  EXPECT_FALSE(Open(file.bytes, Key('k')));
}

TEST(SealKey, IsRawOrHexOrBase64) {
  const std::string raw = Text(kSealKeyBytes);
  for (const std::string& content : {raw, HexEncode(raw), HexEncode(raw) + "\n", AsciiUpper(HexEncode(raw)) + "\r\n",
                                     Base64Encode(raw), Base64Encode(raw) + "\n"}) {
    const auto key = ParseSealKey(content);
    ASSERT_TRUE(key) << content.size();
    EXPECT_EQ(key->Reveal(), raw);
  }
}

TEST(SealKey, AnythingElseIsRefusedWithoutShowingIt) {
  for (const std::string& content : {std::string(), std::string("hunter2"), std::string(32, 'a'), Text(31), Text(33), Text(64),
                                     HexEncode(Text(16)), HexEncode(Text(32)) + "0", Base64Encode(Text(31))}) {
    const auto key = ParseSealKey(content);
    ASSERT_FALSE(key) << content.size();
    EXPECT_EQ(key.error().code, Code::kWrongKey);
    if (content.empty()) continue;
    EXPECT_EQ(key.error().message.find(content), std::string::npos);
  }
}

TEST(SealKey, IdsAndMacsTellKeysAndPurposesApart) {
  EXPECT_EQ(SealKeyId(Key('k')).size(), 16U);
  EXPECT_NE(SealKeyId(Key('k')), SealKeyId(Key('x')));
  EXPECT_EQ(SealMac(Key('k'), "p", "t"), SealMac(Key('k'), "p", "t"));
  EXPECT_NE(SealMac(Key('k'), "p", "t"), SealMac(Key('x'), "p", "t"));
  EXPECT_NE(SealMac(Key('k'), "p", "t"), SealMac(Key('k'), "q", "t"));
  EXPECT_NE(SealMac(Key('k'), "p", "t"), SealMac(Key('k'), "p", "u"));
}

}  // namespace
}  // namespace reeve::crypto
