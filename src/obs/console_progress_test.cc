#include "obs/console_progress.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

namespace reeve::obs {
namespace {

class StepClock final : public Clock {
 public:
  Micros Now() override { return now; }
  Micros Steady() override { return now; }
  void Sleep(Micros duration) override { now += duration; }
  std::atomic<Micros> now = 100 * kSecond;
};

struct Shown {
  StepClock clock;
  std::string text;
  std::unique_ptr<TickingProgress> progress;
  explicit Shown(ProgressStyle style, int width = 120)
      : progress(MakeConsoleProgress(style, width, clock, [this](std::string_view more) { text += more; })) {}
};

TEST(ConsoleProgress, LineShowsExactCountsRateAndEta) {
  Shown shown(ProgressStyle::kLine);
  shown.progress->Begin("copy", 10'000, "tenants");
  shown.text.clear();
  shown.clock.now += 2 * kSecond;
  shown.progress->Add(1'000, 50'000, 20'000'000);
  EXPECT_EQ(shown.text, "\r\x1b[Kcopy     1,000/10,000 tenants  10%  25,000 rows/s  10.0 MB/s  ETA 0:18");
}

TEST(ConsoleProgress, LineIsRedrawnAtMostTenTimesASecond) {
  Shown shown(ProgressStyle::kLine);
  shown.progress->Begin("copy", 10'000, "tenants");
  shown.text.clear();
  for (int i = 0; i < 1'000; ++i) shown.progress->Add(1, 1, 1);
  EXPECT_EQ(shown.text, "");
  shown.clock.now += kSecond / 10;
  shown.progress->Add(1, 1, 1);
  EXPECT_NE(shown.text.find("1,001/10,000"), std::string::npos);
}

TEST(ConsoleProgress, LineNeverReachesTheLastColumn) {
  Shown shown(ProgressStyle::kLine, 30);
  shown.progress->Begin("a rather long stage name", 10'000, "tenants");
  const std::string line = shown.text.substr(std::string("\r\x1b[K").size());
  EXPECT_EQ(line.size(), 29u);
}

TEST(ConsoleProgress, NoteAppearsAboveTheLineAndIsHarmless) {
  Shown shown(ProgressStyle::kLine);
  shown.progress->Begin("copy", 10, "tenants");
  shown.text.clear();
  shown.progress->Note("tenant \x1b[31mx failed");
  EXPECT_EQ(shown.text.find("\r\x1b[Ktenant ?[31mx failed\n"), 0u);
  EXPECT_NE(shown.text.find("copy     0/10 tenants"), std::string::npos);
}

TEST(ConsoleProgress, EndLeavesOneSummaryLine) {
  Shown shown(ProgressStyle::kLine);
  shown.progress->Begin("copy", 10, "tenants");
  shown.clock.now += 4 * kSecond;
  shown.progress->Add(10, 2'000, 1'000'000);
  shown.text.clear();
  shown.progress->End();
  EXPECT_EQ(shown.text, "\r\x1b[Kcopy     10/10 tenants, 2,000 rows, 1.0 MB in 4.0 s (500 rows/s, 0.2 MB/s)\n");
  shown.progress->End();
  EXPECT_EQ(shown.text.find('\n'), shown.text.size() - 1);
}

TEST(ConsoleProgress, PlainIsALineEveryTenSecondsAndAtTheEnd) {
  Shown shown(ProgressStyle::kPlain);
  shown.progress->Begin("verify", 100, "tenants");
  for (int second = 0; second < 25; ++second) {
    shown.clock.now += kSecond;
    shown.progress->Add(1, 0, 0);
  }
  EXPECT_EQ(shown.text, "verify   10/100 tenants  10%  ETA 1:30\nverify   20/100 tenants  20%  ETA 1:20\n");
  shown.text.clear();
  shown.progress->Begin("next", 1, "files");
  EXPECT_EQ(shown.text, "verify   25/100 tenants in 25.0 s\n");
  EXPECT_EQ(shown.text.find('\x1b'), std::string::npos);
}

TEST(ConsoleProgress, TickShowsThatAStandstillIsOne) {
  Shown shown(ProgressStyle::kPlain);
  shown.progress->Begin("copy", 100, "tenants");
  shown.clock.now += 10 * kSecond;
  shown.progress->Tick();
  EXPECT_EQ(shown.text, "copy     0/100 tenants  0%  ETA -:--\n");
}

TEST(ConsoleProgress, JsonLinesHaveTheDocumentedShape) {
  Shown shown(ProgressStyle::kJson);
  shown.progress->Begin("copy", 100, "tenants");
  shown.clock.now += kSecond + kSecond / 2;
  shown.progress->Add(10, 1'234, 56'789);
  shown.progress->Note("tenant \"x\" failed");
  shown.progress->End();
  EXPECT_EQ(shown.text,
            "{\"type\":\"progress\",\"stage\":\"copy\",\"done\":10,\"total\":100,\"unit\":\"tenants\",\"rows\":1234,\"bytes\":56789,"
            "\"elapsed_ms\":1500,\"rows_per_s\":823,\"bytes_per_s\":37859,\"eta_ms\":13500}\n"
            "{\"type\":\"note\",\"text\":\"tenant \\\"x\\\" failed\"}\n"
            "{\"type\":\"stage_end\",\"stage\":\"copy\",\"done\":10,\"total\":100,\"unit\":\"tenants\",\"rows\":1234,\"bytes\":56789,"
            "\"elapsed_ms\":1500,\"rows_per_s\":823,\"bytes_per_s\":37859,\"eta_ms\":13500}\n");
}

TEST(ConsoleProgress, TickerStopsBeforeItsProgressGoes) {
  Shown shown(ProgressStyle::kPlain);
  for (int i = 0; i < 20; ++i) ProgressTicker ticker(*shown.progress);
  EXPECT_EQ(shown.text, "");
}

}  // namespace
}  // namespace reeve::obs
