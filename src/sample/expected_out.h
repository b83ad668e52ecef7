// Writes the expectation: sorted files of one JSON object per line, in bounded memory.
//
// A SortedFile spreads its lines over buckets by order of their keys, spills buckets that grow, and sorts one bucket after the other
// at the end. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "env/files.h"
#include "sample/expect.h"
#include "sample/sample.h"

namespace reeve::sample {

class SortedFile {
 public:
  static constexpr size_t kSpillBytes = 64 << 10;
  static constexpr uint64_t kBucketBytesMax = 1 << 30;

  // `buckets` > 0.
  SortedFile(Files& files, std::string path, size_t buckets)
      : files_(files), path_(std::move(path)), buffers_(buckets), spilled_(buckets, false) {}
  // Adds a line (without newline). Keys in bucket i must be smaller than those in bucket i+1.
  [[nodiscard]] Result<> Add(size_t bucket, std::string_view key, std::string_view line);
  // Writes the file and removes the spilled buckets.
  [[nodiscard]] Result<> Finish();
  [[nodiscard]] size_t buckets() const { return buffers_.size(); }

 private:
  [[nodiscard]] std::string BucketPath(size_t bucket) const;
  [[nodiscard]] Result<std::string> SortBucket(size_t bucket);

  Files& files_;
  const std::string path_;
  std::vector<std::string> buffers_;  // records: u32 key length, u32 line length, key, line
  std::vector<bool> spilled_;
};

struct DeadLetter {
  std::string tenant;  // "" for what belongs to none
  std::string dataset;
  std::string table;
  std::string part;    // "" for a whole table
  uint64_t line = 0;
  std::string reason;
};

class ExpectedOut {
 public:
  // `tenants` is the number of tenants, for the number of buckets.
  ExpectedOut(Files& files, const std::string& dir, uint64_t tenants, SampleReport* report);

  // `rank` of the tenant among all names in order of bytes.
  [[nodiscard]] Result<> AddTenant(const std::string& tenant, uint64_t rank, const ExpectedTenant& rows);
  [[nodiscard]] Result<> AddDeadLetter(uint64_t rank, const DeadLetter& letter);
  void AddSkipped(const std::string& dataset, const std::string& reason);
  void AddFailed(const std::string& tenant, const std::string& reason);
  void AddKey(std::string line) { keys_.push_back(std::move(line)); }
  [[nodiscard]] Result<> Finish();

 private:
  [[nodiscard]] Result<> AddRow(SortedFile* file, std::string_view table, const ExpectedRow& row);
  [[nodiscard]] size_t BucketOfRank(uint64_t rank) const;
  [[nodiscard]] Result<> WriteLines(const std::string& name, std::vector<std::string>* lines);

  Files& files_;
  const std::string dir_;
  const uint64_t tenants_;
  SampleReport* report_;
  SortedFile customers_, subscriptions_, api_keys_, credentials_, usage_, dead_letters_, findings_;
  std::vector<std::string> skipped_, failed_, keys_;
};

}  // namespace reeve::sample
