#include "sample/expected_out.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/encoding.h"
#include "sample/expect_text.h"

namespace reeve::sample {
namespace {

void AppendLength(size_t length, std::string* out) {
  const auto value = static_cast<uint32_t>(length);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out->append(bytes, sizeof value);
}

size_t TakeLength(std::string_view* from) {
  uint32_t value = 0;
  REEVE_ASSERT(from->size() >= sizeof value);
  std::memcpy(&value, from->data(), sizeof value);
  from->remove_prefix(sizeof value);
  return value;
}

std::string_view Take(size_t length, std::string_view* from) {
  const std::string_view taken = from->substr(0, length);
  from->remove_prefix(length);
  return taken;
}

// Ids are a prefix, an underscore and hex digits: their order is that of the digits.
size_t BucketOfId(std::string_view id, size_t buckets) {
  const std::optional<std::string> byte = HexDecode(id.substr(id.find('_') + 1, 2));
  REEVE_ASSERT(byte && byte->size() == 1);
  return static_cast<uint8_t>((*byte)[0]) * buckets / 256;
}

constexpr uint64_t kTenantsPerBucket = 1'000;
constexpr uint64_t kBucketsMax = 64;

size_t BucketsFor(uint64_t tenants) {
  return std::bit_ceil(std::clamp<uint64_t>(tenants / kTenantsPerBucket, 1, kBucketsMax));
}

}  // namespace

std::string SortedFile::BucketPath(size_t bucket) const { return fmt::format("{}.{:02}.part", path_, bucket); }

Result<> SortedFile::Add(size_t bucket, std::string_view key, std::string_view line) {
  std::string& buffer = buffers_[bucket];
  AppendLength(key.size(), &buffer);
  AppendLength(line.size(), &buffer);
  buffer += key;
  buffer += line;
  if (buffer.size() < kSpillBytes) return {};
  REEVE_ASSIGN(const std::unique_ptr<AppendFile> file, spilled_[bucket] ? files_.OpenAppend(BucketPath(bucket))
                                                                       : files_.Create(BucketPath(bucket)));
  spilled_[bucket] = true;
  REEVE_TRY(file->Append(buffer));
  buffer.clear();
  return {};
}

Result<std::string> SortedFile::SortBucket(size_t bucket) {
  std::string records;
  if (spilled_[bucket]) {
    REEVE_ASSIGN(records, files_.Read(BucketPath(bucket), kBucketBytesMax));
  }
  records += buffers_[bucket];
  buffers_[bucket] = std::string();
  std::vector<std::pair<std::string_view, std::string_view>> lines;
  for (std::string_view rest = records; !rest.empty();) {
    const size_t key_length = TakeLength(&rest);
    const size_t line_length = TakeLength(&rest);
    const std::string_view key = Take(key_length, &rest);
    lines.emplace_back(key, Take(line_length, &rest));
  }
  std::sort(lines.begin(), lines.end());
  std::string sorted;
  sorted.reserve(records.size());
  for (const auto& [key, line] : lines) {
    sorted += line;
    sorted.push_back('\n');
  }
  return sorted;
}

Result<> SortedFile::Finish() {
  REEVE_ASSIGN(const std::unique_ptr<AppendFile> file, files_.Create(path_));
  for (size_t bucket = 0; bucket < buffers_.size(); ++bucket) {
    REEVE_ASSIGN(const std::string sorted, SortBucket(bucket));
    if (!sorted.empty()) REEVE_TRY(file->Append(sorted));
    if (spilled_[bucket]) REEVE_TRY(files_.Remove(BucketPath(bucket)));
  }
  return {};
}

ExpectedOut::ExpectedOut(Files& files, const std::string& dir, uint64_t tenants, SampleReport* report)
    : files_(files),
      dir_(dir),
      tenants_(tenants),
      report_(report),
      customers_(files, dir + "/customers.json", BucketsFor(tenants)),
      subscriptions_(files, dir + "/customer_subscriptions.json", BucketsFor(tenants)),
      api_keys_(files, dir + "/customer_api_keys.json", BucketsFor(tenants)),
      credentials_(files, dir + "/customer_credentials.json", BucketsFor(tenants)),
      usage_(files, dir + "/customer_usage.json", BucketsFor(tenants)),
      dead_letters_(files, dir + "/dead_letters.json", BucketsFor(tenants)),
      findings_(files, dir + "/findings.json", BucketsFor(tenants)) {}

size_t ExpectedOut::BucketOfRank(uint64_t rank) const {
  return static_cast<size_t>(rank * BucketsFor(tenants_) / std::max<uint64_t>(tenants_, 1));
}

Result<> ExpectedOut::AddRow(SortedFile* file, std::string_view table, const ExpectedRow& row) {
  ++report_->expected[std::string(table)];
  return file->Add(BucketOfId(row.key, file->buckets()), row.key, row.line);
}

Result<> ExpectedOut::AddTenant(const std::string& tenant, uint64_t rank, const ExpectedTenant& rows) {
  REEVE_TRY(AddRow(&customers_, "customers", rows.customer));
  REEVE_TRY(AddRow(&subscriptions_, "customer_subscriptions", rows.subscription));
  for (const ExpectedRow& row : rows.keys) REEVE_TRY(AddRow(&api_keys_, "customer_api_keys", row));
  for (const ExpectedRow& row : rows.credentials) REEVE_TRY(AddRow(&credentials_, "customer_credentials", row));
  for (const ExpectedRow& row : rows.usage) REEVE_TRY(AddRow(&usage_, "customer_usage", row));
  for (const ExpectedFinding& finding : rows.findings) {
    Line line;
    line.Text("tenant_id", std::string_view(tenant)).Text("code", std::string_view(finding.code));
    if (!finding.subject.empty()) line.Text("subject", std::string_view(finding.subject));
    const std::string key = tenant + '\0' + finding.code + '\0' + finding.subject;
    REEVE_TRY(findings_.Add(BucketOfRank(rank), key, line.Finish()));
  }
  return {};
}

Result<> ExpectedOut::AddDeadLetter(uint64_t rank, const DeadLetter& letter) {
  Line line;
  line.Text("tenant_id", std::string_view(letter.tenant)).Text("dataset", std::string_view(letter.dataset));
  line.Text("table_name", std::string_view(letter.table)).Text("part", std::string_view(letter.part));
  line.Int("line", static_cast<int64_t>(letter.line)).Text("reason", std::string_view(letter.reason));
  const std::string key = letter.tenant + '\0' + letter.dataset + '\0' + letter.table + '\0' +
                          letter.part + '\0' + fmt::format("{:020}", letter.line);
  ++report_->dead_letters[letter.reason];
  return dead_letters_.Add(letter.tenant.empty() ? 0 : BucketOfRank(rank), key, line.Finish());
}

void ExpectedOut::AddSkipped(const std::string& dataset, const std::string& reason) {
  ++report_->skipped_datasets;
  skipped_.push_back(
      Line().Text("dataset", std::string_view(dataset)).Text("reason", std::string_view(reason)).Finish());
}

void ExpectedOut::AddFailed(const std::string& tenant, const std::string& reason) {
  ++report_->failed_tenants;
  failed_.push_back(
      Line().Text("tenant_id", std::string_view(tenant)).Text("reason", std::string_view(reason)).Finish());
}

Result<> ExpectedOut::WriteLines(const std::string& name, std::vector<std::string>* lines) {
  std::sort(lines->begin(), lines->end());
  std::string content;
  for (const std::string& line : *lines) content += line + "\n";
  REEVE_ASSIGN(const std::unique_ptr<AppendFile> file, files_.Create(dir_ + "/" + name));
  return file->Append(content);
}

Result<> ExpectedOut::Finish() {
  for (SortedFile* file :
       {&customers_, &subscriptions_, &api_keys_, &credentials_, &usage_, &dead_letters_, &findings_})
    REEVE_TRY(file->Finish());
  REEVE_TRY(WriteLines("skipped.json", &skipped_));
  REEVE_TRY(WriteLines("failed.json", &failed_));
  return WriteLines("keys.json", &keys_);
}

}  // namespace reeve::sample
