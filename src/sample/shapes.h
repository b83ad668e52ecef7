// The shapes in which legacy tables occur: which column holds which field, and how it is written. Declared anew for the generator. Values
// with static lifetime; an empty column name means that the shape has no such column.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "sample/fields.h"
#include "sample/model.h"
#include "sample/prng.h"

namespace reeve::sample {

// Where a shape lives: in the tenant's own datasets, or in a shared one.
enum class Home : uint8_t { kOwn, kMetadata, kCustomers, kTenants, kOrganizations };
// The dataset of a shared home.
[[nodiscard]] std::string_view DatasetOf(Home home);

// A column that is never interpreted, with invented content.
struct Filler {
  std::string_view column;
  std::string_view type;  // STRING, INT64, BOOL, DATE, TIMESTAMP, JSON: its schema type
};

// How the bytes of a ciphertext are written.
enum class EncStyle : uint8_t {
  kBytes,   // BYTES column: base64 of the bytes
  kBase64,  // STRING column holding base64 text, or BYTES column holding that text
  kText,    // STRING column holding whatever text
};

struct KeyShape {
  std::string_view name;
  Home home;
  std::string_view table;
  std::string_view id, tenant, hash, enc, api_key, created_by, expires_at, last_used_at, key_name, scopes,
      revoked_at, revoked_by;
  EncStyle enc_style = EncStyle::kBytes;
  bool hash_is_bytes = false;
  std::vector<Filler> fillers = {};
};

struct CredentialShape {
  std::string_view name;
  Home home;
  std::string_view table;
  std::string_view tenant, type, enc, credential_name, updated_at, expires_at, last_validated_at, is_active,
      scopes, legacy_metadata;
  std::vector<std::string_view> metadata;  // account_id, region, …
  EncStyle enc_style = EncStyle::kBytes;
  std::vector<Filler> fillers = {};
};

struct RunShape {
  std::string_view name;
  Home home;
  std::string_view table;
  std::string_view id, tenant, start, end, duration;
  std::string_view parameters;  // a JSON column; empty: none
  std::span<const std::string_view> running;   // status texts
  std::span<const std::string_view> terminal;
  std::vector<Filler> fillers = {};
};


[[nodiscard]] std::span<const KeyShape> KeyShapes();
[[nodiscard]] std::span<const CredentialShape> CredentialShapes();
[[nodiscard]] std::span<const RunShape> RunShapes();
[[nodiscard]] const KeyShape& KeyShapeNamed(std::string_view name);
[[nodiscard]] const CredentialShape& CredentialShapeNamed(std::string_view name);
[[nodiscard]] const RunShape& RunShapeNamed(std::string_view name);

// Clears the fields for which `shape` has no column.
void Fit(const KeyShape& shape, KeyRow* row);
void Fit(const CredentialShape& shape, CredentialRow* row);

// Columns and types of a shape's table, for its schema file.
using Schema = std::vector<std::pair<std::string_view, std::string_view>>;
[[nodiscard]] Schema SchemaOf(const KeyShape& shape);
[[nodiscard]] Schema SchemaOf(const CredentialShape& shape);
[[nodiscard]] Schema SchemaOf(const RunShape& shape);

// Fills `fields` with the row in this shape. `tenant` empty: the tenant column is left out. Every field that is set must have a
// column (asserted). `rng` invents the fillers.
void Render(const KeyShape& shape, const KeyRow& row, std::string_view tenant, const TextStyle& style, Prng* rng,
            Fields* fields);
void Render(const CredentialShape& shape, const CredentialRow& row, std::string_view tenant, const TextStyle& style,
            Prng* rng, Fields* fields);
struct RunText {
  std::string_view status;      // as written
  std::string_view pipeline;
  std::string_view parameters;  // JSON text; empty: none
  bool parameters_as_object = false;
  std::string_view error;       // error_message; empty: none
};
void Render(const RunShape& shape, const RunRow& row, const RunText& text, std::string_view tenant,
            const TextStyle& style, Prng* rng, Fields* fields);
void Render(const RecordRow& row, std::string_view tenant, const TextStyle& style, Prng* rng, Fields* fields);

}  // namespace reeve::sample
