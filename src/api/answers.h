// What decisions, runs and changes look like on the wire. Pure; safe from any thread. The gate's numbers go out unchanged; nothing is judged here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/http.h"
#include "api/problem.h"
#include "gate/gate.h"

namespace reeve::api {

// One sentence for the caller: "5000 of 5000 runs of this month are used."
[[nodiscard]] std::string DescribeRefusal(const domain::Decision& decision, std::string_view scope);

// RateLimit and RateLimit-Policy; `old_names`: X-RateLimit-Limit, -Remaining and -Reset too.
void AddRate(const domain::RateFacts& rate, bool old_names, Reply* reply);
// Appends `text` for a field's value as FieldText does; "none" if it is empty.
void AppendIdentity(std::string_view text, std::string* out);
// X-Customer-Id, X-Tenant-Id, X-Plan, X-Key-Id and X-Scopes (with commas), each with a value.
void AddIdentity(const gate::Identity& who, Reply* reply);

// A refusal as problem document, with Retry-After where waiting helps, and WWW-Authenticate for 401 unless `replayed`, where nginx adds its own.
void WriteRefusal(const domain::Decision& decision, std::string_view scope, const ProblemContext& context, bool replayed, Reply* reply);

// The answer of POST /authorize to an admission that is allowed.
void WriteAuthorization(const gate::Admission& admission, bool run_asked, std::string_view decision_id, Reply* reply);

void WriteRun(gate::RunVerb verb, const gate::RunAnswer& answer, const ProblemContext& context, Reply* reply);

// `done`: the JSON object of the answer without its last member, "changed".
void WriteChange(gate::ChangeResult result, std::string_view done, const ProblemContext& context, Reply* reply);

// {"limit" …} etc. are written by hand: these are the hot answers.
void SetJson(int status, std::string json, Reply* reply);

}  // namespace reeve::api
