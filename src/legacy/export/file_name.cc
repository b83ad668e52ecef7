#include "legacy/export/file_name.h"

#include <algorithm>

namespace reeve::legacy {
namespace {

constexpr size_t kNameBytesMax = 1024;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameChar(char c) {
  return IsDigit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool Strip(std::string_view* text, std::string_view suffix) {
  if (!text->ends_with(suffix)) return false;
  text->remove_suffix(suffix.size());
  return true;
}

}  // namespace

bool IsTableName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && std::all_of(name.begin(), name.end(), IsNameChar);
}

std::optional<FileName> ParseFileName(std::string_view name) {
  FileName parsed;
  if (Strip(&name, ".schema.json")) {
    parsed.kind = FileKind::kSchema;
    parsed.table = name;
    return IsTableName(name) ? std::optional(parsed) : std::nullopt;
  }
  parsed.compressed = Strip(&name, ".gz");
  if (!Strip(&name, ".json")) return std::nullopt;
  const size_t dash = name.find('-');
  if (dash != std::string_view::npos) {
    std::string_view digits = name.substr(dash + 1);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), IsDigit)) return std::nullopt;
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    parsed.sharded = true;
    parsed.shard = digits;
    name = name.substr(0, dash);
  }
  parsed.table = name;
  return IsTableName(name) ? std::optional(parsed) : std::nullopt;
}

bool ShardLess(const FileName& a, const FileName& b) {
  if (a.sharded != b.sharded) return b.sharded;
  if (a.shard.size() != b.shard.size()) return a.shard.size() < b.shard.size();
  return a.shard < b.shard;
}

}  // namespace reeve::legacy
