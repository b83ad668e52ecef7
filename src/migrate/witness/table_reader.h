// Reads one legacy table from its first byte to its last and hands out its rows, typed or rejected. For one thread at a time; keep one and
// use it for many tables.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "legacy/estate.h"
#include "migrate/witness/carriers.h"
#include "migrate/witness/json_row.h"
#include "migrate/witness/lines.h"
#include "migrate/witness/row.h"

namespace reeve::migrate::witness {

// What is known of a table after its last row.
struct TableOutcome {
  std::string unreadable;      // why it could not be read to its end; empty if it could
  bool recognised = false;     // its shape
  bool has_is_active = false;  // it has that column
  uint64_t rows = 0;
};

class TableReader {
 public:
  explicit TableReader(legacy::LegacyEstate& estate) : estate_(estate) {}

  // Called with each row; its texts are valid during the call. A reason other than kNone: §2 rejects the row, and only the field of its
  // tenant is there, if that could be read. Whether the shape is recognised is known only afterwards: what was taken of an
  // unrecognised table must be given back.
  using Visit = std::function<void(const Row& row, Reason reason)>;
  [[nodiscard]] TableOutcome Read(const CarrierTable& carrier, const Visit& visit);

  [[nodiscard]] uint64_t bytes() const { return lines_.bytes(); }

 private:
  void RejectRow(Kind kind, Reason reason, const Visit& visit);
  [[nodiscard]] Result<> ReadPart(const CarrierTable& carrier, size_t part, const Visit& visit, TableOutcome* outcome);

  legacy::LegacyEstate& estate_;
  JsonRow json_;
  Lines lines_;
  Row row_;
};

}  // namespace reeve::migrate::witness
