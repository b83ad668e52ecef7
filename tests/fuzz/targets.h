// The fuzz targets: each takes any bytes and ends the process when a promise is broken (a crash, a leak of memory, two implementations of
// one contract that disagree). libFuzzer drives them in the preset `fuzz`; in every other preset the kept corpora are replayed as a test.
// Pure apart from that; one thread.
#pragma once

#include <string_view>

namespace reeve::fuzz {

void FuzzJournal(std::string_view input);     // lines of a journal; "$" lines get checksum and chain from us
void FuzzTime(std::string_view input);        // base/time_text against the witness's reading
void FuzzText(std::string_view input);        // base64, hex, UTF-8, JSON strings: base/ and catalog/ against the witness
void FuzzLegacyRow(std::string_view input);   // the copier's reading of legacy rows against the witness's
void FuzzCentralRow(std::string_view input);  // lines of the seven tables: what is read is written the same again
void FuzzRunSet(std::string_view input);      // packed runs: domain/ against the witness
void FuzzLines(std::string_view input);       // plain and compressed files: the copier's path against the verifier's
void FuzzBigqueryRows(std::string_view input);  // pages of rows of a BigQuery server
void FuzzCommitLog(std::string_view input);   // files of a commit log, and the records in them
void FuzzHttp(std::string_view input);        // connections, bodies, doors and tokens of the server; however bytes arrive, the same is asked
void FuzzConfig(std::string_view input);      // reeve.toml and plans files

// While one lives, a broken promise prints `input` (as hex): for drivers that keep no file of it.
class Running {
 public:
  explicit Running(std::string_view input);
  ~Running();
};

// Ends the process with `what` unless `holds`.
void Promise(bool holds, std::string_view what);
// Takes a byte from the front; 0 at the end.
[[nodiscard]] unsigned char TakeByte(std::string_view* input);

}  // namespace reeve::fuzz
