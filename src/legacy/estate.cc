#include "legacy/estate.h"

#include "base/encoding.h"

namespace reeve::legacy {

void HandOut(std::string* text, uint64_t number, Line* line) {
  line->number = number;
  line->too_large = text->size() > kLineBytesMax;
  const size_t size = line->too_large ? 0 : text->size();
  text->append(kLinePadding, '\0');
  line->text = std::string_view(*text).substr(0, size);
}

Result<std::string> LegacyEstate::SchemaText(const LegacyTable& table) {
  if (!table.schema) return std::string();
  std::string json = "[";
  for (const std::string& name : *table.schema) {
    json += json.size() > 1 ? ",{\"name\":" : "{\"name\":";
    AppendJsonString(name, &json);
    json += '}';
  }
  return json + "]\n";
}

Result<> LegacyEstate::DeclareSchema(const std::string&, const std::string&, std::string_view) { return {}; }

}  // namespace reeve::legacy
