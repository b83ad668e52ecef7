#include "legacy/export/schema_file.h"

#include <simdjson.h>

namespace reeve::legacy {
namespace {

Unexpected Damaged(std::string_view path, std::string_view found) {
  return FailWithHint(
      Code::kFailed,
      fmt::format("{}: {}; expected the output of `bq show --schema`: an array of {{\"name\", \"type\", \"mode\"}}", path,
                  found),
      "write that file anew, or remove it: the columns are then taken from the rows");
}

}  // namespace

Result<std::vector<std::string>> ParseSchema(std::string_view path, std::string_view json) {
  simdjson::dom::parser parser(kSchemaBytesMax);
  simdjson::dom::element root;
  if (const auto error = parser.parse(simdjson::padded_string(json)).get(root))
    return Damaged(path, fmt::format("no valid JSON ({})", simdjson::error_message(error)));
  simdjson::dom::array fields;
  if (root.get(fields) != simdjson::SUCCESS && root["fields"].get(fields) != simdjson::SUCCESS)
    return Damaged(path, "neither an array nor an object with \"fields\"");
  std::vector<std::string> names;
  for (const simdjson::dom::element field : fields) {
    std::string_view name;
    if (field["name"].get(name) != simdjson::SUCCESS || name.empty())
      return Damaged(path, fmt::format("field {} has no name", names.size() + 1));
    names.emplace_back(name);
  }
  if (names.empty()) return Damaged(path, "it lists no column");
  return names;
}

}  // namespace reeve::legacy
