#include "cli/exit_code.h"

namespace reeve::cli {
namespace {

struct CodeRow {
  Code code;
  int exit;
  std::string_view name;
};

constexpr CodeRow kCodes[] = {
    {Code::kFailed, kExitFailed, "failed"},
    {Code::kUsage, kExitUsage, "usage"},
    {Code::kIncomplete, kExitIncomplete, "incomplete"},
    {Code::kAuthNeeded, 4, "auth_needed"},
    {Code::kNotFound, kExitNotFound, "not_found"},
    {Code::kRefused, kExitRefused, "refused"},
    {Code::kStoreMissing, 10, "store_missing"},
    {Code::kLocked, 11, "locked"},
    {Code::kWrongKey, 12, "wrong_key"},
    {Code::kInterrupted, kExitInterrupted, "interrupted"},
    {Code::kCorrupt, kExitFailed, "corrupt"},
    {Code::kStaleAttempt, kExitFailed, "stale_attempt"},
};

constexpr ExitCodeRow kExitCodes[] = {
    {0, "done"},
    {1, "failed: nothing or only a part was done; the message says which"},
    {2, "usage: the command line, a setting or a configuration file makes no sense"},
    {3, "done, but rows or tenants are quarantined or failed, or something differs"},
    {4, "authentication needed"},
    {5, "not found: what was named does not exist"},
    {6, "refused: a gate is not met, or a confirmation is missing"},
    {10, "the store does not exist, or is no reeve store"},
    {11, "the store is locked by another run"},
    {12, "wrong key: an encrypted input cannot be opened with it"},
    {74, "serve: a commit failed; nothing was acknowledged after it, and a restart finds out what is on the medium"},
    {130, "interrupted: what was acknowledged is kept; how to go on is printed"},
};

const CodeRow& Find(Code code) {
  for (const CodeRow& row : kCodes)
    if (row.code == code) return row;
  return kCodes[0];
}

}  // namespace

std::span<const ExitCodeRow> ExitCodes() { return kExitCodes; }
int ExitCode(Code code) { return Find(code).exit; }
std::string_view CodeName(Code code) { return Find(code).name; }

}  // namespace reeve::cli
