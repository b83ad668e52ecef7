#include "cli/finding_words.h"

namespace reeve::cli {
namespace {

constexpr std::string_view kMendRow = "mend the row in legacy, export and migrate again";
constexpr std::string_view kAskOwner = "mend or drop the row in legacy, or ask whoever writes the table; export and migrate again";

constexpr CodeWords kCodes[] = {
    // Findings: the rows were moved.
    {"key_exposed", "legacy keeps this key as plain text, in the ciphertext column or in api_key; it was not stored",
     "rotate the key: everybody who could read the legacy table knows it"},
    {"key_id_reused", "two keys of a tenant had the same id; each got a derived one", "use the new ids where keys are named by id"},
    {"key_gone", "a key that central knew is no longer in legacy; it was revoked", "nothing if it was deleted on purpose; else issue a new key"},
    {"key_expired", "a key is active but expired; legacy may still accept it, central does not", "renew it before switching over if it is in use"},
    {"key_unreadable", "a key that central knows is not among the readable rows of legacy; it was left as it is", "mend the quarantined rows of this tenant and migrate again"},
    {"credential_gone", "a credential that central knew is no longer in legacy; it was made inactive", "nothing if it was deleted on purpose"},
    {"credential_unreadable", "a credential that central knows is not among the readable rows of legacy; it was left as it is",
     "mend the quarantined rows of this tenant and migrate again"},
    {"credentials_unproven", "ciphertexts were carried byte for byte without being opened", "open some of them with the key service before switching over"},
    {"dead_letters_left_out", "a tenant has more refused rows than are listed one by one", "look at the table as a whole: something is wrong with the export"},
    {"scopes_defaulted", "keys without scopes got what every legacy key could do", "narrow the scopes of these keys when you can"},
    {"ciphertext_not_base64", "an encrypted value is not base64; its bytes were taken as they are", "check that the key service can open it"},
    {"credential_plaintext", "a credential is stored unencrypted in legacy; it was withheld from central",
     "rotate the credential at its provider and store it anew, encrypted"},
    {"usage_unknown", "the tenant has no readable table of runs, so its usage is unknown, which is not zero",
     "export pipeline_runs of this tenant and migrate again, or accept that usage starts now"},
    {"abandoned_runs", "runs were never closed; they count as runs, but not as running", "nothing; raise --abandoned-after if real runs last that long"},
    {"counter_mismatch", "the tenant's own counter of runs differs from the number of its runs", "nothing: the runs are the truth"},
    {"tier_mapped", "the tenant's tier is no plan here; it became starter with the tenant's own quotas", "name its plan in --plans FILE"},
    {"bad_quota", "a negative quota in the tenant's record was ignored", "say what was meant in --plans FILE"},
    {"case_collision", "names of tenants differ only in upper and lower case", "make sure that they are two customers and not one mistyped"},
    {"tenant_id_out_of_range", "the tenant's name is shorter than 3 or longer than 50 characters; it was moved as it is",
     "programs that check the length of tenant_id will refuse it"},
    // Reasons: the row was not moved.
    {"row_too_large", "the line is over 16 MiB", kMendRow, true},
    {"invalid_json", "the line is not one JSON text in valid UTF-8", "export the table again; if it stays, mend the row in legacy", true},
    {"not_an_object", "the line is JSON but no object", "export the table again as newline-delimited JSON", true},
    {"duplicate_field", "a field occurs twice in the row", kMendRow, true},
    {"unknown_column", "the row has a field that the table's schema file does not list", "export schema and data again, together", true},
    {"value_too_large", "a text is over 1 MiB", kMendRow, true},
    {"nul_in_text", "a text holds the character U+0000", kMendRow, true},
    {"bad_text", "a field that must be text is something else", kMendRow, true},
    {"bad_time", "a time cannot be read", kMendRow, true},
    {"bad_int", "a whole number cannot be read", kMendRow, true},
    {"bad_bool", "a field that must be true or false is something else", kMendRow, true},
    {"bad_texts", "a list of texts is something else", kMendRow, true},
    {"no_tenant", "a row of a shared table names no tenant", "say in the row whose it is, or drop it", true},
    {"unknown_tenant", "a row of a shared table names a tenant that does not exist",
     "if the tenant exists, declare it with --tenants FILE; else drop the row", true},
    {"foreign_tenant", "a row in a tenant's own table names another tenant", "find out whose row it is and put it where it belongs", true},
    {"unknown_shape", "the table's columns are none that is known; none of its rows was read",
     "compare its columns with docs/mapping.md; a column that was added can be dropped from the export", true},
    {"missing_created_at", "the row has no created_at", kMendRow, true},
    {"missing_is_active", "the row does not say whether it is active", kMendRow, true},
    {"future_time", "the row was made more than a day after the instant of the migration", "mend the time, or set --as-of to the time of the export", true},
    {"bad_hash", "the hash is neither 64 hex digits nor base64 of 32 bytes", kAskOwner, true},
    {"missing_hash", "the row has neither a hash nor a key", kAskOwner, true},
    {"hash_in_two_tenants", "the same key belongs to two tenants; it was moved for neither", "decide whose it is, revoke the other, issue a new key", true},
    {"missing_provider", "the credential names no provider", kMendRow, true},
    {"credential_conflict", "rows with the same credential id, equally new, say different things", "delete the wrong one in legacy and migrate again", true},
    {"missing_run_id", "the run has no id", kAskOwner, true},
    {"missing_status", "the run has no status", kAskOwner, true},
    {"missing_start_time", "the run has no start", kAskOwner, true},
    {"unknown_status", "the run's status is a word that is not known", kAskOwner, true},
    {"negative_duration", "the run lasted less than nothing", kMendRow, true},
};

}  // namespace

std::span<const CodeWords> AllCodeWords() { return kCodes; }

const CodeWords* FindCodeWords(std::string_view code) {
  for (const CodeWords& words : kCodes)
    if (words.code == code) return &words;
  return nullptr;
}

}  // namespace reeve::cli
