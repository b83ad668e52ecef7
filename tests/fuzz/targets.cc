#include "tests/fuzz/targets.h"

#include <cstdio>
#include <cstdlib>

#include "base/encoding.h"

namespace reeve::fuzz {

namespace {
std::string_view running_input;
}

Running::Running(std::string_view input) { running_input = input; }
Running::~Running() { running_input = {}; }

void Promise(bool holds, std::string_view what) {
  if (holds) return;
  if (!running_input.empty()) std::fprintf(stderr, "input: %s\n", HexEncode(running_input.substr(0, 8192)).c_str());
  std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

unsigned char TakeByte(std::string_view* input) {
  if (input->empty()) return 0;
  const auto byte = static_cast<unsigned char>(input->front());
  input->remove_prefix(1);
  return byte;
}

}  // namespace reeve::fuzz
