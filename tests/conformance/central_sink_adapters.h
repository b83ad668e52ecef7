// The adapters that the CentralSink suites run against.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/central_sink.h"

namespace reeve::store {

class Adapter {
 public:
  virtual ~Adapter() = default;
  // Opens the adapter's store, which is empty the first time. REQUIRES: no other sink of it is open
  virtual std::unique_ptr<CentralSink> Open() = 0;
};

// `name`: memory, sqlite, bigquery (the fake), bigquery_plain (the fake, as an engine without etags), bigquery_emulator. nullptr, with `why`, where it cannot be had: the test is to be skipped.
[[nodiscard]] std::unique_ptr<Adapter> MakeAdapter(std::string_view name, std::string* why);

}  // namespace reeve::store
