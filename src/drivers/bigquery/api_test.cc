#include "drivers/bigquery/api.h"

#include <gtest/gtest.h>

#include <thread>

#include "drivers/bigquery/rest_testing.h"
#include "tests/fakes/loopback_server.h"

namespace reeve::bigquery {
namespace {

using fakes::ScriptedHttp;
using reeve::testing::FakeClock;
using testing::Problem;
using testing::Reply;

class CountingCredentials final : public Credentials {
 public:
  Result<std::string> AuthorizationHeader() override { return fmt::format("Bearer token{}", generation); }
  void Forget() override { ++generation; }
  std::string Describe() const override { return "test"; }
  std::string QuotaProject() const override { return "payer"; }
  int generation = 1;
};

struct World {
  explicit World(ScriptedHttp::Handler handler, ClientOptions options = {}, Credentials* credentials = nullptr)
      : http(std::move(handler)), api(options, http, credentials, clock, *entropy) {}
  FakeClock clock;
  std::unique_ptr<Entropy> entropy = MakeSeededEntropy(3);
  ScriptedHttp http;
  Api api;
};

std::string HeaderOf(const net::HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (key == name) return value;
  return {};
}

TEST(Api, BuildsTheRequest) {
  CountingCredentials credentials;
  World world([](const net::HttpRequest&) { return Reply(200, "{}"); }, {}, &credentials);
  Call call;
  call.method = "POST";
  call.path = "projects/p/jobs";
  call.query = {{"a", "x y"}};
  call.body = "{}";
  call.upload = true;
  ASSERT_TRUE(world.api.Send(call));
  const net::HttpRequest request = world.http.requests().at(0);
  EXPECT_EQ(request.url, "https://bigquery.googleapis.com/upload/bigquery/v2/projects/p/jobs?a=x%20y&prettyPrint=false");
  EXPECT_EQ(HeaderOf(request, "Authorization"), "Bearer token1");
  EXPECT_EQ(HeaderOf(request, "X-Goog-User-Project"), "payer");
  EXPECT_EQ(HeaderOf(request, "Content-Type"), "application/json");
}

TEST(Api, WithoutCredentialsThereIsNoAuthorization) {
  ClientOptions options;
  options.endpoint = "http://127.0.0.1:9050";
  World world([](const net::HttpRequest&) { return Reply(200, "{}"); }, options);
  ASSERT_TRUE(world.api.Send({}));
  EXPECT_EQ(HeaderOf(world.http.requests().at(0), "Authorization"), "");
  EXPECT_TRUE(world.http.requests().at(0).url.starts_with("http://127.0.0.1:9050/bigquery/v2/"));
}

TEST(Api, ARefusedTokenIsReplacedOnceAndThenItFails) {
  CountingCredentials credentials;
  World mended([](const net::HttpRequest& request) {
    return HeaderOf(request, "Authorization") == "Bearer token2" ? Reply(200, "{}") : Problem(401, "authError", "Invalid Credentials");
  }, {}, &credentials);
  EXPECT_TRUE(mended.api.Send({}));
  EXPECT_EQ(mended.http.count(), 2U);

  World refused([](const net::HttpRequest&) { return Problem(401, "authError", "Invalid Credentials"); }, {}, &credentials);
  const Answer answer = refused.api.Send({});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kAuthNeeded);
  EXPECT_EQ(refused.http.count(), 2U);
  EXPECT_EQ(ToError(answer.error(), "x").message.find("token"), std::string::npos);
}

TEST(Api, WhatIsTransientIsRepeatedUntilItWorks) {
  const std::vector<Result<net::HttpResponse>> bad = {
      Problem(503, "backendError", "m"),   Problem(500, "internalError", "m"), Problem(403, "rateLimitExceeded", "m"), Reply(502, "<html>"),
      Reply(200, "<html>sign in</html>"),  Reply(200, "{\"rows\":["),          Fail(Code::kFailed, "reset"),           Problem(400, "tableUnavailable", "m"),
  };
  size_t next = 0;
  World world([&](const net::HttpRequest&) -> Result<net::HttpResponse> {
    if (next < bad.size()) return bad[next++];
    return Reply(200, "{}");
  });
  Tries tries;
  EXPECT_TRUE(world.api.Send({}, &tries));
  EXPECT_TRUE(tries.sent);
  EXPECT_TRUE(tries.ambiguous);
  EXPECT_EQ(world.api.counts().api_calls, bad.size() + 1);
  EXPECT_EQ(world.api.counts().retries, bad.size());
}

TEST(Api, WhatIsPermanentIsNotRepeated) {
  for (const auto& answer : {Problem(400, "invalidQuery", "m"), Problem(403, "accessDenied", "m"), Problem(404, "notFound", "m"), Problem(403, "quotaExceeded", "m"),
                             Problem(409, "duplicate", "m"), Problem(400, "jobInternalError", "m"), Problem(400, "resourcesExceeded", "m"), Reply(302, "")}) {
    World world([&](const net::HttpRequest&) { return answer; });
    Tries tries;
    EXPECT_FALSE(world.api.Send({}, &tries));
    EXPECT_EQ(world.http.count(), 1U) << answer.body;
    EXPECT_FALSE(tries.ambiguous);
  }
  World refused([](const net::HttpRequest&) -> Result<net::HttpResponse> { return Fail(Code::kRefused, "not trusted"); });
  EXPECT_FALSE(refused.api.Send({}));
  EXPECT_EQ(refused.http.count(), 1U);
}

TEST(Api, PatienceEndsAndSaysSo) {
  ClientOptions options;
  options.patience = 30 * kSecond;
  World world([](const net::HttpRequest&) { return Problem(503, "backendError", "busy"); }, options);
  const Micros begin = world.clock.Steady();
  const Answer answer = world.api.Send({});
  ASSERT_FALSE(answer);
  EXPECT_EQ(ToError(answer.error(), "x").message, "x: [backendError] busy; given up after 30 s");
  EXPECT_LE(world.clock.Steady() - begin, 30 * kSecond);
  EXPECT_GT(world.http.count(), 3U);
  EXPECT_LT(world.http.count(), 40U);
}

TEST(Api, TheServersWishToWaitIsHonoured) {
  int calls = 0;
  World world([&](const net::HttpRequest&) { return ++calls == 1 ? Reply(429, "", {{"retry-after", "25"}}) : Reply(200, "{}"); });
  const Micros begin = world.clock.Steady();
  EXPECT_TRUE(world.api.Send({}));
  EXPECT_GE(world.clock.Steady() - begin, 25 * kSecond);

  World endless([](const net::HttpRequest&) { return Reply(503, "", {{"retry-after", "7200"}}); });
  const Answer answer = endless.api.Send({});
  ASSERT_FALSE(answer);
  EXPECT_NE(ToError(answer.error(), "x").message.find("it asks to wait 7200 s"), std::string::npos);
  EXPECT_EQ(endless.http.count(), 1U);
}

std::atomic<bool> g_stop = false;

TEST(Api, AnInterruptEndsTheWaitingAndLetsOnlyTidyingUpThrough) {
  g_stop = false;
  ClientOptions options;
  options.interrupted = [] { return g_stop.load(); };
  World world([](const net::HttpRequest&) {
    g_stop = true;
    return Problem(503, "backendError", "busy");
  }, options);
  const Answer answer = world.api.Send({});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kInterrupted);
  EXPECT_EQ(world.http.count(), 1U);
  Tries tries;
  EXPECT_EQ(world.api.Send({}, &tries).error().code, Code::kInterrupted);
  EXPECT_FALSE(tries.sent);
  Call tidying;
  tidying.even_if_interrupted = true;
  static_cast<void>(world.api.Once(tidying));
  EXPECT_EQ(world.http.count(), 2U);
  EXPECT_TRUE(world.http.requests().back().even_if_interrupted);
}

TEST(Api, NoMoreThanTheAllowedRequestsAreInFlight) {
  std::atomic<int> now = 0, most = 0;
  fakes::LoopbackServer server([&](const fakes::LoopbackRequest&) {
    const int count = ++now;
    for (int seen = most; seen < count && !most.compare_exchange_weak(seen, count);) {
    }
    std::this_thread::yield();
    --now;
    fakes::LoopbackAnswer answer;
    answer.body = "{}";
    return answer;
  });
  ClientOptions options;
  options.endpoint = server.url();
  options.requests_at_once = 3;
  const auto http = net::MakeCurlClient();
  FakeClock clock;
  const auto entropy = MakeSeededEntropy(1);
  Api api(options, *http, nullptr, clock, *entropy);
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 12; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) good += api.Send({}) ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 240);
  EXPECT_LE(most, 3);
  EXPECT_EQ(api.counts().api_calls, 240U);
  EXPECT_EQ(api.counts().bytes_received, 480U);
}

TEST(Api, ABodyThatBreaksOffIsAskedForAgain) {
  std::atomic<int> calls = 0;
  fakes::LoopbackServer server([&](const fakes::LoopbackRequest&) {
    fakes::LoopbackAnswer answer;
    answer.body = "{\"rows\":[" + std::string(5000, ' ') + "]}";
    answer.chunked = calls % 2 == 0;
    if (++calls < 4) answer.misbehaviour = calls == 3 ? fakes::Misbehaviour::kReset : fakes::Misbehaviour::kBreakInBody;
    return answer;
  });
  ClientOptions options;
  options.endpoint = server.url();
  const auto http = net::MakeCurlClient();
  FakeClock clock;
  const auto entropy = MakeSeededEntropy(1);
  Api api(options, *http, nullptr, clock, *entropy);
  const Answer answer = api.Send({});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body.size(), 5011U);
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST(Api, AnUploadsAddressStaysWithUsOrWithGoogle) {
  ClientOptions options;
  options.endpoint = "http://127.0.0.1:9050";
  World world([](const net::HttpRequest&) { return Reply(200, "{}"); }, options);
  EXPECT_EQ(world.api.UploadAddress("http://127.0.0.1:9050/u?id=1"), "http://127.0.0.1:9050/u?id=1");
  EXPECT_EQ(world.api.UploadAddress("https://bigquery.googleapis.com/u?id=1"), "https://bigquery.googleapis.com/u?id=1");
  for (const std::string_view host : {"http://0.0.0.0:0", "https://evil.example", "https://googleapis.com.evil.example", "http://bigquery.googleapis.com"})
    EXPECT_EQ(world.api.UploadAddress(fmt::format("{}/u?id=1", host)), "http://127.0.0.1:9050/u?id=1") << host;
  EXPECT_EQ(world.api.UploadAddress("nonsense"), "");
}

}  // namespace
}  // namespace reeve::bigquery
