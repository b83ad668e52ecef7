// Replays the kept inputs of every fuzz target, and thousands of small changes of them: what fuzzing found once stays found.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/fuzz/targets.h"

namespace reeve::fuzz {
namespace {

constexpr int kChangesPerInput = 150;

struct Target {
  std::string_view name;  // of the program and of the folder corpus/NAME
  void (*run)(std::string_view input);
};
constexpr std::array kTargets = {
    Target{"fuzz_journal", &FuzzJournal},      Target{"fuzz_time", &FuzzTime},
    Target{"fuzz_text", &FuzzText},            Target{"fuzz_legacy_row", &FuzzLegacyRow},
    Target{"fuzz_central_row", &FuzzCentralRow}, Target{"fuzz_run_set", &FuzzRunSet}, Target{"fuzz_commit_log", &FuzzCommitLog},
    Target{"fuzz_lines", &FuzzLines},          Target{"fuzz_config", &FuzzConfig},
    Target{"fuzz_http", &FuzzHttp},
    Target{"fuzz_bigquery_rows", &FuzzBigqueryRows},
};

std::vector<std::string> Corpus(std::string_view name) {
  const char* source = std::getenv("REEVE_SOURCE_DIR");
  const std::filesystem::path dir = std::filesystem::path(source == nullptr ? "." : source) / "tests/fuzz/corpus" / name;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return inputs;
}

// One to four random changes: a byte, a cut, a doubling, a piece of another input.
std::string Changed(std::string input, const std::vector<std::string>& others, std::mt19937_64* random) {
  const auto below = [random](size_t limit) { return limit == 0 ? 0 : (*random)() % limit; };
  for (size_t changes = 1 + below(4); changes > 0; --changes) {
    const size_t at = below(input.size() + 1);
    const std::string& other = others[below(others.size())];
    switch (below(6)) {
      case 0: if (at < input.size()) input[at] = static_cast<char>((*random)()); break;
      case 1: if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8))); break;
      case 2: input.erase(at, 1 + below(8)); break;
      case 3: input.insert(at, input.substr(below(input.size() + 1), below(24))); break;
      case 4: input.insert(at, other.substr(below(other.size() + 1), below(40))); break;
      case 5: input.insert(at, 1, "\0\"\\{}[]:,\n\x80$0-9eE."[below(19)]); break;
    }
    if (input.size() > 64 * 1024) input.resize(64 * 1024);
  }
  return input;
}

class FuzzCorpus : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, HoldsItsPromises) {
  const std::vector<std::string> corpus = Corpus(GetParam().name);
  ASSERT_FALSE(corpus.empty());
  GetParam().run("");
  for (const std::string& input : corpus) GetParam().run(input);
}

TEST_P(FuzzCorpus, HoldsItsPromisesAfterSmallChanges) {
  const char* wanted = std::getenv("REEVE_SEED");
  const uint64_t seed = wanted == nullptr ? std::random_device{}() : std::strtoull(wanted, nullptr, 10);
  std::printf("REEVE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> corpus = Corpus(GetParam().name);
  for (const std::string& input : corpus)
    for (int i = 0; i < kChangesPerInput; ++i) {
      const std::string changed = Changed(input, corpus, &random);
      const Running running(changed);
      GetParam().run(changed);
    }
}

INSTANTIATE_TEST_SUITE_P(All, FuzzCorpus, ::testing::ValuesIn(kTargets),
                         [](const ::testing::TestParamInfo<Target>& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace reeve::fuzz
