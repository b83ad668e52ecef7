#include "migrate/backup/manifest.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "crypto/sealed_file.h"
#include "crypto/sha256.h"

namespace reeve::migrate {
namespace {

namespace json = boost::json;
using catalog::LegacyKind;

constexpr std::string_view kFormat = "reeve-backup";
constexpr std::string_view kMacPurpose = "reeve/backup-manifest/v1";

json::object DigestsToJson(const Digests& digests) {
  return {{"rows", digests.rows},
          {"bytes", digests.bytes},
          {"sha256", digests.sha256},
          {"file_bytes", digests.file_bytes},
          {"file_sha256", digests.file_sha256}};
}

json::object TableToJson(const TableEntry& entry, bool sealed) {
  json::object object{{"dataset", entry.dataset},
                      {"table", entry.table},
                      {"kind", catalog::LegacyKindName(entry.kind)},
                      {"shared", entry.shared},
                      {"file", StoredName(entry.dataset, entry.table, false, sealed)}};
  for (auto& [name, value] : DigestsToJson(entry.rows)) object.emplace(name, value);
  if (entry.schema) object.emplace("schema", DigestsToJson(*entry.schema));
  return object;
}

json::object ToJson(const Manifest& manifest) {
  const bool sealed = !manifest.sealed_with.empty();
  json::object object{{"format", kFormat},
                      {"version", kManifestVersion},
                      {"tool", manifest.tool},
                      {"source", manifest.source},
                      {"as_of", FormatTime(manifest.as_of)}};
  object.emplace("sealed_with", sealed ? json::value(manifest.sealed_with) : json::value());
  object.emplace("only", json::array(manifest.only.begin(), manifest.only.end()));
  json::array& failed = object.emplace("failed", json::array()).first->value().get_array();
  for (const FailedTable& table : manifest.failed)
    failed.push_back(json::object{{"dataset", table.dataset}, {"table", table.table}, {"reason", table.reason}});
  uint64_t rows = 0;
  uint64_t bytes = 0;
  json::array& tables = object.emplace("tables", json::array()).first->value().get_array();
  for (const TableEntry& entry : manifest.tables) {
    tables.push_back(TableToJson(entry, sealed));
    rows += entry.rows.rows;
    bytes += entry.rows.bytes;
  }
  object.emplace("total", json::object{{"tables", manifest.tables.size()}, {"rows", rows}, {"bytes", bytes}});
  return object;
}

// Reads members of one JSON object; the first that does not fit makes the whole wrong.
class ObjectReader {
 public:
  // REQUIRES: `value` outlives this.
  ObjectReader(const json::value& value, std::string where) : where_(std::move(where)) {
    if (value.is_object()) object_ = &value.get_object();
    if (object_ == nullptr) wrong_ = where_ + " is no object";
  }
  std::string Text(std::string_view name) {
    const json::value* value = Member(name);
    if (value != nullptr && value->is_string()) return std::string(value->get_string());
    return Wrong(name, "a text"), std::string();
  }
  uint64_t Number(std::string_view name) {
    const json::value* value = Member(name);
    if (value != nullptr && value->is_int64() && value->get_int64() >= 0) return static_cast<uint64_t>(value->get_int64());
    return Wrong(name, "a count"), 0;
  }
  bool Flag(std::string_view name) {
    const json::value* value = Member(name);
    if (value != nullptr && value->is_bool()) return value->get_bool();
    return Wrong(name, "true or false"), false;
  }
  const json::array& Array(std::string_view name) {
    const json::value* value = Member(name);
    if (value != nullptr && value->is_array()) return value->get_array();
    return Wrong(name, "an array"), none_;
  }
  std::string Sha256(std::string_view name) {
    std::string text = Text(name);
    const bool fits = text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!fits) Wrong(name, "64 lower-case hex digits");
    return text;
  }
  const json::value* Member(std::string_view name) const { return object_ == nullptr ? nullptr : object_->if_contains(name); }
  void Wrong(std::string_view name, std::string_view expected) {
    if (wrong_.empty()) wrong_ = fmt::format("{}: \"{}\" is missing or not {}", where_, name, expected);
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

  ObjectReader(json::value&&, std::string) = delete;

 private:
  const std::string where_;
  const json::object* object_ = nullptr;
  const json::array none_;
  std::string wrong_;
};

Unexpected Damaged(std::string_view path, std::string_view what) {
  return FailWithHint(Code::kCorrupt, fmt::format("{}: {}", path, what),
                      "the manifest was changed or damaged; use another copy of the backup");
}

Digests ReadDigests(ObjectReader* reader) {
  Digests digests;
  digests.rows = reader->Number("rows");
  digests.bytes = reader->Number("bytes");
  digests.sha256 = reader->Sha256("sha256");
  digests.file_bytes = reader->Number("file_bytes");
  digests.file_sha256 = reader->Sha256("file_sha256");
  return digests;
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 1024 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::optional<LegacyKind> KindOf(std::string_view name) {
  for (int kind = 0; kind < catalog::kLegacyKinds; ++kind)
    if (catalog::LegacyKindName(LegacyKind(kind)) == name) return LegacyKind(kind);
  return std::nullopt;
}

Result<TableEntry> ReadTable(std::string_view path, const json::value& value, size_t number, bool sealed) {
  ObjectReader reader(value, fmt::format("table {}", number));
  TableEntry entry;
  entry.dataset = reader.Text("dataset");
  entry.table = reader.Text("table");
  const auto kind = KindOf(reader.Text("kind"));
  entry.kind = kind.value_or(LegacyKind::kKeys);
  if (!kind) reader.Wrong("kind", "a kind of table");
  entry.shared = reader.Flag("shared");
  entry.rows = ReadDigests(&reader);
  if (!IsName(entry.dataset)) reader.Wrong("dataset", "a name of A-Z a-z 0-9 _");
  if (!IsName(entry.table)) reader.Wrong("table", "a name of A-Z a-z 0-9 _");
  if (reader.Text("file") != StoredName(entry.dataset, entry.table, false, sealed))
    reader.Wrong("file", StoredName(entry.dataset, entry.table, false, sealed));
  if (!reader.wrong().empty()) return Damaged(path, reader.wrong());
  if (const json::value* schema = reader.Member("schema")) {
    ObjectReader inner(*schema, fmt::format("schema of table {}", number));
    entry.schema = ReadDigests(&inner);
    if (!inner.wrong().empty()) return Damaged(path, inner.wrong());
  }
  return entry;
}

// Digest and MAC are over the compact text of everything else: independent of how the file is laid out.
Result<> CheckSeals(std::string_view path, json::object object, const std::string& sealed_with, const Secret* key) {
  const json::value digest = object["digest"];
  const json::value mac = object["mac"];
  object.erase("digest");
  object.erase("mac");
  const std::string text = json::serialize(object);
  if (!digest.is_string() || std::string_view(digest.get_string()) != crypto::Sha256Hex(text))
    return Damaged(path, "its digest does not fit its content");
  if (sealed_with.empty() && key != nullptr)
    return FailWithHint(Code::kWrongKey, fmt::format("{}: this backup is not sealed, but a key was given", path),
                        "leave the key out if that is as it should be");
  if (sealed_with.empty()) return {};
  if (key == nullptr)
    return FailWithHint(Code::kWrongKey, fmt::format("{}: this backup is sealed with key {}", path, sealed_with),
                        "give the key file with --key");
  if (crypto::SealKeyId(*key) != sealed_with)
    return FailWithHint(
        Code::kWrongKey,
        fmt::format("{}: sealed with key {}, but the key given is {}", path, sealed_with, crypto::SealKeyId(*key)),
        "give the key file that the backup was made with");
  if (!mac.is_string() || std::string_view(mac.get_string()) != crypto::SealMac(*key, kMacPurpose, text))
    return Damaged(path, "its MAC does not fit its content");
  return {};
}

Result<Manifest> FromJson(std::string_view path, const json::value& root) {
  ObjectReader reader(root, "manifest");
  Manifest manifest;
  manifest.tool = reader.Text("tool");
  manifest.source = reader.Text("source");
  const std::optional<Micros> as_of = ParseTime(reader.Text("as_of"));
  manifest.as_of = as_of.value_or(0);
  if (!as_of) reader.Wrong("as_of", "a time");
  if (const json::value* key = reader.Member("sealed_with"); key == nullptr || !key->is_null())
    manifest.sealed_with = reader.Text("sealed_with");
  for (const json::value& tenant : reader.Array("only")) {
    if (!tenant.is_string()) reader.Wrong("only", "an array of texts");
    if (tenant.is_string()) manifest.only.emplace_back(tenant.get_string());
  }
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const json::value& value : reader.Array("failed")) {
    ObjectReader failed(value, "failed table");
    manifest.failed.push_back({failed.Text("dataset"), failed.Text("table"), failed.Text("reason")});
    if (!failed.wrong().empty()) return Damaged(path, failed.wrong());
  }
  for (const json::value& value : reader.Array("tables")) {
    REEVE_ASSIGN(TableEntry entry, ReadTable(path, value, manifest.tables.size() + 1, !manifest.sealed_with.empty()));
    manifest.tables.push_back(std::move(entry));
  }
  for (const TableEntry& entry : manifest.tables)
    if (!seen.emplace(entry.dataset, entry.table).second)
      return Damaged(path, fmt::format("{}.{} occurs twice", entry.dataset, entry.table));
  if (!reader.wrong().empty()) return Damaged(path, reader.wrong());
  return manifest;
}

}  // namespace

std::string StoredSuffix(bool schema, bool sealed) {
  return std::string(schema ? ".schema.json" : "-000000000000.json") + (sealed ? ".sealed" : "");
}

std::string StoredName(std::string_view dataset, std::string_view table, bool schema, bool sealed) {
  return fmt::format("{}/{}{}", dataset, table, StoredSuffix(schema, sealed));
}

std::string FormatManifest(const Manifest& manifest, const Secret* key) {
  json::object object = ToJson(manifest);
  const std::string text = json::serialize(object);
  object.emplace("digest", crypto::Sha256Hex(text));
  if (key != nullptr) object.emplace("mac", crypto::SealMac(*key, kMacPurpose, text));
  // One member a line, and one table a line, for people and their tools.
  std::string out = "{";
  for (const auto& [name, value] : object) {
    out += fmt::format("{}\n\"{}\":", out.size() > 1 ? "," : "", std::string_view(name));
    if (std::string_view(name) != "tables") {
      out += json::serialize(value);
      continue;
    }
    out += "[";
    bool first = true;
    for (const json::value& table : value.get_array()) {
      out += first ? "\n" : ",\n";
      out += json::serialize(table);
      first = false;
    }
    out += "]";
  }
  return out + "\n}\n";
}

Result<Manifest> ParseManifest(std::string_view path, std::string_view text, const Secret* key) {
  boost::system::error_code error;
  json::monotonic_resource memory;
  const json::value root = json::parse(text, error, &memory);
  if (error || !root.is_object()) return Damaged(path, "no JSON object; expected a backup manifest");
  const json::object& object = root.get_object();
  const json::value* format = object.if_contains("format");
  if (format == nullptr || !format->is_string() || std::string_view(format->get_string()) != kFormat)
    return Damaged(path, fmt::format("not of format \"{}\"", kFormat));
  const json::value* version = object.if_contains("version");
  if (version == nullptr || !version->is_int64() || version->get_int64() != kManifestVersion)
    return FailWithHint(Code::kCorrupt, fmt::format("{}: not of version {}", path, kManifestVersion),
                        "use the version of reeve that made the backup");
  REEVE_ASSIGN(Manifest manifest, FromJson(path, root));
  REEVE_TRY(CheckSeals(path, object, manifest.sealed_with, key));
  return manifest;
}

}  // namespace reeve::migrate
