// Loads as a caller of Client sees them: multipart, sessions that break and go on, adoption.
#include "drivers/bigquery/upload.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "drivers/bigquery/rest_testing.h"

namespace reeve::bigquery {
namespace {

using fakes::ScriptedHttp;
using testing::ClientWorld;
using testing::FakeRest;
using testing::Param;
using testing::PathOf;
using testing::Problem;
using testing::Reply;

LoadSpec Spec(bool truncate = true) { return {"run-load", {"p", "d", "t"}, {{"n", FieldType::kInt64}}, "EU", truncate}; }

// Rows in memory, handed out in pieces of odd sizes.
struct Rows {
  explicit Rows(std::string all) : text(std::move(all)) {}
  std::string text;
  size_t at = 0;
  int rewinds = 0;
  UploadSource Source() {
    return {[this](size_t bytes_max) -> Result<std::string> {
              const std::string piece = text.substr(at, std::min<size_t>(bytes_max, 1'000'003));
              at += piece.size();
              return piece;
            },
            [this]() -> Result<> {
              at = 0;
              ++rewinds;
              return {};
            }};
  }
};

std::string Numbers(size_t bytes) {
  std::string text;
  const std::string filler(2000, 'x');
  for (uint64_t i = 0; text.size() < bytes; ++i) text += fmt::format("{{\"n\":{},\"s\":\"{}\"}}\n", i, filler);
  return text;
}

TEST(Load, SmallRowsGoInOneRequest) {
  FakeRest rest;
  ClientWorld world(rest.http);
  Rows rows("{\"n\":1}\n{\"n\":2}\n");
  const Result<JobResult> result = world.client->Load(Spec(), rows.Source());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output_rows, 2U);
  EXPECT_EQ(rest.jobs["run-load"].data, rows.text);
  const net::HttpRequest request = rest.http.requests().at(0);
  EXPECT_EQ(PathOf(request), "/upload/bigquery/v2/projects/bill/jobs");
  EXPECT_EQ(Param(request, "uploadType"), "multipart");
  EXPECT_EQ(world.client->counts().load_jobs, 1U);
  EXPECT_EQ(world.client->counts().query_jobs, 0U);
}

TEST(Load, NoRowsAreALoadToo) {
  FakeRest rest;
  Rows rows("");
  EXPECT_TRUE(ClientWorld(rest.http).client->Load(Spec(), rows.Source()));
  EXPECT_EQ(rest.jobs["run-load"].data, "");
}

TEST(Load, ARunningLoadIsLookedAtUntilItEnds) {
  FakeRest rest;
  rest.outcomes[""].polls = 6;
  ClientWorld world(rest.http);
  Rows rows("{\"n\":1}\n");
  const Result<JobResult> result = world.client->Load(Spec(), rows.Source());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output_rows, 1U);
  EXPECT_EQ(rest.http.count(), 7U);
}

TEST(Load, OneThatDiesIsRepeatedWithTheSameRowsAndOneThatFailsIsNot) {
  FakeRest rest;
  rest.outcomes[""].problems = {{"jobBackendError", "m", ""}};
  ClientWorld world(rest.http);
  Rows rows("{\"n\":1}\n");
  const Result<JobResult> result = world.client->Load(Spec(), rows.Source());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->job_id, "run-load-a2");
  EXPECT_EQ(rest.jobs["run-load-a2"].data, rows.text);
  EXPECT_EQ(rows.rewinds, 1);

  rest.outcomes[""].problems = {{"invalid", "Error while reading data: Could not parse 's3cret' as INT64", ""}};
  LoadSpec other = Spec();
  other.job_id = "other";
  const Result<JobResult> failed = world.client->Load(other, rows.Source());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "BigQuery: load other: [invalid] Error while reading data: Could not parse '…' as INT64");
}

TEST(Load, AnAnswerThatWasLostIsAdopted) {
  FakeRest rest;
  int posts = 0;
  rest.after = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
    if (request.method != "POST" || ++posts > 1) return std::nullopt;
    return Result<net::HttpResponse>(Fail(Code::kFailed, "reset"));
  };
  Rows rows("{\"n\":1}\n");
  const Result<JobResult> result = ClientWorld(rest.http).client->Load(Spec(false), rows.Source());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(rest.inserted, std::vector<std::string>{"run-load"});
  EXPECT_EQ(result->output_rows, 1U);
}

TEST(Load, AJobThatWroteElsewhereIsNotAdopted) {
  FakeRest rest;
  Rows rows("{\"n\":1}\n");
  ASSERT_TRUE(ClientWorld(rest.http).client->Load(Spec(), rows.Source()));
  for (const bool other_table : {true, false}) {
    LoadSpec spec = Spec(other_table);
    if (other_table) spec.table.table = "u";
    const Result<JobResult> refused = ClientWorld(rest.http).client->Load(spec, Rows("{\"n\":1}\n").Source());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kRefused);
  }
}

TEST(Load, WhatTheEmulatorLeavesOutIsSurvived) {
  FakeRest rest;
  rest.emulator = true;
  Rows rows("{\"n\":1}\n");
  // No status in the answer: asked for at once.
  ClientWorld world(rest.http);
  EXPECT_TRUE(world.client->Load(Spec(), rows.Source()));
  EXPECT_EQ(rest.http.count(), 2U);
  // The job is there, and nothing says that its rows are: a replacement is sent again, an addition is not.
  const Result<JobResult> again = ClientWorld(rest.http).client->Load(Spec(), rows.Source());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->job_id, "run-load-a2");
  EXPECT_EQ(rest.jobs["run-load-a2"].data, rows.text);
  LoadSpec append = Spec(false);
  append.job_id = "add";
  ASSERT_TRUE(ClientWorld(rest.http).client->Load(append, Rows("{\"n\":1}\n").Source()));
  const Result<JobResult> unsure = ClientWorld(rest.http).client->Load(append, Rows("{\"n\":1}\n").Source());
  ASSERT_FALSE(unsure);
  EXPECT_NE(unsure.error().message.find("nothing says whether its rows arrived"), std::string::npos);
  EXPECT_EQ(rest.inserted, (std::vector<std::string>{"run-load", "run-load-a2", "add"}));
}

// The protocol of a resumable upload, after Google's documentation: what has arrived is kept in units of 256 KiB, sessions may be lost.
struct Session {
  std::string job, data;
  std::map<int, std::function<std::optional<Result<net::HttpResponse>>(const net::HttpRequest& request)>> faults;  // by number of the PUT, from 1
  int sessions = 0, puts = 0;
  bool finished = false;

  net::HttpResponse So() const {
    if (data.empty()) return Reply(308, "");
    return Reply(308, "", {{"range", fmt::format("bytes=0-{}", data.size() - 1)}});
  }

  net::HttpResponse Put(const net::HttpRequest& request) {
    std::string range;
    for (const auto& [name, value] : request.headers)
      if (name == "Content-Range") range = value;
    if (!range.starts_with("bytes */")) {
      unsigned long first = 0, last = 0;
      EXPECT_EQ(std::sscanf(range.c_str(), "bytes %lu-%lu/", &first, &last), 2) << range;
      EXPECT_EQ(first, data.size());
      EXPECT_EQ(last - first + 1, request.body.size());
      data += request.body;
    }
    const std::string total = range.substr(range.find('/') + 1);
    if (total == "*") {
      EXPECT_EQ(data.size() % kPieceUnit, 0U);
      return So();
    }
    if (data.size() < std::stoul(total)) return So();
    finished = true;
    return Done();
  }

  static net::HttpResponse Done() {
    return Reply(200, R"({"jobReference":{"jobId":"run-load"},"status":{"state":"DONE"},"statistics":{"load":{"outputRows":"9"}}})");
  }

  ScriptedHttp http{[this](const net::HttpRequest& request) -> Result<net::HttpResponse> {
    if (request.method == "POST") {
      ++sessions;
      job = request.body;
      data.clear();
      EXPECT_EQ(Param(request, "uploadType"), "resumable");
      return Reply(200, "", {{"location", fmt::format("https://bigquery.googleapis.com/upload/bigquery/v2/projects/bill/jobs?upload_id=s{}", sessions)}});
    }
    EXPECT_EQ(Param(request, "upload_id"), fmt::format("s{}", sessions));
    const auto fault = faults.find(++puts);
    if (fault != faults.end())
      if (auto answer = fault->second(request)) return std::move(*answer);
    return Put(request);
  }};
};

TEST(ResumableLoad, GoesInOnePieceWhenItFitsAndInPiecesWhenItDoesNot) {
  const struct {
    size_t bytes;
    int puts;
  } cases[] = {{kMultipartBytesMax + 1, 1}, {kPieceBytes, 1}, {kPieceBytes + 1, 2}, {2 * kPieceBytes, 2}, {2 * kPieceBytes + 7, 3}};
  for (const auto& [bytes, puts] : cases) {
    Session session;
    Rows rows(Numbers(bytes).substr(0, bytes));
    const Result<JobResult> result = ClientWorld(session.http).client->Load(Spec(), rows.Source());
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(session.data, rows.text);
    EXPECT_EQ(session.puts, puts) << bytes;
    EXPECT_EQ(result->output_rows, 9U);
    EXPECT_NE(session.job.find(R"("jobId":"run-load")"), std::string::npos);
  }
}

TEST(ResumableLoad, GoesOnWhereItBroke) {
  for (const size_t arrived : {size_t{0}, kPieceUnit, 5 * kPieceUnit, kPieceBytes}) {
    Session session;
    // The connection breaks after so much of the second piece has arrived; the answer to the question after that is lost too.
    session.faults[2] = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
      session.data += request.body.substr(0, arrived);
      return Result<net::HttpResponse>(Fail(Code::kFailed, "broken pipe"));
    };
    session.faults[3] = [](const net::HttpRequest&) -> std::optional<Result<net::HttpResponse>> { return Problem(503, "backendError", "m"); };
    Rows rows(Numbers(2 * kPieceBytes + 100));
    ClientWorld world(session.http);
    const Result<JobResult> result = world.client->Load(Spec(), rows.Source());
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(session.data, rows.text);
    EXPECT_EQ(session.sessions, 1);
    EXPECT_EQ(rows.rewinds, 0);
    EXPECT_LT(world.client->counts().bytes_sent, rows.text.size() + kPieceBytes + 4096);  // what had arrived was not sent again
  }
}

TEST(ResumableLoad, APieceOfWhichOnlyAPartArrivedGoesOnToo) {
  Session session;
  session.faults[1] = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
    session.data += request.body.substr(0, 3 * kPieceUnit);
    return session.So();
  };
  Rows rows(Numbers(kPieceBytes + 100));
  ASSERT_TRUE(ClientWorld(session.http).client->Load(Spec(), rows.Source()));
  EXPECT_EQ(session.data, rows.text);
}

TEST(ResumableLoad, AFinishedUploadWhoseAnswerWasLostIsNotSentAgain) {
  Session session;
  session.faults[2] = [&](const net::HttpRequest& request) -> std::optional<Result<net::HttpResponse>> {
    static_cast<void>(session.Put(request));
    return Result<net::HttpResponse>(Fail(Code::kFailed, "timed out"));
  };
  Rows rows(Numbers(kPieceBytes + 100));
  const Result<JobResult> result = ClientWorld(session.http).client->Load(Spec(), rows.Source());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(session.data, rows.text);
  EXPECT_EQ(session.puts, 3);
}

TEST(ResumableLoad, ALostSessionBeginsAnewWithTheSameBytes) {
  for (const int status : {404, 410}) {
    Session session;
    session.faults[2] = [&](const net::HttpRequest&) -> std::optional<Result<net::HttpResponse>> { return Reply(status, "gone"); };
    Rows rows(Numbers(2 * kPieceBytes));
    const Result<JobResult> result = ClientWorld(session.http).client->Load(Spec(), rows.Source());
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(session.sessions, 2);
    EXPECT_EQ(rows.rewinds, 1);
    EXPECT_EQ(session.data, rows.text);
  }
  Session always;
  for (int i = 1; i < 50; ++i) always.faults[i] = [](const net::HttpRequest&) -> std::optional<Result<net::HttpResponse>> { return Reply(410, ""); };
  Rows rows(Numbers(kPieceBytes));
  const Result<JobResult> lost = ClientWorld(always.http).client->Load(Spec(), rows.Source());
  ASSERT_FALSE(lost);
  EXPECT_EQ(always.sessions, kSessionsMax);
}

TEST(ResumableLoad, AServerThatForgotWhatItHadBeginsAnew) {
  for (const std::string range : {"bytes=0-5", "bytes=7-9", "0-5", "bytes=0-99999999999999999999", "bytes=0-18446744073709551615"}) {
    Session session;
    session.faults[2] = [&](const net::HttpRequest&) -> std::optional<Result<net::HttpResponse>> { return Reply(308, "", {{"range", range}}); };
    Rows rows(Numbers(2 * kPieceBytes));
    const Result<JobResult> result = ClientWorld(session.http).client->Load(Spec(), rows.Source());
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(session.sessions, 2) << range;
    EXPECT_EQ(session.data, rows.text);
  }
}

TEST(ResumableLoad, AServerThatTakesAPieceForTheWholeIsNoticed) {
  Session session;
  session.faults[1] = [](const net::HttpRequest&) -> std::optional<Result<net::HttpResponse>> { return Session::Done(); };
  Rows rows(Numbers(kPieceBytes + 1));
  const Result<JobResult> result = ClientWorld(session.http).client->Load(Spec(), rows.Source());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("ended an upload before all of it was sent"), std::string::npos) << result.error().message;
}

TEST(ResumableLoad, AnUploadThatDoesNotGoOnIsGivenUp) {
  Session session;
  for (int i = 1; i < 2000; ++i) session.faults[i] = [](const net::HttpRequest&) -> std::optional<Result<net::HttpResponse>> { return Reply(308, ""); };
  Rows rows(Numbers(kMultipartBytesMax + 1));
  ClientOptions options;
  options.patience = 60 * kSecond;
  const Result<JobResult> result = ClientWorld(session.http, options).client->Load(Spec(), rows.Source());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("does not go on; given up after 60 s"), std::string::npos) << result.error().message;
}

TEST(ResumableLoad, WithoutAnAddressItFails) {
  ScriptedHttp http([](const net::HttpRequest&) { return Reply(200, "{}"); });
  Rows rows(Numbers(kMultipartBytesMax + 1));
  EXPECT_FALSE(ClientWorld(http).client->Load(Spec(), rows.Source()));
}

TEST(Load, AnErrorOfTheSourceIsHandedOn) {
  FakeRest rest;
  const UploadSource broken{[](size_t) -> Result<std::string> { return Fail(Code::kCorrupt, "mine"); }, []() -> Result<> { return {}; }};
  const Result<JobResult> result = ClientWorld(rest.http).client->Load(Spec(), broken);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kCorrupt);
  EXPECT_EQ(result.error().message, "mine");
  EXPECT_EQ(rest.http.count(), 0U);
}

}  // namespace
}  // namespace reeve::bigquery
