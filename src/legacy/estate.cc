#include "legacy/estate.h"

#include "base/encoding.h"

namespace reeve::legacy {

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
