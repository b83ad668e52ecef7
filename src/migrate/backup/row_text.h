// A row's top-level fields as spans of its own text, so that one value can be changed and all other bytes stay.
//
// Not a JSON validator: it finds names and where values end, and takes rows that a strict parser would refuse. Restore wants
// that: a key in a row with a broken value is still that key. Values and views point into the line; one thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::migrate {

class RowText {
 public:
  struct Field {
    std::string_view name;   // unescaped
    std::string_view value;  // as written, without white space around it
  };

  // nullopt if `line` is no object, or its strings, brackets, colons or commas do not fit.
  [[nodiscard]] static std::optional<RowText> Parse(std::string_view line);

  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }

  // A replacement of a value; or, with an empty `value`, a field to append.
  struct Edit {
    std::string_view value;  // of fields(); empty: append
    std::string text;        // the new value, or "name":value
  };
  // The line with the edits made. REQUIRES: edits of values are in order and do not repeat.
  [[nodiscard]] std::string With(const std::vector<Edit>& edits) const;

 private:
  std::string_view line_;
  size_t close_ = 0;  // of the final brace
  std::vector<Field> fields_;
  std::deque<std::string> unescaped_;  // names that had escapes
};

// The text of a JSON string as written, with quotes; nullopt if `value` is none.
[[nodiscard]] std::optional<std::string> TextOf(std::string_view value);

// Calls `visit(line)` for each line of `content` without its newline, blank ones (spaces, tabs, CR) left out.
template <typename Visit>
void ForEachRow(std::string_view content, const Visit& visit) {
  while (!content.empty()) {
    const size_t newline = content.find('\n');
    const std::string_view line = content.substr(0, newline);
    content.remove_prefix(newline == std::string_view::npos ? content.size() : newline + 1);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) visit(line);
  }
}

}  // namespace reeve::migrate
