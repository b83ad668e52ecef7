#include "store/bigquery/dataset_lock.h"

#include <algorithm>

#include "base/encoding.h"

namespace reeve::store {
namespace {

constexpr std::string_view kFirstLine = "reeve lock 1";
constexpr int kTriesMax = 5;
constexpr size_t kHolderMax = 500;

// Takes "name: value\n" off the front of `text`.
std::optional<std::string> TakeFact(std::string_view name, std::string_view* text) {
  const std::string start = std::string(name) + ":";
  if (!text->starts_with(start)) return std::nullopt;
  const size_t end = std::min(text->find('\n'), text->size());
  std::string_view value = text->substr(start.size(), end - start.size());
  if (value.starts_with(' ')) value.remove_prefix(1);
  text->remove_prefix(std::min(end + 1, text->size()));
  return std::string(value);
}

Unexpected LockedBy(const DatasetName& dataset, const std::string& holder, const std::string& until) {
  return FailWithHint(Code::kLocked, fmt::format("{} is held by another run: {}{}", dataset.Url(), holder, until.empty() ? "" : ", until " + until),
                      "wait for it to end; if it is dead, its lock ends at that time");
}

Unexpected Lost(const DatasetName& dataset) {
  return FailWithHint(Code::kLocked, fmt::format("{}: another run has taken over the lock", dataset.Url()),
                      "run the same command again when it has ended; nothing acknowledged is lost");
}

}  // namespace

std::string FormatLockNote(const LockNote& note) {
  std::string holder = note.holder.substr(0, kHolderMax);
  std::replace(holder.begin(), holder.end(), '\n', ' ');
  return fmt::format("{}\ntoken: {}\nholder: {}\nseat: {}\nuntil: {}\njob: {}\nscript: {}\n", kFirstLine, note.token, holder, note.seat, FormatRfc3339(note.until), note.job,
                     note.script);
}

std::optional<LockNote> ParseLockNote(std::string_view description) {
  if (!description.starts_with(kFirstLine)) return std::nullopt;
  description.remove_prefix(std::min(description.find('\n'), description.size() - 1) + 1);
  const auto token = TakeFact("token", &description);
  const auto holder = TakeFact("holder", &description);
  const auto seat = TakeFact("seat", &description);
  const auto until = TakeFact("until", &description);
  const auto job = TakeFact("job", &description);
  const auto script = TakeFact("script", &description);
  const auto time = until ? ParseTime(*until) : std::nullopt;
  if (!token || !holder || !seat || !time || !job || !script) return std::nullopt;
  return LockNote{*token, *holder, *seat, *time, *job, *script};
}

Result<std::unique_ptr<DatasetLock>> DatasetLock::Take(bigquery::Client& client, Clock& clock, Entropy& entropy, const DatasetName& dataset,
                                                       const std::string& holder, const std::string& seat) {
  std::unique_ptr<DatasetLock> lock(new DatasetLock(client, clock, dataset));
  lock->note_ = {HexEncode(entropy.Bytes(16)), holder, seat, 0, {}, {}};
  REEVE_TRY(lock->Acquire());
  return lock;
}

DatasetLock::~DatasetLock() {
  if (!held_) return;
  const bool surely = clock_.Now() - renewed_ < kLease / 2;
  if (surely || IsOurs().value_or(false)) (void)client_.DeleteTable(dataset_.Table(kLockTable));
}

bigquery::TableSpec DatasetLock::Spec() {
  note_.until = clock_.Now() + kLease;
  bigquery::TableSpec spec;
  spec.id = dataset_.Table(kLockTable);
  spec.schema = {{.name = "nothing"}};
  spec.description = FormatLockNote(note_);
  spec.expires_at = note_.until;
  return spec;
}

Result<> DatasetLock::Acquire() {
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const auto made = client_.InsertTable(Spec());
    // An insert that got no answer may find the table of another.
    const auto note = made ? ParseLockNote(made->description) : std::nullopt;
    if (made && (!note || note->token == note_.token)) {
      etag_ = made->etag;
      renewed_ = clock_.Now();
      held_ = true;
      return {};
    }
    if (!made && made.error().code != Code::kRefused) return Unexpected(made.error());
    REEVE_ASSIGN(const auto found, client_.FindTable(dataset_.Table(kLockTable)));
    if (!found) continue;
    REEVE_ASSIGN(const bool taken, TakeOver(*found));
    if (taken) return {};
  }
  return LockedBy(dataset_, "several runs are trying", "");
}

Result<bool> DatasetLock::TakeOver(const bigquery::TableInfo& found) {
  const auto other = ParseLockNote(found.description);
  if (!other) return LockedBy(dataset_, fmt::format("the table {} is not one that this reeve made", kLockTable), "");
  const bool dead = !note_.seat.empty() && other->seat == note_.seat;
  const bool over = other->until + kClockSkew < clock_.Now();
  if (!dead && !over) return LockedBy(dataset_, other->holder, FormatRfc3339(other->until));
  if (!other->job.empty()) left_ = *other;
  if (found.etag.empty()) {
    REEVE_TRY(client_.DeleteTable(found.id));
    return false;
  }
  auto patched = client_.PatchTable(Spec(), found.etag);
  if (!patched && (patched.error().code == Code::kRefused || patched.error().code == Code::kNotFound)) return false;
  if (!patched) return Unexpected(std::move(patched).error());
  etag_ = patched->etag;
  renewed_ = clock_.Now();
  held_ = true;
  return true;
}

Result<bool> DatasetLock::IsOurs() {
  REEVE_ASSIGN(const auto found, client_.FindTable(dataset_.Table(kLockTable)));
  if (!found) return false;
  const auto note = ParseLockNote(found->description);
  if (!note || note->token != note_.token) return false;
  etag_ = found->etag;
  return true;
}

// An engine without etags is asked who the holder is; one with them may have changed the etag for reasons of its own.
Result<> DatasetLock::Patch() {
  for (const bool look : {etag_.empty(), true}) {
    if (look) {
      REEVE_ASSIGN(held_, IsOurs());
      if (!held_) return Lost(dataset_);
    }
    auto patched = client_.PatchTable(Spec(), etag_);
    if (patched) {
      etag_ = patched->etag;
      renewed_ = clock_.Now();
      return {};
    }
    if (patched.error().code != Code::kRefused && patched.error().code != Code::kNotFound) return Unexpected(std::move(patched).error());
  }
  held_ = false;
  return Lost(dataset_);
}

Result<DatasetLock::Held> DatasetLock::Renew() {
  if (held_ && clock_.Now() - renewed_ < kRenewAfter) return Held::kStill;
  if (held_) {
    auto patched = Patch();
    if (patched) return Held::kStill;
    if (held_) return Unexpected(std::move(patched).error());
  }
  // It is over, or was taken. If it can be had again nobody is writing now.
  REEVE_TRY(Acquire());
  return Held::kAgain;
}

Result<> DatasetLock::Announce(const std::string& job, const std::string& script) {
  note_.job = job;
  note_.script = script;
  return Patch();
}

Result<> DatasetLock::Keep() { return held_ && clock_.Now() - renewed_ < kRenewAfter ? Result<>() : Patch(); }

Result<> DatasetLock::Check() {
  if (clock_.Now() - renewed_ < kLease / 2) return {};
  REEVE_ASSIGN(held_, IsOurs());
  if (held_) return {};
  return Lost(dataset_);
}

}  // namespace reeve::store
