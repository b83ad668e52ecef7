// Upload: a load job with its rows in one request (multipart), or in a session that survives a break (resumable), after Google's resumable upload protocol.
//
//   multipart: POST …/jobs?uploadType=multipart, a multipart/related body of two parts: the job as JSON, the rows
//   resumable: POST …/jobs?uploadType=resumable with the job; Location names the session
//              PUT session, Content-Range: bytes FIRST-LAST/TOTAL, TOTAL "*" until it is known; all but the last piece a multiple of 256 KiB
//              308 with Range: bytes=0-LAST says what has arrived, none that nothing has; any other success is the job
//              PUT session, empty, Content-Range: bytes */TOTAL asks, after a break; 404 or 410: the session is gone, begin anew
//
// Rows up to kPieceBytes go in one piece whose size is announced, since the emulator takes every PUT for the whole. At most two pieces are held in memory.
#pragma once

#include <string>

#include "drivers/bigquery/api.h"

namespace reeve::bigquery {

inline constexpr size_t kMultipartBytesMax = 8 * 1024 * 1024;
inline constexpr size_t kPieceUnit = 256 * 1024;
inline constexpr size_t kPieceBytes = 64 * kPieceUnit;   // 16 MiB
inline constexpr int kSessionsMax = 4;                   // of one upload

// Sends the job with its rows; the answer is the job. Rows are rewound only to begin anew. A server that ends an upload before all was sent is an error.
// `tries`: as Api::Send.
[[nodiscard]] Answer Upload(Api& api, const std::string& job, const UploadSource& rows, Tries* tries);

}  // namespace reeve::bigquery
