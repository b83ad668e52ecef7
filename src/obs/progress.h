// Progress of long work, told by the worker and shown by whoever watches.
//
// The worker begins a stage with its total and adds what is done; a Progress object draws it (or not). All calls are safe from any
// thread; Add is cheap enough for every tenant, not for every row.
#pragma once

#include <cstdint>
#include <string_view>

namespace reeve::obs {

class Progress {
 public:
  virtual ~Progress() = default;
  // A new stage of `total` units ("copy", 10000, "tenants"); ends the one before.
  virtual void Begin(std::string_view stage, uint64_t total, std::string_view unit) = 0;
  // `units` more are done, with `rows` rows and `bytes` bytes read.
  virtual void Add(uint64_t units, uint64_t rows, uint64_t bytes) = 0;
  // A line worth keeping ("tenant x failed: …"), shown at once.
  virtual void Note(std::string_view line) = 0;
  virtual void End() = 0;
};

// Shows nothing.
class SilentProgress final : public Progress {
 public:
  void Begin(std::string_view, uint64_t, std::string_view) override {}
  void Add(uint64_t, uint64_t, uint64_t) override {}
  void Note(std::string_view) override {}
  void End() override {}
};

}  // namespace reeve::obs
