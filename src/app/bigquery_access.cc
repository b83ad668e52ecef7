#include "app/bigquery_access.h"

#include "cli/text.h"
#include "legacy/bigquery/table_writer.h"

namespace reeve::app {
namespace {

using migrate::Check;
using State = Check::State;

constexpr size_t kNamesShown = 5;

Check FromResult(std::string name, const Result<std::string>& found, std::string advice) {
  if (found) return {std::move(name), State::kOk, *found, {}};
  return {std::move(name), State::kFailed, found.error().message, found.error().hint.empty() ? std::move(advice) : found.error().hint};
}

Check Credentials(const std::string& description) { return {"Credentials", State::kOk, description, {}}; }

// A dry run costs nothing; where there is none, a query that reads nothing costs nothing either.
Check MayRunJobs(bigquery::Client& client) {
  bigquery::QuerySpec query;
  query.sql = "SELECT 1 AS one";
  query.job_id = "reeve-doctor-dry";
  Result<std::string> answer = std::string("a query was accepted (dry run)");
  const auto dry = client.DryRun(query);
  if (!dry) {
    answer = Unexpected(dry.error());
  } else if (!*dry) {
    answer = std::string("not known: this server has no dry run");
  }
  return FromResult(fmt::format("May run jobs in {}", client.options().billing_project), answer, "grant roles/bigquery.jobUser in that project");
}

std::string Names(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < kNamesShown; ++i) text += (i > 0 ? ", " : "") + names[i];
  return names.size() > kNamesShown ? text + fmt::format(" and {} more", names.size() - kNamesShown) : text;
}

Check Strays(const std::vector<std::string>& names, bool removed) {
  const std::string title = "No staging tables of dead runs";
  if (names.empty()) return {title, State::kOk, "none", {}};
  if (removed) return {title, State::kOk, fmt::format("{} removed: {}", names.size(), Names(names)), {}};
  return {title, State::kWarning, fmt::format("{}: {}", cli::Counted(names.size(), "table"), Names(names)),
          "they go by themselves, in an estate within a day, in a store with the next run that writes; reeve doctor --remove-strays removes them now. One of a run "
          "that is at work is among them while it works"};
}

}  // namespace

std::vector<Check> CheckEstateAccess(bigquery::Client& client, const std::string& project, const std::string& credentials, bool remove_strays) {
  std::vector<Check> checks = {Credentials(credentials)};
  const auto datasets = client.ListDatasets(project);
  const Result<std::string> listed = datasets ? Result<std::string>(cli::Counted(datasets->size(), "dataset")) : Unexpected(datasets.error());
  checks.push_back(FromResult(fmt::format("May list datasets of {}", project), listed, "grant roles/bigquery.metadataViewer"));
  checks.push_back(MayRunJobs(client));
  if (!datasets) return checks;
  std::vector<std::string> strays;
  size_t tables = 0;
  Result<> looked;
  for (const bigquery::DatasetInfo& dataset : *datasets) {
    if (!bigquery::IsIdentifier(dataset.dataset)) continue;
    std::vector<std::string> skipped;
    const auto names = client.ListTables(project, dataset.dataset, &skipped);
    if (!names) {
      looked = Unexpected(names.error());
      break;
    }
    tables += names->size();
    for (const std::string& name : *names) {
      if (!name.starts_with(legacy::kStagingPrefix)) continue;
      strays.push_back(dataset.dataset + "." + name);
      if (remove_strays) looked = client.DeleteTable({project, dataset.dataset, name});
      if (!looked) break;
    }
  }
  const Result<std::string> seen = looked ? Result<std::string>(cli::Counted(tables, "table")) : Unexpected(looked.error());
  checks.push_back(FromResult("May list tables", seen, "grant roles/bigquery.metadataViewer"));
  checks.push_back(Strays(strays, remove_strays && looked));
  return checks;
}

std::vector<Check> CheckStoreAccess(bigquery::Client& client, const std::string& project, const std::string& dataset, const std::string& credentials,
                                    const std::vector<store::Stray>& strays, bool removed) {
  std::vector<Check> checks = {Credentials(credentials), MayRunJobs(client)};
  const auto found = client.FindDataset(project, dataset);
  Result<std::string> there = std::string();
  if (!found) {
    there = Unexpected(found.error());
  } else if (!*found) {
    there = std::string("not yet: reeve migrate or reeve schema apply makes it");
  } else {
    there = "in " + ((*found)->location.empty() ? std::string("the server's default location") : (*found)->location);
  }
  checks.push_back(FromResult(fmt::format("Dataset {} is there", dataset), there, "reeve schema apply makes it"));
  std::vector<std::string> names;
  for (const store::Stray& stray : strays) names.push_back(fmt::format("{} ({})", stray.table, cli::Counted(stray.rows, "row")));
  checks.push_back(Strays(names, removed));
  return checks;
}

}  // namespace reeve::app
