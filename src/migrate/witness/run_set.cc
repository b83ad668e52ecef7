#include "migrate/witness/run_set.h"

#include <algorithm>

namespace reeve::migrate::witness {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint64_t kIdBytesMax = 1024 * 1024;
constexpr int kEndKnown = 1;
constexpr int kDurationKnown = 2;

bool IsDash(size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

}  // namespace

bool IsCanonicalUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (IsDash(i) ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

RunSetReader::RunSetReader(std::string_view bytes, Month month)
    : bytes_(bytes), month_begin_(FirstInstant(month)), month_end_(FirstInstant(month + 1)) {
  uint8_t version = 0;
  if (Byte(&version) && version != kVersion) damage_ = "unknown version";
}

bool RunSetReader::Damaged(std::string_view what) {
  if (damage_.empty()) damage_ = what;
  return false;
}

bool RunSetReader::Byte(uint8_t* value) {
  if (bytes_.empty()) return Damaged("ends early");
  *value = static_cast<uint8_t>(bytes_.front());
  bytes_.remove_prefix(1);
  return true;
}

bool RunSetReader::Varint(uint64_t* value) {
  *value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    uint8_t byte = 0;
    if (!Byte(&byte)) return false;
    if (shift == 63 && byte > 1) break;
    *value |= static_cast<uint64_t>(byte & 127) << shift;
    if (byte < 128) return byte != 0 || shift == 0 || Damaged("a number is not in its shortest form");
  }
  return Damaged("a number is too long");
}

bool RunSetReader::Signed(int64_t* value) {
  uint64_t zigzag = 0;
  if (!Varint(&zigzag)) return false;
  *value = static_cast<int64_t>(zigzag >> 1 ^ (~(zigzag & 1) + 1));
  return true;
}

bool RunSetReader::Id(uint8_t kind, std::string_view* id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  if (kind == 0) {
    uint64_t size = 0;
    if (!Varint(&size)) return false;
    if (size == 0) return Damaged("an id is empty");
    if (size > kIdBytesMax || size > bytes_.size()) return Damaged("an id reaches beyond the end");
    *id = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return !IsCanonicalUuid(*id) || Damaged("a UUID is stored as text");
  }
  if (kind != 1) return Damaged("unknown kind of id");
  if (bytes_.size() < 16) return Damaged("ends early");
  auto& text = uuids_[static_cast<size_t>(turn_ ^= 1)];
  size_t at = 0;
  for (size_t i = 0; i < 16; ++i) {
    const auto byte = static_cast<uint8_t>(bytes_[i]);
    if (IsDash(at)) text[at++] = '-';
    text[at++] = kDigits[byte >> 4];
    text[at++] = kDigits[byte & 15];
  }
  bytes_.remove_prefix(16);
  *id = {text.data(), text.size()};
  return true;
}

bool RunSetReader::Facts(RunFacts* facts) {
  uint8_t flags = 0;
  int64_t offset = 0;
  if (!Signed(&offset) || !Byte(&flags)) return false;
  if (flags > (kEndKnown | kDurationKnown)) return Damaged("unknown flags");
  if (__builtin_add_overflow(month_begin_, offset, &facts->start) || facts->start < month_begin_ ||
      facts->start >= month_end_) {
    return Damaged("a run started outside its month");
  }
  if ((flags & kEndKnown) != 0) {
    int64_t length = 0;
    Micros end = 0;
    if (!Signed(&length)) return false;
    if (__builtin_add_overflow(facts->start, length, &end)) return Damaged("an end is out of range");
    facts->end = end;
  }
  if ((flags & kDurationKnown) != 0) {
    uint64_t duration = 0;
    if (!Varint(&duration)) return false;
    if (duration > static_cast<uint64_t>(INT64_MAX)) return Damaged("a duration is out of range");
    facts->duration = static_cast<int64_t>(duration);
  }
  return true;
}

bool RunSetReader::Next(std::string_view* id, RunFacts* facts) {
  if (!damage_.empty() || bytes_.empty()) return false;
  uint8_t kind = 0;
  uint8_t status = 0;
  if (!Byte(&kind) || !Byte(&status)) return false;
  if (status < 1 || status > 3) return Damaged("unknown status");
  *facts = {};
  facts->status = static_cast<RunStatus>(status);
  if (!Id(kind, id) || !Facts(facts)) return false;
  const bool later = kind != previous_kind_ ? kind > previous_kind_ : *id > previous_;
  if (previous_.data() != nullptr && !later) return Damaged("the ids are not in order");
  previous_ = *id;
  previous_kind_ = kind;
  return true;
}

}  // namespace reeve::migrate::witness
