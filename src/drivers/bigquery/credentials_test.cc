#include "drivers/bigquery/credentials.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/encoding.h"
#include "drivers/bigquery/jwt.h"
#include "drivers/bigquery/rest_testing.h"
#include "tests/fakes/loopback_server.h"
#include "tests/fakes/no_files.h"

namespace reeve::bigquery {
namespace {

using fakes::ScriptedHttp;
using reeve::testing::FakeClock;
using testing::Reply;

struct World {
  explicit World(ScriptedHttp::Handler handler = [](const net::HttpRequest&) -> Result<net::HttpResponse> { return Fail(Code::kFailed, "no network"); })
      : http(std::move(handler)) {}
  Result<std::unique_ptr<Credentials>> Find() { return FindCredentials(environment, files, http, clock); }
  reeve::testing::FewFiles files;
  ScriptedHttp http;
  FakeClock clock;
  CredentialEnvironment environment;
};

// A key made once for all tests.
struct TestKey {
  TestKey() : key(EVP_RSA_gen(2048)) {
    BIO* const memory = BIO_new(BIO_s_mem());
    REEVE_ASSERT(PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    char* text = nullptr;
    const long size = BIO_get_mem_data(memory, &text);
    pem.assign(text, static_cast<size_t>(size));
    BIO_free(memory);
  }
  EVP_PKEY* const key;
  std::string pem;
  static const TestKey& Get() {
    static const TestKey made;
    return made;
  }
};

std::string FromBase64Url(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  std::string bytes;
  EXPECT_TRUE(Base64Decode(text, &bytes)) << text;
  return bytes;
}

bool Verifies(EVP_PKEY* key, std::string_view signed_text, const std::string& signature) {
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const bool good = EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
                    EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                     reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size()) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

std::string ServiceAccountFile(const std::string& pem = TestKey::Get().pem) {
  return json::serialize(json::object{{"type", "service_account"}, {"client_email", "robot@p.iam.gserviceaccount.com"}, {"private_key_id", "key1"}, {"private_key", pem}});
}

std::string UserFile() {
  return R"({"type":"authorized_user","client_id":"id.apps","client_secret":"s3cret-a","refresh_token":"s3cret-b","quota_project_id":"payer"})";
}

std::string ExternalFile(std::string_view source, std::string_view more = "") {
  return fmt::format(R"({{"type":"external_account","audience":"//iam/pools/x","subject_token_type":"urn:ietf:params:oauth:token-type:jwt",)"
                     R"("token_url":"https://sts.googleapis.com/v1/token","credential_source":{}{}}})", source, more);
}

TEST(ServiceAccount, SignsItsOwnTokenWhichThePublicKeyVerifies) {
  World world;
  world.environment.application_credentials = "/key.json";
  world.files.content["/key.json"] = ServiceAccountFile();
  const auto credentials = world.Find();
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ((*credentials)->Describe(), "service account robot@p.iam.gserviceaccount.com (GOOGLE_APPLICATION_CREDENTIALS)");
  const std::string header = *(*credentials)->AuthorizationHeader();
  ASSERT_TRUE(header.starts_with("Bearer "));
  const std::string token = header.substr(7);
  const size_t first = token.find('.'), second = token.rfind('.');
  ASSERT_LT(first, second);
  EXPECT_TRUE(Verifies(TestKey::Get().key, token.substr(0, second), FromBase64Url(token.substr(second + 1))));
  EXPECT_EQ(FromBase64Url(token.substr(0, first)), R"({"alg":"RS256","typ":"JWT","kid":"key1"})");
  const int64_t now = world.clock.Now() / kSecond;
  EXPECT_EQ(FromBase64Url(token.substr(first + 1, second - first - 1)),
            fmt::format(R"({{"iss":"robot@p.iam.gserviceaccount.com","sub":"robot@p.iam.gserviceaccount.com","scope":"https://www.googleapis.com/auth/cloud-platform",)"
                        R"("iat":{},"exp":{}}})", now, now + 3600));
  EXPECT_EQ(world.http.count(), 0U);  // nobody is asked
}

TEST(ServiceAccount, AKeyThatIsNoneIsRefused) {
  EVP_PKEY* const curve = EVP_EC_gen("P-256");
  BIO* const memory = BIO_new(BIO_s_mem());
  ASSERT_EQ(PEM_write_bio_PrivateKey(memory, curve, nullptr, nullptr, 0, nullptr, nullptr), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  const std::string elliptic(text, static_cast<size_t>(size));
  BIO_free(memory);
  EVP_PKEY_free(curve);
  std::string damaged = TestKey::Get().pem;
  damaged[damaged.size() / 2] = '!';
  for (const std::string& pem : {std::string("s3cret"), std::string("-----BEGIN PRIVATE KEY-----\n"), damaged, elliptic}) {
    World world;
    world.environment.application_credentials = "/key.json";
    world.files.content["/key.json"] = ServiceAccountFile(pem);
    const auto credentials = world.Find();
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error().code, Code::kAuthNeeded);
    EXPECT_EQ(credentials.error().message.find("s3cret"), std::string::npos);
  }
}

TEST(UserAccount, ExchangesItsRefreshToken) {
  World world([](const net::HttpRequest& request) {
    EXPECT_EQ(request.url, "https://oauth2.googleapis.com/token");
    EXPECT_EQ(request.body, "grant_type=refresh_token&client_id=id.apps&client_secret=s3cret-a&refresh_token=s3cret-b");
    return Reply(200, R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})");
  });
  world.environment.home = "/home/you";
  world.files.content["/home/you/.config/gcloud/application_default_credentials.json"] = UserFile();
  const auto credentials = world.Find();
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(*(*credentials)->AuthorizationHeader(), "Bearer ya29.x");
  EXPECT_EQ((*credentials)->QuotaProject(), "payer");
  EXPECT_EQ((*credentials)->Describe(), "user account (/home/you/.config/gcloud/application_default_credentials.json)");
}

TEST(UserAccount, ARefusalIsToldInGooglesWordsAndWithoutSecrets) {
  World world([](const net::HttpRequest&) {
    return Reply(400, R"({"error":"invalid_grant","error_description":"Token has been expired or revoked."})");
  });
  world.environment.application_credentials = "/user.json";
  world.files.content["/user.json"] = UserFile();
  const auto header = (*world.Find())->AuthorizationHeader();
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().code, Code::kAuthNeeded);
  EXPECT_EQ(header.error().message, "user account: no token: invalid_grant: Token has been expired or revoked.");
  EXPECT_FALSE(header.error().hint.empty());
  EXPECT_EQ(world.http.count(), 1U);
}

TEST(ExternalAccount, ExchangesTheTokenOfAFile) {
  World world([](const net::HttpRequest& request) {
    EXPECT_EQ(request.url, "https://sts.googleapis.com/v1/token");
    EXPECT_NE(request.body.find("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience=%2F%2Fiam%2Fpools%2Fx&"), std::string::npos);
    EXPECT_NE(request.body.find("subject_token=theirs&"), std::string::npos) << request.body;
    return Reply(200, R"({"access_token":"federated","expires_in":"1800"})");
  });
  world.environment.application_credentials = "/ext.json";
  world.files.content["/ext.json"] = ExternalFile(R"({"file":"/var/run/token"})");
  world.files.content["/var/run/token"] = "theirs\n";
  EXPECT_EQ(*(*world.Find())->AuthorizationHeader(), "Bearer federated");
}

TEST(ExternalAccount, ExchangesTheTokenOfAUrlAndActsAsAServiceAccount) {
  World world;
  ScriptedHttp http([&](const net::HttpRequest& request) {
    if (request.url == "http://169.254.1.1/token") {
      EXPECT_EQ(request.headers, (std::vector<net::Header>{{"Metadata", "True"}}));
      return Reply(200, R"({"value":"theirs"})");
    }
    if (request.url == "https://sts.googleapis.com/v1/token") return Reply(200, R"({"access_token":"federated","expires_in":3600})");
    EXPECT_EQ(request.url, "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/robot@p.iam.gserviceaccount.com:generateAccessToken");
    EXPECT_EQ(request.body, R"({"scope":["https://www.googleapis.com/auth/cloud-platform"],"lifetime":"1200s"})");
    EXPECT_EQ(request.headers.at(1).second, "Bearer federated");
    return Reply(200, fmt::format(R"({{"accessToken":"robots","expireTime":"{}"}})", FormatRfc3339(world.clock.Now() + 1200 * kSecond)));
  });
  world.environment.application_credentials = "/ext.json";
  world.files.content["/ext.json"] = ExternalFile(
      R"({"url":"http://169.254.1.1/token","headers":{"Metadata":"True"},"format":{"type":"json","subject_token_field_name":"value"}})",
      R"(,"service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/robot@p.iam.gserviceaccount.com:generateAccessToken",)"
      R"("service_account_impersonation":{"token_lifetime_seconds":1200})");
  const auto credentials = FindCredentials(world.environment, world.files, http, world.clock);
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(*(*credentials)->AuthorizationHeader(), "Bearer robots");
  EXPECT_EQ((*credentials)->Describe(), "workload identity //iam/pools/x as service account robot@p.iam.gserviceaccount.com (GOOGLE_APPLICATION_CREDENTIALS)");
  EXPECT_EQ(http.count(), 3U);
  world.clock.Advance(900 * kSecond);
  EXPECT_TRUE((*credentials)->AuthorizationHeader());
  EXPECT_EQ(http.count(), 3U);
  world.clock.Advance(100 * kSecond);  // 200 s before its end
  EXPECT_TRUE((*credentials)->AuthorizationHeader());
  EXPECT_EQ(http.count(), 6U);
}

TEST(ExternalAccount, FaultsOfTheSubjectTokenAreToldWithoutIt) {
  const struct {
    std::string source, content;
  } cases[] = {{R"({"file":"/absent"})", ""}, {R"({"file":"/t"})", " \n"}, {R"({"file":"/t","format":{"type":"json","subject_token_field_name":"v"}})", "s3cret"},
               {R"({"file":"/t","format":{"type":"json","subject_token_field_name":"v"}})", R"({"w":"s3cret"})"}, {R"({"url":"http://127.0.0.1/x"})", ""}};
  for (const auto& [source, content] : cases) {
    World world([](const net::HttpRequest&) { return Reply(403, "s3cret"); });
    world.environment.application_credentials = "/ext.json";
    world.files.content["/ext.json"] = ExternalFile(source);
    world.files.content["/t"] = content;
    const auto header = (*world.Find())->AuthorizationHeader();
    ASSERT_FALSE(header) << source;
    EXPECT_EQ(header.error().message.find("s3cret"), std::string::npos) << header.error().message;
  }
}

World OnGoogleCloud(std::string answer = R"({"access_token":"machine","expires_in":3000,"token_type":"Bearer"})") {
  return World([answer](const net::HttpRequest& request) {
    EXPECT_TRUE(request.direct);
    EXPECT_EQ(request.headers, (std::vector<net::Header>{{"Metadata-Flavor", "Google"}}));
    const std::string path = testing::PathOf(request);
    if (path.ends_with("/email")) return Reply(200, "robot@p.iam.gserviceaccount.com", {{"metadata-flavor", "Google"}});
    return Reply(200, path.ends_with("/token") ? answer : "computeMetadata/", {{"metadata-flavor", "Google"}});
  });
}

TEST(MetadataServer, GivesTokensWhereThereIsNoFile) {
  World world = OnGoogleCloud();
  const auto credentials = world.Find();
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(world.http.requests().at(0).url, "http://169.254.169.254/");
  EXPECT_EQ(*(*credentials)->AuthorizationHeader(), "Bearer machine");
  EXPECT_EQ(world.http.requests().back().url, "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token");
  EXPECT_EQ((*credentials)->Describe(), "service account robot@p.iam.gserviceaccount.com of metadata server metadata.google.internal (Google Cloud)");
  World elsewhere = OnGoogleCloud();
  elsewhere.environment.metadata_host = "127.0.0.1:8080";
  EXPECT_TRUE((*elsewhere.Find())->AuthorizationHeader());
  for (const net::HttpRequest& request : elsewhere.http.requests()) EXPECT_TRUE(request.url.starts_with("http://127.0.0.1:8080/"));
}

TEST(MetadataServer, AnythingElseThatAnswersThereIsNotBelieved) {
  World portal([](const net::HttpRequest&) { return Reply(200, "<html>sign in</html>"); });
  EXPECT_EQ(portal.Find().error().code, Code::kAuthNeeded);
  int calls = 0;
  World turned([&](const net::HttpRequest&) {
    return ++calls <= 2 ? Reply(200, "", {{"metadata-flavor", "Google"}}) : Reply(200, R"({"access_token":"x","expires_in":1})");
  });
  EXPECT_EQ((*turned.Find())->AuthorizationHeader().error().code, Code::kAuthNeeded);
}

TEST(Finding, GoesInGooglesOrder) {
  World world = OnGoogleCloud();
  world.environment.application_credentials = "/key.json";
  world.environment.home = "/home/you";
  world.environment.cloudsdk_config = "/sdk";
  world.files.content["/key.json"] = ServiceAccountFile();
  world.files.content["/sdk/application_default_credentials.json"] = UserFile();
  world.files.content["/home/you/.config/gcloud/application_default_credentials.json"] = ExternalFile(R"({"file":"/t"})");
  EXPECT_TRUE((*world.Find())->Describe().starts_with("service account robot@"));
  world.environment.application_credentials.clear();
  EXPECT_EQ((*world.Find())->Describe(), "user account (/sdk/application_default_credentials.json)");
  world.environment.cloudsdk_config.clear();
  EXPECT_TRUE((*world.Find())->Describe().starts_with("workload identity"));
  world.environment.home.clear();
  EXPECT_TRUE((*world.Find())->Describe().starts_with("service account robot@p.iam.gserviceaccount.com of metadata server"));
}

TEST(Finding, AFileThatIsNamedAndNotThereIsNotPassedOver) {
  World world = OnGoogleCloud();
  world.environment.application_credentials = "/absent.json";
  const auto credentials = world.Find();
  ASSERT_FALSE(credentials);
  EXPECT_EQ(credentials.error().code, Code::kAuthNeeded);
  EXPECT_NE(credentials.error().message.find("/absent.json"), std::string::npos);
}

TEST(Finding, NothingAnywhereSaysWhereItLooked) {
  World world;
  world.environment.home = "/home/you";
  const auto credentials = world.Find();
  ASSERT_FALSE(credentials);
  EXPECT_EQ(credentials.error().code, Code::kAuthNeeded);
  for (const std::string_view part : {"GOOGLE_APPLICATION_CREDENTIALS", "/home/you/.config/gcloud/application_default_credentials.json", "169.254.169.254"})
    EXPECT_NE(credentials.error().message.find(part), std::string::npos) << credentials.error().message;
  EXPECT_EQ(world.http.count(), 3U);
  World forbidden;
  forbidden.environment.no_gce_check = true;
  EXPECT_FALSE(forbidden.Find());
  EXPECT_EQ(forbidden.http.count(), 0U);
}

TEST(Finding, KindsThatAreNotSupportedAreNamed) {
  const struct {
    std::string file;
    Code code;
    std::string part;
  } cases[] = {
      {R"({"type":"impersonated_service_account"})", Code::kUsage, "impersonated_service_account"},
      {R"({"type":"gdch_service_account"})", Code::kUsage, "gdch_service_account"},
      {ExternalFile(R"({"executable":{"command":"/bin/x"}})"), Code::kUsage, "executable"},
      {ExternalFile(R"({"environment_id":"aws1","url":"http://x"})"), Code::kUsage, "environment_id"},
      {ExternalFile(R"({"certificate":{}})"), Code::kUsage, "certificate"},
      {ExternalFile(R"({"file":"/t"})", R"(,"service_account_impersonation_url":"http://elsewhere.example/x")"), Code::kUsage, "must be https"},
      {R"({"type":"service_account","universe_domain":"example.cloud"})", Code::kUsage, "example.cloud"},
      {ExternalFile("{}"), Code::kAuthNeeded, "must name a file or a URL"},
      {ExternalFile("7"), Code::kAuthNeeded, "credential_source"},
      {ExternalFile(R"({"file":"/t","format":{"type":"json"}})"), Code::kAuthNeeded, "subject_token_field_name"},
      {R"({"type":"service_account"})", Code::kAuthNeeded, "client_email"},
      {R"({"type":"authorized_user","client_id":"x"})", Code::kAuthNeeded, "refresh_token"},
      {R"({})", Code::kAuthNeeded, "no type"},
      {R"([])", Code::kAuthNeeded, "no JSON object"},
      {"not JSON", Code::kAuthNeeded, "no JSON object"},
  };
  for (const auto& [file, code, part] : cases) {
    World world;
    world.environment.application_credentials = "/c.json";
    world.files.content["/c.json"] = file;
    const auto credentials = world.Find();
    ASSERT_FALSE(credentials) << file;
    EXPECT_EQ(credentials.error().code, code) << credentials.error().message;
    EXPECT_NE(credentials.error().message.find(part), std::string::npos) << credentials.error().message;
  }
}

TEST(Tokens, AreKeptUntilShortlyBeforeTheirEndAndAfterARefusalFetchedAnew) {
  World world = OnGoogleCloud();
  const auto credentials = std::move(*world.Find());
  const size_t before = world.http.count();
  const auto fetched = [&] {
    EXPECT_TRUE(credentials->AuthorizationHeader());
    return world.http.count() - before;
  };
  EXPECT_EQ(fetched(), 1U);
  world.clock.Advance(2774 * kSecond);
  EXPECT_EQ(fetched(), 1U);
  world.clock.Advance(2 * kSecond);  // 224 s before the end
  EXPECT_EQ(fetched(), 2U);
  credentials->Forget();
  EXPECT_EQ(fetched(), 3U);
  credentials->Refused("Bearer of another time");  // it has been replaced already
  EXPECT_EQ(fetched(), 3U);
  credentials->Refused("Bearer machine");
  EXPECT_EQ(fetched(), 4U);
}

TEST(Tokens, AnOldOneServesOnWhileNoneCanBeFetched) {
  bool down = false;
  World world([&](const net::HttpRequest&) -> Result<net::HttpResponse> {
    if (down) return Fail(Code::kFailed, "no network");
    return Reply(200, R"({"access_token":"t","expires_in":3600})");
  });
  world.environment.application_credentials = "/user.json";
  world.files.content["/user.json"] = UserFile();
  const auto credentials = std::move(*world.Find());
  EXPECT_TRUE(credentials->AuthorizationHeader());
  down = true;
  world.clock.Advance(3500 * kSecond);
  EXPECT_TRUE(credentials->AuthorizationHeader());
  world.clock.Advance(90 * kSecond);
  const auto over = credentials->AuthorizationHeader();
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().message, "user account: no network");
  down = false;
  EXPECT_TRUE(credentials->AuthorizationHeader());
}

TEST(Tokens, ABadMomentOfTheServerIsSurvived) {
  int calls = 0;
  World world([&](const net::HttpRequest&) -> Result<net::HttpResponse> {
    ++calls;
    if (calls == 1) return Fail(Code::kFailed, "reset");
    if (calls == 2) return Reply(503, "<html>");
    return Reply(200, R"({"access_token":"t"})");
  });
  world.environment.application_credentials = "/user.json";
  world.files.content["/user.json"] = UserFile();
  EXPECT_EQ(*(*world.Find())->AuthorizationHeader(), "Bearer t");
}

TEST(Tokens, WhatIsNoTokenIsNeverSent) {
  for (const std::string body : {R"({"access_token":"a\r\nX-Evil: 1"})", R"({"access_token":""})", R"({"access_token":7})", R"({})", R"([])", "x", R"({"access_token":"a b"})"}) {
    World world([&](const net::HttpRequest&) { return Reply(200, body); });
    world.environment.application_credentials = "/user.json";
    world.files.content["/user.json"] = UserFile();
    EXPECT_FALSE((*world.Find())->AuthorizationHeader()) << body;
  }
  const std::string endless = R"({"access_token":"t","expires_in":99999999999999999999})";
  World world([&](const net::HttpRequest&) { return Reply(200, endless); });
  world.environment.application_credentials = "/user.json";
  world.files.content["/user.json"] = UserFile();
  EXPECT_TRUE((*world.Find())->AuthorizationHeader());
}

TEST(Tokens, SixteenThreadsAtOnceAreOneRequest) {
  constexpr int kThreads = 16;
  std::mutex mu;
  std::condition_variable all_waiting;
  int started = 0;
  std::atomic<int> requests = 0;
  ScriptedHttp http([&](const net::HttpRequest&) {
    ++requests;
    std::unique_lock lock(mu);
    all_waiting.wait(lock, [&] { return started == kThreads; });  // the answer comes when everybody has begun to ask
    return Reply(200, R"({"access_token":"shared","expires_in":3600})");
  });
  World world;
  world.environment.application_credentials = "/user.json";
  world.files.content["/user.json"] = UserFile();
  const auto credentials = std::move(*FindCredentials(world.environment, world.files, http, world.clock));
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&] {
      {
        const std::lock_guard lock(mu);
        ++started;
      }
      all_waiting.notify_all();
      const Result<std::string> header = credentials->AuthorizationHeader();
      if (header && *header == "Bearer shared") ++good;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, kThreads);
  EXPECT_EQ(requests, 1);
}

TEST(Environment, IsReadUnderGooglesNames) {
  setenv("GOOGLE_APPLICATION_CREDENTIALS", "/a", 1);
  setenv("NO_GCE_CHECK", "True", 1);
  setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "payer", 1);
  const CredentialEnvironment environment = SystemCredentialEnvironment();
  for (const char* name : {"GOOGLE_APPLICATION_CREDENTIALS", "NO_GCE_CHECK", "GOOGLE_CLOUD_QUOTA_PROJECT"}) unsetenv(name);
  EXPECT_EQ(environment.application_credentials, "/a");
  EXPECT_TRUE(environment.no_gce_check);
  EXPECT_EQ(environment.quota_project, "payer");
  World world;
  world.environment = environment;
  world.files.content["/a"] = UserFile();
  world.environment.quota_project = "mine";
  EXPECT_EQ((*world.Find())->QuotaProject(), "mine");
}

}  // namespace
}  // namespace reeve::bigquery
