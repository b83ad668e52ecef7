#include "cli/json.h"

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::cli {

std::string ToUtf8(std::string_view text) {
  if (IsUtf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    size_t bytes = 4;
    while (bytes > 0 && (bytes > text.size() || !IsUtf8(text.substr(0, bytes)))) --bytes;
    out.append(bytes == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, bytes));
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return out;
}

Json& Json::Set(std::string_view name, Json value) {
  auto* members = std::get_if<Members>(&value_);
  REEVE_ASSERT(members != nullptr);
  members->emplace_back(name, std::move(value));
  return *this;
}

Json& Json::Add(Json value) {
  auto* items = std::get_if<Items>(&value_);
  REEVE_ASSERT(items != nullptr);
  items->push_back(std::move(value));
  return *this;
}

Json Json::Raw(std::string json) { return Json(Verbatim{std::move(json)}); }

std::string Json::Text() const {
  std::string out;
  Append(&out);
  return out;
}

void Json::Append(std::string* out) const {
  if (std::holds_alternative<std::nullptr_t>(value_)) {
    *out += "null";
  } else if (const auto* flag = std::get_if<bool>(&value_)) {
    *out += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<int64_t>(&value_)) {
    *out += std::to_string(*number);
  } else if (const auto* count = std::get_if<uint64_t>(&value_)) {
    *out += std::to_string(*count);
  } else if (const auto* text = std::get_if<std::string>(&value_)) {
    AppendJsonString(ToUtf8(*text), out);
  } else if (const auto* raw = std::get_if<Verbatim>(&value_)) {
    *out += raw->json.empty() ? "null" : raw->json;
  } else if (const auto* members = std::get_if<Members>(&value_)) {
    *out += '{';
    for (size_t i = 0; i < members->size(); ++i) {
      if (i > 0) *out += ',';
      AppendJsonString(ToUtf8((*members)[i].first), out);
      *out += ':';
      (*members)[i].second.Append(out);
    }
    *out += '}';
  } else if (const auto* items = std::get_if<Items>(&value_)) {
    *out += '[';
    for (size_t i = 0; i < items->size(); ++i) {
      if (i > 0) *out += ',';
      (*items)[i].Append(out);
    }
    *out += ']';
  }
}

}  // namespace reeve::cli
