#include "app/ports.h"

#include <gtest/gtest.h>

namespace reeve::app {
namespace {

struct World {
  std::unique_ptr<Files> files = MakeSystemFiles();
  std::unique_ptr<Clock> clock = MakeSystemClock();
  std::unique_ptr<Entropy> entropy = MakeSystemEntropy();
  std::unique_ptr<cli::Ports> ports = MakePorts(*files, *clock, *entropy);
};

struct Case {
  const char* url;
  const char* message;
  const char* hint;
};

TEST(Ports, AnEstateThatIsNotInThisBuildIsAUsageErrorThatSaysWhatIs) {
  World world;
  const Case cases[] = {
      {"postgres://host/db", "postgres as estate is not in this build", "this build has export:DIR, sqlite:FILE and bigquery:PROJECT; see reeve help estates"},
      {"./estate", "\"./estate\" names no estate", "perhaps export:./estate"},
      {"exprot:./estate", "\"exprot:./estate\" names no estate", "did you mean \"export\"?"},
      {"export:", "export:: names no file", "this build has export:DIR, sqlite:FILE and bigquery:PROJECT; see reeve help estates"},
      {"mysql://x", "\"mysql://x\" names no estate", "did you mean \"sqlite\"?"},
      {"", "\"\" names no estate", "perhaps export:"},
  };
  for (const Case& each : cases) {
    const auto estate = world.ports->OpenEstate(each.url);
    ASSERT_FALSE(estate) << each.url;
    EXPECT_EQ(estate.error().code, Code::kUsage) << each.url;
    EXPECT_EQ(estate.error().message, each.message);
    if (std::string_view(each.url) != "mysql://x") {
      EXPECT_EQ(estate.error().hint, each.hint) << each.url;
    }
  }
  EXPECT_TRUE(world.ports->OpenEstate("export:./anywhere"));  // whether it is there shows when it is listed
}

TEST(Ports, AStoreThatIsNotInThisBuildIsAUsageErrorToo) {
  World world;
  for (const char* url : {"postgres://h/d", "bigquery:project", "bigquery:p/a-b", "bigquery:p/", "reeve.db", "export:./x"}) {
    for (const Error& error : {world.ports->StatePath(url).error(), world.ports->OpenStore(url, true, "t").error(), world.ports->OpenStoreReader(url).error()}) {
      EXPECT_EQ(error.code, Code::kUsage) << url;
      EXPECT_FALSE(error.hint.empty()) << url;
    }
  }
  EXPECT_EQ(*world.ports->StatePath("sqlite:./a:b.db"), "./a:b.db");
}

TEST(Ports, AMissingStoreIsNotMadeByReading) {
  World world;
  const std::string url = "sqlite:" + ::testing::TempDir() + "reeve_ports_test_none.db";
  EXPECT_EQ(world.ports->OpenStoreReader(url).error().code, Code::kStoreMissing);
  EXPECT_EQ(world.ports->OpenStore(url, false, "t").error().code, Code::kStoreMissing);
  EXPECT_FALSE(world.files->Exists(url.substr(7)));
}

TEST(Ports, AKeyThatIsNoneIsTheWrongKey) {
  World world;
  EXPECT_EQ(world.ports->ParseKey(Secret("password")).error().code, Code::kWrongKey);
  EXPECT_TRUE(world.ports->ParseKey(Secret(std::string(64, 'a'))));
  EXPECT_EQ(world.ports->ReadKeyFile(::testing::TempDir() + "reeve_ports_test_no_key").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace reeve::app
