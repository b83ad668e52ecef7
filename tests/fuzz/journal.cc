#include "base/encoding.h"
#include "crypto/sha256.h"
#include "migrate/journal.h"
#include "tests/fuzz/targets.h"

namespace reeve::fuzz {
namespace {

// Lines that begin with "$" are JSON texts in which $S and $P stand for the right seq and prev; they get a right checksum, so that what
// lies behind checksum and chain is reached.
std::string Forge(std::string_view input) {
  std::string out;
  std::string prev(16, '0');
  uint64_t seq = 0;
  while (!input.empty()) {
    const size_t end = input.find('\n');
    std::string_view line = input.substr(0, end);
    const std::string_view lf = end == std::string_view::npos ? "" : "\n";
    input.remove_prefix(line.size() + lf.size());
    if (!line.starts_with('$')) {
      out += line;
      out += lf;
      continue;
    }
    line.remove_prefix(1);
    std::string json;
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string_view two = line.substr(i, 2);
      if (two == "$S") json += std::to_string(seq + 1), ++i;
      else if (two == "$P") json += prev, ++i;
      else json += line[i];
    }
    const std::string made = fmt::format("{:08x} {}", Crc32c(json), json);
    prev = crypto::Sha256Hex(made).substr(0, 16);
    ++seq;
    out += made;
    out += lf;
  }
  return out;
}

}  // namespace

void FuzzJournal(std::string_view input) {
  const std::string bytes = Forge(input);
  uint64_t torn = 0;
  uint64_t visited = 0;
  const auto state = migrate::ParseJournal(bytes, "j", &torn, [&](const migrate::JournalRecord&) { ++visited; });
  if (!state) {
    Promise(state.error().code == Code::kCorrupt, "damage is kCorrupt");
    Promise(state.error().message.find("offset ") != std::string::npos, "damage names its offset");
    return;
  }
  Promise(state->records == visited, "every record is visited once");
  Promise(torn <= bytes.size(), "a torn tail is part of the file");
  const std::string whole = bytes.substr(0, bytes.size() - torn);
  Promise(whole.empty() || whole.back() == '\n', "what is kept ends with a line");
  const auto again = migrate::ParseJournal(whole, "j", &torn);
  Promise(again && torn == 0 && again->records == state->records, "without its torn tail the journal is whole");
}

}  // namespace reeve::fuzz
