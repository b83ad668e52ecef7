#include "migrate/ops/ops_testing.h"

namespace reeve::migrate::ops {
namespace {

using Strings = std::vector<std::string>;

const std::string kKey = "acme_api_0123456789abcdef";

struct Shown {
  ExplainReport report;
  // "legacy+ shadow+ central- final-" with ? for unknown.
  [[nodiscard]] std::string Verdicts() const {
    std::string text;
    for (const KeyVerdict& verdict : report.verdicts)
      text += fmt::format("{}{}{}", text.empty() ? "" : " ", verdict.phase, verdict.accepted ? "+" : verdict.code == "UNKNOWN" ? "?" : "-");
    return text;
  }
  [[nodiscard]] const KeyVerdict& In(std::string_view phase) const {
    for (const KeyVerdict& verdict : report.verdicts)
      if (verdict.phase == phase) return verdict;
    return report.verdicts.front();
  }
  // Everything that could be printed.
  [[nodiscard]] std::string All() const {
    std::string text = report.hash + report.customer_status + report.subscription + report.current_phase;
    for (const auto& side : report.sides) text += side.where + side.tenant + side.state + side.api_key_id + side.revoked_by;
    for (const auto& verdict : report.verdicts) text += verdict.why + verdict.code;
    for (const std::string& note : report.notes) text += note;
    return text;
  }
};

Shown Explain(World& world, const std::string& text = kKey) {
  auto report = ExplainKey(*world.Reader(), world.estate.get(), Secret(text), {}, world.clock.now);
  EXPECT_TRUE(report) << report.error().message;
  Shown shown{report ? std::move(*report) : ExplainReport{}};
  EXPECT_EQ(shown.All().find(kKey), std::string::npos);
  return shown;
}

void WriteLegacy(World& world, const std::string& rest, const std::string& tenant = "acme") {
  const std::string dir = world.dir / ("legacy/" + tenant + "/");
  WriteFile(dir + "x_meta_api_keys-000000000000.json",
            "\n" + fmt::format(R"({{"api_key_id":"key_1","tenant_id":"{}","api_key_hash":"{}","created_at":"2026-01-02 00:00:00 UTC",{}}})", tenant, Rows::Hash(kKey), rest) + "\n");
  WriteFile(dir + "x_meta_cloud_credentials-0.json", "");
  WriteFile(dir + "x_meta_pipeline_runs-0.json", "");
  world.OpenEstate();
}

const std::string kActive = R"("is_active":true)";
const std::string kRevoked = R"("is_active":false,"revoked_at":"2026-05-01 00:00:00 UTC","revoked_by":"ann")";
const std::string kExpired = R"("is_active":true,"expires_at":"2026-06-01 00:00:00 UTC")";

TEST(Explain, AKeyThatIsActiveOnBothSidesIsAcceptedInEveryPhase) {
  World world(Kind::kSqlite);
  Rows("acme").Customer().Subscription("sub_1").Key("key_1", Rows::Hash(kKey), kActive).State("verified").WriteTo(world);
  WriteLegacy(world, kActive);
  const Shown shown = Explain(world);
  EXPECT_EQ(shown.Verdicts(), "legacy+ shadow+ central+ final+");
  ASSERT_EQ(shown.report.sides.size(), 2u);
  EXPECT_EQ(shown.report.sides[0].where, "central");
  EXPECT_EQ(shown.report.sides[1].where, "legacy acme.x_meta_api_keys, x_meta_api_keys-000000000000.json line 2");
  EXPECT_EQ(shown.report.customer_status, "active");
  EXPECT_EQ(shown.report.subscription, "professional since 2026-01-01");
  EXPECT_EQ(shown.report.current_phase, "verified");
  EXPECT_EQ(Explain(world, AsciiUpper(Rows::Hash(kKey))).Verdicts(), shown.Verdicts());
}

TEST(Explain, ARefusalOfEitherSideWins) {
  struct Case {
    std::string central, legacy, verdicts;
  };
  for (const auto& [central, legacy, verdicts] : {
           Case{kRevoked, kActive, "legacy+ shadow- central- final-"},
           Case{kActive, kRevoked, "legacy- shadow- central- final+"},
           Case{kActive, R"("is_active":false)", "legacy- shadow- central- final+"},
           Case{kRevoked, kRevoked, "legacy- shadow- central- final-"},
           Case{kExpired, kExpired, "legacy+ shadow+ central- final-"},
           Case{"", kActive, "legacy+ shadow+ central- final-"},
       }) {
    World world(Kind::kMemory);
    Rows rows("acme");
    rows.Customer().Subscription("sub_1").State("verified");
    if (!central.empty()) rows.Key("key_1", Rows::Hash(kKey), central);
    rows.WriteTo(world);
    WriteLegacy(world, legacy);
    EXPECT_EQ(Explain(world).Verdicts(), verdicts) << central << " / " << legacy;
  }
}

TEST(Explain, AnExpiredKeyThatLegacyStillAcceptsIsSaidSo) {
  World world(Kind::kMemory);
  Rows("acme").Customer().Subscription("sub_1").Key("key_1", Rows::Hash(kKey), kExpired).WriteTo(world);
  WriteLegacy(world, kExpired);
  const Shown shown = Explain(world);
  EXPECT_NE(shown.In("legacy").why.find("does not look at expires_at"), std::string::npos);
  EXPECT_NE(shown.In("central").why.find("expired on 2026-06-01"), std::string::npos);
  EXPECT_EQ(shown.report.sides[0].state, "expired");
}

TEST(Explain, WithoutAnEstateTheLegacySideIsUnknownNotGuessed) {
  World world(Kind::kMemory);
  Rows("acme").Customer().Subscription("sub_1").Key("key_1", Rows::Hash(kKey), kActive).WriteTo(world);
  EXPECT_EQ(Explain(world).Verdicts(), "legacy? shadow? central+ final+");
  Rows("acme").Key("key_1", Rows::Hash(kKey), kRevoked).WriteTo(world);
  EXPECT_EQ(Explain(world).Verdicts(), "legacy? shadow- central- final-");
}

TEST(Explain, CustomerAndSubscriptionAreLookedAtInTheirOrder) {
  World world(Kind::kMemory);
  Rows("acme").Customer("suspended").Key("key_1", Rows::Hash(kKey), kActive).WriteTo(world);
  EXPECT_EQ(Explain(world).In("final").code, "CUSTOMER_SUSPENDED");
  Rows("acme").Customer("active").WriteTo(world);
  EXPECT_EQ(Explain(world).In("final").code, "SUBSCRIPTION_INACTIVE");
}

TEST(Explain, AnUnknownKeyIsRefusedEverywhere) {
  World world(Kind::kMemory);
  WriteLegacy(world, kActive);
  const Shown shown = Explain(world, "another key");
  EXPECT_EQ(shown.Verdicts(), "legacy- shadow- central- final-");
  EXPECT_TRUE(shown.report.sides.empty());
  EXPECT_EQ(shown.report.hash, Rows::Hash("another key"));
}

TEST(Explain, DeadLettersAndFindingsAboutTheKeyAreShown) {
  World world(Kind::kSqlite);
  Rows("acme").Customer().State("copied")
      .Add(catalog::ReeveDeadLetters(), fmt::format(R"({{"tenant_id":"acme","dataset":"acme","table_name":"x_meta_api_keys","part":"p.json","line":"7","row_key":"key_1","reason":"hash_in_two_tenants","detail":"hash {}…"}})", Rows::Hash(kKey).substr(0, 12)))
      .Add(catalog::ReeveDeadLetters(), R"({"tenant_id":"acme","dataset":"acme","table_name":"x_meta_api_keys","part":"p.json","line":"8","row_key":"key_2","reason":"bad_hash"})")
      .Add(catalog::ReeveFindings(), R"({"tenant_id":"acme","code":"key_exposed","subject":"key_1","detail":"rotate"})").WriteTo(world);
  WriteLegacy(world, kActive);
  const Shown shown = Explain(world);
  EXPECT_EQ(shown.report.notes, (Strings{"dead letter hash_in_two_tenants: acme.x_meta_api_keys, p.json line 7", "finding key_exposed of acme: rotate"}));
}

TEST(Explain, TheSameHashInTwoTenantsIsSaidSo) {
  World world(Kind::kMemory);
  WriteLegacy(world, kActive, "beta");
  WriteLegacy(world, kRevoked, "acme");
  const Shown shown = Explain(world);
  EXPECT_EQ(shown.report.sides.size(), 2u);
  EXPECT_NE(shown.All().find("the same hash stands in acme and in beta"), std::string::npos);
  EXPECT_EQ(shown.Verdicts(), "legacy+ shadow+ central- final-");
}

TEST(Explain, ATableThatCannotBeReadLeavesTheQuestionOpen) {
  World world(Kind::kMemory);
  Rows("acme").Customer().Subscription("sub_1").Key("key_1", Rows::Hash(kKey), kActive).WriteTo(world);
  WriteLegacy(world, kActive);
  WriteFile(world.dir / "legacy/acme/x_meta_api_keys-000000000000.json", "");
  WriteFile(world.dir / "legacy/acme/x_meta_api_keys-1.json.gz", "no gzip");
  world.OpenEstate();
  const Shown shown = Explain(world);
  EXPECT_EQ(shown.Verdicts(), "legacy? shadow? central+ final+");
  ASSERT_EQ(shown.report.notes.size(), 1u);
  EXPECT_NE(shown.report.notes[0].find("could not be read"), std::string::npos);
}

TEST(Explain, AKeyInAPlaintextColumnIsFoundAndNotPrinted) {
  World world(Kind::kMemory);
  WriteLegacy(world, kActive);
  WriteFile(world.dir / "legacy/acme/x_meta_api_keys-000000000000.json",
            fmt::format(R"({{"api_key":"{}","tenant_id":"acme","created_at":"2026-01-01 00:00:00 UTC","is_active":true}})", kKey) + "\n");
  world.OpenEstate();
  EXPECT_EQ(Explain(world).report.sides.size(), 1u);
}

}  // namespace
}  // namespace reeve::migrate::ops
