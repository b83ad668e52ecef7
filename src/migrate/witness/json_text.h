// Questions about JSON as it is written, which the parser does not answer. Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace reeve::migrate::witness {

// Whether a number literal with a fraction or an exponent is finite as a double. For huge ones; slow.
[[nodiscard]] bool IsFinite(std::string_view literal);

// `line` with exponents of more than eight digits replaced by 99999999: as finite or infinite as before, and within what the parser
// can count. For lines on which it gave up.
[[nodiscard]] std::string ClampExponents(std::string_view line);

// The source text of the value of member number `ordinal` (from 0), without white space outside strings.
// REQUIRES: `line` is a valid JSON object with that many members.
[[nodiscard]] std::string MemberSource(std::string_view line, size_t ordinal);

}  // namespace reeve::migrate::witness
