#include "migrate/witness/run_set.h"

#include <gtest/gtest.h>

#include <random>

namespace reeve::migrate::witness {
namespace {

const Month kMarch = MonthOf(*ReadTime("2026-03-15 00:00:00"));

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// Reads a set as "id status start end duration" per line, then its damage.
std::string Read(std::string_view bytes) {
  RunSetReader reader(bytes, kMarch);
  std::string text;
  std::string_view id;
  RunFacts facts;
  while (reader.Next(&id, &facts)) {
    text += fmt::format("{} {} {} {} {}\n", id, static_cast<int>(facts.status), facts.start - FirstInstant(kMarch),
                        facts.end ? std::to_string(*facts.end - facts.start) : "-", facts.duration.value_or(-1));
  }
  return text + std::string(reader.damage());
}

TEST(WitnessRunSet, RecordsOfBothKindsAreRead) {
  // version; text "ab", running, start 1 µs; text "b", terminal, start 64 µs, end −1 µs, 300 ms; a UUID, pending, start 0
  const std::string set = FromHex("01" "0002026162" "02" "00" "00030162" "8001" "03" "01" "ac02"
                                  "0101" "00112233445566778899aabbccddeeff" "00" "00");
  EXPECT_EQ(Read(set), "ab 2 1 - -1\nb 3 64 -1 300\n00112233-4455-6677-8899-aabbccddeeff 1 0 - -1\n");
  EXPECT_EQ(Read(FromHex("01")), "");
  for (size_t size = 0; size < set.size(); ++size) {
    const bool whole = size == 1 || size == 8 || size == 18;  // after the version and after each of two records
    EXPECT_EQ(Read(set.substr(0, size)).ends_with("ends early") || Read(set.substr(0, size)).ends_with("beyond the end"), !whole) << size;
  }
}

TEST(WitnessRunSet, DamageIsNamed) {
  const std::pair<const char*, const char*> sets[] = {
      {"", "ends early"},
      {"02", "unknown version"},
      {"0102010161" "0000", "unknown kind of id"},
      {"0100000161" "0000", "unknown status"},
      {"0100040161" "0000", "unknown status"},
      {"010001" "00" "0000", "an id is empty"},
      {"01000105" "6161", "an id reaches beyond the end"},
      {"010001" "ffffffffffffffffff01" "61", "an id reaches beyond the end"},
      {"010001" "ffffffffffffffffff02" "61", "a number is too long"},
      {"010001" "8100" "61", "a number is not in its shortest form"},
      {"010001" "0161" "01" "00", "a run started outside its month"},
      {"010001" "0161" "80e0e1aecabf04" "00", "a run started outside its month"},
      {"010001" "0161" "feffffffffffffffff01" "00", "a run started outside its month"},
      {"010001" "0161" "00" "04", "unknown flags"},
      {"010003" "0161" "00" "01" "feffffffffffffffff01", "an end is out of range"},
      {"010003" "0161" "00" "02" "80808080808080808001", "a duration is out of range"},
      {"010001" "0161" "0000" "0001" "0161" "0000", "the ids are not in order"},
      {"010001" "0162" "0000" "0001" "0161" "0000", "the ids are not in order"},
      {"010101" "00112233445566778899aabbccddeeff" "0000" "0001" "0161" "0000", "the ids are not in order"},
      {"010001" "24" "30303131323233332d343435352d363637372d383839392d616162626363646465656666" "0000", "a UUID is stored as text"},
  };
  for (const auto& [hex, damage] : sets) {
    const std::string read = Read(FromHex(hex));
    EXPECT_EQ(read.substr(read.rfind('\n') + 1), damage) << hex;
  }
}

TEST(WitnessRunSet, NoBytesMakeTheReaderStumble) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string good = FromHex("0100020261620200" "000301628001" "0301ac02" "010100112233445566778899aabbccddeeff0000");
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % 3 == 0 ? random() % bytes.size() : bytes.size());
    (void)Read(bytes);  // under the sanitizers this must not read or compute beyond bounds
  }
}

TEST(WitnessRunSet, OnlyLowerCaseUuidsAreCanonical) {
  EXPECT_TRUE(IsCanonicalUuid("00112233-4455-6677-8899-aabbccddeeff"));
  for (const char* text : {"", "00112233-4455-6677-8899-aabbccddeefF", "00112233-4455-6677-8899-aabbccddeef", "0011223-34455-6677-8899-aabbccddeeff",
                           "00112233445566778899aabbccddeeff", "g0112233-4455-6677-8899-aabbccddeeff"}) {
    EXPECT_FALSE(IsCanonicalUuid(text)) << text;
  }
}

}  // namespace
}  // namespace reeve::migrate::witness
