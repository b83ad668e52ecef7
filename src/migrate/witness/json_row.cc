#include "migrate/witness/json_row.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <functional>

#include "migrate/witness/json_columns.h"
#include "migrate/witness/json_text.h"
#include "migrate/witness/row.h"
#include "migrate/witness/text.h"

namespace reeve::migrate::witness {
namespace {

using boost::json::error_code;
using JsonView = boost::json::string_view;

bool Refuse(error_code& code) {
  code = boost::json::error::syntax;
  return false;
}

// Counts as valid whatever the parser accepts and §2 does not refuse.
struct NumberRules {
  static constexpr size_t max_array_size = static_cast<size_t>(-1);
  static constexpr size_t max_object_size = static_cast<size_t>(-1);
  static constexpr size_t max_string_size = static_cast<size_t>(-1);
  static constexpr size_t max_key_size = static_cast<size_t>(-1);
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_comment_part(JsonView, error_code&) { return true; }
  bool on_comment(JsonView, error_code&) { return true; }
  bool on_number_part(JsonView, error_code&) { return true; }
  bool on_double(double value, JsonView literal, error_code& code) {
    const std::string_view text(literal.data(), literal.size());
    if (text.find_first_of(".eE") == std::string_view::npos) return Refuse(code);  // beyond 2^64 − 1 or −2^63
    if (std::fabs(value) < 1e300) return true;
    return IsFinite(text) || Refuse(code);
  }
};

// Keeps the top-level values of used columns. `depth` is 1 between the braces of the row; inside a root that is no object it
// starts far above, so that nothing there looks like a field.
struct RowHandler : NumberRules {
  static constexpr int kNoRow = 1 << 20;
  struct Unescaped {
    Column* column;
    size_t at, size;
  };

  void Begin(ColumnBook* for_book, uint64_t number, std::string_view text) {
    book = for_book;
    row = number;
    line = text;
    previous = &for_book->first;
    current = nullptr;
    depth = 0;
    is_object = duplicate = collecting = false;
    columns.clear();
    bytes.clear();
    unescaped.clear();
    part.clear();
    source_of = nullptr;
  }

  bool Pointing(JsonView text) const {
    return std::greater_equal<>()(text.data(), line.data()) && std::less<>()(text.data(), line.data() + line.size());
  }
  bool Used() const { return depth == 1 && current->used; }

  // The whole text that ends with `last`: the parser hands over texts with escapes in parts. Valid until the next event.
  std::string_view Whole(JsonView last) {
    if (part.empty()) return {last.data(), last.size()};
    part.append(last.data(), last.size());
    return part;
  }

  void Keep(std::string_view text) {
    unescaped.push_back({current, bytes.size(), text.size()});
    bytes += text;
  }

  bool on_object_begin(error_code&) {
    if (depth == 0) is_object = true;
    return Nest(depth, 1);
  }
  bool on_array_begin(error_code&) {
    if (Used() && current->type == FieldType::kTexts) return BeginTexts();
    return Nest(depth, kNoRow);
  }
  bool Nest(int level, int first_level) {
    if (level == 1 && current->used) {
      current->value.type = RawValue::Type::kObjectOrArray;
      if (current->type == FieldType::kMetadata) source_of = current, source_ordinal = columns.size() - 1;
    }
    if (collecting) texts_bad = true;
    depth = level == 0 ? first_level : level + 1;
    return true;
  }
  bool BeginTexts() {
    collecting = true;
    texts_bad = false;
    texts = "[";
    depth = 2;
    return true;
  }
  bool on_object_end(size_t, error_code&) {
    --depth;
    return true;
  }
  bool on_array_end(size_t, error_code&) {
    if (--depth != 1 || !collecting) return true;
    collecting = false;
    texts += ']';
    current->value.type = texts_bad ? RawValue::Type::kOther : RawValue::Type::kTexts;
    Keep(texts);
    return true;
  }

  bool on_key_part(JsonView text, size_t, error_code&) {
    if (depth == 1) part.append(text.data(), text.size());
    return true;
  }
  bool on_key(JsonView text, size_t, error_code&) {
    if (depth != 1) return true;
    const std::string_view name = Whole(text);
    current = previous->next;
    if (current == nullptr || current->name != name) current = previous->next = book->Get(name);
    previous = current;
    part.clear();
    if (current->row == row) {
      duplicate = true;
      return true;
    }
    current->row = row;
    current->value = {};  // no view of an earlier line is left
    columns.push_back(current);
    return true;
  }

  bool on_string_part(JsonView text, size_t, error_code&) {
    if (Used() || (collecting && depth == 2)) part.append(text.data(), text.size());
    return true;
  }
  bool on_string(JsonView text, size_t, error_code&) {
    if (Used()) {
      current->value.type = RawValue::Type::kText;
      const std::string_view whole = Whole(text);
      if (part.empty() && (Pointing(text) || text.empty())) {
        current->value.text = text.empty() ? std::string_view() : whole;
      } else {
        Keep(whole);
      }
    } else if (collecting && depth == 2) {
      AddText(Whole(text));
    }
    part.clear();
    return true;
  }
  void AddText(std::string_view text) {
    if (texts.size() > 1) texts += ',';
    AppendQuoted(text, &texts);
    current->value.nul |= text.find('\0') != std::string_view::npos;
    current->value.too_large |= text.size() > kTextBytesMax;
  }

  bool Scalar(RawValue::Type type, int64_t number) {
    if (Used()) {
      current->value.type = type;
      current->value.number = number;
    } else if (collecting) {
      texts_bad = true;
    }
    return true;
  }
  bool on_int64(int64_t value, JsonView, error_code&) { return Scalar(RawValue::Type::kInteger, value); }
  bool on_uint64(uint64_t, JsonView, error_code&) { return Scalar(RawValue::Type::kOther, 0); }
  bool on_double(double value, JsonView literal, error_code& code) {
    return NumberRules::on_double(value, literal, code) && Scalar(RawValue::Type::kOther, 0);
  }
  bool on_bool(bool value, error_code&) { return Scalar(RawValue::Type::kBool, value ? 1 : 0); }
  bool on_null(error_code&) {
    if (collecting) texts_bad = true;
    return true;
  }

  ColumnBook* book = nullptr;
  uint64_t row = 0;
  std::string_view line;
  Column* previous = nullptr;
  Column* current = nullptr;
  int depth = 0;
  bool is_object = false, duplicate = false, collecting = false, texts_bad = false;
  std::vector<Column*> columns;  // of this row
  std::string part;              // the beginning of a text that comes in parts
  std::string texts;             // the array of texts at hand, as JSON
  std::string bytes;             // unescaped texts
  std::vector<Unescaped> unescaped;
  Column* source_of = nullptr;   // a column whose object or array is wanted as it is written
  size_t source_ordinal = 0;
};

boost::json::parse_options Strict() {
  boost::json::parse_options options;
  options.max_depth = kDepthMax;
  return options;
}

template <typename Parser>
bool Accepts(Parser& parser, std::string_view text, error_code* code) {
  parser.reset();
  const size_t used = parser.write_some(false, text.data(), text.size(), *code);
  return !*code && used == text.size();
}

}  // namespace

struct JsonRow::Impl {
  Impl() : parser(Strict()) {}

  std::array<ColumnBook, kKinds> books = {ColumnBook(Kind::kKeys), ColumnBook(Kind::kCredentials),
                                          ColumnBook(Kind::kRuns), ColumnBook(Kind::kRecord)};
  ColumnBook* book = nullptr;
  bool has_schema = false;
  uint64_t rows = 0;
  uint64_t tables = 0;
  boost::json::basic_parser<RowHandler> parser;
  std::string clamped;
  std::string source;
};

JsonRow::JsonRow() : impl_(std::make_unique<Impl>()) {}
JsonRow::~JsonRow() = default;

void JsonRow::StartTable(Kind kind, const std::optional<std::vector<std::string>>& schema) {
  impl_->book = &impl_->books[static_cast<size_t>(kind)];
  impl_->book->StartTable();
  ++impl_->tables;
  impl_->has_schema = schema.has_value();
  if (!schema) return;
  for (const std::string& name : *schema) {
    Column* column = impl_->book->Get(name);
    column->table = impl_->tables;
    impl_->book->seen.push_back(column);
  }
}

Reason JsonRow::Parse(std::string_view line) {
  RowHandler& row = impl_->parser.handler();
  row.Begin(impl_->book, ++impl_->rows, line);
  error_code code;
  bool valid = Accepts(impl_->parser, line, &code);
  if (code == boost::json::error::exponent_overflow) {
    impl_->clamped = ClampExponents(line);
    row.Begin(impl_->book, ++impl_->rows, impl_->clamped);
    valid = Accepts(impl_->parser, impl_->clamped, &code);
  }
  if (!valid) return Reason::kInvalidJson;
  if (!row.is_object) return Reason::kNotAnObject;
  if (row.duplicate) return Reason::kDuplicateField;
  for (Column* column : row.columns) {
    if (column->table == impl_->tables) continue;
    if (impl_->has_schema) return Reason::kUnknownColumn;
    column->table = impl_->tables;
    impl_->book->seen.push_back(column);
  }
  for (const auto& text : row.unescaped) {
    text.column->value.text = std::string_view(row.bytes).substr(text.at, text.size);
  }
  if (row.source_of != nullptr) {
    impl_->source = MemberSource(line, row.source_ordinal);
    row.source_of->value.text = impl_->source;
  }
  return Reason::kNone;
}

const RawValue& JsonRow::Value(size_t field) const {
  static const RawValue kNothing;
  for (const Column* column : impl_->book->slots[field]) {
    if (column == nullptr) break;
    if (column->row == impl_->rows && column->value.type != RawValue::Type::kAbsent) return column->value;
  }
  return kNothing;
}

bool JsonRow::Recognised() const {
  const auto& seen = impl_->book->seen;
  return std::all_of(seen.begin(), seen.end(), [](const Column* column) { return column->in_vocabulary; }) &&
         HasNeeds(impl_->book->kind, [&](std::string_view name) { return HasColumn(name); });
}

bool JsonRow::HasColumn(std::string_view column) const {
  const auto found = impl_->book->index.find(column);
  return found != impl_->book->index.end() && found->second->table == impl_->tables;
}

}  // namespace reeve::migrate::witness
