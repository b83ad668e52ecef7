// The commands of serving, for the command table.
#include "cli/command.h"
#include "cli/command_options.h"

namespace reeve::cli {
namespace {

constexpr std::string_view kServing = "SERVING";

std::vector<Option> ServeOptions() {
  return {StoreOption("store", "to"),
          {.name = "listen", .value = "ADDRESS", .kind = Kind::kText, .help = "where requests come; others than this machine's need TLS", .setting = "listen"},
          {.name = "admin-listen", .value = "ADDRESS", .kind = Kind::kText,
           .help = "where administrators and Prometheus come; default: the same if only this machine reaches it, else nowhere", .setting = "admin_listen"},
          {.name = "admin-token-file", .value = "FILE", .kind = Kind::kFile, .help = "lines of sha256:HEX [NAME], one per admin token",
           .setting = "admin_token_file"},
          {.name = "tls-cert", .value = "FILE", .kind = Kind::kFile, .help = "certificate chain, PEM", .setting = "tls_cert"},
          {.name = "tls-key", .value = "FILE", .kind = Kind::kFile, .help = "its private key, PEM", .setting = "tls_key"},
          {.name = "insecure-plaintext", .help = "listen without TLS where others reach it: behind a terminator that you trust"},
          {.name = "public-url", .value = "URL", .kind = Kind::kText, .help = "how clients reach it, for links in answers", .setting = "public_url"},
          {.name = "threads", .value = "N", .kind = Kind::kCount, .help = "event loops; one is enough for tens of thousands of requests a second",
           .setting = "threads", .min = 1, .max = 64},
          {.name = "connections", .value = "N", .kind = Kind::kCount, .help = "connections at a time; default 4096", .min = 1, .max = 1'000'000},
          {.name = "connections-per-address", .value = "N", .kind = Kind::kCount, .help = "of one peer that is not on this machine; default 64", .min = 1, .max = 1'000'000},
          {.name = "drain-delay", .value = "DURATION", .kind = Kind::kDuration, .help = "between /readyz saying no and the doors closing; default 1s"},
          {.name = "drain-limit", .value = "DURATION", .kind = Kind::kDuration, .help = "for requests that are on their way; default 20s"},
          {.name = "dev", .help = "make a demo store in ./reeve-data if there is none; print a key, an admin token and what to try"}};
}

Command Mirror() {
  return {
      .path = "mirror",
      .group = kServing,
      .summary = "Keep another central dataset in step with a store, row for row",
      .examples = {{"reeve mirror --store sqlite:./reeve.db --to bigquery:my-project/customers_metadata --yes", "until it is stopped, beside a server"},
                   {"reeve mirror --store sqlite:./reeve.db --to sqlite:./copy.db --once --yes", "what has changed until now"},
                   {"reeve mirror --store sqlite:./reeve.db --stop", "changes leave no marks any more"}},
      .text =
          "Every change of the store's seven tables leaves a mark in the transaction that makes it; the mirror takes the marked rows over, in batches, and notes how far it "
          "has come. Stopped or killed anywhere, it goes on where it was and ends in the same rows. The target's seven tables become those of the store; what else it "
          "holds is left alone.\n"
          "The first run marks every row, for which no other command may have the store: stop the server for it, once. From then on mirror and server work side by side.",
      .options = Join({{StoreOption("store", ""),
                        {.name = "to", .value = "STORE", .kind = Kind::kStore, .help = "the dataset to keep in step: bigquery:PROJECT/DATASET or sqlite:FILE"},
                        {.name = "once", .help = "end when nothing waits any more"},
                        {.name = "interval", .value = "DURATION", .kind = Kind::kDuration, .help = "between two looks for changes; default 10s"},
                        {.name = "batch", .value = "N", .kind = Kind::kCount, .help = "rows in one step; default: what the target takes at once", .min = 1, .max = 1'000'000},
                        {.name = "restart", .help = "mark every row anew: for another target, or one that was changed by others"},
                        {.name = "stop", .help = "leave no marks any more, and forget how far the mirror has come"},
                        DryRunOption()},
                       BigQueryOptions()}),
  };
}

}  // namespace

std::vector<Command> ServingCommands() {
  return {
      Mirror(),
      {.path = "serve",
       .group = kServing,
       .summary = "Serve a store: decide for every request who may come in and how much it may run",
       .examples = {{"reeve serve --dev", "a demo store, a key, and a first request to try"},
                    {"reeve serve --store sqlite:./reeve.db --admin-token-file ./admins", "a migrated store, on this machine only"},
                    {"reeve serve --listen :8443 --tls-cert cert.pem --tls-key key.pem --admin-listen 127.0.0.1:8081", "for others, by TLS"}},
       .text = "Holds the store's lock while it runs. Existing keys work unchanged. SIGTERM drains: /readyz says no, the doors close, requests on their way are "
               "answered, and it ends with 0. After a failed commit it ends with 74 and acknowledges nothing more; start it again. docs/serve.md has the rest.",
       .options = ServeOptions()},
      {.path = "gateway config",
       .group = kServing,
       .summary = "Print the configuration of a gateway that asks reeve",
       .examples = {{"reeve gateway config nginx --app 127.0.0.1:3000 > /etc/nginx/conf.d/gate.conf", "nginx in front of an application"},
                    {"reeve gateway config haproxy-lua --scope pipelines:write > /etc/haproxy/reeve.lua", "the script that haproxy's configuration loads"}},
       .text = "Strips what a client says of its identity, fails closed, and lets refusals through with their status. docs/gateways.md has the contract.",
       .positional = {.name = "NAME", .help = "nginx, caddy, haproxy, haproxy-lua, traefik or envoy", .kind = Kind::kChoice,
                      .choices = {"nginx", "caddy", "haproxy", "haproxy-lua", "traefik", "envoy"}},
       .options = {{.name = "reeve", .value = "ADDRESS", .kind = Kind::kText, .help = "where reeve serves; default: the setting listen"},
                   {.name = "app", .value = "ADDRESS", .kind = Kind::kText, .help = "the application; default 127.0.0.1:3000"},
                   {.name = "listen", .value = "ADDRESS", .kind = Kind::kText, .help = "where the gateway listens; default 127.0.0.1:8000"},
                   {.name = "scope", .value = "SCOPE", .kind = Kind::kText, .help = "what a key must have; default: nothing"},
                   {.name = "cost", .value = "N", .kind = Kind::kCount, .help = "requests that one counts as; default 1", .max = 1000}}},
  };
}

}  // namespace reeve::cli
