#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/encoding.h"
#include "env/files.h"
#include "net/http.h"
#include "tests/fakes/loopback_server.h"
#include "tests/fakes/tls_peer.h"

namespace reeve::net {
namespace {

using fakes::LoopbackAnswer;
using fakes::LoopbackRequest;
using fakes::LoopbackServer;
using fakes::Misbehaviour;
using fakes::TlsPeer;

LoopbackServer::Handler Always(LoopbackAnswer answer) {
  return [answer](const LoopbackRequest&) { return answer; };
}

HttpRequest Get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.timeout = 20 * kSecond;
  return request;
}

TEST(CurlClient, GivesStatusHeadersInLowerCaseAndBody) {
  LoopbackAnswer answer;
  answer.status = 418;
  answer.body = "short and stout";
  answer.headers = {{"X-Kind", " Tea "}, {"x-kind", "second"}};
  LoopbackServer server(Always(answer));
  const auto client = MakeCurlClient();

  const Result<HttpResponse> response = client->Send(Get(server.url() + "/pot?sugar=2"));

  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 418);
  EXPECT_EQ(response->body, "short and stout");
  ASSERT_NE(response->Find("x-kind"), nullptr);
  EXPECT_EQ(*response->Find("x-kind"), "Tea");
  EXPECT_EQ(response->Find("X-Kind"), nullptr);
  EXPECT_EQ(server.requests().at(0).target, "/pot?sugar=2");
  EXPECT_EQ(server.requests().at(0).Header("user-agent"), "reeve (gzip)");
  EXPECT_EQ(server.requests().at(0).Header("accept-encoding"), "gzip");
}

TEST(CurlClient, SendsEveryMethodWithItsBodyAndNothingNobodyNamed) {
  LoopbackServer server(Always({}));
  const auto client = MakeCurlClient();
  const std::string large(3 * 1024 * 1024, 'x');  // large enough for libcurl to ask for permission first
  const struct {
    std::string method, body, length;
  } cases[] = {{"GET", "", ""}, {"POST", "a=b", "3"}, {"POST", "", "0"}, {"PUT", "", "0"}, {"PUT", large, "3145728"}, {"PATCH", "{}", "2"}, {"DELETE", "", ""}};
  for (const auto& [method, body, length] : cases) {
    HttpRequest request = Get(server.url() + "/x");
    request.method = method;
    request.body = body;
    request.headers = {{"X-Empty", ""}, {"X-Full", "yes"}};
    ASSERT_TRUE(client->Send(request)) << method;
    const LoopbackRequest seen = server.requests().back();
    EXPECT_EQ(seen.method, method);
    EXPECT_EQ(seen.body, body);
    EXPECT_EQ(seen.Header("content-length"), length) << method;
    EXPECT_EQ(seen.Header("x-full"), "yes");
    for (const auto& [name, value] : seen.headers) {
      EXPECT_NE(name, "expect");
      EXPECT_NE(name, "content-type");
    }
  }
}

TEST(CurlClient, KeepsItsConnection) {
  LoopbackServer server(Always({}));
  const auto client = MakeCurlClient();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client->Send(Get(server.url())));
  EXPECT_EQ(server.connections(), 1U);
}

TEST(CurlClient, ServesManyThreadsWithOneConnectionEachAtMost) {
  LoopbackServer server([](const LoopbackRequest& request) {
    LoopbackAnswer answer;
    answer.body = request.body;
    return answer;
  });
  const auto client = MakeCurlClient();
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        HttpRequest request = Get(server.url());
        request.method = "POST";
        request.body = fmt::format("{}/{}", t, i);
        const Result<HttpResponse> response = client->Send(request);
        if (response && response->body == request.body) ++right;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 200);
  EXPECT_LE(server.connections(), 8U);
}

constexpr std::string_view kHellos = "1f8b0800000000000203cb48cdc9c957c81825892001c14842592c010000";
// 100,000 zero bytes.
constexpr std::string_view kZeros =
    "1f8b0800000000000203edc13101000000c2a0f54f6d0d0fa0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000008057037d9511d4a0860100";

LoopbackAnswer Compressed(std::string_view hex) {
  LoopbackAnswer answer;
  answer.body = *HexDecode(hex);
  answer.headers = {{"Content-Encoding", "gzip"}};
  return answer;
}

TEST(CurlClient, Unpacks) {
  LoopbackServer server(Always(Compressed(kHellos)));
  const Result<HttpResponse> response = MakeCurlClient()->Send(Get(server.url()));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body.substr(0, 12), "hello hello ");
  EXPECT_EQ(response->body.size(), 300U);
}

TEST(CurlClient, RefusesAnAnswerLargerThanAllowedAlsoIfItGrowsByUnpacking) {
  LoopbackAnswer plain;
  plain.body.assign(50'001, 'x');
  LoopbackAnswer chunked = plain;
  chunked.chunked = true;
  for (const LoopbackAnswer& answer : {plain, chunked, Compressed(kZeros)}) {
    LoopbackServer server(Always(answer));
    HttpRequest request = Get(server.url());
    request.response_bytes_max = 50'000;
    const Result<HttpResponse> response = MakeCurlClient()->Send(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::kRefused);
    EXPECT_NE(response.error().message.find("larger than 50000 bytes"), std::string::npos) << response.error().message;
    request.response_bytes_max = 100'000;
    EXPECT_TRUE(MakeCurlClient()->Send(request));
  }
}

TEST(CurlClient, RefusesEndlessHeaders) {
  LoopbackAnswer answer;
  for (int i = 0; i < 5000; ++i) answer.headers.emplace_back("X-More", std::string(80, 'x'));
  LoopbackServer server(Always(answer));
  const Result<HttpResponse> response = MakeCurlClient()->Send(Get(server.url()));
  ASSERT_FALSE(response);
}

TEST(CurlClient, ABrokenExchangeIsAFailureAndTheNextOneWorks) {
  for (const Misbehaviour misbehaviour : {Misbehaviour::kCloseBeforeAnswer, Misbehaviour::kReset, Misbehaviour::kBreakInHead, Misbehaviour::kBreakInBody}) {
    for (const bool chunked : {false, true}) {
      std::atomic<bool> broken = true;
      LoopbackServer server([&](const LoopbackRequest&) {
        LoopbackAnswer answer;
        answer.body.assign(5000, 'x');
        answer.chunked = chunked;
        if (broken) answer.misbehaviour = misbehaviour;
        return answer;
      });
      const auto client = MakeCurlClient();
      const Result<HttpResponse> response = client->Send(Get(server.url()));
      ASSERT_FALSE(response) << static_cast<int>(misbehaviour);
      EXPECT_EQ(response.error().code, Code::kFailed) << response.error().message;
      broken = false;
      EXPECT_TRUE(client->Send(Get(server.url())));
    }
  }
}

TEST(CurlClient, AKeptConnectionThatIsGoneIsReplacedAndTheAnswerSaysSo) {
  LoopbackServer server([](const LoopbackRequest& request) {
    LoopbackAnswer answer;
    if (request.connection == 1 && request.path() == "/second") answer.misbehaviour = Misbehaviour::kCloseBeforeAnswer;
    return answer;
  });
  const auto client = MakeCurlClient();
  EXPECT_FALSE(client->Send(Get(server.url() + "/first"))->maybe_resent);
  EXPECT_FALSE(client->Send(Get(server.url() + "/first"))->maybe_resent);
  const Result<HttpResponse> response = client->Send(Get(server.url() + "/second"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_TRUE(response->maybe_resent);
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST(CurlClient, GarbageIsAFailure) {
  for (const std::string& garbage : {std::string("SSH-2.0-OpenSSH_9.2\r\n"), std::string("\0\0\0\0", 4), std::string("HTTP/1.1 two hundred\r\n\r\n"),
                                     std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
    LoopbackAnswer answer;
    answer.raw = garbage;
    LoopbackServer server(Always(answer));
    const Result<HttpResponse> response = MakeCurlClient()->Send(Get(server.url()));
    ASSERT_FALSE(response) << garbage;
    EXPECT_EQ(response.error().code, Code::kFailed) << response.error().message;
  }
}

TEST(CurlClient, GivesUpAfterItsTime) {
  for (const Misbehaviour misbehaviour : {Misbehaviour::kStall, Misbehaviour::kStallInBody}) {
    LoopbackAnswer answer;
    answer.body = "never whole";
    answer.misbehaviour = misbehaviour;
    LoopbackServer server(Always(answer));
    HttpRequest request = Get(server.url());
    request.timeout = kSecond / 20;
    const Result<HttpResponse> response = MakeCurlClient()->Send(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::kFailed);
  }
}

TEST(CurlClient, NobodyListeningIsAFailureThatNamesTheHostButNoQueryAndNoHeader) {
  int port = 0;
  { port = LoopbackServer(Always({})).port(); }
  HttpRequest request = Get(fmt::format("http://user:hidden1@127.0.0.1:{}/path/here?token=hidden2", port));
  request.headers = {{"Authorization", "Bearer hidden3"}};
  const Result<HttpResponse> response = MakeCurlClient()->Send(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::kFailed);
  EXPECT_NE(response.error().message.find(fmt::format("GET 127.0.0.1:{}/path/here: ", port)), std::string::npos) << response.error().message;
  EXPECT_EQ(response.error().message.find("hidden"), std::string::npos) << response.error().message;
}

TEST(CurlClient, RefusesWhatMakesNoSense) {
  LoopbackServer server(Always({}));
  const auto client = MakeCurlClient();
  for (const std::string url : {"file:///etc/passwd", "ftp://127.0.0.1/x", "127.0.0.1", "http://", "gopher://127.0.0.1:1/_GET"})
    EXPECT_EQ(client->Send(Get(url)).error().code, Code::kRefused) << url;
  for (const Header& header : {Header{"X", "a\r\nY: b"}, Header{"X", std::string("a\0b", 3)}, Header{"X: y\r\nZ", "b"}, Header{"", "b"}, Header{"X Y", "b"}}) {
    HttpRequest request = Get(server.url());
    request.headers = {header};
    EXPECT_EQ(client->Send(request).error().code, Code::kRefused);
  }
  EXPECT_TRUE(server.requests().empty());
}

TEST(CurlClient, FollowsNoRedirect) {
  LoopbackServer server([](const LoopbackRequest&) {
    LoopbackAnswer answer;
    answer.status = 302;
    answer.headers = {{"Location", "/elsewhere"}};
    return answer;
  });
  const Result<HttpResponse> response = MakeCurlClient()->Send(Get(server.url()));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(server.requests().size(), 1U);
}

std::atomic<bool> g_stop = false;

TEST(CurlClient, AnInterruptEndsWhatIsUnderWayAndWhatComesAfterExceptTidyingUp) {
  g_stop = false;
  LoopbackServer server([](const LoopbackRequest& request) {
    LoopbackAnswer answer;
    if (request.path() == "/slow") {
      g_stop = true;
      answer.misbehaviour = Misbehaviour::kStall;
    }
    return answer;
  });
  HttpClientOptions options;
  options.interrupted = [] { return g_stop.load(); };
  const auto client = MakeCurlClient(options);

  EXPECT_EQ(client->Send(Get(server.url() + "/slow")).error().code, Code::kInterrupted);
  EXPECT_EQ(client->Send(Get(server.url() + "/next")).error().code, Code::kInterrupted);
  HttpRequest tidying = Get(server.url() + "/cancel");
  tidying.even_if_interrupted = true;
  EXPECT_TRUE(client->Send(tidying));
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST(CurlClient, GoesThroughTheProxyOfTheEnvironmentExceptToLoopbackOrIfToldNotTo) {
  LoopbackServer proxy(Always({}));
  LoopbackServer server(Always({}));
  setenv("http_proxy", proxy.url().c_str(), 1);
  const auto client = MakeCurlClient();
  HttpRequest request = Get("http://estate.invalid/x");
  EXPECT_TRUE(client->Send(request));
  EXPECT_TRUE(client->Send(Get(server.url())));
  request.direct = true;
  EXPECT_FALSE(client->Send(request));
  unsetenv("http_proxy");
  ASSERT_EQ(proxy.requests().size(), 1U);
  EXPECT_EQ(proxy.requests()[0].target, "http://estate.invalid/x");
  EXPECT_EQ(server.requests().size(), 1U);
}

class CertificateFile {
 public:
  explicit CertificateFile(const std::string& pem) {
    std::string pattern = (std::filesystem::temp_directory_path() / "reeve_ca_XXXXXX").string();
    const char* const made = mkdtemp(pattern.data());
    REEVE_ASSERT(made != nullptr);
    directory_ = made;
    REEVE_ASSERT(MakeSystemFiles()->WriteAtomic(path(), pem).has_value());
  }
  ~CertificateFile() { std::filesystem::remove_all(directory_); }
  std::string path() const { return directory_ + "/ca.pem"; }

 private:
  std::string directory_;
};

TEST(CurlClient, TrustsACertificateThatItWasToldToTrust) {
  TlsPeer peer("IP:127.0.0.1");
  const CertificateFile file(peer.certificate());
  HttpClientOptions options;
  options.ca_file = file.path();
  const Result<HttpResponse> response = MakeCurlClient(options)->Send(Get(peer.url()));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "safe");
}

TEST(CurlClient, SendsNothingToAPeerWithoutATrustedCertificateOrWithAnothersName) {
  TlsPeer unknown("IP:127.0.0.1");
  const Result<HttpResponse> untrusted = MakeCurlClient()->Send(Get(unknown.url()));
  ASSERT_FALSE(untrusted);
  EXPECT_EQ(untrusted.error().code, Code::kRefused) << untrusted.error().message;

  TlsPeer elsewhere("DNS:elsewhere.example");
  const CertificateFile file(elsewhere.certificate());
  HttpClientOptions options;
  options.ca_file = file.path();
  const Result<HttpResponse> misnamed = MakeCurlClient(options)->Send(Get(elsewhere.url()));
  ASSERT_FALSE(misnamed);
  EXPECT_EQ(misnamed.error().code, Code::kRefused) << misnamed.error().message;
  EXPECT_EQ(unknown.requests() + elsewhere.requests(), 0);
}

}  // namespace
}  // namespace reeve::net
