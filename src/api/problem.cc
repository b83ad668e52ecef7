#include "api/problem.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/error_code.h"
#include "base/encoding.h"

namespace reeve::api {
namespace {

constexpr size_t kInstanceMax = 512;
constexpr size_t kErrorsMax = 32;

void AppendMember(std::string_view name, std::string_view value, std::string* out) {
  AppendJsonString(name, out);
  out->push_back(':');
  AppendJsonString(value, out);
}

bool IsVisibleAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

void AppendErrors(const std::vector<FieldError>& errors, std::string* out) {
  *out += ",\"errors\":[";
  for (size_t i = 0; i < errors.size() && i < kErrorsMax; ++i) {
    if (i > 0) out->push_back(',');
    *out += "{\"loc\":[";
    AppendJsonString(errors[i].place, out);
    if (!errors[i].field.empty()) {
      out->push_back(',');
      AppendJsonString(errors[i].field, out);
    }
    *out += "],";
    AppendMember("msg", errors[i].message, out);
    out->push_back(',');
    AppendMember("type", errors[i].type, out);
    out->push_back('}');
  }
  out->push_back(']');
}

}  // namespace

bool AcceptsProblem(std::string_view accept) {
  if (Trimmed(accept).empty()) return true;
  while (!accept.empty()) {
    const size_t comma = accept.find(',');
    const std::string_view item = accept.substr(0, comma);
    accept = comma == std::string_view::npos ? std::string_view() : accept.substr(comma + 1);
    const size_t semicolon = item.find(';');
    const std::string_view type = Trimmed(item.substr(0, semicolon));
    const std::string_view rest = semicolon == std::string_view::npos ? std::string_view() : Trimmed(item.substr(semicolon + 1));
    if (rest == "q=0" || rest == "q=0.0") continue;
    if (type == "*/*" || EqualsIgnoringCase(type, "application/*") || EqualsIgnoringCase(type, "application/problem+json")) return true;
  }
  return false;
}

void WriteProblem(const Problem& problem, const ProblemContext& context, Reply* reply) {
  const ErrorInfo& info = ErrorInfoOf(problem.code);
  reply->status = problem.status != 0 ? problem.status : info.status;
  reply->Add("Content-Type", AcceptsProblem(context.accept) ? "application/problem+json" : "application/json");
  std::string& out = reply->body;
  out.clear();
  out.push_back('{');
  AppendMember("type", fmt::format("{}/errors/{}", context.type_base, info.code), &out);
  out.push_back(',');
  AppendMember("title", info.title, &out);
  out += fmt::format(",\"status\":{},", reply->status);
  AppendMember("detail", problem.detail.empty() ? info.title : std::string_view(problem.detail), &out);
  if (!context.instance.empty() && context.instance.size() <= kInstanceMax && IsVisibleAscii(context.instance)) {
    out.push_back(',');
    AppendMember("instance", context.instance, &out);
  }
  out.push_back(',');
  AppendMember("error_code", info.code, &out);
  out.push_back(',');
  AppendMember("timestamp", FormatRfc3339(context.now), &out);
  out.push_back(',');
  AppendMember("request_id", context.request_id, &out);
  if (!problem.errors.empty()) AppendErrors(problem.errors, &out);
  out += "}\n";
}

}  // namespace reeve::api
