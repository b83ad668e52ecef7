#include "base/error.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/secret.h"

namespace reeve {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return Fail(Code::kUsage, "{} is odd", value);
  return value / 2;
}
Result<int> Quarter(int value) {
  REEVE_ASSIGN(const int half, Half(value));
  return Half(half);
}
Result<> Check(int value) {
  REEVE_TRY(Half(value));
  return {};
}
Result<std::unique_ptr<int>> Boxed(int value) {
  REEVE_ASSIGN(auto half, Half(value));
  return std::make_unique<int>(half);
}

TEST(Error, TravelsUnchangedToTheCaller) {
  EXPECT_EQ(*Quarter(8), 2);
  const Result<int> failed = Quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kUsage);
  EXPECT_EQ(failed.error().message, "3 is odd");
  EXPECT_TRUE(Check(2));
  EXPECT_EQ(Check(1).error().message, "1 is odd");
  EXPECT_EQ(**Boxed(4), 2);
}

TEST(Error, WithinNamesTheWholeFirstAndKeepsTheHint) {
  Error error = Fail(Code::kCorrupt, "line {} is bad", 3).value();
  error.hint = "look at it";
  const Error outer = std::move(error).Within("a.json");
  EXPECT_EQ(outer.message, "a.json: line 3 is bad");
  EXPECT_EQ(outer.hint, "look at it");
  EXPECT_EQ(outer.code, Code::kCorrupt);
}

TEST(Error, FailWithHintTakesBracesAsTheyAre) {
  const Result<> result = FailWithHint(Code::kRefused, "{x} {}", "h");
  EXPECT_EQ(result.error().message, "{x} {}");
}

TEST(AssertionDeathTest, ABrokenPromiseEndsTheProcessAndSaysWhere) {
  REEVE_ASSERT(1 + 1 == 2);
  EXPECT_DEATH(REEVE_ASSERT(1 + 1 == 3), "1 \\+ 1 == 3 does not hold .*error_test");
}

TEST(Secret, ShowsItsBytesOnlyWhenAskedAndForgetsThemWhenMoved) {
  Secret one(std::string("a short key"));
  Secret two(std::string(100, 'k'));
  EXPECT_EQ(one.Reveal(), "a short key");
  Secret moved(std::move(one));
  EXPECT_EQ(moved.Reveal(), "a short key");
  EXPECT_TRUE(one.empty());  // NOLINT: what a moved-from secret holds is the point
  moved = std::move(two);
  EXPECT_EQ(moved.Reveal(), std::string(100, 'k'));
  EXPECT_TRUE(two.empty());  // NOLINT
  EXPECT_TRUE(Secret().empty());
}

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
template <typename T>
concept Copyable = std::is_copy_constructible_v<T> || std::is_copy_assignable_v<T>;

TEST(Secret, HasNoPrinterNoFormatterNoCopyAndNoConversion) {
  static_assert(!Printable<Secret>);
  static_assert(!Copyable<Secret>);
  static_assert(!fmt::is_formattable<Secret>::value);
  static_assert(!std::is_convertible_v<Secret, std::string_view>);
  static_assert(!std::is_convertible_v<std::string, Secret>);
}

}  // namespace
}  // namespace reeve
