#include "sample/table_out.h"

#include <zlib.h>

namespace reeve::sample {

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kKeys: return "keys";
    case Kind::kCredentials: return "credentials";
    case Kind::kRuns: return "runs";
    case Kind::kRecord: return "record";
    case Kind::kOther: return "other";
  }
  return "other";
}

Result<std::string> Gzip(std::string_view bytes) {
  constexpr int kGzipWindowBits = 15 + 16;
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, kGzipWindowBits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return Fail(Code::kFailed, "zlib could not start");
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int end = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (end != Z_STREAM_END) return Fail(Code::kFailed, "zlib could not compress {} bytes", bytes.size());
  return out;
}

Result<> EstateOut::MakeDataset(const std::string& dataset) {
  if (datasets_.contains(dataset)) return {};
  REEVE_TRY(files_.MakeDirs(dir_ + "/" + dataset));
  datasets_.insert(dataset);
  return {};
}

Result<> EstateOut::WriteFile(const std::string& name, std::string_view content) {
  REEVE_TRY(MakeDataset(name.substr(0, name.find('/'))));
  REEVE_ASSIGN(const std::unique_ptr<AppendFile> file, files_.Create(dir_ + "/" + name));
  REEVE_TRY(file->Append(content));
  ++report_->files;
  report_->bytes += content.size();
  return {};
}

std::string TableOut::PartName(uint32_t part) const {
  const std::string_view ending = style_.gzip ? ".json.gz" : ".json";
  if (!style_.sharded_name) return fmt::format("{}/{}{}", dataset_, table_, ending);
  return fmt::format("{}/{}-{:012}{}", dataset_, table_, part, ending);
}

Result<Place> TableOut::Append(std::string_view row, Prng* rng, EstateOut* estate) {
  const bool full = part_rows_ >= style_.shard_rows || buffer_.size() >= kShardBytes;
  if (full && style_.sharded_name) REEVE_TRY(WriteShard(estate, 100));
  const std::string_view newline = style_.carriage_return ? "\r\n" : "\n";
  if (style_.blank_percent > 0 && rng->Percent(style_.blank_percent)) {
    buffer_ += rng->Percent(50) ? "" : " \t ";
    buffer_ += newline;
    ++line_;
  }
  buffer_ += row;
  buffer_ += newline;
  ++line_;
  ++part_rows_;
  ++rows_;
  return Place{this, part_, line_};
}

Result<> TableOut::WriteShard(EstateOut* estate, unsigned keep_percent) {
  std::string_view content = buffer_;
  if (!style_.final_newline && content.ends_with('\n')) content.remove_suffix(1);
  std::string packed;
  if (style_.gzip) {
    REEVE_ASSIGN(packed, Gzip(content));
    content = packed;
  }
  if (keep_percent < 100) content = content.substr(0, content.size() * keep_percent / 100);
  REEVE_TRY(estate->WriteFile(PartName(part_), content));
  buffer_.clear();
  ++part_;
  line_ = 0;
  part_rows_ = 0;
  return {};
}

Result<> TableOut::WriteSchema(EstateOut* estate) const {
  std::string json = "[\n";
  for (const auto& [column, type] : schema) {
    if (json.size() > 2) json += ",\n";
    json += fmt::format("  {{\n    \"mode\": \"{}\",\n    \"name\": \"{}\",\n    \"type\": \"{}\"\n  }}",
                        type == "REPEATED" ? "REPEATED" : "NULLABLE", column,
                        type == "REPEATED" ? "STRING" : type);
  }
  json += "\n]\n";
  return estate->WriteFile(fmt::format("{}/{}.schema.json", dataset_, table_), json);
}

Result<> TableOut::Finish(EstateOut* estate, unsigned keep_percent) {
  if (part_ == 0 || part_rows_ > 0) REEVE_TRY(WriteShard(estate, keep_percent));
  if (!schema.empty()) REEVE_TRY(WriteSchema(estate));
  return {};
}

}  // namespace reeve::sample
