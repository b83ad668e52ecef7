#include "drivers/bigquery/token_source.h"

#include <algorithm>

#include "drivers/bigquery/errors.h"
#include "drivers/bigquery/jwt.h"
#include "net/retry.h"
#include "net/url.h"

namespace reeve::bigquery {
namespace {

constexpr int kTriesMax = 3;
constexpr uint64_t kAnswerBytesMax = 1024 * 1024;
constexpr size_t kTokenBytesMax = 16 * 1024;  // a header of a request holds no more
constexpr int64_t kAssertionSeconds = 3600;
constexpr std::string_view kUserTokenUrl = "https://oauth2.googleapis.com/token";  // also if the file names another
constexpr std::string_view kLogInAgain = "make new credentials; for a person: gcloud auth application-default login";
constexpr std::string_view kAccountPath = "/computeMetadata/v1/instance/service-accounts/default";

bool IsToken(std::string_view text) {
  return !text.empty() && text.size() <= kTokenBytesMax && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

// "invalid_grant: Token has been expired or revoked."
std::string OAuthProblem(const net::HttpResponse& response) {
  const Result<json::object> answer = json::ParseObject(response.body, "token");
  if (!answer) return fmt::format("HTTP {}", response.status);
  const std::string code = json::Text(*answer, "error");
  if (!code.empty()) return Cleaned(fmt::format("{}: {}", code, json::Text(*answer, "error_description")));
  const json::object* const error = json::FindObject(*answer, "error");
  return error == nullptr ? fmt::format("HTTP {}", response.status) : Cleaned(json::Text(*error, "message"));
}

class ServiceAccount final : public TokenSource {
 public:
  ServiceAccount(std::string email, std::string key_id, SigningKey key, Clock& clock)
      : email_(std::move(email)), key_id_(std::move(key_id)), key_(std::move(key)), clock_(clock) {}

  Result<Token> Fetch() override {
    const int64_t now = clock_.Now() / kSecond;
    json::object header{{"alg", "RS256"}, {"typ", "JWT"}};
    if (!key_id_.empty()) header["kid"] = key_id_;
    const json::object claims{{"iss", email_}, {"sub", email_}, {"scope", kScope}, {"iat", now}, {"exp", now + kAssertionSeconds}};
    REEVE_ASSIGN(std::string token, key_.Sign(json::serialize(header), json::serialize(claims)));
    return Token{Secret(std::move(token)), kAssertionSeconds * kSecond};
  }
  std::string Describe() const override { return "service account " + email_; }

 private:
  const std::string email_, key_id_;
  const SigningKey key_;
  Clock& clock_;
};

class AuthorizedUser final : public TokenSource {
 public:
  AuthorizedUser(std::string id, Secret secret, Secret refresh, std::string account, const SourceParts& parts)
      : id_(std::move(id)), secret_(std::move(secret)), refresh_(std::move(refresh)), account_(std::move(account)), parts_(parts) {}

  Result<Token> Fetch() override {
    const net::HttpRequest request = FormRequest(std::string(kUserTokenUrl), {{"grant_type", "refresh_token"},
                                                                              {"client_id", id_},
                                                                              {"client_secret", std::string(secret_.Reveal())},
                                                                              {"refresh_token", std::string(refresh_.Reveal())}});
    REEVE_ASSIGN(const json::object answer, AskForToken(request, Describe(), parts_));
    return TokenOf(answer, "access_token", Describe());
  }
  std::string Describe() const override { return account_.empty() ? "user account" : "user account " + account_; }

 private:
  const std::string id_;
  const Secret secret_, refresh_;
  const std::string account_;
  const SourceParts parts_;
};

class MetadataServer final : public TokenSource {
 public:
  MetadataServer(std::string host, std::string account, const SourceParts& parts)
      : host_(std::move(host)), account_(std::move(account)), parts_(parts) {}

  Result<Token> Fetch() override {
    const net::HttpRequest request = MetadataRequest(host_, fmt::format("{}/token", kAccountPath));
    REEVE_ASSIGN(const json::object answer, AskForToken(request, Describe(), parts_));
    return TokenOf(answer, "access_token", Describe());
  }
  std::string Describe() const override { return (account_.empty() ? "service account" : "service account " + account_) + " of metadata server " + host_; }

 private:
  const std::string host_, account_;
  const SourceParts parts_;
};

Result<std::unique_ptr<TokenSource>> MakeServiceAccount(const json::object& file, const std::string& path, const SourceParts& parts) {
  const std::string email = json::Text(file, "client_email");
  const Secret pem(json::Text(file, "private_key"));
  if (email.empty() || pem.empty()) return Fail(Code::kAuthNeeded, "{}: a service account's file without client_email or private_key", path);
  Result<SigningKey> key = SigningKey::Parse(pem);
  if (!key) return Unexpected(std::move(key).error().Within(path));
  return std::make_unique<ServiceAccount>(email, json::Text(file, "private_key_id"), std::move(*key), *parts.clock);
}

Result<std::unique_ptr<TokenSource>> MakeAuthorizedUser(const json::object& file, const std::string& path, const SourceParts& parts) {
  const std::string id = json::Text(file, "client_id");
  Secret secret(json::Text(file, "client_secret"));
  Secret refresh(json::Text(file, "refresh_token"));
  if (id.empty() || secret.empty() || refresh.empty())
    return FailWithHint(Code::kAuthNeeded, path + ": a user's file without client_id, client_secret or refresh_token", std::string(kLogInAgain));
  return std::make_unique<AuthorizedUser>(id, std::move(secret), std::move(refresh), json::Text(file, "account"), parts);
}

}  // namespace

net::HttpRequest FormRequest(const std::string& url, const std::vector<std::pair<std::string, std::string>>& fields) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = net::EncodeQuery(fields);
  request.timeout = 30 * kSecond;
  return request;
}

net::HttpRequest MetadataRequest(const std::string& host, std::string_view path) {
  net::HttpRequest request;
  request.url = fmt::format("http://{}{}", host, path);
  request.headers = {{"Metadata-Flavor", "Google"}};
  request.timeout = 3 * kSecond;
  request.direct = true;
  return request;
}

bool IsFromMetadataServer(const net::HttpResponse& response) {
  const std::string* const flavor = response.Find("metadata-flavor");
  return flavor != nullptr && *flavor == "Google";
}

Result<json::object> AskForToken(const net::HttpRequest& request, const std::string& what, const SourceParts& parts) {
  net::HttpRequest limited = request;
  limited.response_bytes_max = kAnswerBytesMax;
  const bool is_metadata = request.direct;
  for (int number = 1;; ++number) {
    const Result<net::HttpResponse> response = parts.http->Send(limited);
    if (!response && (response.error().code != Code::kFailed || number == kTriesMax)) return Unexpected(Error(response.error()).Within(what));
    if (response && response->status >= 200 && response->status <= 299) {
      if (is_metadata && !IsFromMetadataServer(*response)) return Fail(Code::kAuthNeeded, "{}: what answers there is no metadata server of Google", what);
      return json::ParseObject(response->body, what);
    }
    const bool bad_moment = !response || response->status == 408 || response->status == 429 || response->status >= 500;
    if (!bad_moment) return FailWithHint(Code::kAuthNeeded, fmt::format("{}: no token: {}", what, OAuthProblem(*response)), std::string(kLogInAgain));
    if (number == kTriesMax) return Fail(Code::kFailed, "{}: no token: {}", what, OAuthProblem(*response));
    REEVE_TRY(net::Pause(*parts.clock, number * kSecond, &Interrupted));
  }
}

Result<Token> TokenOf(const json::object& answer, std::string_view name, const std::string& what) {
  std::string text = json::Text(answer, name);
  if (!IsToken(text)) return Fail(Code::kAuthNeeded, "{}: the answer holds no token", what);
  const uint64_t seconds = json::Unsigned(answer, "expires_in").value_or(3600);
  const Micros lifetime = std::min(kTokenTimeMax, static_cast<Micros>(std::min<uint64_t>(seconds, 1'000'000)) * kSecond);
  return Token{Secret(std::move(text)), lifetime};
}

Result<std::unique_ptr<TokenSource>> MakeFileSource(const json::object& file, const std::string& path, const SourceParts& parts) {
  const std::string universe = json::Text(file, "universe_domain");
  if (!universe.empty() && universe != "googleapis.com") return Fail(Code::kUsage, "{}: credentials of {}; reeve speaks to googleapis.com only", path, universe);
  const std::string type = json::Text(file, "type");
  if (type == "service_account") return MakeServiceAccount(file, path, parts);
  if (type == "authorized_user") return MakeAuthorizedUser(file, path, parts);
  if (type == "external_account") return MakeExternalAccount(file, path, parts);
  if (type.empty()) return Fail(Code::kAuthNeeded, "{}: no credentials file of Google's: it has no type", path);
  return FailWithHint(Code::kUsage, fmt::format("{}: credentials of type '{}' are not supported", path, Cleaned(type)),
                      "use a service account's key, gcloud auth application-default login, workload identity from a file or URL, or a metadata server");
}

std::unique_ptr<TokenSource> MakeMetadataSource(const std::string& host, const SourceParts& parts) {
  // The name is only for people: it may stay unknown.
  const Result<net::HttpResponse> named = parts.http->Send(MetadataRequest(host, fmt::format("{}/email", kAccountPath)));
  const bool known = named && named->status == 200 && IsFromMetadataServer(*named);
  return std::make_unique<MetadataServer>(host, known ? Cleaned(named->body) : std::string(), parts);
}

}  // namespace reeve::bigquery
