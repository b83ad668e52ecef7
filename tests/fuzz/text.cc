#include "base/encoding.h"
#include "catalog/json_scan.h"
#include "migrate/witness/json_row.h"
#include "migrate/witness/run_set.h"
#include "migrate/witness/text.h"
#include "tests/fuzz/targets.h"

namespace reeve::fuzz {
namespace {

using migrate::witness::BytesOf;

void CheckBinary(std::string_view text) {
  std::string ours;
  std::string theirs;
  const bool decodes = Base64Decode(text, &ours);
  Promise(decodes == migrate::witness::ReadBase64(text, &theirs), "both take the same texts as base64");
  if (decodes) Promise(ours == theirs && Base64Encode(ours) == text, "base64 is canonical");
  Promise(HexEncode(text) == migrate::witness::HexOf(text), "both write hex alike");
  const std::optional<std::string> hex = HexDecode(text);
  const auto digest = migrate::witness::ReadHexDigest(text);
  Promise(digest.has_value() == (hex && hex->size() == 32), "both take the same texts as a hex digest");
  if (digest) Promise(*hex == BytesOf(*digest), "both read a hex digest alike");
}

void CheckJson(std::string_view text) {
  if (!IsUtf8(text)) {
    Promise(!catalog::IsJson(text), "JSON is UTF-8");
    return;
  }
  std::string ours;
  std::string theirs;
  AppendJsonString(text, &ours);
  migrate::witness::AppendQuoted(text, &theirs);
  Promise(ours == theirs, "both quote alike");
  Promise(catalog::IsJson(ours), "what is quoted is JSON");
  std::string back;
  catalog::UnescapeJsonString(ours, &back);
  Promise(back == text, "what is quoted reads back");
}

// What a legacy JSON value may be, central must be able to hold. (The other way round it is not so: mapping.md §2 bounds numbers.)
void CheckIsJson(std::string_view text) {
  static migrate::witness::JsonRow json;
  json.StartTable(migrate::witness::Kind::kRuns, std::nullopt);
  if (json.Parse(text) == migrate::witness::Reason::kNone) Promise(catalog::IsJson(text), "legacy JSON is JSON for the central tables");
}

}  // namespace

void FuzzText(std::string_view input) {
  CheckBinary(input);
  CheckJson(input);
  CheckIsJson(input);
  Promise(AsciiLower(input) == migrate::witness::Lower(input), "both lower alike");
}

}  // namespace reeve::fuzz
