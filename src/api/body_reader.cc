#include "api/body_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <set>

#include "base/error.h"

namespace reeve::api {

// Takes Boost.JSON's events. Only the outermost object has meaning; what is nested is counted and found wrong.
class BodyHandler {
 public:
  constexpr static std::size_t max_object_size = kKeysMax;
  constexpr static std::size_t max_array_size = kKeysMax * 16;
  constexpr static std::size_t max_key_size = 256;
  constexpr static std::size_t max_string_size = 64 * 1024;

  using Failure = boost::json::error_code;
  using Piece = boost::json::string_view;

  BodyHandler(const BodySpec& spec, Body* body, std::vector<FieldError>* errors) : spec_(spec), body_(body), errors_(errors) {
    REEVE_ASSERT(spec.fields.size() <= kFieldsMax);
    body_->values_.reserve(spec.fields.size());
  }

  void Finish() {
    if (!is_object_) return Wrong("", "a JSON object is expected", "type_error");
    for (const FieldSpec& field : spec_.fields)
      if (field.required && (seen_ & BitOf(field)) == 0) Wrong(field.name, "is missing", "missing");
  }

  bool on_document_begin(Failure&) { return true; }
  bool on_document_end(Failure&) { return true; }
  bool on_object_begin(Failure& ec) { return Open(true, ec); }
  bool on_object_end(std::size_t, Failure&) { return Close(); }
  bool on_array_begin(Failure& ec) { return Open(false, ec); }
  bool on_array_end(std::size_t, Failure&) { return Close(); }
  bool on_key_part(Piece piece, std::size_t, Failure&) { return text_.append(piece.data(), piece.size()), true; }
  bool on_key(Piece piece, std::size_t, Failure& ec) {
    text_.append(piece.data(), piece.size());
    if (++keys_ > kKeysMax) return Stop("too many names", ec);
    if (depth_ == 1) BeginField();
    text_.clear();
    return true;
  }
  bool on_string_part(Piece piece, std::size_t, Failure&) { return text_.append(piece.data(), piece.size()), true; }
  bool on_string(Piece piece, std::size_t, Failure&) {
    text_.append(piece.data(), piece.size());
    if (depth_ == 1 && field_ != nullptr) TakeText();
    text_.clear();
    return true;
  }
  bool on_number_part(Piece, Failure&) { return true; }
  bool on_int64(int64_t value, Piece, Failure&) { return TakeWhole(value), true; }
  bool on_uint64(uint64_t, Piece, Failure&) { return Mistyped(), true; }
  bool on_double(double, Piece, Failure&) { return Mistyped(), true; }
  bool on_bool(bool value, Failure&) {
    if (depth_ == 1 && field_ != nullptr && field_->type == FieldType::kFlag)
      Put(value);
    else
      Mistyped();
    return true;
  }
  bool on_null(Failure&) {
    if (depth_ == 1 && field_ != nullptr && field_->nullable)
      Put(Body::Null());
    else
      Mistyped();
    return true;
  }
  bool on_comment_part(Piece, Failure&) { return true; }
  bool on_comment(Piece, Failure&) { return true; }

 private:
  static constexpr size_t kFieldsMax = 64;

  bool Open(bool object, Failure& ec) {
    if (++depth_ > kDepthMax) return Stop("nested too deeply", ec);
    if (depth_ == 1)
      is_object_ = object;
    else if (depth_ == 2)
      Mistyped();
    return true;
  }
  bool Close() {
    --depth_;
    return true;
  }
  bool Stop(std::string_view why, Failure& ec) {
    Wrong("", std::string(why), "value_error");
    ec = boost::json::error::too_deep;
    return false;
  }
  void Wrong(std::string_view field, std::string message, std::string_view type) {
    errors_->push_back({"body", std::string(field), std::move(message), type});
  }

  void BeginField() {
    const auto known = std::find_if(spec_.fields.begin(), spec_.fields.end(), [&](const FieldSpec& field) { return field.name == text_; });
    field_ = known == spec_.fields.end() ? nullptr : &*known;
    const bool first = field_ == nullptr ? others_.insert(text_).second : (seen_ & BitOf(*field_)) == 0;
    if (field_ != nullptr) seen_ |= BitOf(*field_);
    if (!first) {
      Wrong(text_, "is given twice", "duplicate");
      field_ = nullptr;
    } else if (field_ == nullptr) {
      Wrong(text_, "is not a field of this operation", "unknown");
    }
  }
  [[nodiscard]] uint64_t BitOf(const FieldSpec& field) const { return uint64_t{1} << (&field - spec_.fields.data()); }

  void TakeText() {
    const auto size = static_cast<int64_t>(text_.size());
    if (field_->type != FieldType::kText) return Mistyped();
    if (size < field_->min || size > field_->max)
      return Wrong(field_->name, fmt::format("must have {} to {} bytes", field_->min, field_->max), "value_error");
    if (!field_->choices.empty() && std::find(field_->choices.begin(), field_->choices.end(), text_) == field_->choices.end())
      return Wrong(field_->name, fmt::format("must be one of {}", fmt::join(field_->choices, ", ")), "value_error");
    if (std::any_of(text_.begin(), text_.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }))
      return Wrong(field_->name, "holds control characters", "value_error");
    Put(text_);
  }

  void TakeWhole(int64_t value) {
    if (depth_ != 1 || field_ == nullptr) return Mistyped();
    if (field_->type != FieldType::kWhole) return Mistyped();
    if (value < field_->min || value > field_->max) return Wrong(field_->name, fmt::format("must be from {} to {}", field_->min, field_->max), "value_error");
    Put(value);
  }

  // Whatever stands here is nothing that its field takes. (Under an unknown field nothing more is said.)
  void Mistyped() {
    if (depth_ > 2 || field_ == nullptr) return;
    static constexpr std::string_view kNames[] = {"a text", "a whole number", "true or false", "a list of texts", "an object"};
    Wrong(field_->name, fmt::format("must be {}{}", kNames[static_cast<size_t>(field_->type)], field_->nullable ? " or null" : ""), "type_error");
    field_ = nullptr;
  }

  template <typename T>
  void Put(T value) { body_->values_.emplace_back(field_->name, std::move(value)); }

  const BodySpec& spec_;
  Body* body_;
  std::vector<FieldError>* errors_;
  uint64_t seen_ = 0;                 // which of its fields were given
  std::set<std::string> others_;      // names that are none of them
  const FieldSpec* field_ = nullptr;  // whose value comes next
  std::string text_;                  // name or string, as far as it came
  size_t depth_ = 0;
  size_t keys_ = 0;
  bool is_object_ = false;
};

const Body::Value* Body::Find(std::string_view name) const {
  for (const auto& [known, value] : values_)
    if (known == name) return &value;
  return nullptr;
}

bool Body::IsNull(std::string_view name) const {
  const Value* value = Find(name);
  return value != nullptr && std::holds_alternative<Null>(*value);
}

std::string Body::Text(std::string_view name, std::string_view otherwise) const {
  const auto* text = std::get_if<std::string>(Find(name));
  return text == nullptr ? std::string(otherwise) : *text;
}

int64_t Body::Whole(std::string_view name, int64_t otherwise) const {
  const auto* number = std::get_if<int64_t>(Find(name));
  return number == nullptr ? otherwise : *number;
}

bool Body::Flag(std::string_view name, bool otherwise) const {
  const auto* flag = std::get_if<bool>(Find(name));
  return flag == nullptr ? otherwise : *flag;
}

bool ReadBody(std::string_view json, const BodySpec& spec, Body* body, std::vector<FieldError>* errors) {
  if (json.empty()) json = "{}";
  boost::json::parse_options options;
  options.max_depth = kDepthMax + 1;  // ours speaks first
  boost::json::basic_parser<BodyHandler> parser(options, spec, body, errors);
  boost::json::error_code ec;
  const size_t used = parser.write_some(false, json.data(), json.size(), ec);
  if (!ec && used < json.size()) ec = boost::json::error::extra_data;
  if (ec) {
    if (errors->empty()) errors->push_back({"body", "", fmt::format("is no JSON text: {} at byte {}", ec.message(), used), "json_invalid"});
    return false;
  }
  parser.handler().Finish();
  return errors->empty();
}

}  // namespace reeve::api
