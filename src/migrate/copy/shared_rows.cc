#include "migrate/copy/shared_rows.h"

#include <algorithm>
#include <cstring>

#include "migrate/copy/row_decoder.h"

namespace reeve::migrate::copy {
namespace {

constexpr size_t kSpoolBufferBytes = 1024 * 1024;
constexpr size_t kDescribedColumnsMax = 40;

}  // namespace

std::string DescribeUnknownShape(const std::string& why, const RowDecoder& decoder) {
  const std::vector<std::string> columns = decoder.Columns();
  std::string text = fmt::format("{}; {} rows; columns:", why, decoder.rows());
  for (size_t i = 0; i < columns.size() && i < kDescribedColumnsMax; ++i) text += " " + columns[i].substr(0, 100);
  if (columns.size() > kDescribedColumnsMax) text += fmt::format(" and {} more", columns.size() - kDescribedColumnsMax);
  return text;
}

Result<std::unique_ptr<SharedRows>> SharedRows::Gather(legacy::LegacyEstate& estate, const EstateMap& map,
                                                       Files& files, const std::string& spool_path) {
  std::unique_ptr<SharedRows> rows(new SharedRows(map, files, spool_path));
  rows->has_active_.resize(map.shared.size());
  if (map.shared.empty()) return rows;
  REEVE_TRY(files.Remove(spool_path));
  REEVE_ASSIGN(std::unique_ptr<AppendFile> spool, files.OpenAppend(spool_path, 0600));
  RowDecoder decoder;
  for (size_t i = 0; i < map.shared.size(); ++i) REEVE_TRY(rows->GatherTable(estate, i, &decoder, spool.get()));
  REEVE_TRY(spool->Append(rows->pending_));
  rows->pending_ = {};
  REEVE_ASSIGN(rows->spool_, files.OpenRandom(spool_path));
  return rows;
}

SharedRows::~SharedRows() {
  if (!map_->shared.empty()) (void)files_->Remove(spool_path_);
}

Result<> SharedRows::GatherTable(legacy::LegacyEstate& estate, size_t index, RowDecoder* decoder, AppendFile* spool) {
  const CarrierTable& carrier = map_->shared[index];
  decoder->StartTable(carrier.kind, carrier.table.schema);
  const size_t dead_before = dead_letters_.size();
  const uint64_t lines_before = lines_;
  for (size_t part = 0; part < carrier.table.parts.size(); ++part) {
    REEVE_ASSIGN(std::unique_ptr<legacy::LineReader> lines, estate.OpenLines(carrier.table, part));
    bytes_ += carrier.table.parts[part].bytes;
    for (legacy::Line line;;) {
      REEVE_ASSIGN(const bool more, lines->Next(&line));
      if (!more) break;
      REEVE_TRY(FileLine(index, part, line, decoder, spool));
    }
  }
  rows_ += decoder->rows();
  has_active_[index] = decoder->HasColumn(catalog::Field::kIsActive);
  const std::string name = carrier.table.dataset + "." + carrier.table.name;
  std::string why;
  const std::vector<std::string> columns = decoder->Columns();
  if ((lines_ == lines_before && !carrier.table.schema) || catalog::IsRecognised(carrier.kind, columns, &why)) {
    shapes_[name] = catalog::ShapeOf(carrier.kind, columns);
    return {};
  }
  dead_letters_.resize(dead_before);
  DropTable(index, why, *decoder);
  return {};
}

Result<> SharedRows::FileLine(size_t index, size_t part, const legacy::Line& line, RowDecoder* decoder,
                              AppendFile* spool) {
  const CarrierTable& carrier = map_->shared[index];
  const Verdict verdict = decoder->Decode(line);
  if (verdict == Verdict::kBlank) return {};
  ++lines_;
  std::string_view tenant;
  std::string_view reason = verdict == Verdict::kDead ? decoder->reason() : ReadTenant(*decoder, &tenant);
  if (reason.empty() && tenant.empty()) reason = "no_tenant";
  const auto known = by_tenant_.find(tenant);
  if (reason.empty() && known == by_tenant_.end() && map_->Find(tenant) == nullptr) reason = "unknown_tenant";
  if (!reason.empty()) {
    dead_letters_.push_back({{carrier.table.dataset, carrier.table.name, carrier.table.parts[part].name, line.number},
                             decoder->RowKey(), std::string(reason), {}});
    return {};
  }
  auto& entries = known != by_tenant_.end() ? known->second : by_tenant_[std::string(tenant)];
  entries.push_back({spool_size_, static_cast<uint32_t>(line.text.size()), static_cast<uint32_t>(index),
                     static_cast<uint32_t>(part), line.number});
  pending_ += line.text;
  spool_size_ += line.text.size();
  if (pending_.size() < kSpoolBufferBytes) return {};
  REEVE_TRY(spool->Append(pending_));
  pending_.clear();
  return {};
}

void SharedRows::DropTable(size_t index, const std::string& why, const RowDecoder& decoder) {
  for (auto& [tenant, entries] : by_tenant_)
    entries.erase(std::remove_if(entries.begin(), entries.end(), [index](const Entry& e) { return e.table == index; }),
                  entries.end());
  const CarrierTable& carrier = map_->shared[index];
  dead_letters_.push_back({{carrier.table.dataset, carrier.table.name, "", 0}, "", "unknown_shape",
                           DescribeUnknownShape(why, decoder)});
}

Result<> SharedRows::ForTenant(std::string_view tenant, const Visit& visit) const {
  const auto found = by_tenant_.find(tenant);
  if (found == by_tenant_.end()) return {};
  std::string buffer;
  for (const Entry& entry : found->second) {
    buffer.assign(entry.length + legacy::kLinePadding, '\0');
    REEVE_TRY(spool_->ReadAt(entry.offset, buffer.data(), entry.length));
    const legacy::LegacyTable& table = map_->shared[entry.table].table;
    const RowOrigin origin{table.dataset, table.name, table.parts[entry.part].name, entry.line};
    legacy::Line line;
    line.text = std::string_view(buffer.data(), entry.length);
    line.number = entry.line;
    REEVE_TRY(visit(entry.table, origin, line));
  }
  return {};
}

}  // namespace reeve::migrate::copy
