#include "app/config.h"

#include <gtest/gtest.h>

namespace reeve::app {
namespace {

TEST(Config, ReadsTextsNumbersAndBooleansWithTheirLines) {
  const auto settings = ParseConfig("# mine\nstore = \"sqlite:x.db\"\n\nusage_months = 6\nquiet = true\nbackup_key_file = \"/run/key\"\n", "./reeve.toml");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->name, "./reeve.toml");
  EXPECT_EQ(settings->values.at("store").text, "sqlite:x.db");
  EXPECT_EQ(settings->values.at("store").line, 2);
  EXPECT_EQ(settings->values.at("usage_months").text, "6");
  EXPECT_EQ(settings->values.at("usage_months").line, 4);
  EXPECT_EQ(settings->values.at("quiet").text, "true");
  EXPECT_EQ(settings->values.at("backup_key_file").text, "/run/key");
  EXPECT_TRUE(ParseConfig("", "x")->values.empty());
}

struct Wrong {
  const char* text;
  const char* message;
  const char* hint;
};

TEST(Config, ErrorsNameFileAndLineAndSuggest) {
  const Wrong wrongs[] = {
      {"store = \"x\"\nstroe = \"y\"\n", "reeve.toml:2: unknown key \"stroe\"", "did you mean \"store\"?"},
      {"[store]\nurl = \"x\"\n", "reeve.toml:1: store must be a text, a whole number, true or false", ""},
      {"workers = 1.5\n", "reeve.toml:1: workers must be a text, a whole number, true or false", ""},
      {"workers = [1]\n", "reeve.toml:1: workers must be a text, a whole number, true or false", ""},
      {"backup_key = \"0123\"\n", "reeve.toml:1: a secret does not belong in this file", "put it into a file of its own and name that: backup_key_file = \"PATH\""},
  };
  for (const Wrong& wrong : wrongs) {
    const auto settings = ParseConfig(wrong.text, "reeve.toml");
    ASSERT_FALSE(settings) << wrong.text;
    EXPECT_EQ(settings.error().code, Code::kUsage);
    EXPECT_EQ(settings.error().message, wrong.message);
    EXPECT_EQ(settings.error().hint, wrong.hint) << wrong.text;
  }
}

TEST(Config, WhatIsNoTomlIsAnErrorWithItsLine) {
  for (const char* text : {"store = \n", "store\n", "a = 1\na = 2\n", "= 3", "store = \"\\x\"", "\xff\xfe", "x = 99999999999999999999"}) {
    const auto settings = ParseConfig(text, "reeve.toml");
    ASSERT_FALSE(settings) << text;
    EXPECT_EQ(settings.error().code, Code::kUsage);
    EXPECT_TRUE(settings.error().message.starts_with("reeve.toml:")) << settings.error().message;
  }
}

TEST(Config, HostileTextIsAnErrorAndNoCrash) {
  EXPECT_FALSE(ParseConfig(std::string(kConfigBytesMax + 1, ' '), "x"));
  EXPECT_FALSE(ParseConfig("a = " + std::string(5'000, '['), "x"));
  EXPECT_FALSE(ParseConfig(std::string("store = \"a\0b\"", 13), "x"));
}

TEST(Plans, AddsAndChangesPlansAndTenants) {
  const auto book = ParsePlans(
      "[plans.gold]\nmonthly_pipeline_quota = 20000\nconcurrent_pipeline_quota = 30\nstorage_quota_gb = \"unlimited\"\nmonthly_cost_usd = 900.50\n"
      "[plans.starter]\nconcurrent_pipeline_quota = 0\n"
      "[tenants.acme]\nplan = \"gold\"\nconcurrent_pipeline_quota = 50\nstorage_quota_gb = \"unlimited\"\n",
      "plans.toml");
  ASSERT_TRUE(book) << book.error().message;
  const domain::Plan* gold = book->Find("gold");
  ASSERT_NE(gold, nullptr);
  EXPECT_EQ(gold->quotas, (domain::Quotas{20'000, 30, std::nullopt}));
  EXPECT_EQ(gold->cost_usd_cents, 900'50);
  EXPECT_EQ(book->Find("starter")->quotas, (domain::Quotas{1'000, 0, 100}));  // 0 blocks, the rest stays
  EXPECT_EQ(book->Find("starter")->cost_usd_cents, 99'00);
  const domain::PlanOverride& acme = book->tenants.at("acme");
  EXPECT_EQ(acme.plan, "gold");
  EXPECT_FALSE(acme.monthly_runs.has_value());
  EXPECT_EQ(acme.concurrent_runs, std::optional<std::optional<int64_t>>(50));
  ASSERT_TRUE(acme.storage_gb.has_value());
  EXPECT_FALSE(acme.storage_gb->has_value());  // said, and unlimited
  EXPECT_EQ(ParsePlans("", "x")->plans.size(), domain::BuiltInPlans().plans.size());
}

TEST(Plans, ErrorsNameFileAndLine) {
  const Wrong wrongs[] = {
      {"[plan.gold]\n", "plans.toml:1: the file has no key \"plan\"", "did you mean \"plans\"?"},
      {"[plans.gold]\nmonthly_quota = 1\n", "plans.toml:2: plan gold has no key \"monthly_quota\"", "reeve help plans shows the keys"},
      {"[plans.gold]\nstorage_quota_gb = 1\n", "plans.toml:1: the new plan gold does not say all three quotas", nullptr},
      {"[plans.starter]\nstorage_quota_gb = -1\n", "plans.toml:2: storage_quota_gb must be a whole number from 0 on, or \"unlimited\"", ""},
      {"[plans.starter]\nstorage_quota_gb = \"many\"\n", "plans.toml:2: storage_quota_gb must be a whole number from 0 on, or \"unlimited\"", ""},
      {"[plans.starter]\nmonthly_cost_usd = 1.005\n", nullptr, nullptr},
      {"[tenants.acme]\nplan = \"startr\"\n", "plans.toml:2: there is no plan \"startr\"", "did you mean \"starter\"?"},
      {"[tenants.acme]\nmonthly_cost_usd = 5\n", "plans.toml:2: tenant acme has no key \"monthly_cost_usd\"", nullptr},
      {"tenants = 5\n", "plans.toml:1: tenants must be written as [tenants.NAME]", ""},
      {"[tenants]\nacme = 5\n", "plans.toml:2: tenants.acme must be a table", ""},
      {"[tenants.\"a b\"]\n", "plans.toml:1: \"a b\" cannot be a name", ""},
  };
  for (const Wrong& wrong : wrongs) {
    const auto book = ParsePlans(wrong.text, "plans.toml");
    ASSERT_FALSE(book) << wrong.text;
    EXPECT_EQ(book.error().code, Code::kUsage);
    if (wrong.message != nullptr) {
      EXPECT_EQ(book.error().message, wrong.message);
    }
    if (wrong.hint != nullptr) {
      EXPECT_EQ(book.error().hint, wrong.hint) << wrong.text;
    }
  }
}

}  // namespace
}  // namespace reeve::app
