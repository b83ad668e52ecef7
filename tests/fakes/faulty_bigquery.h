// FaultyBigQuery: a bigquery::Client that dies at a call, as a process that is killed does: the call is not made, or was made and nobody heard of it, and no
// later call reaches the server, not even those that tidy up. Counts the calls, so that a test can die at each of them. On request it hides etags, as an
// engine that has none, or loses long rows of loads and says nothing, as the emulator v0.8.1 does. Not safe for concurrent use.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <utility>

#include "drivers/bigquery/client.h"

namespace reeve {

class FaultyBigQuery final : public bigquery::Client {
 public:
  // `inner` outlives this.
  explicit FaultyBigQuery(bigquery::Client& inner) : inner_(inner) {}

  // Dies at the `call`-th call from now (0 is the next); `after`: once its work is done.
  void DieAt(int call, bool after) {
    left_ = call;
    after_ = after;
    dead_ = false;
  }
  void HideEtags() { hides_etags_ = true; }
  void LoseLongRows(size_t bytes_max) { row_bytes_max_ = bytes_max; }
  // What somebody else does right before a statement is sent.
  void BeforeExecute(std::function<void()> work) { before_execute_ = std::move(work); }
  [[nodiscard]] bool dead() const { return dead_; }
  [[nodiscard]] int calls() const { return calls_; }

  Result<std::vector<bigquery::DatasetInfo>> ListDatasets(const std::string& project) override {
    return Call([&] { return inner_.ListDatasets(project); });
  }
  Result<std::optional<bigquery::DatasetInfo>> FindDataset(const std::string& project, const std::string& dataset) override {
    return Call([&] { return inner_.FindDataset(project, dataset); });
  }
  Result<bigquery::DatasetInfo> EnsureDataset(const bigquery::DatasetInfo& dataset) override {
    return Call([&] { return inner_.EnsureDataset(dataset); });
  }
  Result<std::vector<std::string>> ListTables(const std::string& project, const std::string& dataset, std::vector<std::string>* skipped) override {
    return Call([&] { return inner_.ListTables(project, dataset, skipped); });
  }
  Result<std::optional<bigquery::TableInfo>> FindTable(const bigquery::TableId& id) override {
    auto found = Call([&] { return inner_.FindTable(id); });
    if (found && *found) Plain(&**found);
    return found;
  }
  Result<bigquery::TableInfo> InsertTable(const bigquery::TableSpec& spec) override {
    auto made = Call([&] { return inner_.InsertTable(spec); });
    if (made) Plain(&*made);
    return made;
  }
  Result<bigquery::TableInfo> PatchTable(const bigquery::TableSpec& spec, const std::string& etag) override {
    auto patched = Call([&] { return inner_.PatchTable(spec, etag); });
    if (patched) Plain(&*patched);
    return patched;
  }
  Result<> DeleteTable(const bigquery::TableId& id) override {
    return Call([&] { return inner_.DeleteTable(id); });
  }
  Result<> ReadTable(const bigquery::TableInfo& table, std::span<const std::string> columns, const bigquery::VisitRow& visit) override {
    return Call([&] { return inner_.ReadTable(table, columns, visit); });
  }
  Result<bigquery::JobResult> Query(const bigquery::QuerySpec& spec, bigquery::Schema* schema, const bigquery::VisitRow& visit) override {
    return Call([&] { return inner_.Query(spec, schema, visit); });
  }
  Result<bigquery::JobResult> Execute(const bigquery::QuerySpec& spec) override {
    if (before_execute_) before_execute_();
    return Call([&] { return inner_.Execute(spec); });
  }
  Result<std::optional<uint64_t>> DryRun(const bigquery::QuerySpec& spec) override {
    return Call([&] { return inner_.DryRun(spec); });
  }
  Result<bigquery::JobResult> Load(const bigquery::LoadSpec& spec, const bigquery::UploadSource& rows) override {
    if (row_bytes_max_ == 0) return Call([&] { return inner_.Load(spec, rows); });
    auto loaded = Call([&] { return inner_.Load(spec, Shortened(rows)); });
    if (loaded) loaded->output_rows = 0;
    return loaded;
  }
  Result<> Cancel(const std::string& job_id, const std::string& location) override {
    return Call([&] { return inner_.Cancel(job_id, location); });
  }
  bigquery::WireCounts counts() const override { return inner_.counts(); }
  const bigquery::ClientOptions& options() const override { return inner_.options(); }

 private:
  template <typename Work>
  auto Call(Work work) -> decltype(work()) {
    ++calls_;
    const bool last = !dead_ && left_-- == 0;
    if (last) dead_ = true;
    if (dead_ && !(last && after_)) return Fail(Code::kFailed, "the process is dead");
    auto result = work();
    if (last) return Fail(Code::kFailed, "the process died before it heard of it");
    return result;
  }

  // The whole text at once, without its long lines.
  bigquery::UploadSource Shortened(const bigquery::UploadSource& rows) const {
    auto done = std::make_shared<bool>(false);
    bigquery::UploadSource source;
    source.next = [this, rows, done](size_t) -> Result<std::string> {
      std::string all, kept;
      if (std::exchange(*done, true)) return kept;
      for (std::string piece = "."; !piece.empty();) {
        REEVE_ASSIGN(piece, rows.next(1 << 20));
        all += piece;
      }
      for (size_t at = 0; at < all.size();) {
        const size_t end = all.find('\n', at) + 1;
        if (end - at <= row_bytes_max_) kept.append(all, at, end - at);
        at = end;
      }
      return kept;
    };
    source.rewind = [rows, done] {
      *done = false;
      return rows.rewind();
    };
    return source;
  }

  void Plain(bigquery::TableInfo* info) const {
    if (hides_etags_) info->etag.clear();
  }

  bigquery::Client& inner_;
  int left_ = std::numeric_limits<int>::max();
  bool after_ = false, dead_ = false, hides_etags_ = false;
  size_t row_bytes_max_ = 0;  // 0: none is lost
  int calls_ = 0;
  std::function<void()> before_execute_;
};

}  // namespace reeve
