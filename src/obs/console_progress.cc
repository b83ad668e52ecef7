#include "obs/console_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/encoding.h"
#include "obs/figures.h"
#include "obs/rate.h"

namespace reeve::obs {
namespace {

constexpr Micros kRedraw = kSecond / 10;
constexpr Micros kPlainEvery = 10 * kSecond;
constexpr std::string_view kClearLine = "\r\x1b[K";

uint64_t Whole(double rate) { return static_cast<uint64_t>(rate + 0.5); }

class ConsoleProgress final : public TickingProgress {
 public:
  ConsoleProgress(ProgressStyle style, int width, Clock& clock, std::function<void(std::string_view)> write)
      : style_(style), width_(static_cast<size_t>(std::max(width, 20))), clock_(clock), write_(std::move(write)) {}
  ~ConsoleProgress() override {
    std::lock_guard lock(mu_);
    if (drawn_) write_(kClearLine);
  }

  void Begin(std::string_view stage, uint64_t total, std::string_view unit) override {
    std::lock_guard lock(mu_);
    Finish();
    const Micros now = clock_.Steady();
    stage_ = stage;
    unit_ = unit;
    total_ = total;
    done_ = {};
    meter_.Start(now, total);
    open_ = true;
    shown_at_ = now;
    if (style_ == ProgressStyle::kLine) Draw(now);
  }

  void Add(uint64_t units, uint64_t rows, uint64_t bytes) override {
    std::lock_guard lock(mu_);
    done_.units += units;
    done_.rows += rows;
    done_.bytes += bytes;
    ShowIfDue();
  }

  void Note(std::string_view line) override {
    std::lock_guard lock(mu_);
    if (style_ == ProgressStyle::kJson) {
      std::string json = "{\"type\":\"note\",\"text\":";
      AppendJsonString(IsUtf8(line) ? line : "(a line that is no UTF-8)", &json);
      return write_(json + "}\n");
    }
    std::string safe(line);
    for (char& c : safe)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    write_((drawn_ ? std::string(kClearLine) : std::string()) + safe + "\n");
    drawn_ = false;
    if (open_ && style_ == ProgressStyle::kLine) Draw(clock_.Steady());
  }

  void End() override {
    std::lock_guard lock(mu_);
    Finish();
  }

  void Tick() override {
    std::lock_guard lock(mu_);
    ShowIfDue();
  }

 private:
  void ShowIfDue() {
    if (!open_) return;
    const Micros now = clock_.Steady();
    const Micros every = style_ == ProgressStyle::kLine ? kRedraw : style_ == ProgressStyle::kPlain ? kPlainEvery : kSecond;
    if (now - shown_at_ < every) return;
    meter_.Note(now, done_);
    shown_at_ = now;
    if (style_ == ProgressStyle::kLine) return Draw(now);
    write_((style_ == ProgressStyle::kPlain ? Going(now) : Json(now, "progress")) + "\n");
  }

  void Draw(Micros now) {
    std::string line = Going(now);
    if (line.size() >= width_) line.resize(width_ - 1);  // ASCII only; the last column would wrap
    write_(std::string(kClearLine) + line);
    drawn_ = true;
  }

  void Finish() {
    if (!open_) return;
    open_ = false;
    const Micros now = clock_.Steady();
    if (style_ == ProgressStyle::kJson) return write_(Json(now, "stage_end") + "\n");
    write_((drawn_ ? std::string(kClearLine) : std::string()) + Summary(now) + "\n");
    drawn_ = false;
  }

  [[nodiscard]] std::string Counts() const {
    return total_ == 0 ? fmt::format("{:<8} {} {}", stage_, Grouped(done_.units), unit_)
                       : fmt::format("{:<8} {}/{} {}", stage_, Grouped(done_.units), Grouped(total_), unit_);
  }

  [[nodiscard]] std::string Going(Micros now) const {
    std::string line = Counts();
    if (total_ > 0) line += fmt::format("  {}%", std::min<uint64_t>(100, done_.units * 100 / total_));
    const RateMeter::Speed speed = meter_.At(now, done_);
    if (done_.rows > 0) line += fmt::format("  {} rows/s", Grouped(Whole(speed.rows)));
    if (done_.bytes > 0) line += fmt::format("  {:.1f} MB/s", speed.bytes / 1e6);
    const auto eta = meter_.Eta(now, done_);
    if (total_ > 0) line += eta ? fmt::format("  ETA {}", ClockTime(*eta)) : std::string("  ETA -:--");
    return line;
  }

  [[nodiscard]] std::string Summary(Micros now) const {
    const double seconds = static_cast<double>(meter_.Elapsed(now)) / kSecond;
    std::string line = Counts();
    if (done_.rows > 0) line += fmt::format(", {} rows", Grouped(done_.rows));
    if (done_.bytes > 0) line += fmt::format(", {:.1f} MB", static_cast<double>(done_.bytes) / 1e6);
    line += fmt::format(" in {:.1f} s", seconds);
    if (seconds <= 0 || done_.rows == 0) return line;
    line += fmt::format(" ({} rows/s", Grouped(Whole(static_cast<double>(done_.rows) / seconds)));
    if (done_.bytes > 0) line += fmt::format(", {:.1f} MB/s", static_cast<double>(done_.bytes) / 1e6 / seconds);
    return line + ")";
  }

  [[nodiscard]] std::string Json(Micros now, std::string_view type) const {
    std::string json = fmt::format("{{\"type\":\"{}\",\"stage\":", type);
    AppendJsonString(stage_, &json);
    json += fmt::format(",\"done\":{},\"total\":{},\"unit\":", done_.units, total_);
    AppendJsonString(unit_, &json);
    const RateMeter::Speed speed = meter_.At(now, done_);
    const auto eta = meter_.Eta(now, done_);
    return json + fmt::format(",\"rows\":{},\"bytes\":{},\"elapsed_ms\":{},\"rows_per_s\":{},\"bytes_per_s\":{},\"eta_ms\":{}}}",
                              done_.rows, done_.bytes, meter_.Elapsed(now) / 1000, Whole(speed.rows), Whole(speed.bytes),
                              eta ? std::to_string(*eta / 1000) : std::string("null"));
  }

  // Constant.
  const ProgressStyle style_;
  const size_t width_;
  Clock& clock_;
  const std::function<void(std::string_view)> write_;
  // Guarded by mu_.
  std::mutex mu_;
  std::string stage_, unit_;
  uint64_t total_ = 0;
  Work done_;
  RateMeter meter_;
  Micros shown_at_ = 0;
  bool open_ = false;   // a stage has begun and not ended
  bool drawn_ = false;  // the terminal's present line is ours
};

}  // namespace

std::unique_ptr<TickingProgress> MakeConsoleProgress(ProgressStyle style, int width, Clock& clock,
                                                     std::function<void(std::string_view)> write) {
  return std::make_unique<ConsoleProgress>(style, width, clock, std::move(write));
}

struct ProgressTicker::Impl {
  std::mutex mu;
  std::condition_variable wake;
  bool stop = false;
  std::thread thread;
};

ProgressTicker::ProgressTicker(TickingProgress& progress) : impl_(std::make_unique<Impl>()) {
  impl_->thread = std::thread([&progress, impl = impl_.get()] {
    std::unique_lock lock(impl->mu);
    while (!impl->wake.wait_for(lock, std::chrono::milliseconds(250), [impl] { return impl->stop; })) {
      lock.unlock();
      progress.Tick();
      lock.lock();
    }
  });
}

ProgressTicker::~ProgressTicker() {
  {
    std::lock_guard lock(impl_->mu);
    impl_->stop = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
}

}  // namespace reeve::obs
