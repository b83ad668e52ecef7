#include <algorithm>
#include <tuple>

#include "migrate/copy/central_rows.h"
#include "migrate/copy/row_writer.h"

namespace reeve::migrate::copy {
namespace {

using Rows = std::vector<const Placed<CredentialRow>*>;

// Everything two rows of one generation must agree in.
auto Content(const CredentialRow& row) {
  return std::tie(row.provider, row.type, row.name, row.sealed, row.cipher, row.created_at, row.expires_at,
                  row.last_validated_at, row.scopes, row.metadata);
}

// The row of the latest generation, or nullptr when two of that generation differ.
const CredentialRow* Winner(const Rows& rows) {
  const CredentialRow* winner = &rows[0]->row;
  for (const auto* placed : rows)
    if (placed->row.updated_at > winner->updated_at) winner = &placed->row;
  for (const auto* placed : rows)
    if (placed->row.updated_at == winner->updated_at && Content(placed->row) != Content(*winner)) return nullptr;
  return winner;
}

void WriteCredential(const MappingContext& context, const CredentialRow& credential, bool is_active,
                     catalog::RowBatch* out) {
  RowWriter row(out);
  row.Text("credential_id", credential.id).Text("customer_id", context.customer_id).Text("tenant_id", context.tenant);
  row.Text("provider", credential.provider).Text("credential_type", credential.type);
  row.Text("encrypted_credentials", credential.sealed).TextOrNull("credential_name", credential.name);
  row.Text("scopes", credential.scopes ? std::string_view(*credential.scopes) : "[]");
  row.Bool("is_active", is_active).Time("expires_at", credential.expires_at);
  row.Time("last_validated_at", credential.last_validated_at);
  row.Time("created_at", credential.created_at).Time("updated_at", credential.updated_at);
  row.Text("metadata", credential.metadata);
}

}  // namespace

std::optional<Micros> MapCredentials(const MappingContext& context, std::vector<Placed<CredentialRow>> rows,
                                     catalog::RowBatch* out, MappingNotes* notes) {
  std::map<std::string_view, Rows> by_id;
  for (const auto& placed : rows) by_id[placed.row.id].push_back(&placed);
  uint64_t unproven = 0;
  std::optional<Micros> earliest;
  for (const auto& [id, same] : by_id) {
    const CredentialRow* winner = Winner(same);
    if (winner == nullptr) {
      for (const auto* placed : same)
        notes->dead_letters.push_back({placed->origin, std::string(id), "credential_conflict", "same id and time, other content"});
      continue;
    }
    for (const auto* placed : same) earliest = std::min(earliest.value_or(kTimeMax), placed->row.created_at);
    const bool is_active = std::all_of(same.begin(), same.end(),
                                       [](const auto* placed) { return placed->row.is_active.value_or(true); });
    WriteCredential(context, *winner, is_active, out);
    if (winner->cipher == Cipher::kPlaintext)
      notes->findings.push_back({"credential_plaintext", std::string(id), "stood in plaintext in legacy; not carried: enter it anew and rotate it"});
    if (winner->cipher == Cipher::kSealed || winner->cipher == Cipher::kNotBase64) ++unproven;
  }
  if (unproven > 0)
    notes->findings.push_back({"credentials_unproven", "", fmt::format("{} ciphertexts carried without being opened", unproven)});
  return earliest;
}

}  // namespace reeve::migrate::copy
