#include "net/retry.h"

#include <gtest/gtest.h>

#include "net/url.h"
#include "tests/fakes/fake_clock.h"

namespace reeve::net {
namespace {

using reeve::testing::FakeClock;

// Always the same byte.
class StuckEntropy final : public Entropy {
 public:
  explicit StuckEntropy(char byte) : byte_(byte) {}
  void Fill(char* out, size_t size) override { std::fill(out, out + size, byte_); }

 private:
  const char byte_;
};

bool Never() { return false; }
bool Always() { return true; }

TEST(Backoff, BoundsDoubleFromFirstToMost) {
  const auto entropy = MakeSeededEntropy(1);
  BackoffOptions options;
  options.patience = 1000 * kHour;
  const Micros bounds[] = {1, 2, 4, 8, 16, 32, 60, 60};
  Micros longest[8] = {};
  for (int run = 0; run < 300; ++run) {
    Backoff backoff(options, 0, *entropy);
    for (int i = 0; i < 8; ++i) {
      const std::optional<Micros> wait = backoff.Next(0);
      ASSERT_TRUE(wait);
      EXPECT_GE(*wait, kBackoffWaitMin);
      EXPECT_LE(*wait, bounds[i] * kSecond);
      longest[i] = std::max(longest[i], *wait);
    }
  }
  for (int i = 0; i < 8; ++i) EXPECT_GT(longest[i], bounds[i] * kSecond * 9 / 10) << i;  // the whole range is used
}

TEST(Backoff, StopsWhenThePatienceIsOverAndCutsTheLastWaitToIt) {
  StuckEntropy entropy('\xFF');
  BackoffOptions options;
  options.patience = 10 * kSecond;
  Backoff backoff(options, 100 * kSecond, entropy);
  ASSERT_TRUE(backoff.Next(100 * kSecond));
  const std::optional<Micros> last = backoff.Next(110 * kSecond - 7);
  ASSERT_TRUE(last);
  EXPECT_LE(*last, 7);
  EXPECT_FALSE(backoff.Next(110 * kSecond));
}

TEST(Backoff, WaitsAsLongAsTheServerAsksButNotLongerThanThePatience) {
  StuckEntropy entropy('\0');
  BackoffOptions options;
  options.patience = 60 * kSecond;
  Backoff backoff(options, 0, entropy);
  EXPECT_EQ(backoff.Next(0, 20 * kSecond), 20 * kSecond);
  EXPECT_FALSE(backoff.Next(50 * kSecond, 20 * kSecond));
  EXPECT_TRUE(backoff.Next(50 * kSecond, 5 * kSecond));
}

TEST(Backoff, EndsAlsoWithoutChanceAndWithoutTime) {
  StuckEntropy entropy('\0');
  Backoff backoff({}, 0, entropy);
  int waits = 0;
  while (const std::optional<Micros> wait = backoff.Next(0)) {
    EXPECT_EQ(*wait, kBackoffWaitMin);
    ASSERT_LE(++waits, kBackoffAttemptsMax);
  }
  EXPECT_EQ(waits, kBackoffAttemptsMax);
}

TEST(Backoff, ProgressBeginsAnew) {
  StuckEntropy entropy('\0');
  BackoffOptions options;
  options.patience = 10 * kSecond;
  Backoff backoff(options, 0, entropy);
  EXPECT_FALSE(backoff.Next(11 * kSecond));
  backoff.Progress(11 * kSecond);
  EXPECT_TRUE(backoff.Next(20 * kSecond));
}

TEST(RetryAfter, IsSecondsOrADate) {
  const Micros wall = *ParseTime("2026-11-15 12:00:00");
  EXPECT_EQ(ParseRetryAfter("120", wall), 120 * kSecond);
  EXPECT_EQ(ParseRetryAfter("0", wall), 0);
  EXPECT_EQ(ParseRetryAfter("Sun, 15 Nov 2026 12:00:30 GMT", wall), 30 * kSecond);
  EXPECT_EQ(ParseRetryAfter("Sun, 15 Nov 2026 11:00:00 GMT", wall), 0);
  for (const std::string_view text : {"", "soon", "-1", "1.5", "12 s", "99999999999999999999", "::::", "1:2"}) EXPECT_FALSE(ParseRetryAfter(text, wall)) << text;
}

TEST(Pause, SleepsTheWholeTimeByTheClockAndStopsForAnInterrupt) {
  FakeClock clock;
  const Micros start = clock.Steady();
  EXPECT_TRUE(Pause(clock, 61 * kSecond + 7, &Never));
  EXPECT_EQ(clock.Steady() - start, 61 * kSecond + 7);
  const Result<> stopped = Pause(clock, 61 * kSecond, &Always);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::kInterrupted);
  EXPECT_LE(clock.Steady() - start, 62 * kSecond);
}

TEST(Url, EscapesAllButUnreserved) {
  EXPECT_EQ(EscapeUrl("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(EscapeUrl("a b/c+ü"), "a%20b%2Fc%2B%C3%BC");
  EXPECT_EQ(EncodeQuery({{"a", "1&2"}, {"formatOptions.x", ""}}), "a=1%262&formatOptions.x=");
  EXPECT_EQ(EncodeQuery({}), "");
}

TEST(Url, IsSplit) {
  const UrlParts parts = SplitUrl("HTTPS://user:pw@Big.example:8443/a/b?c=d?e#f");
  EXPECT_EQ(parts.scheme, "https");
  EXPECT_EQ(parts.host, "big.example");
  EXPECT_EQ(parts.authority, "Big.example:8443");
  EXPECT_EQ(parts.path, "/a/b");
  EXPECT_EQ(parts.query, "c=d?e");
  EXPECT_EQ(SplitUrl("http://[::1]:80").host, "::1");
  EXPECT_EQ(SplitUrl("http://h?q").path, "");
  for (const std::string_view url : {"", "h", "file:///x", "http:/h", "http://", "http:///p"}) EXPECT_EQ(SplitUrl(url).scheme, "") << url;
}

TEST(Url, ShowsNeitherUserNorQuery) {
  EXPECT_EQ(ShownUrl("https://user:pw@h.example/a?upload_id=secret"), "h.example/a");
  EXPECT_EQ(ShownUrl("mailto:x"), "(no http URL)");
}

TEST(Url, KnowsLoopback) {
  for (const std::string_view host : {"localhost", "127.0.0.1", "127.8.8.8", "::1"}) EXPECT_TRUE(IsLoopback(host));
  for (const std::string_view host : {"128.0.0.1", "localhost.example", "metadata.google.internal", ""}) EXPECT_FALSE(IsLoopback(host));
}

}  // namespace
}  // namespace reeve::net
