#include "drivers/bigquery/credentials.h"

#include <condition_variable>
#include <mutex>
#include <optional>

#include "drivers/bigquery/token_source.h"

namespace reeve::bigquery {
namespace {

constexpr Micros kRefreshBefore = 225 * kSecond;  // as Google's own libraries: a metadata server gives no fresh token earlier than 300 s before the end
constexpr Micros kLastUse = 30 * kSecond;         // a token that cannot be refreshed is used until so long before its end
constexpr uint64_t kFileBytesMax = 1024 * 1024;
constexpr int kProbesMax = 3;
constexpr std::string_view kMetadataHost = "metadata.google.internal";
constexpr std::string_view kMetadataAddress = "169.254.169.254";  // asked first: no name server can be in the way

// One token for all threads, and one of them at a time that fetches it while the others wait for what it gets.
class CachingCredentials final : public Credentials {
 public:
  CachingCredentials(std::unique_ptr<TokenSource> source, std::string origin, std::string quota_project, Clock& clock)
      : source_(std::move(source)), origin_(std::move(origin)), quota_project_(std::move(quota_project)), clock_(clock) {}

  Result<std::string> AuthorizationHeader() override {
    std::unique_lock lock(mu_);
    for (;;) {
      if (IsGoodFor(kRefreshBefore)) return Header();
      if (fetching_) {
        const uint64_t flight = flights_;
        landed_.wait(lock, [&] { return flights_ != flight; });
      } else {
        Fetch(&lock);
      }
      if (failure_ && !IsGoodFor(kLastUse)) return Unexpected(*failure_);
      if (!header_.empty()) return Header();  // also a token that will not live long; empty: forgotten again while we waited
    }
  }

  void Forget() override {
    const std::lock_guard lock(mu_);
    header_ = Secret();
  }

  void Refused(const std::string& authorization) override {
    const std::lock_guard lock(mu_);
    if (header_.Reveal() == authorization) header_ = Secret();
  }

  std::string Describe() const override { return fmt::format("{} ({})", source_->Describe(), origin_); }
  std::string QuotaProject() const override { return quota_project_; }

 private:
  bool IsGoodFor(Micros duration) const { return !header_.empty() && clock_.Steady() + duration < ends_; }
  std::string Header() const { return std::string(header_.Reveal()); }

  void Fetch(std::unique_lock<std::mutex>* lock) {
    fetching_ = true;
    lock->unlock();
    Result<Token> token = source_->Fetch();
    lock->lock();
    Keep(std::move(token));
    fetching_ = false;
    ++flights_;
    landed_.notify_all();
  }

  void Keep(Result<Token> token) {
    failure_.reset();
    if (!token) {
      failure_ = std::move(token).error();
      return;
    }
    header_ = Secret("Bearer " + std::string(token->text.Reveal()));
    ends_ = clock_.Steady() + token->lifetime;
  }

  const std::unique_ptr<TokenSource> source_;  // used by the thread that fetches, and for its name
  const std::string origin_, quota_project_;
  Clock& clock_;

  std::mutex mu_;
  std::condition_variable landed_;
  Secret header_;                 // guarded by mu_, as all below; empty: none
  Micros ends_ = 0;               // Clock::Steady
  bool fetching_ = false;
  uint64_t flights_ = 0;          // fetches that have ended
  std::optional<Error> failure_;  // of the last of them
};

class Finder {
 public:
  Finder(const CredentialEnvironment& environment, const SourceParts& parts) : environment_(environment), parts_(parts) {}

  Result<std::unique_ptr<Credentials>> Find() {
    if (!environment_.application_credentials.empty())
      return FromFile(environment_.application_credentials, "GOOGLE_APPLICATION_CREDENTIALS");
    const std::string path = WellKnownPath();
    if (!path.empty() && parts_.files->Exists(path)) return FromFile(path, path);
    if (!environment_.no_gce_check) {
      REEVE_ASSIGN(const bool found, ProbeMetadataServer());
      if (found) return Cached(MakeMetadataSource(MetadataHost(), parts_), "Google Cloud", "");
    }
    return FailWithHint(
        Code::kAuthNeeded,
        fmt::format("no Google credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, there is no {}, and {}",
                    path.empty() ? "home directory to look in" : path,
                    environment_.no_gce_check ? "NO_GCE_CHECK forbids to ask a metadata server" : "no metadata server answers at " + ProbeHost()),
        "run 'gcloud auth application-default login', or set GOOGLE_APPLICATION_CREDENTIALS to a key file");
  }

 private:
  std::string WellKnownPath() const {
    constexpr std::string_view kName = "/application_default_credentials.json";
    if (!environment_.cloudsdk_config.empty()) return environment_.cloudsdk_config + std::string(kName);
    return environment_.home.empty() ? std::string() : environment_.home + "/.config/gcloud" + std::string(kName);
  }

  std::string MetadataHost() const { return environment_.metadata_host.empty() ? std::string(kMetadataHost) : environment_.metadata_host; }
  std::string ProbeHost() const { return environment_.metadata_host.empty() ? std::string(kMetadataAddress) : environment_.metadata_host; }

  // Its error: an interrupt.
  Result<bool> ProbeMetadataServer() {
    for (int probe = 0; probe < kProbesMax; ++probe) {
      const Result<net::HttpResponse> response = parts_.http->Send(MetadataRequest(ProbeHost(), "/"));
      if (response) return IsFromMetadataServer(*response);
      if (response.error().code == Code::kInterrupted) return Unexpected(response.error());
    }
    return false;
  }

  Result<std::unique_ptr<Credentials>> FromFile(const std::string& path, const std::string& origin) {
    const Result<std::string> text = parts_.files->Read(path, kFileBytesMax);
    if (!text) return Fail(Code::kAuthNeeded, "Google credentials ({}): {}", origin, text.error().message);
    const Result<json::object> file = json::ParseObject(*text, path);
    if (!file) return Fail(Code::kAuthNeeded, "{}: no credentials file of Google's: it is no JSON object", path);
    REEVE_ASSIGN(auto source, MakeFileSource(*file, path, parts_));
    return Cached(std::move(source), origin, json::Text(*file, "quota_project_id"));
  }

  std::unique_ptr<Credentials> Cached(std::unique_ptr<TokenSource> source, std::string origin, std::string quota_project) {
    if (!environment_.quota_project.empty()) quota_project = environment_.quota_project;
    return std::make_unique<CachingCredentials>(std::move(source), std::move(origin), std::move(quota_project), *parts_.clock);
  }

  const CredentialEnvironment& environment_;
  const SourceParts parts_;
};

}  // namespace

Result<std::unique_ptr<Credentials>> FindCredentials(const CredentialEnvironment& environment, Files& files, net::HttpClient& http, Clock& clock) {
  return Finder(environment, {&files, &http, &clock}).Find();
}

}  // namespace reeve::bigquery
