#include <algorithm>

#include "cli/runners.h"
#include "cli/suggest.h"
#include "cli/text.h"
#include "cli/value.h"

namespace reeve::cli {
namespace {

constexpr uint64_t kTenantsFileMax = uint64_t{64} << 20;
constexpr size_t kTenantNameMax = 1024;

bool IsTenantName(std::string_view name) {
  return !name.empty() && name.size() <= kTenantNameMax && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

Result<domain::PlanBook> Plans(Session& session) {
  domain::PlanBook book = domain::BuiltInPlans();
  if (session.settings.IsSet("plans_file")) {
    REEVE_ASSIGN(book, session.ports.ReadPlans(session.settings.Text("plans_file")));
  }
  const Setting& wanted = session.settings.Get("default_plan");
  if (book.Find(wanted.value) == nullptr) {
    std::vector<std::string_view> names;
    for (const domain::Plan& plan : book.plans) names.push_back(plan.name);
    return FailWithHint(Code::kUsage, fmt::format("{}: there is no plan \"{}\"", wanted.where, Printable(wanted.value)),
                        DidYouMean(wanted.value, names, "reeve help plans says how plans are added"));
  }
  book.default_plan = wanted.value;
  return book;
}

}  // namespace

Result<std::string> EstateUrl(const Session& session) {
  if (session.settings.IsSet("from")) return session.settings.Text("from");
  return FailWithHint(Code::kUsage, fmt::format("reeve {} needs --from ESTATE", session.invocation.command->path),
                      "for example --from export:./estate; see reeve help estates");
}

std::string StoreUrl(const Session& session) { return session.settings.Text("store"); }

std::string DirOf(std::string_view text) {
  constexpr std::string_view kScheme = "export:";
  return std::string(text.starts_with(kScheme) ? text.substr(kScheme.size()) : text);
}

Result<std::vector<std::string>> ParseTenants(std::string_view text, std::string_view name) {
  std::vector<std::string> tenants;
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    std::string_view entry = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    entry = Trimmed(entry.substr(0, entry.find('#')));
    if (entry.empty()) continue;
    if (!IsTenantName(entry))
      return FailWithHint(Code::kUsage, fmt::format("{}:{}: \"{}\" cannot be a tenant", name, line, Printable(entry.substr(0, 100))),
                          "names are letters, digits and underscores, one a line");
    tenants.emplace_back(entry);
  }
  return tenants;
}

Result<migrate::Options> MakeOptions(Session& session) {
  migrate::Options options;
  options.only = session.invocation.List("only");
  for (const std::string& tenant : options.only)
    if (!IsTenantName(tenant)) return Fail(Code::kUsage, "--only: \"{}\" cannot be a tenant", Printable(tenant));
  options.limit = session.invocation.Count("limit", 0);
  if (session.settings.IsSet("tenants_file") && session.invocation.command->path != "sample") {
    const std::string path = session.settings.Text("tenants_file");
    REEVE_ASSIGN(const std::string text, session.ports.files().Read(path, kTenantsFileMax));
    REEVE_ASSIGN(options.declared, ParseTenants(text, path));
  }
  REEVE_ASSIGN(options.plans, Plans(session));
  if (session.invocation.Has("as-of")) options.as_of = ParseInstant(session.invocation.Text("as-of"));
  options.usage_months = static_cast<int>(session.settings.Count("usage_months"));
  options.abandoned_after = session.settings.Duration("abandoned_after");
  options.api_key_column_holds_hash = session.settings.Flag("api_key_column_holds_hash");
  options.workers = static_cast<int>(session.settings.Count("workers"));
  options.verify = !session.invocation.Has("no-verify");
  return options;
}

Result<migrate::Engine> MakeEngine(Session& session, legacy::LegacyEstate* estate, store::CentralSink* sink) {
  migrate::Engine engine;
  engine.estate = estate;
  engine.sink = sink;
  engine.files = &session.ports.files();
  engine.clock = &session.ports.clock();
  engine.progress = &session.progress();
  REEVE_ASSIGN(engine.state_path, session.ports.StatePath(StoreUrl(session)));
  return engine;
}

}  // namespace reeve::cli
