#include "app/ports.h"

#include <unistd.h>

#include <array>

#include "app/config.h"
#include "app/serve.h"
#include "cli/suggest.h"
#include "cli/text.h"
#include "crypto/sealed_file.h"
#include "legacy/export/export_estate.h"
#include "legacy/sqlite/sqlite_estate.h"
#include "store/memory/memory.h"
#include "store/sqlite/sqlite_sink.h"

namespace reeve::app {
namespace {

struct Location {
  std::string scheme;  // "export", "sqlite"
  std::string rest;
};

constexpr std::array<std::string_view, 2> kEstates = {"export", "sqlite"};
constexpr std::array<std::string_view, 1> kStores = {"sqlite"};

// Splits "scheme:rest" and checks the scheme. `what`: estate or store; `here`: what this build has, for the message.
Result<Location> ParseUrl(const std::string& url, std::string_view what, std::span<const std::string_view> known, std::string_view here) {
  const size_t colon = url.find(':');
  const std::string scheme = colon == std::string::npos ? std::string() : url.substr(0, colon);
  const std::string hint = fmt::format("this build has {}; see reeve help {}s", here, what);
  if (scheme == "bigquery" || scheme == "postgres" || scheme == "postgresql")
    return FailWithHint(Code::kUsage, fmt::format("{} as {} is not in this build", scheme, what), hint);
  for (std::string_view each : known) {
    if (scheme != each) continue;
    std::string rest = url.substr(colon + 1);
    if (rest.empty()) return FailWithHint(Code::kUsage, fmt::format("{}: names no file", cli::Printable(url)), hint);
    return Location{scheme, std::move(rest)};
  }
  std::string meant = fmt::format("perhaps {}:{}", known.front(), cli::Printable(url));
  if (colon != std::string::npos && url.find('/') > colon)  // a scheme was meant
    meant = cli::DidYouMean(scheme, known, hint);
  return FailWithHint(Code::kUsage, fmt::format("\"{}\" names no {}", cli::Printable(url), what), meant);
}

class SystemPorts final : public cli::Ports {
 public:
  SystemPorts(Files& files, Clock& clock, Entropy& entropy) : files_(files), clock_(clock), entropy_(entropy) {}

  Files& files() override { return files_; }
  Clock& clock() override { return clock_; }
  Entropy& entropy() override { return entropy_; }

  Result<std::unique_ptr<legacy::LegacyEstate>> OpenEstate(const std::string& url) override {
    REEVE_ASSIGN(const Location location, ParseUrl(url, "estate", kEstates, "export:DIR and sqlite:FILE"));
    if (location.scheme == "export") return legacy::OpenExportEstate(files_, location.rest);
    return legacy::OpenSqliteEstate(location.rest);
  }

  Result<std::unique_ptr<store::CentralSink>> OpenStore(const std::string& url, bool create, std::string_view command) override {
    REEVE_ASSIGN(const std::string path, StatePath(url));
    const std::string holder = fmt::format("reeve {}, pid {}, since {}", command, getpid(), FormatRfc3339(clock_.Now()));
    return store::OpenSqliteSink(files_, path, create ? store::OpenMode::kCreate : store::OpenMode::kExisting, holder);
  }

  Result<std::unique_ptr<store::CentralSink>> ScratchStore() override {
    std::unique_ptr<store::CentralSink> scratch = store::MakeMemorySink();
    REEVE_TRY(scratch->ApplySchema());
    return scratch;
  }

  Result<std::unique_ptr<store::CentralReader>> OpenStoreReader(const std::string& url) override {
    REEVE_ASSIGN(const std::string path, StatePath(url));
    return store::OpenSqliteReader(path);
  }

  Result<std::string> StatePath(const std::string& url) override {
    REEVE_ASSIGN(Location location, ParseUrl(url, "store", kStores, "sqlite:FILE"));
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

 private:
  Files& files_;
  Clock& clock_;
  Entropy& entropy_;
};

}  // namespace

std::unique_ptr<cli::Ports> MakePorts(Files& files, Clock& clock, Entropy& entropy) { return std::make_unique<SystemPorts>(files, clock, entropy); }

}  // namespace reeve::app
