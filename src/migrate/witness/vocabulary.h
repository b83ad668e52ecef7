// What docs/mapping.md says about columns: which a table of each kind may have, which it must have, which are used and as what.
//
// Constant data and questions to it; knows no row. Safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace reeve::migrate::witness {

enum class Kind : uint8_t { kKeys, kCredentials, kRuns, kRecord };
inline constexpr int kKinds = 4;

enum class FieldType : uint8_t {
  kText,      // an empty one is absent
  kTime,
  kInt,
  kBool,
  kTexts,     // becomes its canonical JSON text; an empty array is absent
  kMetadata,  // text, or object or array as its source text without white space outside strings
};

// A used value: the first of `columns` that is present.
struct Field {
  FieldType type;
  std::array<std::string_view, 3> columns;  // unused ones are empty
};

// Positions in FieldsOf(kind), in the order in which they are judged.
namespace key_field {
enum : int { kId, kTenant, kHash, kCipher, kPlain, kCreatedAt, kCreatedBy, kExpiresAt, kIsActive,
             kLastUsedAt, kName, kScopes, kRevokedAt, kRevokedBy, kCount };
}
namespace credential_field {
enum : int { kId, kTenant, kProvider, kType, kCipher, kName, kCreatedAt, kUpdatedAt, kExpiresAt,
             kValidatedAt, kIsActive, kScopes, kAccount, kAws, kAzure, kCreatedBy, kLastError, kProject,
             kRegion, kValidation, kMetadata, kCount };
}
namespace run_field {
enum : int { kId, kTenant, kStatus, kStart, kEnd, kDuration, kCount };
}
namespace record_field {
enum : int { kTenant, kCompany, kEmail, kTier, kIsActive, kStatus, kMonthly, kConcurrent, kStorage,
             kCreatedAt, kUpdatedAt, kSuspendedAt, kSuspendedReason, kRunsThisMonth, kCount };
}
inline constexpr int kFieldsMax = 24;

[[nodiscard]] std::span<const Field> FieldsOf(Kind kind);
// Position of the field that says whose row it is.
[[nodiscard]] int TenantField(Kind kind);

[[nodiscard]] std::span<const std::string_view> VocabularyOf(Kind kind);
[[nodiscard]] bool InVocabulary(Kind kind, std::string_view column);
// Whether a table with the columns of which `has` says true holds what its kind needs.
[[nodiscard]] bool HasNeeds(Kind kind, const std::function<bool(std::string_view)>& has);

// Why a row is not moved; the names are those of docs/mapping.md.
enum class Reason : uint8_t {
  kNone, kRowTooLarge, kInvalidJson, kNotAnObject, kDuplicateField, kUnknownColumn,
  kBadText, kBadTime, kBadInt, kBadBool, kBadTexts, kNulInText, kValueTooLarge,
  kNoTenant, kUnknownTenant, kForeignTenant,
  kMissingCreatedAt, kMissingIsActive, kFutureTime, kBadHash, kMissingHash, kHashInTwoTenants,
  kMissingProvider, kCredentialConflict,
  kMissingRunId, kMissingStatus, kMissingStartTime, kUnknownStatus, kNegativeDuration,
};
[[nodiscard]] std::string_view NameOf(Reason reason);

}  // namespace reeve::migrate::witness
