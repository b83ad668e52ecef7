#include "store/sqlite/outbox_cursor.h"

#include <charconv>

#include "base/encoding.h"
#include "catalog/json_scan.h"

namespace reeve::store {

namespace {

constexpr uint64_t kCursorBytesMax = 64 * 1024;
constexpr std::string_view kFormat = "\"reeve/mirror\"", kVersion = "1";

std::optional<int64_t> NumberOf(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

bool Parse(std::string_view text, OutboxCursor* cursor) {
  std::vector<catalog::JsonMember> members;
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (!catalog::ScanJsonObject(text, &members) || members.size() != 5) return false;
  const auto is = [&](size_t i, std::string_view name) { return members[i].name == name; };
  if (!is(0, "format") || members[0].value != kFormat || !is(1, "version") || members[1].value != kVersion) return false;
  if (!is(2, "target") || !members[2].value.starts_with('"') || !is(3, "epoch") || !is(4, "done")) return false;
  catalog::UnescapeJsonString(members[2].value, &cursor->target);
  const auto epoch = NumberOf(members[3].value), done = NumberOf(members[4].value);
  if (!epoch || !done) return false;
  cursor->epoch = *epoch;
  cursor->done = *done;
  return true;
}

}  // namespace

std::string CursorPath(const std::string& store_path) { return store_path + ".mirror"; }

Result<std::optional<OutboxCursor>> ReadCursor(Files& files, const std::string& store_path) {
  const std::string path = CursorPath(store_path);
  if (!files.Exists(path)) return std::nullopt;
  REEVE_ASSIGN(const std::string text, files.Read(path, kCursorBytesMax));
  OutboxCursor cursor;
  if (!Parse(text, &cursor)) {
    return FailWithHint(Code::kCorrupt, fmt::format("{}: this is no cursor of a mirror that this reeve knows", path),
                        "remove it and run `reeve mirror --restart`: every row is sent again, which changes nothing that is right");
  }
  return cursor;
}

Result<> WriteCursor(Files& files, const std::string& store_path, const OutboxCursor& cursor) {
  std::string text = fmt::format(R"({{"format":{},"version":{},"target":)", kFormat, kVersion);
  AppendJsonString(cursor.target, &text);
  text += fmt::format(R"(,"epoch":{},"done":{}}})"
                      "\n",
                      cursor.epoch, cursor.done);
  return files.WriteAtomic(CursorPath(store_path), text, 0600);
}

}  // namespace reeve::store
