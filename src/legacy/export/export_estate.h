// An estate as `bq extract` writes it: DIR/{dataset}/{table}[-SHARD].json[.gz], newline-delimited JSON, one row a line.
//
// It knows files, not rows: which table is a key table and what a row means is decided elsewhere (docs/mapping.md). It does not
// watch the directory; a file that changes while it is read is the operator's affair. Safe from any thread; a reader it handed
// out belongs to one thread and may outlive the estate, but not the Files.
//
//   name     := table [ "-" digit+ ] ".json" [ ".gz" ]  |  table ".schema.json"
//   table    := 1 to 1024 of A-Z a-z 0-9 _
//
// Other names, directories inside a dataset, and a schema without a data file are listed in Dataset::unread. Files directly in
// DIR are ignored. Symbolic links are followed; one that leads nowhere fails the listing.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "env/files.h"
#include "legacy/estate.h"

namespace reeve::legacy {

// An estate over `dir`, which need not exist yet (Replace makes it).
//
// List: kNotFound, and only then, if `dir` is absent or holds no directory. A table whose schema file is damaged is listed with an
// empty schema; opening one of its parts then fails and names the schema file, so that only its tenant fails.
// OpenLines, OpenRaw: shards come in order of (shard number, name), a file without a number first. Concatenated gzip members are
// one text. An empty, truncated or damaged .gz, and bytes behind its last member, are errors.
// Replace: writes {table}-000000000000.json (mode 0600; .json.gz if a shard was compressed before) and then removes the
// other shards; the schema file stays. After a crash in between the old shards are still there too: repeat it.
// REQUIRES: `files` outlives the estate and its readers.
[[nodiscard]] Result<std::unique_ptr<LegacyEstate>> OpenExportEstate(Files& files, std::string dir);

}  // namespace reeve::legacy
