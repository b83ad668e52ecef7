#include "store/commit_record.h"

#include <cstring>
#include <type_traits>

namespace reeve::store {
namespace {

constexpr uint8_t kVersion = 1;
enum class CellTag : uint8_t { kNull = 0, kNumber = 1, kText = 2 };

// Every machine this runs on is little-endian (x86-64, ARM64); the static_assert keeps it honest.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

class Writer {
 public:
  explicit Writer(std::string* out) : out_(*out) {}

  template <typename Number>
  void Put(Number number) {
    static_assert(std::is_integral_v<Number>);
    out_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void Text(std::string_view text) {
    Put(static_cast<uint32_t>(text.size()));
    out_.append(text);
  }
  void Bytes(const KeyDigest& digest) { out_.append(reinterpret_cast<const char*>(digest.data()), digest.size()); }
  void Maybe(const std::optional<int64_t>& number) {
    Put(static_cast<uint8_t>(number.has_value()));
    if (number) Put(*number);
  }
  void Count(size_t count) { Put(static_cast<uint32_t>(count)); }

 private:
  std::string& out_;
};

// Reads past the end give zeros and are remembered: a record is looked at once, at its end.
class Reader {
 public:
  explicit Reader(std::string_view left) : left_(left) {}

  template <typename Number>
  Number Take() {
    Number number = 0;
    const std::string_view bytes = TakeBytes(sizeof number);
    if (!bytes.empty()) std::memcpy(&number, bytes.data(), sizeof number);
    return number;
  }
  std::string_view Text() { return TakeBytes(Take<uint32_t>()); }
  void Digest(KeyDigest* digest) {
    const std::string_view bytes = TakeBytes(digest->size());
    if (!bytes.empty()) std::memcpy(digest->data(), bytes.data(), digest->size());
  }
  std::optional<int64_t> Maybe() {
    const auto there = Take<uint8_t>();
    if (there > 1) broken_ = true;
    if (there == 0) return std::nullopt;
    return Take<int64_t>();
  }
  // A count that the rest cannot hold is broken: nothing is made room for that is not there.
  size_t Count(size_t least_bytes) {
    const auto count = Take<uint32_t>();
    if (count > left_.size() / least_bytes) broken_ = true;
    return broken_ ? 0 : count;
  }
  void Break() { broken_ = true; }
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool done() const { return left_.empty(); }

 private:
  std::string_view TakeBytes(size_t size) {
    if (size > left_.size()) broken_ = true;
    if (broken_) return {};
    const std::string_view bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return bytes;
  }

  std::string_view left_;
  bool broken_ = false;
};

constexpr size_t kRunBytesMin = 8 * 4 + 2 * 4 + 1 + 6 * 8, kUsageBytesMin = 2 * 4 + 4 + 4 * 8 + 1, kTouchBytes = 40;

void PutRun(const RunRow& run, Writer* to) {
  for (const std::string* text : {&run.customer_id, &run.tenant_id, &run.run_id, &run.pipeline_id, &run.api_key_id}) to->Text(*text);
  to->Put(static_cast<int32_t>(run.month));
  to->Put(static_cast<uint8_t>(run.state));
  to->Put(run.refusal);
  for (const int64_t number : {run.ttl_ms, run.fence, run.reserved_at, run.expires_at, run.ended_at, run.compute_ms}) to->Put(number);
  for (const std::string* text : {&run.request_digest, &run.outcome, &run.reply}) to->Text(*text);
}

RunRow TakeRun(Reader* from) {
  RunRow run;
  for (std::string* text : {&run.customer_id, &run.tenant_id, &run.run_id, &run.pipeline_id, &run.api_key_id}) *text = from->Text();
  run.month = from->Take<int32_t>();
  const auto state = from->Take<uint8_t>();
  if (state < static_cast<uint8_t>(RunState::kReserved) || state > static_cast<uint8_t>(RunState::kRefused)) from->Break();
  run.state = static_cast<RunState>(state);
  run.refusal = from->Take<int32_t>();
  for (int64_t* number : {&run.ttl_ms, &run.fence, &run.reserved_at, &run.expires_at, &run.ended_at, &run.compute_ms}) *number = from->Take<int64_t>();
  for (std::string* text : {&run.request_digest, &run.outcome, &run.reply}) *text = from->Text();
  return run;
}

void PutUsage(const UsageRow& usage, Writer* to) {
  to->Text(usage.customer_id);
  to->Text(usage.tenant_id);
  to->Put(static_cast<int32_t>(usage.month));
  for (const int64_t number : {usage.run_count, usage.running_count, usage.compute_ms, usage.api_requests}) to->Put(number);
  to->Maybe(usage.last_run_at);
}

UsageRow TakeUsage(Reader* from) {
  UsageRow usage;
  usage.customer_id = from->Text();
  usage.tenant_id = from->Text();
  usage.month = from->Take<int32_t>();
  for (int64_t* number : {&usage.run_count, &usage.running_count, &usage.compute_ms, &usage.api_requests}) {
    *number = from->Take<int64_t>();
    if (*number < 0) from->Break();
  }
  usage.last_run_at = from->Maybe();
  return usage;
}

void PutEvents(const std::optional<catalog::RowBatch>& events, Writer* to) {
  to->Count(events ? events->size() : 0);
  for (size_t i = 0; events && i < events->size(); ++i) {
    const auto row = events->Row(i);
    for (size_t column = 0; column < row.size(); ++column) {
      const catalog::Cell& cell = row[column];
      const bool number = catalog::IsNumeric(catalog::AuditLogs().columns[column].type);
      to->Put(static_cast<uint8_t>(cell.is_null ? CellTag::kNull : number ? CellTag::kNumber : CellTag::kText));
      if (cell.is_null) continue;
      if (number)
        to->Put(cell.num);
      else
        to->Text(cell.text);
    }
  }
}

void TakeEvents(Reader* from, std::optional<catalog::RowBatch>* events) {
  const auto& columns = catalog::AuditLogs().columns;
  const size_t count = from->Count(columns.size());
  if (count > 0) events->emplace(catalog::AuditLogs());
  for (size_t i = 0; i < count && !from->broken(); ++i) {
    const auto row = (*events)->AddRow();
    for (size_t column = 0; column < columns.size(); ++column) {
      const auto tag = static_cast<CellTag>(from->Take<uint8_t>());
      const bool number = catalog::IsNumeric(columns[column].type);
      if (tag == CellTag::kNumber && number)
        row[column] = catalog::Cell::Int(from->Take<int64_t>());
      else if (tag == CellTag::kText && !number)
        row[column] = (*events)->Own(from->Text());
      else if (tag != CellTag::kNull)
        from->Break();
    }
  }
}

}  // namespace

void AppendCommitRecord(const ServingWrites& writes, std::string* out) {
  REEVE_ASSERT(writes.revocations.empty() && writes.changes.empty());
  Writer to(out);
  to.Put(kVersion);
  for (const int64_t mark : {writes.ledger_time, writes.fence, writes.audit_seq}) to.Put(mark);
  to.Text(writes.audit_head);
  to.Count(writes.runs.size());
  for (const RunRow& run : writes.runs) PutRun(run, &to);
  to.Count(writes.usage.size());
  for (const UsageRow& usage : writes.usage) PutUsage(usage, &to);
  to.Count(writes.touches.size());
  for (const KeyTouch& touch : writes.touches) {
    to.Bytes(touch.digest);
    to.Put(touch.last_used_at);
  }
  PutEvents(writes.audit, &to);
}

Result<ServingWrites> ParseCommitRecord(std::string_view record) {
  Reader from(record);
  ServingWrites writes;
  if (from.Take<uint8_t>() != kVersion) from.Break();
  for (int64_t* mark : {&writes.ledger_time, &writes.fence, &writes.audit_seq}) *mark = from.Take<int64_t>();
  writes.audit_head = from.Text();
  const size_t runs = from.Count(kRunBytesMin);
  for (size_t i = 0; i < runs && !from.broken(); ++i) writes.runs.push_back(TakeRun(&from));
  const size_t usage = from.Count(kUsageBytesMin);
  for (size_t i = 0; i < usage && !from.broken(); ++i) writes.usage.push_back(TakeUsage(&from));
  const size_t touches = from.Count(kTouchBytes);
  for (size_t i = 0; i < touches && !from.broken(); ++i) {
    KeyTouch& touch = writes.touches.emplace_back();
    from.Digest(&touch.digest);
    touch.last_used_at = from.Take<int64_t>();
  }
  TakeEvents(&from, &writes.audit);
  if (from.broken() || !from.done()) return Fail(Code::kCorrupt, "a record of {} bytes is not what the ledger writes", record.size());
  return writes;
}

}  // namespace reeve::store
