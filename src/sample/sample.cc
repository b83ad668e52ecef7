#include "sample/sample.h"

#include "env/interrupt.h"
#include "sample/tenants.h"

namespace reeve::sample {
namespace {

Result<> Check(const SampleOptions& options) {
  if (options.tenants == 0 || options.tenants > kTenantsMax)
    return Fail(Code::kUsage, "the number of tenants must be 1 to {}, not {}", kTenantsMax, options.tenants);
  if (!(options.poison_rate >= 0 && options.poison_rate <= 1))
    return Fail(Code::kUsage, "the poison rate must be 0 to 1, not {}", options.poison_rate);
  if (options.out_dir.empty()) return Fail(Code::kUsage, "no output directory is given");
  if (options.usage_months < 1) return Fail(Code::kUsage, "usage months must be at least 1");
  return {};
}

// Makes `dir`, or finds it empty: files of an earlier estate would mix with ours.
Result<> MakeEmpty(Files& files, const std::string& dir) {
  if (!files.Exists(dir)) return files.MakeDirs(dir);
  REEVE_ASSIGN(const std::vector<DirEntry> entries, files.List(dir));
  if (entries.empty()) return {};
  return FailWithHint(Code::kRefused, fmt::format("{} is not empty", dir),
                      "name another directory, or remove this one");
}

}  // namespace

Result<SampleReport> WriteSample(const SampleOptions& options, Files& files, const Progress& progress) {
  REEVE_TRY(Check(options));
  const std::string expected_dir = options.expected_dir.empty() ? options.out_dir + ".expected" : options.expected_dir;
  REEVE_TRY(MakeEmpty(files, options.out_dir));
  REEVE_TRY(MakeEmpty(files, expected_dir));
  SampleReport report;
  const Names names = MakeNames(options);
  EstateOut estate(files, options.out_dir, &report);
  ExpectedOut expected(files, expected_dir, options.tenants, &report);
  Workshop shop{options, names, estate, expected, report};
  const bool realistic = options.profile == Profile::kRealistic;
  for (uint64_t i = 0; i < options.tenants; ++i) {
    if (Interrupted()) return Fail(Code::kInterrupted, "stopped after {} of {} tenants", i, options.tenants);
    REEVE_TRY(realistic ? WriteRealisticTenant(&shop, i) : WriteStandardTenant(&shop, i));
    if (progress) progress(i + 1, options.tenants);
  }
  if (realistic) REEVE_TRY(WriteOutsiders(&shop));
  REEVE_TRY(shop.FinishShared());
  REEVE_TRY(expected.Finish());
  return report;
}

}  // namespace reeve::sample
