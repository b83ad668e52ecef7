// Credentials: access tokens for Google's interfaces, found in the order of Application Default Credentials (AIP-4110) and refreshed before they end.
//
// Safe from any thread: one refresh serves all. Tokens, assertions and key files appear in no message.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "env/clock.h"
#include "env/files.h"
#include "net/http.h"

namespace reeve::bigquery {

class Credentials {
 public:
  virtual ~Credentials() = default;
  // "Bearer …" with a token that is good for some minutes yet, for HttpRequest::headers and nothing else. Blocks while one is fetched, by this thread or
  // another. kAuthNeeded with what to do, if none can be had.
  [[nodiscard]] virtual Result<std::string> AuthorizationHeader() = 0;
  // The current token was refused: the next call fetches another.
  virtual void Forget() = 0;
  // The same, unless `authorization` is no more the current one, since another thread has fetched one meanwhile.
  virtual void Refused(const std::string& authorization) {
    static_cast<void>(authorization);
    Forget();
  }
  // For people: "service account x@y.iam.gserviceaccount.com (GOOGLE_APPLICATION_CREDENTIALS)". No secret.
  [[nodiscard]] virtual std::string Describe() const = 0;
  // Project that quota is charged to, if the credentials say so; else empty.
  [[nodiscard]] virtual std::string QuotaProject() const = 0;
};

// The environment that decides, so that tests can give another.
struct CredentialEnvironment {
  std::string application_credentials;  // GOOGLE_APPLICATION_CREDENTIALS
  std::string cloudsdk_config;          // CLOUDSDK_CONFIG
  std::string home;                     // HOME
  std::string metadata_host;            // GCE_METADATA_HOST; empty: metadata.google.internal
  bool no_gce_check = false;            // NO_GCE_CHECK
  std::string quota_project;            // GOOGLE_CLOUD_QUOTA_PROJECT
};
[[nodiscard]] CredentialEnvironment SystemCredentialEnvironment();

// Finds them. kAuthNeeded, saying where it looked, if there are none; kUsage for a file of a kind that is not supported (executables, AWS).
[[nodiscard]] Result<std::unique_ptr<Credentials>> FindCredentials(const CredentialEnvironment& environment, Files& files, net::HttpClient& http,
                                                                  Clock& clock);

}  // namespace reeve::bigquery
