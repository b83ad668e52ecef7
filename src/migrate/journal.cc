#include "migrate/journal.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "crypto/sha256.h"

namespace reeve::migrate {
namespace {

constexpr size_t kCrcDigits = 8;
constexpr size_t kChainDigits = 16;
constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kTextMax = 4096;  // of source and detail; escaped and together they stay below kJournalLineMax
constexpr std::string_view kFirstPrev = "0000000000000000";
constexpr std::string_view kHint =
    "the file was changed outside reeve or its medium is failing: put back a copy of it, or move it away and run the "
    "migration again (what is already there is merged, not doubled)";

std::string CrcOf(std::string_view json) { return fmt::format("{:08x}", Crc32c(json)); }
std::string ChainOf(std::string_view line) { return crypto::Sha256Hex(line).substr(0, kChainDigits); }

// What was found, short and printable.
std::string Quoted(std::string_view bytes) {
  std::string shown;
  AppendJsonString(IsUtf8(bytes.substr(0, 48)) ? std::string(bytes.substr(0, 48)) : "hex " + HexEncode(bytes.substr(0, 24)), &shown);
  return bytes.size() > 48 ? shown + "…" : shown;
}

// `text` cut to kTextMax bytes, well-formed in any case: a file name of the legacy side may be neither.
std::string Clean(std::string_view text) {
  std::string out(text.substr(0, kTextMax));
  for (int cut = 0; cut < 3 && text.size() > kTextMax && !IsUtf8(out); ++cut) out.pop_back();
  if (IsUtf8(out)) return out;
  for (char& c : out)
    if (static_cast<uint8_t>(c) >= 0x80) c = '?';
  return out;
}

// Where a journal ends: what the next record must continue.
struct Chain {
  uint64_t seq = 0;
  std::string prev{kFirstPrev};
};

void PutText(std::string_view name, std::string_view text, std::string* out) {
  if (text.empty()) return;
  *out += fmt::format(",\"{}\":", name);
  AppendJsonString(Clean(text), out);
}

void PutTime(std::string_view name, Micros instant, std::string* out) {
  if (instant != 0) *out += fmt::format(",\"{}\":\"{}\"", name, FormatRfc3339(instant));
}

// The line of `record` without LF.
std::string LineOf(const JournalRecord& record, const Chain& chain) {
  std::string json = fmt::format(R"({{"v":{},"seq":{},"prev":"{}","type":"{}")", kJournalVersion, chain.seq + 1,
                                 chain.prev, record.type);
  PutText("tenant", record.tenant, &json);
  PutText("phase", record.phase, &json);
  if (record.attempt != 0) json += fmt::format(",\"attempt\":{}", record.attempt);
  PutTime("at", record.at, &json);
  PutTime("as_of", record.as_of, &json);
  PutText("source", record.source, &json);
  PutText("digest", record.digest, &json);
  PutText("detail", record.detail, &json);
  json += '}';
  return CrcOf(json) + ' ' + json;
}

void Apply(const JournalRecord& record, JournalState* state) {
  ++state->records;
  state->last_attempt = std::max(state->last_attempt, record.attempt);
  if (record.type == "begin") {
    state->run_open = true;
    state->as_of = record.as_of;
    state->source = record.source;
  } else if (record.type == "end") {
    state->run_open = false;
  } else if (record.type == "failed") {
    TenantState& tenant = state->tenants[record.tenant];
    tenant.failure = record.detail.empty() ? "failed" : record.detail;
    tenant.attempt = std::max(tenant.attempt, record.attempt);
  } else {
    TenantState& tenant = state->tenants[record.tenant];
    tenant.phase = *ParsePhase(record.phase);
    tenant.attempt = std::max(tenant.attempt, record.attempt);
    if (record.as_of != 0) tenant.as_of = record.as_of;
    if (tenant.phase <= Phase::kCopied) {  // copied again, or back to legacy: what was proven before no longer counts
      tenant.certificate.clear();
      tenant.failure.clear();
      tenant.source_digest = tenant.phase == Phase::kCopied ? record.digest : "";
    }
    if (tenant.phase == Phase::kVerified) tenant.certificate = record.digest;
  }
}

// Reads the lines of one journal in order and checks each against those before it.
class Scanner {
 public:
  Scanner(std::string_view name, const std::function<void(const JournalRecord&)>& visit) : name_(name), visit_(visit) {}

  // A line without its LF, which starts at `offset`.
  Result<> Line(std::string_view line, uint64_t offset) {
    if (line.size() > kJournalLineMax)
      return Damage(offset, fmt::format("a line of at most {} bytes", kJournalLineMax), fmt::format("{} bytes", line.size()));
    if (line.size() < kCrcDigits + 2 || line[kCrcDigits] != ' ')
      return Damage(offset, "a checksum of 8 hex digits and a space", Quoted(line));
    const std::string_view json = line.substr(kCrcDigits + 1);
    if (const std::string crc = CrcOf(json); crc != line.substr(0, kCrcDigits))
      return Damage(offset, fmt::format("checksum {}", crc), Quoted(line.substr(0, kCrcDigits)));
    JournalRecord record;
    REEVE_TRY(Parse(json, offset, &record));
    ++chain_.seq;
    chain_.prev = ChainOf(line);
    Apply(record, &state_);
    if (visit_) visit_(record);
    return {};
  }

  // What follows the last LF: nothing, or the beginning of a line that a crash cut off.
  Result<> Tail(std::string_view tail, uint64_t offset) {
    if (tail.size() > kJournalLineMax)
      return Damage(offset, fmt::format("a line of at most {} bytes", kJournalLineMax), "no end of line");
    // A whole record followed by something else than its LF was never the beginning of what we write.
    if (tail.size() > kCrcDigits + 3) {
      const std::string_view json = tail.substr(kCrcDigits + 1, tail.size() - kCrcDigits - 2);
      if (tail[kCrcDigits] == ' ' && CrcOf(json) == tail.substr(0, kCrcDigits))
        return Damage(offset + tail.size() - 1, "a line feed", Quoted(tail.substr(tail.size() - 1)));
    }
    return {};
  }

  Chain& chain() { return chain_; }
  JournalState& state() { return state_; }

 private:
  Unexpected Damage(uint64_t offset, std::string_view expected, std::string_view found) const {
    return FailWithHint(Code::kCorrupt,
                        fmt::format("{}: damaged at offset {} (record {}): expected {}, found {}", name_, offset,
                                    chain_.seq + 1, expected, found),
                        std::string(kHint));
  }

  Result<> Parse(std::string_view json, uint64_t offset, JournalRecord* record) const {
    boost::json::monotonic_resource memory;
    boost::json::error_code error;
    const boost::json::value value = boost::json::parse({json.data(), json.size()}, error, &memory);
    if (error || !value.is_object()) return Damage(offset, "a JSON object", Quoted(json));
    const boost::json::object& object = value.as_object();
    const auto number = [&](std::string_view name) {
      const auto* field = object.if_contains({name.data(), name.size()});
      return field != nullptr && field->is_int64() ? field->as_int64() : int64_t{-1};
    };
    if (number("v") != kJournalVersion)
      return Damage(offset, fmt::format("format version {}", kJournalVersion), fmt::format("version {}", number("v")));
    if (number("seq") != static_cast<int64_t>(chain_.seq + 1))
      return Damage(offset, fmt::format("record number {}", chain_.seq + 1), fmt::format("{}", number("seq")));
    const auto* prev = object.if_contains("prev");
    if (prev == nullptr || !prev->is_string() || std::string_view(prev->as_string()) != chain_.prev)
      return Damage(offset, fmt::format("a record that follows {}", chain_.prev),
                    prev != nullptr && prev->is_string() ? Quoted(prev->as_string()) : "none");
    for (const auto& [key, field] : object)
      if (!Take(key, field, record)) return Damage(offset, "known fields of the right type", Quoted(std::string_view(key)));
    if (std::string_view(record->type) != "begin" && record->type != "end" && record->type != "phase" && record->type != "failed")
      return Damage(offset, "type begin, phase, failed or end", Quoted(record->type));
    const bool of_tenant = record->type == "phase" || record->type == "failed";
    if (of_tenant == record->tenant.empty()) return Damage(offset, of_tenant ? "a tenant" : "no tenant", Quoted(record->tenant));
    if ((record->type == "phase") != ParsePhase(record->phase).has_value())
      return Damage(offset, record->type == "phase" ? "a phase" : "no phase", Quoted(record->phase));
    return {};
  }

  static bool Take(std::string_view key, const boost::json::value& field, JournalRecord* record) {
    if (key == "v" || key == "seq" || key == "prev") return true;
    if (key == "attempt") {
      if (!field.is_int64() || field.as_int64() < 0) return false;
      record->attempt = field.as_int64();
      return true;
    }
    if (!field.is_string()) return false;
    const std::string_view text = field.as_string();
    if (key == "at" || key == "as_of") {
      const std::optional<Micros> instant = ParseTime(text);
      (key == "at" ? record->at : record->as_of) = instant.value_or(0);
      return instant.has_value();
    }
    std::string* target = key == "type"     ? &record->type
                          : key == "tenant" ? &record->tenant
                          : key == "phase"  ? &record->phase
                          : key == "source" ? &record->source
                          : key == "digest" ? &record->digest
                          : key == "detail" ? &record->detail
                                            : nullptr;
    if (target != nullptr) *target = text;
    return target != nullptr;
  }

  const std::string name_;
  const std::function<void(const JournalRecord&)>& visit_;
  Chain chain_;
  JournalState state_;
};

// Gives the complete lines at the start of `bytes` to `scanner`; how many bytes they are. `offset`: where `bytes` starts.
Result<size_t> ScanLines(Scanner* scanner, std::string_view bytes, uint64_t offset) {
  size_t at = 0;
  for (size_t end; (end = bytes.find('\n', at)) != std::string_view::npos; at = end + 1)
    REEVE_TRY(scanner->Line(bytes.substr(at, end - at), offset + at));
  return at;
}

// Streams the file through `scanner`; the length of a torn last line.
Result<uint64_t> ScanFile(Files& files, const std::string& path, Scanner* scanner) {
  if (!files.Exists(path)) return 0;
  REEVE_ASSIGN(const auto reader, files.Open(path));
  std::string rest;  // of a line that goes on in the next block: never longer than a line and a block
  uint64_t offset = 0;
  std::string block(kReadBytes, '\0');
  for (;;) {
    REEVE_ASSIGN(const size_t count, reader->Read(block.data(), block.size()));
    if (count == 0) break;
    rest.append(block, 0, count);
    REEVE_ASSIGN(const size_t used, ScanLines(scanner, rest, offset));
    rest.erase(0, used);
    offset += used;
    if (rest.size() > kJournalLineMax) break;
  }
  REEVE_TRY(scanner->Tail(rest, offset));
  return rest.size();
}

}  // namespace

Result<JournalState> ReadJournal(Files& files, const std::string& path, uint64_t* torn_bytes) {
  const std::function<void(const JournalRecord&)> nobody;
  Scanner scanner(path, nobody);
  REEVE_ASSIGN(const uint64_t torn, ScanFile(files, path, &scanner));
  if (torn_bytes != nullptr) *torn_bytes = torn;
  return std::move(scanner.state());
}

Result<JournalState> ParseJournal(std::string_view bytes, std::string_view name, uint64_t* torn_bytes,
                                  const std::function<void(const JournalRecord&)>& visit) {
  Scanner scanner(name, visit);
  REEVE_ASSIGN(const size_t used, ScanLines(&scanner, bytes, 0));
  REEVE_TRY(scanner.Tail(bytes.substr(used), used));
  if (torn_bytes != nullptr) *torn_bytes = bytes.size() - used;
  return std::move(scanner.state());
}

struct Journal::Impl {
  std::string path;
  std::unique_ptr<AppendFile> file;
  Chain chain;          // after the pending records
  JournalState state;   // of what is committed
  std::string pending;
  std::vector<JournalRecord> pending_records;
  std::optional<Error> broken;
};

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() = default;
const JournalState& Journal::state() const { return impl_->state; }

Result<std::unique_ptr<Journal>> Journal::Open(Files& files, const std::string& path) {
  const std::function<void(const JournalRecord&)> nobody;
  Scanner scanner(path, nobody);
  REEVE_ASSIGN(const uint64_t torn, ScanFile(files, path, &scanner));
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  REEVE_ASSIGN(impl->file, files.OpenAppend(path, 0600));
  if (torn > 0) REEVE_TRY(impl->file->Truncate(impl->file->Size() - torn));
  impl->chain = std::move(scanner.chain());
  impl->state = std::move(scanner.state());
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

void Journal::Add(const JournalRecord& record) {
  const bool of_tenant = record.type == "phase" || record.type == "failed";
  REEVE_ASSERT(of_tenant || record.type == "begin" || record.type == "end");
  REEVE_ASSERT(of_tenant != record.tenant.empty());
  REEVE_ASSERT((record.type == "phase") == ParsePhase(record.phase).has_value());
  const std::string line = LineOf(record, impl_->chain);
  REEVE_ASSERT(line.size() <= kJournalLineMax);
  ++impl_->chain.seq;
  impl_->chain.prev = ChainOf(line);
  impl_->pending += line;
  impl_->pending += '\n';
  impl_->pending_records.push_back(record);
}

Result<> Journal::Commit() {
  if (impl_->broken)
    return Fail(Code::kFailed, "{}: not written, because an earlier write failed: {}", impl_->path, impl_->broken->message);
  if (impl_->pending.empty()) return {};
  Result<> written = impl_->file->Append(impl_->pending);
  if (written) written = impl_->file->Sync();
  if (!written) {
    impl_->broken = written.error();
    return written;
  }
  for (const JournalRecord& record : impl_->pending_records) Apply(record, &impl_->state);
  impl_->pending.clear();
  impl_->pending_records.clear();
  return {};
}

}  // namespace reeve::migrate
