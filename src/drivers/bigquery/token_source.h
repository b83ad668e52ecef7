// Where access tokens come from: one source for each kind of Application Default Credentials. A source fetches whenever it is asked; keeping and sharing
// is for credentials.cc. Sources are asked by one thread at a time.
//
// (Source: Google's AIP-4111 self-signed tokens, 4113 user accounts, 4115 metadata server, 4117 external accounts.)
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "drivers/bigquery/json.h"
#include "env/clock.h"
#include "env/files.h"
#include "net/http.h"

namespace reeve::bigquery {

inline constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";
inline constexpr Micros kTokenTimeMax = 12 * kHour;  // no server's word makes a token live longer

struct Token {
  Secret text;
  Micros lifetime = 0;  // from now
};

class TokenSource {
 public:
  virtual ~TokenSource() = default;
  // kAuthNeeded if the credentials are refused, kFailed if nobody could be asked.
  [[nodiscard]] virtual Result<Token> Fetch() = 0;
  // "service account x@y"; no secret.
  [[nodiscard]] virtual std::string Describe() const = 0;
};

struct SourceParts {
  Files* files;
  net::HttpClient* http;
  Clock* clock;
};

// Of a credentials file that was read from `path`. kUsage for kinds that are not supported, kAuthNeeded for a file that is none.
[[nodiscard]] Result<std::unique_ptr<TokenSource>> MakeFileSource(const json::object& file, const std::string& path, const SourceParts& parts);
[[nodiscard]] Result<std::unique_ptr<TokenSource>> MakeExternalAccount(const json::object& file, const std::string& path, const SourceParts& parts);
// `host` may hold a port. REQUIRES: a metadata server was found there.
[[nodiscard]] std::unique_ptr<TokenSource> MakeMetadataSource(const std::string& host, const SourceParts& parts);

// One exchange with a server of tokens: repeated a few times if it breaks or the server has a bad moment; the answer's object if it succeeded. `what` names
// it for messages, which hold Google's error code and description but nothing that was sent.
[[nodiscard]] Result<json::object> AskForToken(const net::HttpRequest& request, const std::string& what, const SourceParts& parts);
// The token in `answer` under `name`, living for "expires_in" seconds. kAuthNeeded if there is none, or it has characters that no token has.
[[nodiscard]] Result<Token> TokenOf(const json::object& answer, std::string_view name, const std::string& what);
// A form to POST (application/x-www-form-urlencoded).
[[nodiscard]] net::HttpRequest FormRequest(const std::string& url, const std::vector<std::pair<std::string, std::string>>& fields);

// Headers and timeouts of the metadata server's own.
[[nodiscard]] net::HttpRequest MetadataRequest(const std::string& host, std::string_view path);
[[nodiscard]] bool IsFromMetadataServer(const net::HttpResponse& response);

}  // namespace reeve::bigquery
