#include "app/ports.h"

#include <unistd.h>

#include <array>

#include "app/bigquery_cost.h"
#include "app/bigquery_ports.h"
#include "app/config.h"
#include "app/serve.h"
#include "cli/suggest.h"
#include "cli/text.h"
#include "crypto/sealed_file.h"
#include "legacy/export/export_estate.h"
#include "legacy/sqlite/sqlite_estate.h"
#include "store/memory/memory.h"
#include "store/sqlite/sqlite_outbox.h"
#include "store/sqlite/sqlite_sink.h"

namespace reeve::app {
namespace {

struct Location {
  std::string scheme;  // "export", "sqlite", "bigquery"
  std::string rest;
};

constexpr std::array<std::string_view, 3> kEstates = {"export", "sqlite", "bigquery"};
constexpr std::array<std::string_view, 2> kStores = {"sqlite", "bigquery"};
constexpr std::string_view kBigQuery = "bigquery";

// Splits "scheme:rest" and checks the scheme. `what`: estate or store; `here`: what this build has, for the message.
Result<Location> ParseUrl(const std::string& url, std::string_view what, std::span<const std::string_view> known, std::string_view here) {
  const size_t colon = url.find(':');
  const std::string scheme = colon == std::string::npos ? std::string() : url.substr(0, colon);
  const std::string hint = fmt::format("this build has {}; see reeve help {}s", here, what);
  if (scheme == "postgres" || scheme == "postgresql")
    return FailWithHint(Code::kUsage, fmt::format("{} as {} is not in this build", scheme, what), hint);
  for (std::string_view each : known) {
    if (scheme != each) continue;
    std::string rest = url.substr(colon + 1);
    if (rest.empty()) return FailWithHint(Code::kUsage, fmt::format("{}: names no {}", cli::Printable(url), scheme == kBigQuery ? "project" : "file"), hint);
    return Location{scheme, std::move(rest)};
  }
  std::string meant = fmt::format("perhaps {}:{}", known.front(), cli::Printable(url));
  if (colon != std::string::npos && url.find('/') > colon)  // a scheme was meant
    meant = cli::DidYouMean(scheme, known, hint);
  return FailWithHint(Code::kUsage, fmt::format("\"{}\" names no {}", cli::Printable(url), what), meant);
}

class SystemPorts final : public cli::Ports {
 public:
  SystemPorts(Files& files, Clock& clock, Entropy& entropy) : files_(files), clock_(clock), entropy_(entropy), bigquery_(files, clock, entropy) {}

  Files& files() override { return files_; }
  Clock& clock() override { return clock_; }
  Entropy& entropy() override { return entropy_; }

  Result<std::unique_ptr<legacy::LegacyEstate>> OpenEstate(const std::string& url) override {
    REEVE_ASSIGN(const Location location, ParseEstate(url));
    if (location.scheme == "export") return legacy::OpenExportEstate(files_, location.rest);
    if (location.scheme == kBigQuery) return bigquery_.OpenEstate(location.rest);
    return legacy::OpenSqliteEstate(location.rest);
  }

  Result<std::unique_ptr<store::CentralSink>> OpenStore(const std::string& url, bool create, std::string_view command) override {
    REEVE_ASSIGN(const Location location, ParseStore(url));
    const std::string holder = fmt::format("reeve {}, pid {}, since {}", command, getpid(), FormatRfc3339(clock_.Now()));
    if (location.scheme == kBigQuery) return bigquery_.OpenStore(location.rest, create, command, holder);
    return store::OpenSqliteSink(files_, location.rest, create ? store::OpenMode::kCreate : store::OpenMode::kExisting, holder);
  }

  Result<std::unique_ptr<store::CentralSink>> ScratchStore() override {
    std::unique_ptr<store::CentralSink> scratch = store::MakeMemorySink();
    REEVE_TRY(scratch->ApplySchema());
    return scratch;
  }

  Result<std::unique_ptr<store::CentralReader>> OpenStoreReader(const std::string& url) override {
    REEVE_ASSIGN(const Location location, ParseStore(url));
    if (location.scheme == kBigQuery) return bigquery_.OpenStoreReader(location.rest);
    REEVE_TRY(store::BringInCommits(files_, location.rest, fmt::format("reeve, pid {}, since {}", getpid(), FormatRfc3339(clock_.Now()))));
    return store::OpenSqliteReader(location.rest);
  }

  Result<std::string> StatePath(const std::string& url) override {
    REEVE_ASSIGN(Location location, ParseStore(url));
    if (location.scheme == kBigQuery) return bigquery_.StatePath(location.rest);
    return std::move(location.rest);
  }

  Result<domain::PlanBook> ReadPlans(const std::string& path) override {
    REEVE_ASSIGN(const std::string text, files_.Read(path, kPlansBytesMax));
    return ParsePlans(text, path);
  }

  Result<cli::FileSettings> ReadConfig(const std::string& path) override {
    REEVE_ASSIGN(const std::string text, files_.Read(path, kConfigBytesMax));
    return ParseConfig(text, path);
  }

  Result<Secret> ReadKeyFile(const std::string& path) override { return crypto::ReadSealKey(files_, path); }
  Result<Secret> ParseKey(const Secret& text) override { return crypto::ParseSealKey(text.Reveal()); }

  Result<int> Serve(const cli::ServeRequest& request, const std::function<void(const cli::ServeFacts&)>& started,
                    const std::function<void(std::string_view)>& say) override {
    if (!request.store.starts_with("sqlite:"))
      return FailWithHint(Code::kUsage, fmt::format("{}: cannot be served from", cli::Printable(request.store)), "serve needs the embedded store: sqlite:FILE");
    REEVE_ASSIGN(const std::string path, StatePath(request.store));
    const std::string holder = fmt::format("reeve serve, pid {}, since {}", getpid(), FormatRfc3339(clock_.Now()));
    return app::Serve(files_, clock_, entropy_, request, path, holder, started, say);
  }
  Result<std::string> GatewayConfig(const cli::GatewayRequest& request) override { return app::GatewayConfig(request); }

  Result<std::unique_ptr<store::Outbox>> OpenOutbox(const std::string& url, const std::string& target, bool restart) override {
    REEVE_ASSIGN(const std::string path, OutboxPath(url));
    const std::string holder = fmt::format("reeve mirror, pid {}, since {}", getpid(), FormatRfc3339(clock_.Now()));
    return store::OpenSqliteOutbox(files_, path, target, holder, restart ? store::OutboxStart::kRestart : store::OutboxStart::kGoOn);
  }
  Result<store::OutboxPeek> PeekOutbox(const std::string& url) override {
    REEVE_ASSIGN(const std::string path, OutboxPath(url));
    return store::PeekSqliteOutbox(files_, path);
  }
  Result<> RemoveOutbox(const std::string& url) override {
    REEVE_ASSIGN(const std::string path, OutboxPath(url));
    return store::RemoveSqliteOutbox(files_, path, fmt::format("reeve mirror --stop, pid {}", getpid()));
  }

  void Configure(const cli::Settings& settings, const cli::Environment& environment, std::string_view command) override {
    bigquery_.Configure(ChoicesOf(settings, environment, command));
  }

  std::optional<migrate::CostEstimate> EstimateCost(const std::string& from, const std::string& to, const migrate::PlanReport& plan) override {
    return EstimatePlan(plan, from.starts_with("bigquery:"), to.starts_with("bigquery:"));
  }

  std::optional<migrate::WireUse> Used() override { return bigquery_.Used(); }

  Result<std::vector<migrate::Check>> CheckAccess(const std::string& url, bool remove_strays) override {
    if (!url.starts_with("bigquery:")) return std::vector<migrate::Check>();
    const std::string_view rest = std::string_view(url).substr(kBigQuery.size() + 1);
    return rest.find('/') == std::string_view::npos ? bigquery_.CheckEstate(rest, remove_strays) : bigquery_.CheckStore(rest, remove_strays);
  }

 private:
  static Result<Location> ParseEstate(const std::string& url) {
    return ParseUrl(url, "estate", kEstates, "export:DIR, sqlite:FILE and bigquery:PROJECT");
  }
  static Result<std::string> OutboxPath(const std::string& url) {
    REEVE_ASSIGN(Location location, ParseStore(url));
    if (location.scheme != "sqlite")
      return FailWithHint(Code::kUsage, fmt::format("{}: cannot be mirrored", cli::Printable(url)), "an outbox is in the embedded store: sqlite:FILE");
    return std::move(location.rest);
  }
  static Result<Location> ParseStore(const std::string& url) { return ParseUrl(url, "store", kStores, "sqlite:FILE and bigquery:PROJECT/DATASET"); }

  Files& files_;
  Clock& clock_;
  Entropy& entropy_;
  BigQueryPorts bigquery_;
};

}  // namespace

std::unique_ptr<cli::Ports> MakePorts(Files& files, Clock& clock, Entropy& entropy) { return std::make_unique<SystemPorts>(files, clock, entropy); }

}  // namespace reeve::app
