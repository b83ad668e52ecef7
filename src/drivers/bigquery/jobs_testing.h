// Statements, questions and requests that the tests of jobs have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "drivers/bigquery/jobs.h"
#include "drivers/bigquery/rest_testing.h"

namespace reeve::bigquery::testing {

inline constexpr std::string_view kMerge = "MERGE t USING s ON FALSE WHEN NOT MATCHED THEN INSERT ROW";
inline const std::string kNumbers = R"({"fields":[{"name":"n","type":"INTEGER"}]})";

inline QuerySpec Spec(std::string_view sql = kMerge) { return {"run-merge", std::string(sql), "EU", {}}; }

inline std::string NumberRow(int number) { return fmt::format(R"({{"f":[{{"v":"{}"}}]}})", number); }

inline bool IsInsert(const net::HttpRequest& request) { return request.method == "POST" && PathOf(request).ends_with("/jobs"); }

// Reads every row of `sql`; the numbers, or the error's message.
inline std::vector<std::string> ReadAll(Client& client, std::string_view sql) {
  std::vector<std::string> numbers;
  const Result<JobResult> result = client.Query(Spec(sql), nullptr, [&](const Row& row) -> Result<> {
    numbers.push_back(row.at(0).text);
    return {};
  });
  if (!result) numbers.push_back(result.error().message);
  return numbers;
}

}  // namespace reeve::bigquery::testing
