// Workload identity federation (AIP-4117): a token of somebody else, from a file or a URL, is exchanged for one of Google's, and that, if the file says so,
// for one of a service account.
#include "base/encoding.h"
#include "drivers/bigquery/token_source.h"
#include "net/url.h"

namespace reeve::bigquery {
namespace {

constexpr uint64_t kSubjectBytesMax = 256 * 1024;

// Where the other's token is, and how it is written there.
struct SubjectSource {
  std::string file, url;               // one of them
  std::vector<net::Header> headers;    // of the URL
  std::string field;                   // of a JSON object; "": the whole text
};

std::string Trimmed(std::string text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// https, or http to this machine.
bool IsSafeUrl(const std::string& url) {
  const net::UrlParts parts = net::SplitUrl(url);
  return parts.scheme == "https" || (parts.scheme == "http" && net::IsLoopback(parts.host));
}

class ExternalAccount final : public TokenSource {
 public:
  struct Settings {
    std::string audience, subject_type, token_url, impersonation_url, client_id;
    Secret client_secret;
    int64_t impersonation_seconds = 3600;
    SubjectSource subject;
  };
  ExternalAccount(Settings settings, const SourceParts& parts) : settings_(std::move(settings)), parts_(parts) {}

  Result<Token> Fetch() override {
    REEVE_ASSIGN(const Secret subject, ReadSubject());
    REEVE_ASSIGN(Token token, Exchange(subject));
    if (settings_.impersonation_url.empty()) return token;
    return Impersonate(token);
  }

  std::string Describe() const override {
    const std::string_view url = settings_.impersonation_url;
    const size_t begin = url.rfind("/serviceAccounts/");
    const std::string_view rest = begin == std::string_view::npos ? std::string_view() : url.substr(begin + 17);
    const std::string account(rest.substr(0, rest.find(':')));
    return "workload identity " + settings_.audience + (account.empty() ? "" : " as service account " + account);
  }

 private:
  Result<Secret> ReadSubject() {
    const SubjectSource& source = settings_.subject;
    std::string text;
    if (!source.file.empty()) {
      Result<std::string> read = parts_.files->Read(source.file, kSubjectBytesMax);
      if (!read) return Fail(Code::kAuthNeeded, "{}: {}", Describe(), read.error().message);
      text = std::move(*read);
    } else {
      net::HttpRequest request;
      request.url = source.url;
      request.headers = source.headers;
      request.timeout = 30 * kSecond;
      request.response_bytes_max = kSubjectBytesMax;
      Result<net::HttpResponse> response = parts_.http->Send(request);
      if (!response) return Unexpected(std::move(response).error().Within(Describe()));
      if (response->status != 200) return Fail(Code::kAuthNeeded, "{}: {} answers HTTP {}", Describe(), net::ShownUrl(source.url), response->status);
      text = std::move(response->body);
    }
    if (!source.field.empty()) {
      REEVE_ASSIGN(const json::object object, json::ParseObject(text, Describe() + ": its subject token"));
      text = json::Text(object, source.field);
    }
    text = Trimmed(std::move(text));
    if (text.empty()) return Fail(Code::kAuthNeeded, "{}: its subject token is empty", Describe());
    return Secret(std::move(text));
  }

  Result<Token> Exchange(const Secret& subject) {
    net::HttpRequest request = FormRequest(settings_.token_url, {{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
                                                                 {"audience", settings_.audience},
                                                                 {"scope", std::string(kScope)},
                                                                 {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
                                                                 {"subject_token", std::string(subject.Reveal())},
                                                                 {"subject_token_type", settings_.subject_type}});
    if (!settings_.client_id.empty())
      request.headers.emplace_back("Authorization", "Basic " + Base64Encode(settings_.client_id + ':' + std::string(settings_.client_secret.Reveal())));
    REEVE_ASSIGN(const json::object answer, AskForToken(request, Describe(), parts_));
    return TokenOf(answer, "access_token", Describe());
  }

  Result<Token> Impersonate(const Token& token) {
    net::HttpRequest request;
    request.method = "POST";
    request.url = settings_.impersonation_url;
    request.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + std::string(token.text.Reveal())}};
    request.body = json::serialize(json::object{{"scope", json::array{kScope}}, {"lifetime", fmt::format("{}s", settings_.impersonation_seconds)}});
    request.timeout = 30 * kSecond;
    REEVE_ASSIGN(const json::object answer, AskForToken(request, Describe(), parts_));
    REEVE_ASSIGN(Token own, TokenOf(answer, "accessToken", Describe()));
    const std::string expiry = json::Text(answer, "expireTime");
    const std::optional<Micros> end = ParseTime(expiry);
    own.lifetime = end ? std::clamp<Micros>(*end - parts_.clock->Now(), 0, kTokenTimeMax) : settings_.impersonation_seconds * kSecond;
    return own;
  }

  const Settings settings_;
  const SourceParts parts_;
};

Result<SubjectSource> ReadSource(const json::object& file, const std::string& path) {
  const json::object* const source = json::FindObject(file, "credential_source");
  if (source == nullptr) return Fail(Code::kAuthNeeded, "{}: an external account's file without credential_source", path);
  for (const std::string_view kind : {"executable", "environment_id", "certificate"})
    if (source->contains(kind))
      return FailWithHint(Code::kUsage, fmt::format("{}: a subject token by {} is not supported", path, kind), "use one from a file or a URL");
  SubjectSource subject;
  subject.file = json::Text(*source, "file");
  subject.url = json::Text(*source, "url");
  if (subject.file.empty() == subject.url.empty()) return Fail(Code::kAuthNeeded, "{}: credential_source must name a file or a URL", path);
  for (const auto& [name, value] : json::Texts(*source, "headers")) subject.headers.emplace_back(name, value);
  if (const json::object* const format = json::FindObject(*source, "format"); format != nullptr && json::Text(*format, "type") == "json") {
    subject.field = json::Text(*format, "subject_token_field_name");
    if (subject.field.empty()) return Fail(Code::kAuthNeeded, "{}: credential_source.format lacks subject_token_field_name", path);
  }
  return subject;
}

}  // namespace

Result<std::unique_ptr<TokenSource>> MakeExternalAccount(const json::object& file, const std::string& path, const SourceParts& parts) {
  ExternalAccount::Settings settings;
  REEVE_ASSIGN(settings.subject, ReadSource(file, path));
  settings.audience = json::Text(file, "audience");
  settings.subject_type = json::Text(file, "subject_token_type");
  settings.token_url = json::Text(file, "token_url");
  settings.impersonation_url = json::Text(file, "service_account_impersonation_url");
  settings.client_id = json::Text(file, "client_id");
  settings.client_secret = Secret(json::Text(file, "client_secret"));
  if (const json::object* const impersonation = json::FindObject(file, "service_account_impersonation"))
    settings.impersonation_seconds = std::clamp<int64_t>(json::Signed(*impersonation, "token_lifetime_seconds").value_or(3600), 600, 43'200);
  if (settings.audience.empty() || settings.subject_type.empty())
    return Fail(Code::kAuthNeeded, "{}: an external account's file without audience or subject_token_type", path);
  const bool safe = IsSafeUrl(settings.token_url) && (settings.impersonation_url.empty() || IsSafeUrl(settings.impersonation_url));
  if (!safe) return Fail(Code::kUsage, "{}: token_url and service_account_impersonation_url must be https", path);
  return std::make_unique<ExternalAccount>(std::move(settings), parts);
}

}  // namespace reeve::bigquery
