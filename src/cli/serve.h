// What the commands of serving are told, and what they tell: values between the command line and whoever wires a server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/time_text.h"

namespace reeve::cli {

struct ServeRequest {
  std::string store;                       // URL
  std::string listen, admin_listen;        // addresses; admin_listen may be empty
  std::string admin_token_file;            // may be empty: no admin route succeeds
  std::string tls_cert, tls_key;           // PEM files, both or none
  std::string public_url;
  bool insecure_plaintext = false;
  bool dev = false;                        // a demo store if there is none, and a token of this run
  uint64_t threads = 1;
  uint64_t connections = 4'096, connections_per_address = 64;
  Micros drain_delay = kSecond, drain_limit = 20 * kSecond;
};

// Once it serves.
struct ServeFacts {
  std::string url, admin_url;              // admin_url empty: the admin routes are nowhere
  bool has_admins = false;
  uint64_t keys = 0, customers = 0;
  Micros start_time = 0;                   // from the beginning to serving
  std::vector<std::string> notes;          // of the store, one sentence each
  // With dev only.
  Secret admin_token;
  Secret demo_key;                         // empty: the demo store was there before
  std::string demo_customer;
};

struct GatewayRequest {
  std::string name;
  std::string reeve, app, listen;
  std::string scope;
  uint64_t cost = 1;
};

}  // namespace reeve::cli
