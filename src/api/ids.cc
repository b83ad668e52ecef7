#include "api/ids.h"

#include <algorithm>
#include <cstring>

#include "base/encoding.h"

namespace reeve::api {
namespace {

constexpr size_t kRandomBytes = 10;

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

bool IsSaneRequestId(std::string_view id) {
  if (id.empty() || id.size() > kRequestIdMax) return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

bool IsTraceParent(std::string_view text) {
  if (text.size() != 55 || text.substr(0, 3) != "00-" || text[35] != '-' || text[52] != '-') return false;
  const std::string_view trace = text.substr(3, 32), parent = text.substr(36, 16), flags = text.substr(53, 2);
  for (const std::string_view part : {trace, parent, flags})
    if (!std::all_of(part.begin(), part.end(), IsHex)) return false;
  const auto all_zero = [](std::string_view part) { return part.find_first_not_of('0') == std::string_view::npos; };
  return !all_zero(trace) && !all_zero(parent);
}

std::string_view IdMaker::Next(Micros now) {
  if (left_ < kRandomBytes) {
    entropy_.Fill(pool_.data(), pool_.size());
    left_ = pool_.size();
  }
  left_ -= kRandomBytes;
  const auto ms = static_cast<uint64_t>(now / 1000);
  std::array<unsigned char, 16> id;
  for (size_t i = 0; i < 6; ++i) id[i] = static_cast<unsigned char>(ms >> (8 * (5 - i)));
  std::memcpy(id.data() + 6, pool_.data() + left_, kRandomBytes);
  id[6] = static_cast<unsigned char>(0x70 | (id[6] & 0x0f));
  id[8] = static_cast<unsigned char>(0x80 | (id[8] & 0x3f));
  // Where the two digits of each byte stand: behind the fourth, sixth, eighth and tenth is a dash.
  static constexpr std::array<uint8_t, 16> kPlaces = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
  for (size_t i = 0; i < id.size(); ++i) std::memcpy(text_.data() + kPlaces[i], kHexPairs[id[i]].data(), 2);
  return {text_.data(), text_.size()};
}

}  // namespace reeve::api
