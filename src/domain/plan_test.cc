#include "domain/plan.h"

#include <gtest/gtest.h>

#include "domain/vocabulary.h"

namespace reeve::domain {
namespace {

TEST(BuiltInPlans, AreThePublishedOnes) {
  const PlanBook book = BuiltInPlans();
  EXPECT_EQ(book.default_plan, "professional");
  EXPECT_EQ(book.Find("starter")->quotas, (Quotas{1'000, 5, 100}));
  EXPECT_EQ(book.Find("starter")->cost_usd_cents, 99'00);
  EXPECT_EQ(book.Find("professional")->quotas, (Quotas{5'000, 15, 500}));
  EXPECT_EQ(book.Find("professional")->cost_usd_cents, 499'00);
  EXPECT_EQ(book.Find("enterprise")->quotas, (Quotas{}));  // unlimited
  EXPECT_EQ(book.Find("enterprise")->cost_usd_cents, std::nullopt);
  EXPECT_NE(book.Find(book.default_plan), nullptr);
}

TEST(PlanBook, FindsExactNamesOnly) {
  const PlanBook book = BuiltInPlans();
  for (const char* name : {"", "Starter", "STARTER", "starter ", "free"}) EXPECT_EQ(book.Find(name), nullptr) << name;
}

TEST(RunStateWords, AreThoseOfTheContractInAnyCase) {
  const std::pair<const char*, RunState> words[] = {
      {"PENDING", RunState::kPending},      {"RUNNING", RunState::kRunning},      {"INGESTING", RunState::kRunning},
      {"VALIDATING", RunState::kRunning},   {"TRANSFORMING", RunState::kRunning}, {"CANCELLING", RunState::kRunning},
      {"COMPLETE", RunState::kTerminal},    {"COMPLETED", RunState::kTerminal},   {"SUCCESS", RunState::kTerminal},
      {"FAILED", RunState::kTerminal},      {"CANCELLED", RunState::kTerminal},   {"TIMEOUT", RunState::kTerminal},
      {"pending", RunState::kPending},      {"Completed", RunState::kTerminal},   {"tImEoUt", RunState::kTerminal}};
  for (const auto& [word, state] : words) EXPECT_EQ(ParseRunState(word), state) << word;
}

TEST(RunStateWords, OtherWordsAreUnknown) {
  for (const char* word : {"", "DONE", "COMPLETED ", " PENDING", "CANCELED", "RUNNIN", "RUNNINGS", "1", "\xC3\x97", "RUNNIN\x07"})
    EXPECT_EQ(ParseRunState(word), std::nullopt) << word;
  for (int c = 0; c < 256; ++c) {
    const std::string word = std::string(1, static_cast<char>(c)) + "ENDING";
    EXPECT_EQ(ParseRunState(word).has_value(), c == 'P' || c == 'p') << c;
  }
}

TEST(Provider, HasOneCanonicalName) {
  const std::pair<const char*, const char*> names[] = {{"GCP_SA", "gcp"},   {"Google", "gcp"}, {"google_cloud", "gcp"}, {"gcp", "gcp"},
                                                       {"AMAZON", "aws"},   {"AWS", "aws"},    {"Claude", "anthropic"}, {"anthropic", "anthropic"},
                                                       {"OpenAI", "openai"}, {"", ""},          {"google cloud", "google cloud"}};
  for (const auto& [name, canonical] : names) EXPECT_EQ(CanonicalProvider(name), canonical) << name;
}

}  // namespace
}  // namespace reeve::domain
