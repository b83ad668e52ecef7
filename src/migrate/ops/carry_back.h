// Carrying revocations back: makes the legacy tables refuse every key that central knows as
// revoked, before central's rows go.
//
// One pass over the key tables concerned, whatever the number of tenants; tables are rewritten only
// where a row must change, and read again afterwards. Idempotent: a second run finds nothing to
// change. Not safe for concurrent use.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "migrate/estate_map.h"
#include "migrate/ops/legacy_keys.h"

namespace reeve::migrate::ops {

// What is asked about the keys of one tenant.
struct KeyQuestions {
  std::map<std::string, Denial> deny;   // by hash: must not be accepted by legacy afterwards
  std::set<std::string> expect;         // hashes that legacy should know: made after the copy
  [[nodiscard]] bool empty() const { return deny.empty() && expect.empty(); }
};
struct KeyAnswers {
  // of `deny`: were active in legacy and are not any more (or would be, in a dry run)
  std::set<std::string> carried;
  std::set<std::string> found;          // of `expect`
  // not empty: a table could not be read or written; nothing is certain
  std::string failure;
};

class CarryBack {
 public:
  CarryBack(legacy::LegacyEstate& estate, EstateMap map, bool dry_run) : estate_(estate), map_(std::move(map)), dry_run_(dry_run) {}
  // Answers by tenant, one for each question.
  [[nodiscard]] std::map<std::string, KeyAnswers> Run(const std::map<std::string, KeyQuestions>& questions);

 private:
  struct Found {
    bool must_change = false;
    DenialColumns columns;
  };
  // The tenant of a row, or nullptr if nobody asked: `owner` in own carriers, whom it names in
  // shared ones.
  using OwnerOf = const std::string*;
  Result<> Treat(const CarrierTable& carrier, OwnerOf owner);
  Result<Found> Look(const legacy::LegacyTable& table, OwnerOf owner, bool note);
  Result<> Rewrite(const legacy::LegacyTable& table, OwnerOf owner, const DenialColumns& columns);
  // The denial that applies to an active row; nullptr: it stays as it is.
  const Denial* DenialOf(const LegacyKey& key, OwnerOf owner, bool note);

  legacy::LegacyEstate& estate_;
  const EstateMap map_;
  const bool dry_run_;
  const std::map<std::string, KeyQuestions>* questions_ = nullptr;
  std::map<std::string, KeyAnswers> answers_;
};

}  // namespace reeve::migrate::ops
