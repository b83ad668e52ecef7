// BigqueryProcess: a BigQuery server of a test's own, in a process of its own: the fake (tests/fakes/bigquery/, states the contract that it imitates) or
// the emulator (tests/tools/bigquery-emulator). Started on a free port of 127.0.0.1, stopped by the destructor, or when the test program dies.
//
// For GoogleTest programs. What goes wrong here is a failure of the test, said at once. One thread, but Control(), which is safe from any.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::testing {

class BigqueryProcess {
 public:
  struct Answer {
    int status = 0;  // 0: no answer
    std::string body;
  };

  // The fake with further options ("--job-seconds", "2"); see `python3 tests/fakes/bigquery/server.py --help`. nullptr, with `why`, where there is no
  // Python 3: the test is to be skipped.
  [[nodiscard]] static std::unique_ptr<BigqueryProcess> StartFake(std::string* why, const std::vector<std::string>& options = {});
  // The emulator of REEVE_BIGQUERY_EMULATOR. nullptr, with `why`, where it could not be built: the test is to be skipped. It grows with every job:
  // a process for a group of tests, tens of tenants, no more.
  [[nodiscard]] static std::unique_ptr<BigqueryProcess> StartEmulator(std::string* why);

  ~BigqueryProcess();
  BigqueryProcess(const BigqueryProcess&) = delete;
  BigqueryProcess& operator=(const BigqueryProcess&) = delete;

  // "http://127.0.0.1:PORT"; "127.0.0.1:PORT", as BIGQUERY_EMULATOR_HOST has it.
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  [[nodiscard]] std::string host() const { return endpoint_.substr(sizeof("http://") - 1); }
  [[nodiscard]] const std::string& project() const { return project_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

  // One request, without the client under test: `path` below /bigquery/v2/projects/PROJECT, `json` empty for none.
  [[nodiscard]] Answer Call(std::string_view method, std::string_view path, std::string_view json = "") const;
  // The fake's control interface: GET (json empty) or POST /_fake/NAME; the answer's text. Not of the emulator.
  std::string Control(std::string_view name, std::string_view json = "") const;

  // Each fails the test if it does not succeed. `fields` is the "fields" array of a schema as JSON.
  void MakeDataset(std::string_view name, std::string_view location = "US", std::string_view labels_json = "{}") const;
  void MakeTable(std::string_view dataset, std::string_view table, std::string_view fields) const;
  // Appends rows, one JSON object a line, by a load job with this schema. The emulator keeps BYTES as they are written (base64 text), so give it none.
  void Load(std::string_view dataset, std::string_view table, std::string_view fields, std::string_view lines) const;
  // Runs a statement of standard SQL; the answer of jobs.query.
  std::string Sql(std::string_view text) const;
  // Fills datasets from a directory of exports (`reeve sample`). Of the fake only.
  void LoadExport(std::string_view directory, std::string_view more_json = "") const;

 private:
  BigqueryProcess() = default;
  [[nodiscard]] bool Start(const std::vector<std::string>& command);
  [[nodiscard]] std::string FirstLine() const;

  pid_t pid_ = -1;
  int input_ = -1, output_ = -1;  // of the process: its end is told by the end of its input
  std::string endpoint_, project_ = "reeve-test", folder_;
};

}  // namespace reeve::testing
