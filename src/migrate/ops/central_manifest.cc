#include "migrate/ops/central_manifest.h"

#include <boost/json.hpp>

#include "base/encoding.h"
#include "migrate/ops/tenant_rows.h"

namespace reeve::migrate::ops {
namespace {

namespace json = boost::json;

Unexpected Damaged(const std::string& path, std::string_view what) {
  return FailWithHint(Code::kCorrupt, fmt::format("{}: {}", path, what), "export again; a damaged export is not imported");
}

const std::string* Text(const json::object& object, std::string_view name, std::string* storage) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return nullptr;
  *storage = std::string(value->as_string());
  return storage;
}

bool Number(const json::object& object, std::string_view name, uint64_t* out) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64() || value->as_int64() < 0) return false;
  *out = static_cast<uint64_t>(value->as_int64());
  return true;
}

bool ReadTable(const json::value& value, ExportReport::Item* item) {
  if (!value.is_object()) return false;
  const json::object& object = value.as_object();
  return object.size() == 4 && Text(object, "table", &item->table) != nullptr && Number(object, "rows", &item->rows) &&
         Number(object, "bytes", &item->bytes) && Text(object, "sha256", &item->sha256) != nullptr && item->sha256.size() == 64;
}

Result<CentralManifest> Parse(const std::string& path, const json::object& object, uint64_t version) {
  CentralManifest manifest;
  std::string time;
  if (Text(object, "tool_version", &manifest.tool_version) == nullptr) return Damaged(path, "tool_version is missing");
  const auto created = Text(object, "created_at", &time) != nullptr ? ParseTime(time) : std::nullopt;
  if (!created) return Damaged(path, "created_at is no time");
  manifest.created_at = *created;
  const json::value* tables = object.if_contains("tables");
  if (tables == nullptr || !tables->is_array()) return Damaged(path, "tables is missing");
  const auto& expected = ExportedTables();
  const size_t count = version == 1 ? kTablesOfVersion1 : expected.size();
  if (tables->as_array().size() != count) return Damaged(path, fmt::format("it lists {} tables, not {}", tables->as_array().size(), count));
  for (size_t i = 0; i < count; ++i) {
    ExportReport::Item item;
    if (!ReadTable(tables->as_array()[i], &item) || item.table != expected[i]->name)
      return Damaged(path, fmt::format("entry {} of tables is not that of {}", i + 1, expected[i]->name));
    manifest.tables.push_back(std::move(item));
  }
  for (size_t i = count; i < expected.size(); ++i) manifest.tables.push_back({std::string(expected[i]->name), 0, 0, {}});
  return manifest;
}

}  // namespace

const std::vector<const catalog::Table*>& ExportedTables() { return TenantRows::Tables(); }

std::string WriteManifest(const CentralManifest& manifest) {
  std::string text = fmt::format("{{\n  \"format\": \"{}\",\n  \"version\": {},\n  \"tool_version\": ", kManifestFormat, kManifestVersion);
  AppendJsonString(manifest.tool_version, &text);
  text += fmt::format(",\n  \"created_at\": \"{}\",\n  \"tables\": [", FormatRfc3339(manifest.created_at));
  std::string separator = "\n";
  for (const ExportReport::Item& item : manifest.tables) {
    text += fmt::format("{}    {{\"table\": \"{}\", \"rows\": {}, \"bytes\": {}, \"sha256\": \"{}\"}}", separator, item.table, item.rows,
                        item.bytes, item.sha256);
    separator = ",\n";
  }
  return text + "\n  ]\n}\n";
}

Result<CentralManifest> ReadManifest(Files& files, const std::string& dir) {
  const std::string path = dir + "/" + std::string(kManifestName);
  REEVE_ASSIGN(const std::string text, files.Read(path, kManifestBytesMax));
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return Damaged(path, "is no JSON object");
  std::string format;
  uint64_t version = 0;
  if (Text(value.as_object(), "format", &format) == nullptr || format != kManifestFormat)
    return Fail(Code::kUsage, "{}: this is no export of a central dataset", path);
  if (!Number(value.as_object(), "version", &version)) return Damaged(path, "version is missing");
  if (version < 1 || version > kManifestVersion)
    return FailWithHint(Code::kUsage, fmt::format("{}: version {} of the format; this reeve reads {}", path, version, kManifestVersion),
                        "use the reeve that wrote it, or a newer one");
  return Parse(path, value.as_object(), version);
}

}  // namespace reeve::migrate::ops

namespace reeve::migrate {

// Also of a damaged one, so that importing it says what is wrong instead of taking it for something
// else.
bool IsCentralExport(Files& files, const std::string& dir) {
  const Result<std::string> text = files.Read(dir + "/" + std::string(ops::kManifestName), ops::kManifestBytesMax);
  return text && text->find(ops::kManifestFormat) != std::string::npos;
}

}  // namespace reeve::migrate
