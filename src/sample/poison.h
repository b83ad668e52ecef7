// Breaks rows in named ways, each with the reason docs/mapping.md gives for it. Pure; one thread per Prng.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sample/fields.h"
#include "sample/prng.h"
#include "sample/table_out.h"

namespace reeve::sample {

struct PoisonContext {
  Kind kind = Kind::kOther;
  bool shared = false;        // the table belongs to many tenants
  bool has_schema = false;    // a schema file lists its columns
  bool has_is_active = true;  // the table has that column
  std::string_view foreign;   // the name of another tenant
  Micros as_of = 0;
};

struct Broken {
  std::string line;
  std::string_view fault;     // what was done: "bad_utf8"
  std::string_view reason;    // the dead letter's reason: "invalid_json"
  bool names_tenant = true;   // false: in a shared table, whose row it is cannot be said
};

// Breaks the row in one way that can happen to it.
[[nodiscard]] Broken Break(const PoisonContext& context, Fields* row, Prng* rng);
// Every reason that Break gives, sorted.
[[nodiscard]] std::vector<std::string_view> BreakReasons();
// Breaks the row by a value over 1 MiB.
[[nodiscard]] Broken BreakByHugeValue(Fields* row, Prng* rng);

}  // namespace reeve::sample
