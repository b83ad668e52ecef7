#include "sample/fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace reeve::sample {
namespace {

void AppendDigits(int value, int digits, std::string* out) {
  char text[8];
  for (int i = digits; i-- > 0; value /= 10) text[i] = static_cast<char>('0' + value % 10);
  out->append(text, static_cast<size_t>(digits));
}

std::string_view ZoneOf(TimeStyle style) {
  switch (style) {
    case TimeStyle::kBigQuery:
    case TimeStyle::kTrimmed: return " UTC";
    case TimeStyle::kIsoNaive: return "";
    case TimeStyle::kIsoZ: return "Z";
    case TimeStyle::kOffset: return "+02:00";
    case TimeStyle::kShortZone: return "+00";
  }
  return "";
}

// The code point at `*at`, moving past it. REQUIRES: valid UTF-8
uint32_t TakePoint(std::string_view text, size_t* at) {
  const auto lead = static_cast<uint8_t>(text[(*at)++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  uint32_t point = lead & (0x3FU >> more);
  for (int i = 0; i < more; ++i) point = point << 6 | (static_cast<uint8_t>(text[(*at)++]) & 0x3FU);
  return point;
}

void AppendAscii(std::string_view text, std::string* out) {
  out->push_back('"');
  for (size_t at = 0; at < text.size();) {
    const uint32_t point = TakePoint(text, &at);
    if (point >= 0x10000) {
      *out += fmt::format("\\u{:04x}\\u{:04X}", 0xD800 + ((point - 0x10000) >> 10), 0xDC00 + ((point - 0x10000) & 0x3FF));
    } else if (point < 0x20 || point >= 0x7F || std::string_view("\"\\<>&").find(static_cast<char>(point)) != std::string_view::npos) {
      *out += fmt::format("\\u{:04x}", point);
    } else if (point == '/') {
      *out += "\\/";
    } else {
      out->push_back(static_cast<char>(point));
    }
  }
  out->push_back('"');
}

}  // namespace

void AppendTime(Micros instant, TimeStyle style, std::string* out) {
  if (style == TimeStyle::kOffset && instant > kTimeMax - kDay) style = TimeStyle::kIsoZ;  // no year 10000
  if (style == TimeStyle::kOffset) instant += 2 * kHour;
  const Days day = DateOf(instant);
  const CivilDate date = CivilFromDays(day);
  const Micros rest = instant - StartOf(day);
  const auto seconds = static_cast<int>(rest / kSecond);
  const auto micros = static_cast<int>(rest % kSecond);
  const bool iso = style == TimeStyle::kIsoNaive || style == TimeStyle::kIsoZ || style == TimeStyle::kOffset;
  AppendDigits(date.year, 4, out);
  out->push_back('-');
  AppendDigits(date.month, 2, out);
  out->push_back('-');
  AppendDigits(date.day, 2, out);
  out->push_back(iso ? 'T' : ' ');
  AppendDigits(seconds / 3600, 2, out);
  out->push_back(':');
  AppendDigits(seconds / 60 % 60, 2, out);
  out->push_back(':');
  AppendDigits(seconds % 60, 2, out);
  if (micros != 0) {
    out->push_back('.');
    AppendDigits(micros, 6, out);
    while (style == TimeStyle::kTrimmed && out->back() == '0') out->pop_back();
  }
  *out += ZoneOf(style);
}

void Fields::Clear(const TextStyle& style) {
  style_ = style;
  entries_.clear();
  buffer_.clear();
}

void Fields::AppendString(std::string_view value) {
  if (style_.ascii)
    AppendAscii(value, &buffer_);
  else
    AppendJsonString(value, &buffer_);
}

void Fields::Text(std::string_view column, std::string_view value, FieldType type, Role role) {
  const auto begin = static_cast<uint32_t>(buffer_.size());
  AppendString(value);
  entries_.push_back({column, begin, static_cast<uint32_t>(buffer_.size()), type, role});
}

void Fields::Time(std::string_view column, Micros value, FieldType type, Role role) {
  const auto begin = static_cast<uint32_t>(buffer_.size());
  buffer_.push_back('"');
  AppendTime(value, style_.time, &buffer_);
  buffer_.push_back('"');
  entries_.push_back({column, begin, static_cast<uint32_t>(buffer_.size()), type, role});
}

void Fields::Raw(std::string_view column, std::string_view json, FieldType type, Role role) {
  const auto begin = static_cast<uint32_t>(buffer_.size());
  buffer_ += json;
  entries_.push_back({column, begin, static_cast<uint32_t>(buffer_.size()), type, role});
}

void Fields::Strings(std::string_view column, const std::vector<std::string>& values, FieldType type) {
  const auto begin = static_cast<uint32_t>(buffer_.size());
  buffer_.push_back('[');
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) buffer_.push_back(',');
    AppendString(values[i]);
  }
  buffer_.push_back(']');
  entries_.push_back({column, begin, static_cast<uint32_t>(buffer_.size()), type, Role::kNone});
}

int Fields::Find(Role role) const {
  for (size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].role == role) return static_cast<int>(i);
  return -1;
}

std::string_view Fields::Json(size_t index) const {
  const Entry& entry = entries_[index];
  return std::string_view(buffer_).substr(entry.begin, entry.end - entry.begin);
}

void Fields::Replace(size_t index, std::string_view json) {
  entries_[index].begin = static_cast<uint32_t>(buffer_.size());
  buffer_ += json;
  entries_[index].end = static_cast<uint32_t>(buffer_.size());
}

void Fields::Drop(size_t index) { entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(index)); }

void Fields::Rotate(size_t times) {
  if (entries_.empty()) return;
  std::rotate(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(times % entries_.size()),
              entries_.end());
}

void Fields::Join(std::string* out) const {
  out->push_back('{');
  for (const Entry& entry : entries_) {
    if (&entry != entries_.data()) *out += style_.spaced ? " , " : ",";
    out->push_back('"');
    *out += entry.column;
    *out += style_.spaced ? "\" : " : "\":";
    out->append(buffer_, entry.begin, entry.end - entry.begin);
  }
  out->push_back('}');
}

}  // namespace reeve::sample
