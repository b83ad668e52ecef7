// Texts of scalar values: checked and brought into one form when rows are read, and turned into numbers and bytes by who uses them. Pure functions; safe
// from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time_text.h"
#include "drivers/bigquery/types.h"

namespace reeve::bigquery {

// Brings `text`, as a server wrote it, into the form that types.h promises for the type. False if it is no such value, then `text` is unspecified.
// A TIMESTAMP must be a count of microseconds, or a text with a date and a time as nested values of the emulator are; a number with a fraction is refused,
// since it is a count of seconds that has lost its microseconds. REQUIRES: type is not kStruct.
[[nodiscard]] bool Normalise(FieldType type, std::string* text);

// nullopt for NULL and for a value that is not of the kind.
[[nodiscard]] std::optional<int64_t> AsInt64(const Value& value);
[[nodiscard]] std::optional<double> AsDouble(const Value& value);
[[nodiscard]] std::optional<bool> AsBool(const Value& value);
[[nodiscard]] std::optional<Micros> AsTime(const Value& value);   // TIMESTAMP
[[nodiscard]] std::optional<Days> AsDate(const Value& value);     // DATE
[[nodiscard]] std::optional<std::string> AsBytes(const Value& value);
[[nodiscard]] std::optional<std::string> AsText(const Value& value);

}  // namespace reeve::bigquery
