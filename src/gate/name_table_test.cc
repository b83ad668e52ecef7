#include "gate/name_table.h"

#include <gtest/gtest.h>

#include <string>

#include "gate/customer_table.h"

namespace reeve::gate {
namespace {

TEST(NameTable, FindsEveryNameThatWasAddedAndNoOther) {
  NameTable table;
  std::vector<std::string> names;
  const auto find = [&](const std::string& name) { return table.Find(name, [&](uint32_t number) { return names[number] == name; }); };
  EXPECT_EQ(find("name 0"), std::nullopt);
  for (uint32_t i = 0; i < 10'000; ++i) {
    table.Add(fmt::format("name {}", i), i);
    names.push_back(fmt::format("name {}", i));
  }
  for (uint32_t i = 0; i < 10'000; ++i) ASSERT_EQ(find(names[i]), i);
  for (uint32_t i = 10'000; i < 20'000; ++i) ASSERT_EQ(find(fmt::format("name {}", i)), std::nullopt);
}

TEST(NameTable, AsksWhoKeepsTheNamesAndBelievesNoHash) {
  NameTable table;
  table.Add("a", 0);
  table.Add("a", 1);  // as if another name had the same hash
  EXPECT_EQ(table.Find("a", [](uint32_t number) { return number == 1; }), 1u);
  EXPECT_EQ(table.Find("a", [](uint32_t) { return false; }), std::nullopt);
}

TEST(CustomerTable, ACustomerKeepsItsNumberAndAWrongGuessFindsIt) {
  CustomerTable table(domain::BuiltInRates());
  store::ServedCustomer customer;
  for (const uint32_t round : {0, 1})
    for (uint32_t i = 0; i < 100; ++i) {
      customer.customer_id = fmt::format("cust_{}", i);
      customer.plan = fmt::format("plan {}", round);
      ASSERT_EQ(table.Put(customer).value(), i);
      ASSERT_EQ(table.PlanOf(i).name, customer.plan);
    }
  EXPECT_EQ(table.size(), 100u);
  for (const uint32_t guess : {0u, 7u, 99u, 100u, kNoCustomer}) EXPECT_EQ(table.Find("cust_7", guess), 7u);
  EXPECT_EQ(table.Find("cust_100", 0), std::nullopt);
}

}  // namespace
}  // namespace reeve::gate
