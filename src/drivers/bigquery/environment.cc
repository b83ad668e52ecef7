// Google's own variables, read as Google's libraries read them; everything else that reeve heeds goes through cli/settings.
#include <cstdlib>

#include "base/encoding.h"
#include "drivers/bigquery/credentials.h"

namespace reeve::bigquery {
namespace {

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

CredentialEnvironment SystemCredentialEnvironment() {
  CredentialEnvironment environment;
  environment.application_credentials = Variable("GOOGLE_APPLICATION_CREDENTIALS");
  environment.cloudsdk_config = Variable("CLOUDSDK_CONFIG");
  environment.home = Variable("HOME");
  environment.metadata_host = Variable("GCE_METADATA_HOST");
  environment.no_gce_check = AsciiLower(Variable("NO_GCE_CHECK")) == "true";
  environment.quota_project = Variable("GOOGLE_CLOUD_QUOTA_PROJECT");
  return environment;
}

}  // namespace reeve::bigquery
