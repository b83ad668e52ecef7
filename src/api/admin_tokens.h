// Admin tokens: who administers a server. Only their SHA-256 is kept, in a file:
//
//   file := { line }     line := "sha256:" 64 hex digits [ " " name ] | "#" … | nothing
//   name := 1 to 32 of A-Z a-z 0-9 . _ -       stands in audit logs; "admin" if there is none
// At most kAdminTokensMax lines with a token: for rotation. A token itself in the file is refused. Values; safe to share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace reeve::api {

inline constexpr size_t kAdminTokensMax = 16;
inline constexpr size_t kAdminTokenFileMax = 64 * 1024;

class AdminTokens {
 public:
  AdminTokens() = default;
  // kUsage names `file` and line.
  [[nodiscard]] static Result<AdminTokens> Parse(std::string_view text, std::string_view file);
  // The name that goes with a token that was shown; empty: not one of these. Takes the same time for every token.
  [[nodiscard]] std::string_view Find(std::string_view token) const;
  void Add(std::string_view token, std::string_view name);
  [[nodiscard]] bool empty() const { return tokens_.empty(); }

 private:
  struct Token {
    std::string digest;  // 32 bytes
    std::string name;
  };
  std::vector<Token> tokens_;
};

}  // namespace reeve::api
