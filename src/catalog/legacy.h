// The legacy tables, declared once: which columns mean what, in all shapes in which they occur (docs/mapping.md §3–§6).
//
// A legacy column is known by its name alone; a Field is what it means. Several columns may mean one field (api_key_hash,
// org_api_key_hash …); the one with the lowest rank that a row has, counts. Constant data; safe from any thread.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::catalog {

// What a legacy table holds.
enum class LegacyKind : uint8_t { kKeys = 0, kCredentials = 1, kRuns = 2, kRecord = 3 };
inline constexpr int kLegacyKinds = 4;

[[nodiscard]] std::string_view LegacyKindName(LegacyKind kind);

// What a legacy column means. kIgnored columns are known but not read.
enum class Field : uint8_t {
  kIgnored, kId, kTenant, kHash, kCiphertext, kPlainKey, kCreatedAt, kCreatedBy, kExpiresAt, kIsActive,
  kLastUsedAt, kName, kScopes, kRevokedAt, kRevokedBy,                                      // keys
  kProvider, kType, kUpdatedAt, kLastValidatedAt, kMetadata, kAccountId, kAwsAccountId, kAzureSubscriptionId,
  kLastError, kProjectId, kRegion, kValidationStatus,                                       // credentials
  kStatus, kStart, kEnd, kDuration,                                                         // runs
  kCompanyName, kContactEmail, kTier, kMaxMonthly, kMaxConcurrent, kMaxStorageGb, kRunsThisMonth, kSuspendedAt,
  kSuspendedReason,                                                                         // record
};
inline constexpr int kFields = static_cast<int>(Field::kSuspendedReason) + 1;

struct LegacyColumn {
  std::string_view name;
  Field field = Field::kIgnored;
  int rank = 0;  // among the columns of one field
};

// A shape in which a table occurs, for reports; recognition is by vocabulary (IsRecognised).
struct LegacyShape {
  std::string_view id;      // "A3", as in the list of known variants
  LegacyKind kind;
  std::string_view note;    // where and when it occurs
  std::vector<std::string_view> required;
  std::vector<std::string_view> optional;
};

[[nodiscard]] std::span<const LegacyColumn> LegacyColumns(LegacyKind kind);
// The declaration of column `name`; nullopt when the kind does not know it. Names with a tolerated prefix are kIgnored.
[[nodiscard]] std::optional<LegacyColumn> FindLegacyColumn(LegacyKind kind, std::string_view name);
// True when a table with exactly these columns is one of `kind`: all known, and what the kind needs is there.
// `why_not`, if given, receives the reason.
[[nodiscard]] bool IsRecognised(LegacyKind kind, std::span<const std::string> columns, std::string* why_not);
// The id of the first shape that fits the columns, "mixed" if none does though the table is recognised.
[[nodiscard]] std::string_view ShapeOf(LegacyKind kind, std::span<const std::string> columns);
[[nodiscard]] std::span<const LegacyShape> LegacyShapes();

// The kind of table `name` in a shared carrier (metadata, customers, tenants, organizations) or, with shared = false, in a tenant's
// own dataset; nullopt: not read.
[[nodiscard]] std::optional<LegacyKind> KindOfTable(std::string_view dataset, std::string_view name, bool shared);
[[nodiscard]] bool IsSharedCarrier(std::string_view dataset);

}  // namespace reeve::catalog
