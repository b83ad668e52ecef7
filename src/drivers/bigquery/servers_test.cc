// The client against two servers that others wrote: the in-repo fake of the REST surface (tests/fakes/bigquery/) and goccy/bigquery-emulator.
#include <gtest/gtest.h>

#include <algorithm>

#include "drivers/bigquery/client.h"
#include "drivers/bigquery/upload.h"
#include "tests/fakes/bigquery_process.h"
#include "tests/fakes/fake_clock.h"

namespace reeve::bigquery {
namespace {

using reeve::testing::BigqueryProcess;

class Servers : public ::testing::TestWithParam<std::string> {
 protected:
  void Start(const std::vector<std::string>& options = {}) {
    std::string why;
    server_ = GetParam() == "fake" ? BigqueryProcess::StartFake(&why, options) : BigqueryProcess::StartEmulator(&why);
    if (server_ == nullptr) GTEST_SKIP() << why;
    ClientOptions client_options;
    client_options.endpoint = server_->endpoint();
    client_options.billing_project = server_->project();
    client_options.patience = 60 * kSecond;
    client_options.labels = {{"run", "r1"}};
    client_ = MakeClient(client_options, *http_, nullptr, clock_, *entropy_);
  }
  [[nodiscard]] bool emulator() const { return GetParam() == "emulator"; }
  [[nodiscard]] TableId Table(const std::string& table, const std::string& dataset = "central") const { return {server_->project(), dataset, table}; }

  // Makes dataset and table and loads `lines` into it.
  void Fill(const std::string& table, const Schema& schema, const std::string& lines, const std::string& job = "load-1") {
    ASSERT_TRUE(client_->EnsureDataset({server_->project(), "central", "US", {}}));
    const Result<JobResult> loaded = client_->Load({job, Table(table), schema, "US"}, SourceOf(lines));
    ASSERT_TRUE(loaded) << loaded.error().message;
  }

  UploadSource SourceOf(const std::string& lines) {
    auto at = std::make_shared<size_t>(0);
    return {[at, lines](size_t bytes_max) -> Result<std::string> {
              const std::string piece = lines.substr(*at, bytes_max);
              *at += piece.size();
              return piece;
            },
            [at]() -> Result<> {
              *at = 0;
              return {};
            }};
  }

  // Rows of a SELECT as texts, sorted; or the error.
  std::vector<std::string> Select(const std::string& job, const std::string& sql, std::vector<Parameter> parameters = {}) {
    std::vector<std::string> rows;
    const Result<JobResult> result = client_->Query({job, sql, "US", std::move(parameters)}, nullptr, [&](const Row& row) {
      rows.push_back(Shown(row));
      return Result<>();
    });
    if (!result) rows.push_back("error: " + result.error().message);
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  static std::string Shown(const Row& row) {
    std::string text;
    for (const Value& value : row) {
      text += text.empty() ? "" : "|";
      if (value.kind == Value::Kind::kNull) text += "NULL";
      text += value.text;
      for (const Value& item : value.items) text += "<" + item.text + ">";
    }
    return text;
  }

  void Fault(const std::string& rule) { server_->Control("faults", rule); }

  std::unique_ptr<net::HttpClient> http_ = net::MakeCurlClient();
  reeve::testing::FakeClock clock_;  // waits between tries take no time
  std::unique_ptr<Entropy> entropy_ = MakeSeededEntropy(11);
  std::unique_ptr<BigqueryProcess> server_;
  std::unique_ptr<Client> client_;
};

#define START_OR_SKIP(...)   \
  Start(__VA_ARGS__);        \
  if (server_ == nullptr) return

TEST_P(Servers, DatasetsAndTablesAreMadeFoundListedChangedAndDeleted) {
  START_OR_SKIP();
  const std::string project = server_->project();
  EXPECT_EQ(*client_->FindDataset(project, "central"), std::nullopt);
  for (int i = 0; i < 2; ++i) {
    const auto made = client_->EnsureDataset({project, "central", "EU", {{"kind", "central"}}});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->location, "EU");
  }
  const auto datasets = client_->ListDatasets(project);
  ASSERT_TRUE(datasets) << datasets.error().message;
  ASSERT_EQ(std::count_if(datasets->begin(), datasets->end(), [](const DatasetInfo& d) { return d.dataset == "central"; }), 1);
  EXPECT_EQ(datasets->front().labels.at("kind"), "central");

  TableSpec spec;
  spec.id = Table("keys");
  spec.schema = {{"id", FieldType::kString, Mode::kRequired}, {"n", FieldType::kInt64},           {"f", FieldType::kFloat64},
                 {"b", FieldType::kBool},                     {"at", FieldType::kTimestamp},       {"day", FieldType::kDate},
                 {"raw", FieldType::kBytes},                  {"amount", FieldType::kNumeric},     {"meta", FieldType::kJson},
                 {"tags", FieldType::kString, Mode::kRepeated}};
  spec.clustering = {"id"};
  spec.labels = {{"owner", "reeve"}};
  EXPECT_EQ(*client_->FindTable(spec.id), std::nullopt);
  const auto made = client_->InsertTable(spec);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(client_->InsertTable(spec).error().code, Code::kRefused);
  const auto found = client_->FindTable(spec.id);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->schema, spec.schema);
  EXPECT_EQ((*found)->clustering, spec.clustering);
  EXPECT_EQ((*found)->kind, "TABLE");
  EXPECT_EQ((*found)->rows, 0U);

  spec.description = "keys of all customers";
  spec.expires_at = 4'000'000'000 * kSecond;
  const auto patched = client_->PatchTable(spec, "");
  ASSERT_TRUE(patched) << patched.error().message;
  EXPECT_EQ(patched->description, spec.description);
  EXPECT_EQ(patched->expires_at, spec.expires_at);
  spec.expires_at.reset();
  ASSERT_TRUE(client_->PatchTable(spec, "")) << client_->PatchTable(spec, "").error().message;
  if (!emulator()) {  // which does not know how to take one away
    EXPECT_EQ((*client_->FindTable(spec.id))->expires_at, std::nullopt);
  }

  std::vector<std::string> skipped;
  EXPECT_EQ(*client_->ListTables(project, "central", &skipped), std::vector<std::string>{"keys"});
  EXPECT_TRUE(skipped.empty());
  EXPECT_TRUE(client_->DeleteTable(spec.id));
  EXPECT_TRUE(client_->DeleteTable(spec.id));
  EXPECT_TRUE(client_->ListTables(project, "central", nullptr)->empty());
  EXPECT_EQ(client_->ListTables(project, "absent", nullptr).error().code, Code::kNotFound);
}

TEST_P(Servers, RowsThatWereLoadedAreReadBackExactly) {
  START_OR_SKIP();
  const Schema schema = {{"s", FieldType::kString}, {"n", FieldType::kInt64},     {"f", FieldType::kFloat64}, {"b", FieldType::kBool},
                         {"at", FieldType::kTimestamp}, {"day", FieldType::kDate}, {"t", FieldType::kString, Mode::kRepeated}};
  Fill("all", schema,
       R"({"s":"a\"ü","n":"9223372036854775807","f":0.1,"b":true,"at":"2026-11-15 12:00:00.123456 UTC","day":"2026-02-03","t":["x","y"]})" "\n"
       R"({"s":null,"n":null,"f":null,"b":null,"at":null,"day":null,"t":[]})" "\n");
  const auto table = client_->FindTable(Table("all"));
  ASSERT_TRUE(table && *table);
  EXPECT_EQ((*table)->rows, 2U);
  std::vector<std::string> rows;
  const auto keep = [&](const Row& row) { return rows.push_back(Shown(row)), Result<>(); };
  const Result<> read = client_->ReadTable(**table, {}, keep);
  ASSERT_TRUE(read) << read.error().message;
  std::sort(rows.begin(), rows.end());
  const std::vector<std::string> expected = {"NULL|NULL|NULL|NULL|NULL|NULL|", "a\"ü|9223372036854775807|0.1|true|1794744000123456|2026-02-03|<x><y>"};
  EXPECT_EQ(rows, expected);
  EXPECT_EQ(Select("read-1", fmt::format("SELECT * FROM {}", Table("all").Quoted())), expected);
  rows.clear();
  const std::vector<std::string> columns = {"day", "n"};
  ASSERT_TRUE(client_->ReadTable(**table, columns, keep));
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(rows, (std::vector<std::string>{"2026-02-03|9223372036854775807", "NULL|NULL"}));
}

TEST_P(Servers, ALargeLoadGoesThroughASession) {
  START_OR_SKIP();
  std::string lines;
  uint64_t count = 0;
  const std::string filler(100'000, 'x');
  for (; lines.size() <= kMultipartBytesMax; ++count) lines += fmt::format("{{\"n\":{},\"s\":\"{}\"}}\n", count, filler);
  Fill("large", {{"n", FieldType::kInt64}, {"s", FieldType::kString}}, lines);
  EXPECT_EQ(Select("count-1", fmt::format("SELECT COUNT(*), SUM(n) FROM {}", Table("large").Quoted())),
            std::vector<std::string>{fmt::format("{}|{}", count, count * (count - 1) / 2)});
  EXPECT_EQ(client_->counts().load_jobs, 1U);
}

TEST_P(Servers, StatementsTakeTextParametersAndAreNotRunTwice) {
  START_OR_SKIP();
  Fill("t", {{"id", FieldType::kString}, {"n", FieldType::kInt64}}, "{\"id\":\"a\",\"n\":1}\n{\"id\":\"b'`\",\"n\":2}\n{\"id\":\"c\",\"n\":3}\n");
  const std::string table = Table("t").Quoted();
  EXPECT_EQ(Select("q-1", "SELECT n FROM " + table + " WHERE id = @id", {{"id", "b'`", {}}}), std::vector<std::string>{"2"});

  const QuerySpec insert{"ins-1", "INSERT INTO " + table + " (id, n) VALUES ('d', 4)", "US", {}};
  const Result<JobResult> first = client_->Execute(insert);
  ASSERT_TRUE(first) << first.error().message;
  if (!emulator()) {
    EXPECT_EQ(first->affected_rows, 1U);
  }
  const Result<JobResult> second = client_->Execute(insert);  // as after a crash
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->job_id, "ins-1");
  EXPECT_EQ(Select("q-2", "SELECT COUNT(*) FROM " + table), std::vector<std::string>{"4"});
  const Result<JobResult> other = client_->Execute({"ins-1", "DELETE FROM " + table + " WHERE TRUE", "US", {}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kRefused) << other.error().message;
  EXPECT_EQ(Select("q-3", "SELECT COUNT(*) FROM " + table), std::vector<std::string>{"4"});
}

TEST_P(Servers, AMistakeInSqlIsToldAtOnceAndTriedOnce) {
  START_OR_SKIP();
  ASSERT_TRUE(client_->EnsureDataset({server_->project(), "central", "US", {}}));
  for (const std::string& sql : {std::string("SELECT FROM WHERE"), "SELECT x FROM " + Table("absent").Quoted(), std::string("SELECT NO_SUCH_FUNCTION(1)")}) {
    const WireCounts before = client_->counts();
    const auto rows = Select("bad-" + std::to_string(sql.size()), sql);
    ASSERT_EQ(rows.size(), 1U) << sql;
    EXPECT_TRUE(rows[0].starts_with("error: BigQuery: job bad-")) << rows[0];
    EXPECT_EQ(client_->counts().retries, before.retries) << rows[0];
    EXPECT_LE(client_->counts().query_jobs - before.query_jobs, 1U);
  }
}

TEST_P(Servers, TooManyTablesAndWhatIsNotKnownAreRecognised) {
  START_OR_SKIP({"--union-max", "500", "--no-system-time"});
  Fill("t", {{"n", FieldType::kInt64}}, "{\"n\":1}\n");
  const auto ignore = [](const Row&) { return Result<>(); };
  const std::string select = "SELECT n FROM " + Table("t").Quoted();
  std::string many = select;
  for (int i = 0; i < 600; ++i) many += " UNION ALL " + select;
  const Result<JobResult> large = client_->Query({"large", many, "US", {}}, nullptr, ignore);
  ASSERT_FALSE(large);
  EXPECT_TRUE(IsTooLarge(large.error())) << large.error().message;
  const Result<JobResult> past = client_->Query({"past", select + " FOR SYSTEM_TIME AS OF TIMESTAMP '2026-11-15 12:00:00+00'", "US", {}}, nullptr, ignore);
  ASSERT_FALSE(past);
  EXPECT_TRUE(IsNotSupported(past.error())) << past.error().message;
  EXPECT_FALSE(IsTooLarge(past.error()));
  EXPECT_EQ(client_->counts().retries, 0U);
}

TEST_P(Servers, ADryRunChangesNothing) {
  START_OR_SKIP();
  Fill("t", {{"n", FieldType::kInt64}}, "{\"n\":1}\n");
  const Result<std::optional<uint64_t>> bytes = client_->DryRun({"dry-1", "DELETE FROM " + Table("t").Quoted() + " WHERE TRUE", "US", {}});
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_TRUE(client_->DryRun({"dry-1", "SELECT n FROM " + Table("t").Quoted(), "US", {}}));
  EXPECT_FALSE(client_->DryRun({"dry-1", "SELECT FROM", "US", {}}));
  EXPECT_EQ(Select("q-1", "SELECT COUNT(*) FROM " + Table("t").Quoted()), std::vector<std::string>{"1"});
}

TEST_P(Servers, LoadsReplaceOrAdd) {
  START_OR_SKIP();
  const Schema schema = {{"n", FieldType::kInt64}};
  Fill("t", schema, "{\"n\":1}\n{\"n\":2}\n", "l-1");
  Fill("t", schema, "{\"n\":3}\n", "l-2");
  EXPECT_EQ(Select("q-1", "SELECT n FROM " + Table("t").Quoted()), std::vector<std::string>{"3"});
  const Result<JobResult> added = client_->Load({"l-3", Table("t"), schema, "US", false}, SourceOf("{\"n\":4}\n"));
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(Select("q-2", "SELECT n FROM " + Table("t").Quoted()), (std::vector<std::string>{"3", "4"}));
  const Result<JobResult> wrong = client_->Load({"l-4", Table("t"), schema, "US"}, SourceOf("this is no JSON\n"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(client_->counts().retries, 0U) << wrong.error().message;
}

INSTANTIATE_TEST_SUITE_P(Both, Servers, ::testing::Values("fake", "emulator"), [](const auto& info) { return info.param; });

// What only the fake can show.
class FakeServer : public Servers {};

TEST_P(FakeServer, FaultsOnTheWayChangeNothing) {
  START_OR_SKIP({"--page-rows", "2", "--empty-pages", "--pending-polls", "2"});
  Fault(R"({"do":"error","reason":"backendError","path":"datasets","nth":1})");
  Fault(R"({"do":"drop","method":"POST","path":"/jobs","when":"after","nth":1})");   // the load's answer is lost
  Fault(R"({"do":"html","code":502,"path":"/data","nth":1})");
  Fault(R"({"do":"truncate","path":"/data","nth":3})");
  Fault(R"({"do":"garbage","path":"/queries/","nth":2})");
  Fault(R"({"do":"error","reason":"rateLimitExceeded","path":"/queries/","nth":4,"times":2})");
  Fill("t", {{"n", FieldType::kInt64}}, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n");
  const auto table = client_->FindTable(Table("t"));
  ASSERT_TRUE(table && *table);
  std::vector<std::string> rows;
  const Result<> read = client_->ReadTable(**table, {}, [&](const Row& row) { return rows.push_back(Shown(row)), Result<>(); });
  ASSERT_TRUE(read) << read.error().message;
  std::sort(rows.begin(), rows.end());
  const std::vector<std::string> expected = {"1", "2", "3", "4", "5"};
  EXPECT_EQ(rows, expected);
  EXPECT_EQ(Select("q-1", "SELECT n FROM " + Table("t").Quoted()), expected);
  EXPECT_GE(client_->counts().retries, 5U);
}

TEST_P(FakeServer, AnUploadInPiecesGoesOnAfterABreak) {
  START_OR_SKIP();
  // Twice each: the first loss of a kept connection is mended below us.
  Fault(R"({"do":"drop","method":"PUT","nth":2,"times":2})");
  Fault(R"({"do":"drop","method":"PUT","nth":6,"times":2,"when":"after"})");  // the last piece: the answer that names the job
  std::string lines;
  uint64_t count = 0;
  const std::string filler(300'000, 'x');
  for (; lines.size() <= 2 * kPieceBytes; ++count) lines += fmt::format("{{\"n\":{},\"s\":\"{}\"}}\n", count, filler);
  Fill("large", {{"n", FieldType::kInt64}, {"s", FieldType::kString}}, lines);
  EXPECT_EQ(Select("count-1", fmt::format("SELECT COUNT(*), SUM(n) FROM {}", Table("large").Quoted())),
            std::vector<std::string>{fmt::format("{}|{}", count, count * (count - 1) / 2)});
  EXPECT_GE(client_->counts().retries, 2U);
}

TEST_P(FakeServer, AJobThatDiesIsRepeatedUnderANewId) {
  START_OR_SKIP();
  Fill("t", {{"n", FieldType::kInt64}}, "{\"n\":1}\n");
  Fault(R"({"do":"job_error","reason":"jobBackendError","query":"UPDATE","nth":1})");
  const Result<JobResult> result = client_->Execute({"u-1", "UPDATE " + Table("t").Quoted() + " SET n = n + 1 WHERE TRUE", "US", {}});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->job_id, "u-1-a2");
  EXPECT_EQ(Select("q-1", "SELECT n FROM " + Table("t").Quoted()), std::vector<std::string>{"2"});
}

TEST_P(FakeServer, AJobInAnotherLocationIsFoundThere) {
  START_OR_SKIP();
  const std::string project = server_->project();
  ASSERT_TRUE(client_->EnsureDataset({project, "europe", "EU", {}}));
  ASSERT_TRUE(client_->Load({"l-1", Table("t", "europe"), {{"n", FieldType::kInt64}}, "EU"}, SourceOf("{\"n\":1}\n")));
  std::vector<std::string> rows;
  const auto keep = [&](const Row& row) { return rows.push_back(Shown(row)), Result<>(); };
  const std::string sql = "SELECT n FROM " + Table("t", "europe").Quoted();
  EXPECT_TRUE(client_->Query({"q-1", sql, "EU", {}}, nullptr, keep));
  EXPECT_TRUE(client_->Query({"q-1", sql, "EU", {}}, nullptr, keep));
  EXPECT_EQ(rows, (std::vector<std::string>{"1", "1"}));
  const auto elsewhere = client_->Query({"q-2", sql, "US", {}}, nullptr, keep);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, Code::kNotFound) << elsewhere.error().message;
  server_->Control("options", R"({"unreachable":["europe-west9"]})");
  EXPECT_EQ(client_->ListDatasets(project).error().code, Code::kIncomplete);
}

INSTANTIATE_TEST_SUITE_P(Fake, FakeServer, ::testing::Values("fake"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace reeve::bigquery
