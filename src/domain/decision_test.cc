#include "domain/decision.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

namespace reeve::domain {
namespace {

TEST(Outcome, NumbersAreFrozenAndInOrderOfPrecedence) {
  const std::pair<Outcome, int> numbers[] = {
      {Outcome::kAllowed, 0},           {Outcome::kStoreUnavailable, 1},  {Outcome::kMalformedKey, 10},
      {Outcome::kUnknownKey, 20},       {Outcome::kRevokedKey, 30},       {Outcome::kExpiredKey, 40},
      {Outcome::kCustomerSuspended, 50}, {Outcome::kCustomerCancelled, 60}, {Outcome::kSubscriptionInactive, 70},
      {Outcome::kScopeMissing, 80},     {Outcome::kRateLimited, 90},      {Outcome::kStorageQuota, 100},
      {Outcome::kMonthlyQuota, 110},    {Outcome::kConcurrentQuota, 120}};
  ASSERT_EQ(std::size(numbers), kOutcomes.size());
  for (size_t i = 0; i < kOutcomes.size(); ++i) {
    EXPECT_EQ(kOutcomes[i], numbers[i].first);
    EXPECT_EQ(static_cast<int>(kOutcomes[i]), numbers[i].second);
    EXPECT_EQ(OutcomeOf(numbers[i].second), numbers[i].first);
    EXPECT_EQ(OutcomeIndex(kOutcomes[i]), i);
  }
  for (const int32_t number : {-1, 2, 11, 121, 256 + 10}) EXPECT_EQ(OutcomeOf(number), std::nullopt) << number;
}

TEST(Outcome, HasOneNameOneStatusAndThePublishedCode) {
  struct Row {
    Outcome outcome;
    int status;
    const char* code;
    bool permanent;
  };
  const Row rows[] = {{Outcome::kAllowed, 200, "", false},
                      {Outcome::kStoreUnavailable, 503, "STORE_UNAVAILABLE", false},
                      {Outcome::kMalformedKey, 401, "INVALID_API_KEY", true},
                      {Outcome::kUnknownKey, 401, "INVALID_API_KEY", true},
                      {Outcome::kRevokedKey, 401, "INVALID_API_KEY", true},
                      {Outcome::kExpiredKey, 401, "INVALID_API_KEY", true},
                      {Outcome::kCustomerSuspended, 403, "CUSTOMER_SUSPENDED", true},
                      {Outcome::kCustomerCancelled, 403, "CUSTOMER_SUSPENDED", true},
                      {Outcome::kSubscriptionInactive, 403, "SUBSCRIPTION_INACTIVE", true},
                      {Outcome::kScopeMissing, 403, "INSUFFICIENT_SCOPE", true},
                      {Outcome::kRateLimited, 429, "RATE_LIMIT_EXCEEDED", false},
                      {Outcome::kStorageQuota, 429, "STORAGE_QUOTA_EXCEEDED", true},
                      {Outcome::kMonthlyQuota, 429, "QUOTA_EXCEEDED", false},
                      {Outcome::kConcurrentQuota, 429, "CONCURRENT_LIMIT_REACHED", false}};
  std::set<std::string_view> names;
  for (const Row& row : rows) {
    EXPECT_EQ(HttpStatus(row.outcome), row.status);
    EXPECT_EQ(ErrorCode(row.outcome), row.code);
    EXPECT_EQ(IsPermanent(row.outcome), row.permanent) << OutcomeName(row.outcome);
    names.insert(OutcomeName(row.outcome));
  }
  EXPECT_EQ(names.size(), kOutcomes.size());
}

// Every combination of what can be wrong with a key: the refusal is the first in the ladder's order, whatever else is wrong.
TEST(JudgeStanding, TheFirstThatAppliesWins) {
  for (int wrong = 0; wrong < 1 << 7; ++wrong) {
    KeyStanding standing;
    standing.known = (wrong & 1) == 0;
    standing.revoked = (wrong & 2) != 0;
    standing.expired = (wrong & 4) != 0;
    standing.suspended = (wrong & 8) != 0;
    standing.cancelled = (wrong & 16) != 0;
    standing.subscribed = (wrong & 32) == 0;
    standing.has_scope = (wrong & 64) == 0;
    const Outcome ladder[] = {Outcome::kUnknownKey,        Outcome::kRevokedKey,           Outcome::kExpiredKey,  Outcome::kCustomerSuspended,
                              Outcome::kCustomerCancelled, Outcome::kSubscriptionInactive, Outcome::kScopeMissing};
    Outcome expected = Outcome::kAllowed;
    for (int i = 6; i >= 0; --i)
      if (wrong >> i & 1) expected = ladder[i];
    EXPECT_EQ(JudgeStanding(standing), expected) << wrong;
  }
}

RunStanding Room() {
  RunStanding standing;
  standing.storage_used_hundredths = 99'99;
  standing.storage_gb = 100;
  standing.month_runs = 4'999;
  standing.monthly_runs = 5'000;
  standing.live_runs = 14;
  standing.concurrent_runs = 15;
  standing.now = StartOf(19'000) + kHour;
  standing.month_ends = standing.now + kDay + 1;
  standing.next_lease_end = 90 * kSecond;
  return standing;
}

TEST(JudgeRun, TheLastRunOfEachQuotaIsAllowedAndTheNextRefusedWithItsNumbers) {
  EXPECT_EQ(JudgeRun(Room()), (Decision{Outcome::kAllowed, 4'999, 5'000, 0}));
  RunStanding full = Room();
  full.live_runs = 15;
  EXPECT_EQ(JudgeRun(full), (Decision{Outcome::kConcurrentQuota, 15, 15, 90}));
  full.month_runs = 5'000;
  EXPECT_EQ(JudgeRun(full), (Decision{Outcome::kMonthlyQuota, 5'000, 5'000, 86'401})) << "month before concurrency";
  full.storage_used_hundredths = 100'00;
  EXPECT_EQ(JudgeRun(full), (Decision{Outcome::kStorageQuota, 100'00, 100'00, 0})) << "storage before month";
}

TEST(JudgeRun, NullIsUnlimitedAndZeroBlocks) {
  RunStanding standing = Room();
  standing.storage_gb = standing.monthly_runs = standing.concurrent_runs = std::nullopt;
  standing.storage_used_hundredths = standing.month_runs = standing.live_runs = 1'000'000'000;
  EXPECT_TRUE(JudgeRun(standing).allowed());
  EXPECT_EQ(JudgeRun(standing).remaining(), std::nullopt);
  standing.storage_used_hundredths = standing.month_runs = standing.live_runs = 0;
  standing.concurrent_runs = 0;
  EXPECT_EQ(JudgeRun(standing), (Decision{Outcome::kConcurrentQuota, 0, 0, 0})) << "no waiting helps";
  standing.monthly_runs = 0;
  EXPECT_EQ(JudgeRun(standing), (Decision{Outcome::kMonthlyQuota, 0, 0, 0}));
  standing.storage_gb = 0;
  EXPECT_EQ(JudgeRun(standing), (Decision{Outcome::kStorageQuota, 0, 0, 0}));
}

TEST(JudgeRun, AQuotaBelowWhatIsUsedBlocks) {
  RunStanding standing = Room();
  standing.monthly_runs = 10;
  EXPECT_EQ(JudgeRun(standing).outcome, Outcome::kMonthlyQuota);
  EXPECT_EQ(JudgeRun(standing).remaining(), 0);
  standing.storage_gb = std::numeric_limits<int64_t>::max();
  standing.monthly_runs = 5'000;
  EXPECT_TRUE(JudgeRun(standing).allowed());
}

TEST(RetryAfter, IsWholeSecondsRoundedUpAndAtLeastOne) {
  const std::pair<Micros, int64_t> rows[] = {{-5, 1}, {0, 1}, {1, 1}, {kSecond, 1}, {kSecond + 1, 2}, {90 * kSecond, 90}, {kTimeMax, 253'402'300'800}};
  for (const auto& [duration, seconds] : rows) EXPECT_EQ(RetryAfter(duration), seconds) << duration;
}

TEST(KeyText, IsOneTo512BytesWithoutControlCharacters) {
  EXPECT_FALSE(IsKeyText(""));
  EXPECT_TRUE(IsKeyText("x"));
  EXPECT_TRUE(IsKeyText(std::string(512, 'x')));
  EXPECT_FALSE(IsKeyText(std::string(513, 'x')));
  for (int c = 0; c < 256; ++c) {
    for (size_t size = 1; size < 20; ++size) {
      for (size_t at = 0; at < size; ++at) {
        for (const char around : {' ', '~', '\x80', '\xff'}) {
          std::string text(size, around);
          text[at] = static_cast<char>(c);
          ASSERT_EQ(IsKeyText(text), c >= 0x20 && c != 0x7f) << c << " at " << at << " of " << size;
        }
      }
    }
  }
}

TEST(Scope, CoversItselfAndWithAStarEveryActionOnTheSameThing) {
  EXPECT_TRUE(ScopeCovers("pipelines:write", "pipelines:write"));
  EXPECT_TRUE(ScopeCovers("admin:*", "admin:keys"));
  EXPECT_TRUE(ScopeCovers("admin:*", "admin:*"));
  EXPECT_FALSE(ScopeCovers("admin:*", "pipelines:write"));
  EXPECT_FALSE(ScopeCovers("admin:*", "admin:"));
  EXPECT_FALSE(ScopeCovers("admin:*", "administrator:x"));
  EXPECT_FALSE(ScopeCovers("pipelines:read", "pipelines:write"));
  EXPECT_FALSE(ScopeCovers("pipelines:write", "pipelines:*"));
  EXPECT_FALSE(ScopeCovers("*", "pipelines:write"));
  EXPECT_FALSE(ScopeCovers(":*", ":x"));
}

}  // namespace
}  // namespace reeve::domain
