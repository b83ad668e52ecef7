#include "api/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace reeve::api {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

struct StatusRow {
  int status;
  std::string_view line;
};
constexpr StatusRow kStatuses[] = {
    {200, "200 OK"}, {201, "201 Created"}, {204, "204 No Content"}, {304, "304 Not Modified"},
    {400, "400 Bad Request"}, {401, "401 Unauthorized"}, {403, "403 Forbidden"}, {404, "404 Not Found"},
    {405, "405 Method Not Allowed"}, {408, "408 Request Timeout"}, {409, "409 Conflict"}, {413, "413 Content Too Large"},
    {415, "415 Unsupported Media Type"}, {417, "417 Expectation Failed"}, {422, "422 Unprocessable Content"},
    {429, "429 Too Many Requests"}, {431, "431 Request Header Fields Too Large"}, {500, "500 Internal Server Error"},
    {503, "503 Service Unavailable"}, {505, "505 HTTP Version Not Supported"},
};

}  // namespace

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kGet: return "GET";
    case Method::kHead: return "HEAD";
    case Method::kPost: return "POST";
    case Method::kPut: return "PUT";
    case Method::kPatch: return "PATCH";
    case Method::kDelete: return "DELETE";
    case Method::kOptions: return "OPTIONS";
    case Method::kOther: return "";
  }
  return "";
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view Request::Find(std::string_view name) const {
  for (const Field& field : fields)
    if (EqualsIgnoringCase(field.name, name)) return field.value;
  return {};
}

void Reply::Add(std::string_view name, int64_t value) {
  const fmt::format_int text(value);
  Add(name, std::string_view(text.data(), text.size()));
}

std::string FieldText(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c > 0x20 && c < 0x7f && c != '%')
      out.push_back(c);
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string_view StatusLine(int status) {
  for (const StatusRow& row : kStatuses)
    if (row.status == status) return row.line;
  REEVE_ASSERT(false);
  return {};
}

std::string HttpDate(Micros instant) {
  static constexpr std::array<std::string_view, 7> kDays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};  // the first of 1970 was a Thursday
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Days days = DateOf(instant);
  const CivilDate date = CivilFromDays(days);
  const Micros seconds = (instant - StartOf(days)) / kSecond;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[static_cast<size_t>((days % 7 + 7) % 7)], date.day,
                     kMonths[static_cast<size_t>(date.month - 1)], date.year, seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace reeve::api
