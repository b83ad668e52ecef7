#include "store/ledger_check.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "crypto/sha256.h"

namespace reeve::store {
namespace {

constexpr uint64_t kSlots = 1u << 16;

// A sum of hashes of nodes: words modulo 2^64 each.
struct Sum {
  std::array<uint64_t, 4> words{};
  Sum& operator+=(const Sum& other) {
    for (size_t i = 0; i < words.size(); ++i) words[i] += other.words[i];
    return *this;
  }
  Sum& operator-=(const Sum& other) {
    for (size_t i = 0; i < words.size(); ++i) words[i] -= other.words[i];
    return *this;
  }
  bool operator==(const Sum&) const = default;
};
Sum operator-(Sum a, const Sum& b) { return a -= b; }

// Numbers as they count here: that of the node after the last event is one more than an int64_t may hold.
uint64_t Number(int64_t seq) { return static_cast<uint64_t>(seq); }

class Nodes {
 public:
  explicit Nodes(uint64_t salt) { text_.append(reinterpret_cast<const char*>(&salt), sizeof salt); }
  Sum Of(uint64_t number, std::string_view digest) {
    text_.resize(sizeof(uint64_t));
    text_.append(reinterpret_cast<const char*>(&number), sizeof number).append(digest);
    const crypto::Digest hash = crypto::Sha256Digest(text_);
    Sum sum;
    std::memcpy(sum.words.data(), hash.data(), hash.size());
    return sum;
  }
  Sum Start() { return Of(1, {}); }
  Sum After(const LedgerEnd& end) { return Of(Number(end.seq) + 1, end.head); }

 private:
  std::string text_;  // begins with the salt
};

// What one pass over all events tells.
struct Tally {
  int64_t events = 0, unreadable = 0, chains = 0;
  std::string unreadable_id;
  LedgerEnd last;    // the largest number; the first of several
  Sum open;          // nodes that events lead to, less those that they lead away from
};

// Nodes of a range of numbers, `step` of them in each slot.
struct Window {
  uint64_t from = 1, step = 1;
  struct Slot {
    Sum open;
    uint64_t events = 0;
  };
  std::vector<Slot> slots;

  Window(uint64_t first, uint64_t last) : from(first), step((last - first) / kSlots + 1), slots((last - first) / step + 1) {}
  [[nodiscard]] Slot* At(uint64_t number) {
    const uint64_t slot = (number - from) / step;
    return number < from || slot >= slots.size() ? nullptr : &slots[slot];
  }
  [[nodiscard]] std::optional<uint64_t> FirstOpen() const {
    const auto found = std::find_if(slots.begin(), slots.end(), [](const Slot& slot) { return slot.open != Sum(); });
    return found == slots.end() ? std::nullopt : std::optional(static_cast<uint64_t>(found - slots.begin()));
  }
};

class Checker {
 public:
  Checker(const EventScan& scan, const LedgerEnd& mark, uint64_t salt) : scan_(scan), mark_(mark), nodes_(salt) {}

  Result<LedgerVerdict> Run() {
    REEVE_TRY(Count());
    verdict_.events = tally_.events, verdict_.last = tally_.last.seq, verdict_.mark = mark_.seq, verdict_.chains = tally_.chains;
    verdict_.unreadable = tally_.unreadable_id;
    const bool no_mark = mark_ == LedgerEnd();
    const LedgerEnd& end = no_mark ? tally_.last : mark_;
    if (tally_.unreadable > 0) return As(LedgerState::kUnreadable);
    if (IsOneChain(end)) return As(no_mark && tally_.events > 0 ? LedgerState::kNoMark : LedgerState::kWhole);
    if (tally_.chains > 1) return JudgeChains(end);
    if (IsOneChain(tally_.last)) return As(JudgeMark());
    return FindBreak();
  }

 private:
  LedgerVerdict As(LedgerState state) {
    verdict_.state = state;
    return std::move(verdict_);
  }
  [[nodiscard]] bool IsOneChain(const LedgerEnd& end) { return tally_.open - nodes_.After(end) == Sum() - nodes_.Start(); }

  // Calls `visit` with each event, its link and its digest.
  template <typename Visit>
  Result<> ForEach(const Visit& visit) {
    std::string line;
    return scan_([&](EventRow row) -> Result<> {
      const std::optional<LedgerLink> link = LinkOf(row);
      if (link) visit(row, *link, link->seq == 0 ? std::string() : LedgerDigest(row, &line));
      return {};
    });
  }

  Result<> Count() {
    static const auto kLogId = static_cast<size_t>(catalog::AuditLogs().Index("log_id"));
    return ForEach([&](EventRow row, const LedgerLink& link, std::string digest) {
      ++tally_.events;
      if (link.seq == 0) {
        if (tally_.unreadable++ == 0) tally_.unreadable_id = row[kLogId].text;
        return;
      }
      if (link.seq == 1) ++tally_.chains;
      tally_.open += nodes_.Of(Number(link.seq) + 1, digest);
      tally_.open -= nodes_.Of(Number(link.seq), link.prev);
      if (link.seq > tally_.last.seq) tally_.last = {link.seq, std::move(digest)};
    });
  }

  // If there are two whole chains, one ends at the mark, and how many events are left tells where the other one ends.
  Result<LedgerVerdict> JudgeChains(const LedgerEnd& end) {
    if (tally_.chains != 2 || end.seq < 1 || end.seq >= tally_.events) return As(LedgerState::kManyChains);
    const int64_t other = tally_.events - end.seq;
    const Sum left = tally_.open - nodes_.After(end) - (Sum() - nodes_.Start() - nodes_.Start());
    bool whole = false;
    REEVE_TRY(ForEach([&](EventRow, const LedgerLink& link, const std::string& digest) {
      if (link.seq == other && nodes_.After({other, digest}) == left) whole = true;
    }));
    verdict_.at = other;
    return As(whole ? LedgerState::kTwoChains : LedgerState::kManyChains);
  }

  // The events are one chain.
  [[nodiscard]] LedgerState JudgeMark() const {
    if (mark_.seq < tally_.last.seq) return LedgerState::kMarkBehind;
    return mark_.seq > tally_.last.seq ? LedgerState::kMarkAhead : LedgerState::kMarkElsewhere;
  }

  Result<> Fill(Window* window) {
    const auto add = [window](uint64_t number, const Sum& reached, const Sum& left) {
      if (Window::Slot* slot = window->At(number)) slot->open += reached, slot->open -= left;
    };
    add(1, nodes_.Start(), {});
    add(Number(tally_.last.seq) + 1, {}, nodes_.After(tally_.last));
    return ForEach([&](EventRow, const LedgerLink& link, const std::string& digest) {
      const uint64_t number = Number(link.seq);
      if (Window::Slot* slot = window->At(number)) {
        ++slot->events;
        slot->open -= nodes_.Of(number, link.prev);
      }
      if (Window::Slot* slot = window->At(number + 1)) slot->open += nodes_.Of(number + 1, digest);
    });
  }

  // The last event is taken for the end: whether the mark is right matters only to a whole chain.
  Result<LedgerVerdict> FindBreak() {
    const uint64_t end = Number(tally_.last.seq) + 1;
    uint64_t from = 1, to = end;
    while (true) {
      Window window(from, to);
      REEVE_TRY(Fill(&window));
      const std::optional<uint64_t> open = window.FirstOpen();
      if (!open) return Fail(Code::kFailed, "the audit events changed while they were looked at");
      if (window.step == 1) return NameBreak(&window, window.from + *open);
      from = window.from + *open * window.step;
      to = std::min(end, from + window.step);  // one more than the slot: the number after the first one tells what is wrong with it
    }
  }

  // Up to the number before `number` there is one event of each, and each follows the one before it.
  LedgerVerdict NameBreak(Window* window, uint64_t number) {
    const uint64_t events = window->At(number)->events;
    verdict_.at = static_cast<int64_t>(number);
    if (events > 1) return As(LedgerState::kDoubled);
    if (events == 0) {
      uint64_t next = number + 1;
      while (window->At(next) != nullptr && window->At(next)->events == 0) ++next;
      verdict_.until = window->At(next) == nullptr ? verdict_.at : static_cast<int64_t>(next - 1);
      return As(LedgerState::kMissing);
    }
    // What an event says of the one before it is part of its own digest: if what follows still fits it, it is the one before it that was changed.
    const bool last = verdict_.at == tally_.last.seq;
    const bool fits = last ? mark_ == tally_.last || mark_ == LedgerEnd() : window->At(number + 1)->open == Sum();
    if (fits && number > 1) --verdict_.at;
    return As(LedgerState::kChanged);
  }

  const EventScan& scan_;
  const LedgerEnd& mark_;
  Nodes nodes_;
  Tally tally_;
  LedgerVerdict verdict_;
};

}  // namespace

Result<LedgerVerdict> CheckLedger(const EventScan& scan, const LedgerEnd& mark, uint64_t salt) { return Checker(scan, mark, salt).Run(); }

std::string Describe(const LedgerVerdict& verdict) {
  switch (verdict.state) {
    case LedgerState::kWhole:
      return fmt::format("the ledger's events 1 to {} are one chain", verdict.last);
    case LedgerState::kNoMark:
      return fmt::format("the ledger's events 1 to {} are one chain, and no mark says whether more followed", verdict.last);
    case LedgerState::kTwoChains:
      return fmt::format("the ledger's events are two chains, both whole: one of {}, one of {}", verdict.events - verdict.at, verdict.at);
    case LedgerState::kUnreadable:
      return fmt::format("event {} of the ledger cannot be read: its metadata does not say which number it has and what was before it", verdict.unreadable);
    case LedgerState::kManyChains:
      return fmt::format("{} of the ledger's {} events say that they are the first one, and they are not two whole chains", verdict.chains, verdict.events);
    case LedgerState::kMissing:
      if (verdict.until > verdict.at) return fmt::format("events {} to {} of the ledger are missing", verdict.at, verdict.until);
      return fmt::format("event {} of the ledger is missing", verdict.at);
    case LedgerState::kDoubled:
      return fmt::format("event {} of the ledger is there more than once", verdict.at);
    case LedgerState::kChanged:
      return fmt::format("event {} of the ledger is not as it was written", verdict.at);
    case LedgerState::kMarkBehind:
      return fmt::format("the ledger's events 1 to {} are one chain, and its mark says that {} was the last one", verdict.last, verdict.mark);
    case LedgerState::kMarkAhead:
      return fmt::format("events {} to {} of the ledger, which its mark counts, are missing", verdict.last + 1, verdict.mark);
    case LedgerState::kMarkElsewhere:
      return fmt::format("event {} of the ledger is not the one that its mark names", verdict.last);
  }
  return {};
}

}  // namespace reeve::store
