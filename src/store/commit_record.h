// CommitRecord: one group of decisions as bytes, so that it can be made durable by appending and brought into tables later (store/sqlite/commit_log.h).
//
// Numbers are little-endian; grammar, persisted:
//
//   record   = version marks list(run) list(usage) list(touch) list(event)
//   version  = 01                                   one byte
//   marks    = i64 ledger time, i64 fence, i64 audit sequence, text audit head
//   list(x)  = u32 count, then so many x
//   text     = u32 length, then so many bytes
//   run      = text customer, text tenant, text run id, text pipeline, text key id, i32 month, u8 state, i32 refusal, i64 lease in ms, i64 fence,
//              i64 reserved at, i64 expires at, i64 ended at, i64 compute ms, text request digest, text outcome, text reply
//   usage    = text customer, text tenant, i32 month, i64 runs, i64 running, i64 compute ms, i64 requests, maybe last run at
//   maybe    = 00 | 01 i64
//   touch    = 32 bytes digest, i64 last used at
//   event    = a row of customer_audit_logs, a cell for each column in the order of the catalog: 00 NULL | 01 i64 | 02 text
//
// Revocations and changes of customers are not part of it: they are rare and go into the tables at once. Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "store/serving_store.h"

namespace reeve::store {

// REQUIRES: neither revocations nor changes
void AppendCommitRecord(const ServingWrites& writes, std::string* out);
// kCorrupt for anything that AppendCommitRecord did not write. Never more memory than a small multiple of the record's own size.
[[nodiscard]] Result<ServingWrites> ParseCommitRecord(std::string_view record);

}  // namespace reeve::store
