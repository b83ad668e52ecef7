#include "migrate/verify/certificate.h"

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::migrate {
namespace {

// Builds one JSON object without white space.
class JsonObject {
 public:
  JsonObject& Raw(std::string_view name, std::string_view json) {
    text_ += first_ ? '{' : ',';
    first_ = false;
    AppendJsonString(name, &text_);
    text_ += ':';
    text_ += json;
    return *this;
  }
  JsonObject& Text(std::string_view name, std::string_view value) {
    std::string quoted;
    if (IsUtf8(value)) {
      AppendJsonString(value, &quoted);
    } else {  // a path in a URL may be any bytes
      AppendJsonString("hex:" + HexEncode(value), &quoted);
    }
    return Raw(name, quoted);
  }
  JsonObject& Number(std::string_view name, uint64_t value) { return Raw(name, std::to_string(value)); }
  [[nodiscard]] std::string Done() const { return first_ ? "{}" : text_ + "}"; }

 private:
  std::string text_;
  bool first_ = true;
};

std::string TablesJson(const witness::Verdict& verdict) {
  JsonObject tables;
  for (const auto& [name, proof] : verdict.tables) {
    JsonObject table;
    table.Number("rows_expected", proof.rows_expected).Number("rows_found", proof.rows_found);
    table.Text("sha256_expected", proof.digest_expected).Text("sha256_found", proof.digest_found);
    tables.Raw(name, table.Done());
  }
  return tables.Done();
}

std::string KeysJson(const witness::KeyProof& keys) {
  JsonObject json;
  json.Number("hashes", keys.hashes).Number("instants", keys.instants).Number("usable", keys.usable);
  return json.Text("sha256_expected", keys.digest_expected).Text("sha256_found", keys.digest_found).Done();
}

std::string UsageJson(const witness::UsageProof& usage) {
  JsonObject json;
  json.Number("months", usage.months).Number("runs", usage.runs).Number("vanished", usage.vanished);
  json.Number("out_of_window", usage.out_of_window);
  return json.Text("sha256_expected", usage.digest_expected).Text("sha256_found", usage.digest_found).Done();
}

std::string CredentialsJson(const witness::CredentialProof& credentials) {
  JsonObject json;
  json.Number("total", credentials.compared).Number("sealed", credentials.sealed).Number("unproven", credentials.unproven);
  return json.Number("withheld", credentials.withheld).Number("absent", credentials.absent).Done();
}

std::string DeclaredJson(const witness::Verdict& verdict) {
  JsonObject json;
  for (const auto& [what, count] : verdict.declared) json.Number(what, count);
  return json.Done();
}

// What certificate and audit event have in common.
void AddProofs(const witness::Verdict& verdict, JsonObject* json) {
  json->Number("legacy_rows", verdict.legacy_rows);
  json->Number("quarantined_rows", verdict.quarantined_rows).Number("quarantined_tables", verdict.quarantined_tables);
  json->Raw("tables", TablesJson(verdict)).Raw("keys", KeysJson(verdict.keys)).Raw("usage", UsageJson(verdict.usage));
  json->Raw("credentials", CredentialsJson(verdict.credentials)).Raw("declared", DeclaredJson(verdict));
}

}  // namespace

std::string CertificateText(const CertificateHead& head, const witness::Verdict& verdict) {
  REEVE_ASSERT(verdict.equal && verdict.failed.empty());
  JsonObject json;
  json.Text("format", kCertificateFormat).Text("tool", "reeve " REEVE_VERSION);
  json.Text("tenant", verdict.tenant).Text("customer_id", head.customer_id).Text("phase", head.phase);
  json.Number("attempt", static_cast<uint64_t>(head.attempt));
  json.Text("as_of", FormatRfc3339(head.as_of)).Text("verified_at", FormatRfc3339(head.verified_at));
  json.Text("source", head.source).Text("source_sha256", head.source_digest).Text("target", head.target);
  AddProofs(verdict, &json);
  return json.Done();
}

std::string VerificationFacts(const witness::Verdict& verdict) {
  JsonObject json;
  if (!verdict.failed.empty()) json.Text("failed", verdict.failed);
  if (!verdict.equal) {
    std::map<std::string_view, uint64_t> kinds;
    for (const witness::Difference& difference : verdict.differences) ++kinds[witness::NameOf(difference.kind)];
    JsonObject listed;
    for (const auto& [kind, count] : kinds) listed.Number(kind, count);
    json.Number("differences", verdict.differences_total).Raw("listed", listed.Done());
  }
  AddProofs(verdict, &json);
  return json.Done();
}

std::string DescribeDifference(const witness::Difference& difference) {
  std::string text(witness::NameOf(difference.kind));
  text += ":";
  for (const std::string& part : {difference.table, difference.row, difference.column})
    if (!part.empty()) text += " " + part;
  return text;
}

}  // namespace reeve::migrate
