#include "app/toml_text.h"

namespace reeve::app {

Result<toml::table> ParseToml(std::string_view text, std::string_view name) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Fail(Code::kUsage, "{}: {}", At(name, error.source()), cli::Printable(error.description()));
  } catch (const std::exception& error) {
    return Fail(Code::kUsage, "{}: cannot be read as TOML: {}", name, cli::Printable(error.what()));
  }
}

}  // namespace reeve::app
