#include "migrate/backup/merge_table.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/sha256.h"

namespace reeve::migrate {
namespace {

using catalog::LegacyKind;

const std::string kHash = crypto::Sha256Hex("a key");

std::string Key(std::string_view rest, std::string_view hash = kHash) {
  return fmt::format("{{\"api_key_hash\":\"{}\"{}{}}}\n", hash, rest.empty() ? "" : ",", rest);
}

// The merge of two states of one key table, with what a restore would know.
MergeOutput MergeKeys(std::string_view target, std::string_view backup, const RevokedHash& central = nullptr,
                      const std::vector<std::string>* schema = nullptr) {
  KeyBook book;
  ForEachKey(backup, [&](const KeyFacts& facts) { book.AddBackupRow(facts); });
  ForEachKey(target, [&](const KeyFacts& facts) { book.AddTargetRow(facts); });
  if (central) book.AddCentral(central);
  return MergeTable({LegacyKind::kKeys, false, backup, target, schema}, book);
}

std::string Merged(LegacyKind kind, std::string_view target, std::string_view backup, bool shared = false) {
  return MergeTable({kind, shared, backup, target, nullptr}, KeyBook()).rows;
}

TEST(MergeKeys, RowsOfEitherSideArriveOnce) {
  const std::string a = Key("\"is_active\":true");
  const std::string b = Key("\"is_active\":true", std::string(64, 'b'));
  const MergeOutput out = MergeKeys(a, a + b);
  EXPECT_EQ(out.rows, a + b);
  EXPECT_EQ(out.added, 1U);
  EXPECT_EQ(out.kept, 1U);
  EXPECT_EQ(out.denied, 0U);
  EXPECT_FALSE(MergeKeys(a + b, a + b).changed);
  EXPECT_FALSE(MergeKeys(a + b, a).changed);
  EXPECT_EQ(MergeKeys("", a + b).rows, a + b);
}

TEST(MergeKeys, TheTargetsOwnWordsStand) {
  const std::string target = Key("\"is_active\":true,\"description\":\"new\"");
  EXPECT_FALSE(MergeKeys(target, Key("\"is_active\":true,\"description\":\"old\"")).changed);
}

TEST(MergeKeys, OneKeyIsTheSameInEveryEncoding) {
  std::string raw = *HexDecode(kHash);
  for (const std::string& other :
       {Key("\"is_active\":true", AsciiUpper(kHash)), Key("\"is_active\":true", Base64Encode(raw)),
        fmt::format("{{\"org_api_key_hash\":\"{}\",\"is_active\":true}}\n", kHash), std::string("{\"api_key\":\"a key\",\"is_active\":true}\n"),
        std::string("{\"api_key_hash\":\"\",\"api_key\":\"a key\"}\n"), std::string("{\"api_key_hash\":null,\"api_key\":\"a\\u0020key\"}\n")})
    EXPECT_FALSE(MergeKeys(Key("\"is_active\":true"), other).changed) << other;
}

TEST(MergeKeys, DenialOnEitherSideWins) {
  for (const char* denied : {"\"is_active\":false", "\"is_active\":\"false\"", "\"is_active\":0", "\"is_active\":\"no\"",
                             "\"is_active\":true,\"revoked_at\":\"2025-01-01 00:00:00 UTC\"",
                             "\"is_active\":true,\"deactivated_at\":\"2025-01-01 00:00:00 UTC\"", "\"is_active\":false,\"is_active\":true"}) {
    const MergeOutput in_backup = MergeKeys(Key("\"is_active\":true"), Key(denied));
    EXPECT_NE(in_backup.rows.find("\"is_active\":false"), std::string::npos) << denied;
    EXPECT_EQ(in_backup.denied, 1U);
    const MergeOutput in_target = MergeKeys(Key(denied), Key("\"is_active\":true"));
    EXPECT_EQ(in_target.rows.find("\"is_active\":true"), std::string::npos) << in_target.rows;
    EXPECT_FALSE(MergeKeys(in_backup.rows, Key(denied)).changed);
    EXPECT_FALSE(MergeKeys(in_target.rows, Key("\"is_active\":true")).changed);
  }
}

TEST(MergeKeys, CentralDenialReachesRowsThatAreAddedAndRowsThatAreKept) {
  const auto revoked = [](const std::string& hash) { return hash == kHash; };
  EXPECT_EQ(MergeKeys("", Key("\"is_active\":true"), revoked).rows, Key("\"is_active\":false"));
  EXPECT_EQ(MergeKeys(Key("\"is_active\":true"), Key("\"is_active\":true"), revoked).rows, Key("\"is_active\":false"));
  const std::string only_in_target = Key("\"is_active\":true", std::string(64, 'c'));
  EXPECT_EQ(MergeKeys(only_in_target, Key("\"is_active\":true"), revoked).rows, only_in_target + Key("\"is_active\":false"));
}

TEST(MergeKeys, AHashInTheKeyColumnIsFoundByCentralToo) {
  const auto revoked = [](const std::string& hash) { return hash == kHash; };
  const std::string row = fmt::format("{{\"api_key\":\"{}\",\"is_active\":true}}\n", AsciiUpper(kHash));
  EXPECT_NE(MergeKeys("", row, revoked).rows.find("\"is_active\":false"), std::string::npos);
}

TEST(MergeKeys, TheEarliestTimeIsKeptWhereThereIsAColumnForIt) {
  const std::string late = "\"is_active\":false,\"revoked_at\":\"2025-05-05 00:00:00 UTC\"";
  const std::string early = "\"is_active\":false,\"revoked_at\":\"2025-01-01T00:00:00Z\"";
  const std::string merged = Key("\"is_active\":false,\"revoked_at\":\"2025-01-01 00:00:00 UTC\"");
  EXPECT_EQ(MergeKeys(Key(late), Key(early)).rows, merged);
  EXPECT_FALSE(MergeKeys(Key(early), Key(late)).changed);
  EXPECT_EQ(MergeKeys(Key("\"is_active\":true"), Key(early)).rows, merged);
  EXPECT_EQ(MergeKeys(Key("\"is_active\":true,\"revoked_at\":null"), Key(early)).rows, merged);
  const std::vector<std::string> without = {"api_key_hash", "is_active"};
  EXPECT_EQ(MergeKeys(Key("\"is_active\":true"), Key(early), nullptr, &without).rows, Key("\"is_active\":false"));
  const std::vector<std::string> with = {"api_key_hash", "is_active", "deactivated_at"};
  EXPECT_EQ(MergeKeys(Key("\"is_active\":true"), Key(early), nullptr, &with).rows,
            Key("\"is_active\":false,\"deactivated_at\":\"2025-01-01 00:00:00 UTC\""));
}

TEST(MergeKeys, AnUnknownTimeIsNotInvented) {
  const std::string columns = Key("\"is_active\":true,\"revoked_at\":null", std::string(64, 'd'));
  EXPECT_EQ(MergeKeys(columns + Key("\"is_active\":true"), Key("\"is_active\":false")).rows, columns + Key("\"is_active\":false"));
}

TEST(MergeKeys, EveryRowOfADeniedKeyIsDenied) {
  const std::string two = Key("\"is_active\":true,\"n\":1") + Key("\"is_active\":true,\"n\":2");
  EXPECT_EQ(MergeKeys(two, Key("\"is_active\":false")).rows, Key("\"is_active\":false,\"n\":1") + Key("\"is_active\":false,\"n\":2"));
  EXPECT_EQ(MergeKeys("", two + Key("\"is_active\":false")).denied, 2U);
}

TEST(MergeKeys, KeysThatOnlyTheTargetHasAreLeftAlone) {
  const std::string conflict = Key("\"is_active\":true") + Key("\"is_active\":false");
  EXPECT_FALSE(MergeKeys(conflict, Key("\"is_active\":true", std::string(64, 'e'))).rows.starts_with(Key("\"is_active\":false")));
}

TEST(MergeKeys, UnknownFieldsAndOddNumbersStayByteForByte) {
  const std::string odd = "\"x_new\" : {\"a\":[1,2]} ,\"is_active\": true ,\"n\":12345678901234567890123.450";
  EXPECT_EQ(MergeKeys("", Key(odd) + Key("\"is_active\":false")).rows.substr(0, Key(odd).size() + 1),
            Key("\"x_new\" : {\"a\":[1,2]} ,\"is_active\": false ,\"n\":12345678901234567890123.450"));
}

TEST(MergeKeys, RowsThatNameNoKeyAreComparedAsTheyAre) {
  const std::string rows = "garbage\n" + Key("\"is_active\":true", "no hash") + "{\"is_active\":true}\n";
  EXPECT_EQ(MergeKeys("", rows).rows, rows);
  EXPECT_FALSE(MergeKeys(rows, rows).changed);
  EXPECT_EQ(MergeKeys("garbage\n", rows).added, 2U);
  std::string large(17 << 20, 'x');
  large += '\n';
  EXPECT_FALSE(MergeKeys(large, large).changed);
}

TEST(MergeRows, CredentialsAreKnownByTheirId) {
  const std::string old_row = "{\"credential_id\":\"1\",\"provider\":\"gcp\"}\n";
  const std::string new_row = "{\"credential_id\":\"1\",\"provider\":\"aws\"}\n";
  EXPECT_EQ(Merged(LegacyKind::kCredentials, new_row, old_row), new_row);
  EXPECT_EQ(Merged(LegacyKind::kCredentials, new_row, "{\"provider\":\"gcp\"}\n"), new_row + "{\"provider\":\"gcp\"}\n");
}

TEST(MergeRows, RunsAreKnownByIdAndStatus) {
  const std::string pending = "{\"pipeline_logging_id\":\"1\",\"status\":\"PENDING\",\"x\":1}\n";
  const std::string done = "{\"pipeline_logging_id\":\"1\",\"status\":\"COMPLETED\"}\n";
  EXPECT_EQ(Merged(LegacyKind::kRuns, pending, done), pending + done);
  EXPECT_EQ(Merged(LegacyKind::kRuns, pending, "{\"run_id\":\"1\",\"status\":\"pending\"}\n"), pending);
}

TEST(MergeRows, RecordsAreKnownByTheirTenant) {
  const std::string now = "{\"tenant_id\":\"acme\",\"is_active\":false}\n";
  EXPECT_EQ(Merged(LegacyKind::kRecord, now, "{\"tenant_id\":\"acme\",\"is_active\":true}\n"), now);
  EXPECT_EQ(Merged(LegacyKind::kRecord, "", now), now);
}

TEST(MergeRows, InASharedTableTwoTenantsAreNeverOneRow) {
  const std::string a = "{\"tenant_id\":\"a\",\"credential_id\":\"1\"}\n";
  const std::string b = "{\"tenant_id\":\"b\",\"credential_id\":\"1\"}\n";
  EXPECT_EQ(Merged(LegacyKind::kCredentials, a, b, true), a + b);
  EXPECT_EQ(Merged(LegacyKind::kCredentials, a, b, false), a);
}

TEST(MergeRows, ALastLineWithoutItsNewlineIsARow) {
  EXPECT_EQ(Merged(LegacyKind::kRecord, "{\"tenant_id\":\"a\"}", "{\"tenant_id\":\"b\"}"),
            "{\"tenant_id\":\"a\"}\n{\"tenant_id\":\"b\"}\n");
}

}  // namespace
}  // namespace reeve::migrate
