// Runs the built `reeve` as a user does: with pipes, or on a pseudo terminal. For tests; one call at a time.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace reeve::testing {

struct Ran {
  int exit = -1;     // exit code; 128 + n after signal n
  std::string out;   // on a terminal: everything
  std::string err;
};

struct Surroundings {
  std::string directory = {};                      // working directory
  std::map<std::string, std::string> environment = {};  // added to PATH and HOME=/nonexistent; nothing else is inherited
  std::string input = {};                          // standard input, then its end
  std::string out_file = {};                       // standard output goes there instead
};

// Ends with a test failure and exit -1 if the program does not end within a minute.
[[nodiscard]] Ran RunReeve(const std::vector<std::string>& words, const Surroundings& around);
[[nodiscard]] Ran RunProgram(const std::string& path, const std::vector<std::string>& words, const Surroundings& around);

// On a terminal of 100 columns. When the output holds `question`, `answer` is typed (once).
[[nodiscard]] Ran RunReeveOnTerminal(const std::vector<std::string>& words, const Surroundings& around, const std::string& question,
                                     const std::string& answer);

// Path of the program.
[[nodiscard]] std::string ReevePath();

}  // namespace reeve::testing
