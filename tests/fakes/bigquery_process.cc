#include "tests/fakes/bigquery_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "net/http.h"

namespace reeve::testing {
namespace {

constexpr int kStartPatienceMs = 60'000;
constexpr Micros kCallPatience = 600 * kSecond;  // LoadExport of a large estate

std::string Environment(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : value;
}

std::string JsonText(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

BigqueryProcess::Answer Send(const std::string& method, const std::string& url, std::string_view body, const std::string& type = "application/json") {
  static const std::unique_ptr<net::HttpClient> client = net::MakeCurlClient();
  net::HttpRequest request;
  request.method = method;
  request.url = url;
  request.headers = {{"Content-Type", type}};
  request.body = body;
  request.timeout = kCallPatience;
  const Result<net::HttpResponse> answer = client->Send(request);
  if (!answer) return {0, answer.error().message};
  return {answer->status, answer->body};
}

[[noreturn]] void Become(const std::vector<std::string>& command, int in, int out, const std::string& folder) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // the emulator does not notice the end of its input
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  setenv("TMPDIR", folder.c_str(), 1);
  setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

bool BigqueryProcess::Start(const std::vector<std::string>& command) {
  std::string pattern = (std::filesystem::temp_directory_path() / "reeve-bigquery-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return false;
  folder_ = pattern;
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return false;
  pid_ = fork();
  if (pid_ == 0) Become(command, in[0], out[1], folder_);
  close(in[0]);
  close(out[1]);
  input_ = in[1];
  output_ = out[0];
  return pid_ > 0;
}

std::string BigqueryProcess::FirstLine() const {
  std::string line;
  char c = 0;
  while (line.size() < 4096) {
    pollfd waiting{output_, POLLIN, 0};
    if (poll(&waiting, 1, kStartPatienceMs) <= 0 || read(output_, &c, 1) != 1) return line;
    if (c == '\n') return line;
    line += c;
  }
  return line;
}

std::unique_ptr<BigqueryProcess> BigqueryProcess::StartFake(std::string* why, const std::vector<std::string>& options) {
  std::unique_ptr<BigqueryProcess> made(new BigqueryProcess());
  const std::string server = Environment("REEVE_SOURCE_DIR", ".") + "/tests/fakes/bigquery/server.py";
  std::vector<std::string> command = {"python3", server, "--port", "0", "--project", made->project_};
  command.insert(command.end(), options.begin(), options.end());
  const std::string line = made->Start(command) ? made->FirstLine() : "";
  const size_t at = line.find("\"port\": ");
  if (at == std::string::npos) {
    int status = 0;
    const bool absent = made->pid_ > 0 && waitpid(made->pid_, &status, 0) == made->pid_ && WIFEXITED(status) && WEXITSTATUS(status) == 127;
    made->pid_ = -1;
    *why = absent ? "no python3" : "the fake of BigQuery did not start";
    EXPECT_TRUE(absent) << *why << ": " << line;
    return nullptr;
  }
  made->endpoint_ = fmt::format("http://127.0.0.1:{}", std::atoi(line.c_str() + at + 8));
  return made;
}

std::unique_ptr<BigqueryProcess> BigqueryProcess::StartEmulator(std::string* why) {
  const std::string program = Environment("REEVE_BIGQUERY_EMULATOR", "");
  if (program.empty()) {
    *why = Environment("REEVE_NO_BIGQUERY_EMULATOR", "REEVE_BIGQUERY_EMULATOR is not set (tools/bigquery_emulator builds it, ./test sets it)");
    return nullptr;
  }
  std::unique_ptr<BigqueryProcess> made(new BigqueryProcess());
  const bool started = made->Start({program, "--project=" + made->project_, "--host=127.0.0.1", "--port=0", "--grpc-port=0", "--log-level=error"});
  const std::string line = started ? made->FirstLine() : "";
  const size_t at = line.rfind(':');
  if (line.find("REST") == std::string::npos || at == std::string::npos) {
    ADD_FAILURE() << program << " did not start: " << line;
    *why = "the emulator did not start";
    return nullptr;
  }
  made->endpoint_ = "http://127.0.0.1:" + line.substr(at + 1);
  for (int tries = 0; tries < 200; ++tries) {
    if (made->Call("GET", "/datasets").status == 200) return made;
    poll(nullptr, 0, 50);
  }
  ADD_FAILURE() << program << " does not answer";
  *why = "the emulator does not answer";
  return nullptr;
}

BigqueryProcess::~BigqueryProcess() {
  if (input_ >= 0) close(input_);
  if (pid_ > 0) {
    kill(pid_, SIGKILL);  // nothing of it is kept
    waitpid(pid_, nullptr, 0);
  }
  if (output_ >= 0) close(output_);
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

BigqueryProcess::Answer BigqueryProcess::Call(std::string_view method, std::string_view path, std::string_view json) const {
  return Send(std::string(method), fmt::format("{}/bigquery/v2/projects/{}{}", endpoint_, project_, path), json);
}

std::string BigqueryProcess::Control(std::string_view name, std::string_view json) const {
  const Answer answer = Send(json.empty() ? "GET" : "POST", fmt::format("{}/_fake/{}", endpoint_, name), json);
  EXPECT_EQ(answer.status, 200) << answer.body;
  return answer.body;
}

void BigqueryProcess::MakeDataset(std::string_view name, std::string_view location, std::string_view labels_json) const {
  const Answer answer = Call("POST", "/datasets", fmt::format(R"({{"datasetReference":{{"projectId":"{}","datasetId":"{}"}},"location":"{}","labels":{}}})",
                                                              project_, name, location, labels_json));
  EXPECT_EQ(answer.status, 200) << answer.body;
}

void BigqueryProcess::MakeTable(std::string_view dataset, std::string_view table, std::string_view fields) const {
  const Answer answer =
      Call("POST", fmt::format("/datasets/{}/tables", dataset),
           fmt::format(R"({{"tableReference":{{"projectId":"{}","datasetId":"{}","tableId":"{}"}},"schema":{{"fields":{}}}}})", project_, dataset, table, fields));
  EXPECT_EQ(answer.status, 200) << answer.body;
}

void BigqueryProcess::Load(std::string_view dataset, std::string_view table, std::string_view fields, std::string_view lines) const {
  static int number = 0;
  const std::string job = fmt::format("setup-{}-{}", getpid(), ++number);
  const std::string metadata = fmt::format(
      R"({{"jobReference":{{"projectId":"{0}","jobId":"{1}"}},"configuration":{{"load":{{"destinationTable":{{"projectId":"{0}","datasetId":"{2}","tableId":"{3}"}},)"
      R"("sourceFormat":"NEWLINE_DELIMITED_JSON","schema":{{"fields":{4}}},"writeDisposition":"WRITE_APPEND"}}}}}})",
      project_, job, dataset, table, fields);
  const std::string body = fmt::format("--B\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{}\r\n--B\r\nContent-Type: application/octet-stream\r\n\r\n"
                                       "{}\r\n--B--\r\n", metadata, lines);
  const Answer answer = Send("POST", fmt::format("{}/upload/bigquery/v2/projects/{}/jobs?uploadType=multipart", endpoint_, project_), body,
                             "multipart/related; boundary=B");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body.find("errorResult"), std::string::npos) << answer.body;
}

std::string BigqueryProcess::Sql(std::string_view text) const {
  const Answer answer = Call("POST", "/queries", fmt::format(R"({{"query":{},"useLegacySql":false}})", JsonText(text)));
  EXPECT_EQ(answer.status, 200) << text << "\n" << answer.body;
  return answer.body;
}

void BigqueryProcess::LoadExport(std::string_view directory, std::string_view more_json) const {
  static_cast<void>(Control("load_export", fmt::format(R"({{"directory":{}{}{}}})", JsonText(directory), more_json.empty() ? "" : ",", more_json)));
}

}  // namespace reeve::testing
