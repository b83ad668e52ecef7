#!/usr/bin/env python3
"""The portable subset of SQL means in the fake what it means in BigQuery, and what BigQuery refuses is refused (sql_text.py, facts A and B)."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

from harness import Fake  # noqa: E402

import testing  # noqa: E402

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "schema.bigquery.sql"


class WithFake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fake = Fake()
        cls.addClassCleanup(cls.fake.stop)

    def setUp(self):
        self.fake.call("DELETE", "/datasets/d?deleteContents=true")
        self.fake.dataset("d")

    def refused(self, sql, words, why="invalidQuery", **more):
        reason, message = self.fake.refusal(sql, **more)
        self.assertEqual(reason, why, message)
        self.assertIn(words, message)


# SQL, its value as REST writes it. TIMESTAMPs are microseconds.
VALUES = [
    ("CAST('12' AS INT64) + 1", "13"), ("CAST(1.5 AS STRING)", "1.5"), ("CAST(TRUE AS STRING)", "true"), ("7 / 2", "3.5"), ("DIV(7, 2)", "3"),
    ("CAST('1.005' AS NUMERIC)", "1.005"), ("NUMERIC '1.10'", "1.1"), ("CAST('9' AS NUMERIC) < CAST('10' AS NUMERIC)", "true"),
    ("NUMERIC '0.1' + NUMERIC '0.2'", "0.3"), ("CAST(NUMERIC '12345678901234567890.5' AS STRING)", "12345678901234567890.5"),
    ("FROM_BASE64('AQID')", "AQID"), ("TO_BASE64(b'\\x01\\x02\\x03')", "AQID"), ("TO_HEX(SHA256('abc'))", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("SHA256('abc') = FROM_HEX('BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD')", "true"), ("CAST(FROM_HEX('c3a4') AS STRING)", "ä"),
    ("PARSE_JSON('{\"b\": 1, \"a\": [1, 2.5, \"x\"], \"b\": 2}')", '{"a":[1,2.5,"x"],"b":1}'), ("JSON_VALUE(PARSE_JSON('{\"a\":{\"b\":true}}'), '$.a.b')", "true"),
    ("JSON_VALUE('{\"a\":[1]}', '$.a')", None), ("JSON_QUERY('{\"a\":[1]}', '$.a')", "[1]"), ("TO_JSON_STRING(JSON_VALUE_ARRAY(PARSE_JSON('[\"x\",1]')))", '["x","1"]'),
    ("TO_JSON_STRING(JSON '{\"b\":1,\"a\":2}')", '{"a":2,"b":1}'), ("TO_JSON_STRING('a\"b')", '"a\\"b"'), ("TO_JSON_STRING(CAST(NULL AS STRING))", "null"),
    ("ARRAY_LENGTH(JSON_VALUE_ARRAY('[]'))", "0"), ("COALESCE(NULL, 'x')", "x"), ("IF(1 < 2, 'a', 'b')", "a"), ("NULLIF(1, 1)", None),
    ("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b"), ("CASE WHEN NULL THEN 1 ELSE 2 END", "2"), ("LEAST(3, 1, 2)", "1"), ("GREATEST(1, NULL)", None),
    ("TIMESTAMP '2026-01-02 03:04:05.000006+01:00'", "1767319445000006"), ("CAST(TIMESTAMP_MICROS(1767323045123456) AS STRING)", "2026-01-02 03:04:05.123456+00"),
    ("TIMESTAMP('2026-01-02')", "1767312000000000"), ("UNIX_MICROS(TIMESTAMP '1970-01-01 00:00:01 UTC')", "1000000"), ("DATE(TIMESTAMP '2026-01-02 23:59:59 UTC')", "2026-01-02"),
    ("CAST('2026-02-28' AS DATE)", "2026-02-28"), ("DATE_TRUNC(DATE '2026-02-28', MONTH)", "2026-02-01"), ("DATE_ADD(DATE '2026-01-31', INTERVAL 1 MONTH)", "2026-02-28"),
    ("TIMESTAMP_SUB(TIMESTAMP '2026-01-02', INTERVAL 1 DAY)", "1767225600000000"), ("DATE '2026-01-02' = '2026-01-02'", "true"), ("'a' || 'b'", "ab"),
    ("CONCAT('a', NULL)", None), ("LENGTH('äb')", "2"), ("BYTE_LENGTH('äb')", "3"), ("SUBSTR('abcdef', 2, 3)", "bcd"), ("STARTS_WITH('abc', 'ab')", "true"),
    ("'abc' LIKE 'A%'", "false"), ("NULL IS NULL", "true"), ("(1 = NULL) IS NOT TRUE", "true"), ("NULL IS DISTINCT FROM 1", "true"), ("3 BETWEEN 1 AND 3", "true"),
    ("'b' IN ('a', 'b')", "true"), ("2 IN (SELECT 1 UNION ALL SELECT 2)", "true"), ("(SELECT MAX(x) FROM (SELECT 1 AS x UNION ALL SELECT 5))", "5"),
    ("EXISTS (SELECT 1 FROM (SELECT 1 AS x) WHERE x = 2)", "false"), ("SAFE_CAST('x' AS INT64)", None), ("r'a\\b'", "a\\b"), ("'a\\n'", "a\n"), ("-5", "-5"),
    ("NOT (TRUE AND FALSE)", "true"), ("ARRAY_LENGTH(['a', 'b'])", "2"), ("TO_JSON_STRING(ARRAY(SELECT x FROM UNNEST(['b', 'a']) AS x WITH OFFSET AS o ORDER BY o DESC))", '["a","b"]'),
    ("CAST(CAST('2026-01-02' AS DATE) AS TIMESTAMP)", "1767312000000000"), ("ABS(-3)", "3"), ("MOD(7, 3)", "1"), ("LOWER('ÄB')", "äb"),
]

# SQL, words of the refusal.
REFUSED = [
    ("SELECT SHA256('a') = 'x'", "No matching signature for operator = for argument types: BYTES, STRING"), ("SELECT 1 +", "Syntax error"),
    ("SELECT PARSE_JSON('1') = PARSE_JSON('1')", "Equality is not defined for arguments of type JSON"), ("SELECT 'a' = 1", "No matching signature"),
    ("SELECT CAST('x' AS INT64)", "Invalid int64 value: x"), ("SELECT FROM_BASE64('*')", "base64"), ("SELECT PARSE_JSON('{')", "syntax error while parsing"),
    ("SELECT CAST('2026-02-30' AS DATE)", "Invalid date"), ("SELECT CAST(b'a' AS INT64)", "Invalid cast from BYTES to INT64"), ("SELECT x", "Unrecognized name: x at [1:8]"),
    ("SELECT @nobody", "Query parameter 'nobody' not found at [1:8]"), ("SELECT 1 UNION ALL SELECT 1, 2", "mismatched column count; query 1 has 1 column, query 2 has 2"),
    ("SELECT 'a' UNION ALL SELECT b'a'", "Column 1 in UNION ALL has incompatible types: STRING, BYTES"), ("SELECT 1 AS a FROM (SELECT 2 AS b) GROUP BY c", "Unrecognized name: c"),
    ("SELECT a, COUNT(*) FROM (SELECT 1 AS a)", "neither grouped nor aggregated"), ("SELECT a FROM (SELECT 1 AS a) WHERE COUNT(*) > 1", "not allowed"),
    ("SELECT a FROM (SELECT 1 AS a) AS x JOIN (SELECT 1 AS a) AS y ON x.a = y.a", "Column name a is ambiguous"), ("SELECT j FROM (SELECT PARSE_JSON('1') AS j) GROUP BY j", "JSON"),
    ("SELECT ROW_NUMBER() OVER (ORDER BY 1)", "not in the fake's subset"), ("WITH x AS (SELECT 1) SELECT * FROM x", "not in the fake's subset: WITH at [1:1]"),
    ("CALL p()", "not in the fake's subset: statement CALL"), ("SELECT FARM_FINGERPRINT('a')", "not in the fake's subset: function FARM_FINGERPRINT"),
    ("SELECT 1; SELECT", "Syntax error"), ("SELECT 'open", "Unclosed string literal"), ("SELECT 1 WHERE 1", "WHERE clause should return type BOOL, but returns INT64"),
    ("SELECT (SELECT x FROM (SELECT 1 AS x UNION ALL SELECT 2))", "more than one element"), ("SELECT 1 / 0", "division by zero"),
]


class Expressions(WithFake):
    def test_values(self):
        for sql, expected in VALUES:
            with self.subTest(sql):
                self.assertEqual(self.fake.rows(f"SELECT {sql}"), [[expected]])

    def test_refusals(self):
        for sql, words in REFUSED:
            with self.subTest(sql):
                self.refused(sql, words)

    def test_parameters_are_named_texts_and_lists_of_texts(self):
        parameters = [{"name": "one", "parameterType": {"type": "STRING"}, "parameterValue": {"value": "o'ne"}},
                      {"name": "none", "parameterType": {"type": "STRING"}, "parameterValue": {"value": None}},
                      {"name": "at", "parameterType": {"type": "TIMESTAMP"}, "parameterValue": {"value": "2026-01-02 03:04:05.000001+00"}},
                      {"name": "many", "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRING"}},
                       "parameterValue": {"arrayValues": [{"value": "a"}, {"value": "b"}]}}]
        for sql, expected in (("SELECT @one", [["o'ne"]]), ("SELECT @none IS NULL", [["true"]]), ("SELECT UNIX_MICROS(@at)", [["1767323045000001"]]),
                              ("SELECT 'b' IN UNNEST(@many)", [["true"]]), ("SELECT x FROM UNNEST(@many) AS x ORDER BY x DESC", [["b"], ["a"]]),
                              ("SELECT CAST(@one || 'x' AS STRING)", [["o'nex"]])):
            self.assertEqual(self.fake.rows(sql, queryParameters=parameters, parameterMode="NAMED"), expected, sql)


class Queries(WithFake):
    def setUp(self):
        super().setUp()
        self.fake.table("d", "t", "k STRING", "n INTEGER", "tags STRING REPEATED")
        self.fake.load("d", "t", [{"k": "a", "n": 1, "tags": ["x", "y"]}, {"k": "b", "n": 2}, {"k": "b", "n": 3, "tags": ["x"]}, {"k": None, "n": 4}])

    def test_joins_groups_and_orders(self):
        for sql, expected in (
                ("SELECT k, COUNT(*) AS c, SUM(n) FROM `p.d.t` GROUP BY k HAVING c > 0 ORDER BY k", [[None, "1", "4"], ["a", "1", "1"], ["b", "2", "5"]]),
                ("SELECT x.n, y.n FROM d.t AS x JOIN d.t AS y ON x.k = y.k WHERE x.n < y.n", [["2", "3"]]),
                ("SELECT x.n FROM d.t AS x LEFT JOIN (SELECT k FROM d.t WHERE n = 1) AS y USING (k) WHERE y.k IS NULL ORDER BY 1", [["2"], ["3"], ["4"]]),
                ("SELECT DISTINCT k FROM d.t WHERE k IS NOT NULL ORDER BY k DESC LIMIT 1", [["b"]]), ("SELECT * EXCEPT (tags, n) FROM d.t WHERE n = 1", [["a"]]),
                ("SELECT n, tag FROM d.t, UNNEST(tags) AS tag ORDER BY n, tag", [["1", "x"], ["1", "y"], ["3", "x"]]),
                ("SELECT n FROM d.t WHERE 'x' IN UNNEST(tags) ORDER BY n", [["1"], ["3"]]), ("SELECT COUNTIF(n > 2), MIN(k), MAX(n) FROM d.t", [["2", "a", "4"]]),
                ("SELECT n FROM d.t t WHERE EXISTS (SELECT 1 FROM d.t u WHERE u.k = t.k AND u.n > t.n)", [["2"]]),
                ("(SELECT k FROM d.t WHERE n = 1) UNION ALL (SELECT k FROM d.t WHERE n > 1 ORDER BY n DESC LIMIT 2) ORDER BY 1", [[None], ["a"], ["b"]]),
                ("SELECT COUNT(DISTINCT k) FROM d.t", [["2"]])):
            with self.subTest(sql):
                self.assertEqual(self.fake.rows(sql), expected)

    def test_nulls_of_one_part_take_the_type_of_the_others(self):
        _, answer = self.fake.query("SELECT 'a' AS s, NULL AS n UNION ALL SELECT k, n FROM d.t WHERE n = 1")
        self.assertEqual([f["type"] for f in answer["schema"]["fields"]], ["STRING", "INTEGER"])

    def test_nine_hundred_tables_are_read_at_once_and_a_thousand_and_one_are_too_many(self):
        for i in range(1001):
            self.fake.table("d", f"m{i}", "a STRING")
        self.fake.query("INSERT INTO d.m899 (a) VALUES ('last')")
        union = [f"SELECT '{i}' AS i, a FROM `p.d.m{i}`" for i in range(1001)]
        self.assertEqual(self.fake.rows(" UNION ALL ".join(union[:900])), [["899", "last"]])
        self.assertEqual(self.fake.rows(f"SELECT COUNT(*) FROM ({' UNION ALL '.join(union[:900])})"), [["1"]])
        self.refused(" UNION ALL ".join(union), "Max: 1000")
        self.fake.control("options", {"union_max": 100})
        self.refused(" UNION ALL ".join(union[:101]), "too many subqueries", "resourcesExceeded")
        self.fake.control("options", {"union_max": 0})
        self.refused("SELECT '" + "x" * 1_100_000 + "'", "too large")

    def test_a_time_of_reading_is_a_constant_and_can_be_unknown(self):
        self.assertEqual(self.fake.rows("SELECT COUNT(*) FROM d.t FOR SYSTEM_TIME AS OF TIMESTAMP '2026-01-02 00:00:00+00' AS x WHERE x.n > 0"), [["4"]])
        self.refused("SELECT n FROM d.t FOR SYSTEM_TIME AS OF k", "must be a constant")
        self.fake.control("options", {"system_time": False})
        self.refused("SELECT n FROM d.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()", "FOR SYSTEM_TIME AS OF is not supported")
        self.fake.control("options", {"system_time": True})

    def test_information_schema_of_a_dataset_and_of_a_region(self):
        self.fake.dataset("elsewhere", "europe-west1")
        self.fake.table("elsewhere", "t", "n NUMERIC")
        self.addCleanup(self.fake.call, "DELETE", "/datasets/elsewhere?deleteContents=true")
        self.assertEqual(self.fake.rows("SELECT column_name, data_type, ordinal_position FROM `p.d.INFORMATION_SCHEMA.COLUMNS` WHERE table_name = 't'"),
                         [["k", "STRING", "1"], ["n", "INT64", "2"], ["tags", "ARRAY<STRING>", "3"]])
        self.assertEqual(self.fake.rows("SELECT table_schema, table_name, total_rows FROM `p`.`region-us`.INFORMATION_SCHEMA.TABLE_STORAGE"), [["d", "t", "4"]])
        self.assertEqual(self.fake.rows("SELECT table_schema FROM `p`.`region-europe-west1`.INFORMATION_SCHEMA.TABLES"), [["elsewhere"]])
        self.refused("SELECT 1 FROM `p`.`region-us`.INFORMATION_SCHEMA.TABLES", "was not found in location EU", "notFound", location="EU")
        self.fake.control("options", {"regions": False})
        self.refused("SELECT 1 FROM `p`.`region-us`.INFORMATION_SCHEMA.TABLES", "not in the fake's subset")
        self.fake.control("options", {"regions": True})


class Changes(WithFake):
    def setUp(self):
        super().setUp()
        fields = [{"name": "k", "type": "STRING", "mode": "REQUIRED"}, {"name": "n", "type": "INTEGER"}, {"name": "x", "type": "NUMERIC", "precision": "5", "scale": "2"},
                  {"name": "s", "type": "STRING", "defaultValueExpression": "'new'"}, {"name": "tags", "type": "STRING", "mode": "REPEATED"}]
        self.fake.call("POST", "/datasets/d/tables", {"tableReference": {"tableId": "t"}, "schema": {"fields": fields}})
        self.fake.query("INSERT INTO d.t (k, n, tags) VALUES ('a', 1, ['u']), ('b', 2, NULL)")

    def changed(self, sql):
        code, answer = self.fake.query(sql)
        self.assertEqual(code, 200, answer)
        stats = answer["dmlStats"]
        return int(stats["insertedRowCount"]), int(stats["updatedRowCount"]), int(stats["deletedRowCount"])

    def rows(self):
        return self.fake.rows("SELECT k, n, s FROM d.t ORDER BY k, n")

    def test_an_insert_fills_defaults_and_empty_lists(self):
        self.assertEqual(self.fake.rows("SELECT * FROM d.t ORDER BY k"), [["a", "1", None, "new", [{"v": "u"}]], ["b", "2", None, "new", []]])
        self.assertEqual(self.changed("INSERT INTO d.t (k, n) SELECT k, n + 10 FROM d.t"), (2, 0, 0))
        self.assertEqual(self.changed("INSERT d.t (k, s) VALUES ('c', DEFAULT)"), (1, 0, 0))

    def test_values_that_do_not_fit_change_nothing(self):
        for sql, words in (("INSERT INTO d.t (k) VALUES (NULL)", "Required field k cannot be null"), ("INSERT INTO d.t (n) VALUES (1)", "Required field k"),
                           ("INSERT INTO d.t (k, n) VALUES ('c', 'x')", "Value of type STRING cannot be assigned to n, which has type INT64"),
                           ("INSERT INTO d.t (k, x) VALUES ('c', NUMERIC '1000')", "out of range"), ("INSERT INTO d.t (k) VALUES ('c', 1)", "wrong column count"),
                           ("INSERT INTO d.t (k, q) VALUES ('c', 1)", "Column q is not present"), ("INSERT INTO d.t (k, tags) VALUES ('c', JSON_VALUE_ARRAY('[null]'))", "null element"),
                           ("UPDATE d.t SET k = NULL WHERE n = 2", "Required field k"), ("UPDATE d.t SET n = 1", "Expected keyword WHERE"), ("DELETE FROM d.t", "Expected keyword WHERE")):
            with self.subTest(sql):
                self.refused(sql, words)
        self.assertEqual(self.rows(), [["a", "1", "new"], ["b", "2", "new"]])
        self.fake.query("INSERT INTO d.t (k, x) VALUES ('c', 1.005)")
        self.assertEqual(self.fake.rows("SELECT x FROM d.t WHERE k = 'c'"), [["1.01"]])

    def test_update_delete_and_truncate_count_what_they_did(self):
        self.assertEqual(self.changed("UPDATE d.t SET n = n + 1, s = DEFAULT WHERE k = 'a'"), (0, 1, 0))
        self.assertEqual(self.changed("DELETE d.t t WHERE t.n = 2 AND t.k = 'a'"), (0, 0, 1))
        self.assertEqual(self.changed("TRUNCATE TABLE d.t"), (0, 0, 1))

    def test_a_merge_updates_deletes_and_inserts_by_the_first_clause_that_holds(self):
        self.assertEqual(self.changed(
            "MERGE `p.d.t` T USING (SELECT 'a' AS k, 5 AS n UNION ALL SELECT 'b', NULL UNION ALL SELECT 'c', 7) S ON T.k = S.k "
            "WHEN MATCHED AND S.n IS NULL THEN DELETE WHEN MATCHED AND T.n IS DISTINCT FROM S.n THEN UPDATE SET n = S.n, s = 'merged' "
            "WHEN MATCHED THEN UPDATE SET s = 'never' WHEN NOT MATCHED BY TARGET AND S.n > 5 THEN INSERT (k, n) VALUES (S.k, S.n)"), (1, 1, 1))
        self.assertEqual(self.rows(), [["a", "5", "merged"], ["c", "7", "new"]])
        self.assertEqual(self.changed("MERGE d.t T USING (SELECT 'a' AS k) S ON T.k = S.k WHEN NOT MATCHED BY SOURCE THEN DELETE"), (0, 0, 1))

    def test_a_merge_refuses_two_source_rows_for_one_target_row(self):
        source = "(SELECT 'a' AS k, 5 AS n UNION ALL SELECT 'a', 6) S"
        self.refused(f"MERGE d.t T USING {source} ON T.k = S.k WHEN MATCHED THEN UPDATE SET n = S.n", "UPDATE/MERGE must match at most one source row for each target row")
        self.refused("MERGE d.t T USING (SELECT 'a' AS k) S ON T.k = S.k WHEN MATCHED AND T.n IN (SELECT n FROM d.t) THEN DELETE", "Subquery is unsupported in MERGE")
        self.assertEqual(self.rows(), [["a", "1", "new"], ["b", "2", "new"]])
        self.assertEqual(self.changed(f"MERGE d.t T USING {source} ON FALSE WHEN NOT MATCHED THEN INSERT (k, n) VALUES (S.k, S.n)"), (2, 0, 0), "unmatched twins are two rows")


class Scripts(WithFake):
    def setUp(self):
        super().setUp()
        self.fake.table("d", "t", "n INTEGER")
        self.fake.query("INSERT INTO d.t VALUES (1), (2)")

    def count(self):
        return self.fake.rows("SELECT COUNT(*) FROM d.t")[0][0]

    def test_a_transaction_is_whole_or_nothing(self):
        self.assertEqual(self.fake.query("BEGIN TRANSACTION; DELETE FROM d.t WHERE n = 1; INSERT INTO d.t VALUES (3), (4); COMMIT TRANSACTION;")[0], 200)
        self.assertEqual(self.count(), "3")
        self.refused("BEGIN TRANSACTION; DELETE FROM d.t WHERE TRUE; INSERT INTO d.t VALUES ('x'); COMMIT TRANSACTION;", "cannot be assigned")
        self.fake.query("BEGIN TRANSACTION; DELETE FROM d.t WHERE TRUE;")
        self.fake.query("BEGIN TRANSACTION; DELETE FROM d.t WHERE TRUE; ROLLBACK TRANSACTION;")
        self.assertEqual(self.count(), "3")
        self.refused("BEGIN TRANSACTION; DROP TABLE d.t; COMMIT TRANSACTION;", "DDL statements are not supported in a transaction")

    def test_without_a_transaction_what_was_done_stays_done(self):
        self.refused("DELETE FROM d.t WHERE n = 1; DELETE FROM d.t WHERE nope = 1", "Unrecognized name")
        self.assertEqual(self.count(), "1")

    def test_conditions_choose_raise_and_assert(self):
        self.refused("BEGIN TRANSACTION; DELETE FROM d.t WHERE n = 1; IF (SELECT COUNT(*) FROM d.t) = 1 THEN RAISE USING MESSAGE = 'one left'; END IF; COMMIT TRANSACTION;", "one left")
        self.refused("ASSERT (SELECT COUNT(*) FROM d.t) = 5 AS 'not five'", "not five")
        self.assertEqual(self.count(), "2")
        self.fake.query("IF EXISTS (SELECT 1 FROM d.t WHERE n = 9) THEN DELETE FROM d.t WHERE TRUE; ELSEIF TRUE THEN INSERT INTO d.t VALUES (3); ELSE RAISE; END IF;")
        self.assertEqual(self.count(), "3")

    def test_a_dry_run_of_a_script_changes_nothing(self):
        code, answer = self.fake.query("BEGIN TRANSACTION; DELETE FROM d.t WHERE TRUE; COMMIT TRANSACTION;", dryRun=True)
        self.assertEqual((code, self.count()), (200, "2"), answer)


class Definitions(WithFake):
    def test_every_statement_of_our_own_schema_is_taken_and_read_back(self):
        self.fake.query("CREATE SCHEMA IF NOT EXISTS customers_metadata OPTIONS(location='US')")
        self.addCleanup(self.fake.call, "DELETE", "/datasets/customers_metadata?deleteContents=true")
        for statement in GOLDEN.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                code, answer = self.fake.query(statement)
                self.assertEqual(code, 200, f"{statement}\n{answer}")
        _, table = self.fake.call("GET", "/datasets/customers_metadata/tables/customer_subscriptions")
        fields = {f["name"]: f for f in table["schema"]["fields"]}
        self.assertEqual((table["timePartitioning"], table["clustering"]), ({"type": "DAY", "field": "billing_cycle_start"}, {"fields": ["customer_id", "plan_name"]}))
        self.assertEqual(fields["auto_renew"], {"name": "auto_renew", "type": "BOOLEAN", "mode": "REQUIRED", "defaultValueExpression": "TRUE"})
        self.assertEqual((fields["monthly_cost_usd"]["precision"], fields["monthly_cost_usd"]["scale"]), ("10", "2"))

    def test_what_the_guide_wrote_is_refused(self):
        self.refused("CREATE TABLE d.x (a STRING NOT NULL DEFAULT 'x')", 'Syntax error: Expected ")" or "," but got keyword DEFAULT')
        self.refused("CREATE TABLE d.x (a DATE) PARTITION BY DATE(a)", "PARTITION BY expression must be _PARTITIONDATE")
        self.refused("CREATE TABLE d.x (a ARRAY<STRING> NOT NULL)", "NOT NULL constraint cannot be applied to array")
        self.refused("CREATE TABLE d.x (a INT64 DEFAULT 'x')", "Invalid default value")
        self.refused("CREATE TABLE nowhere.x (a INT64)", "Not found: Dataset p:nowhere", "notFound")

    def test_tables_are_made_from_queries_replaced_and_dropped(self):
        self.fake.query("CREATE TABLE d.x CLUSTER BY a OPTIONS(description='made') AS SELECT 'v' AS a, ['l'] AS l, NULL AS n")
        self.refused("CREATE TABLE d.x (a STRING)", "Already Exists", "duplicate")
        self.fake.query("CREATE TABLE IF NOT EXISTS d.x (b STRING)")
        self.assertEqual(self.fake.rows("SELECT a, l, n FROM d.x"), [["v", [{"v": "l"}], None]])
        self.fake.query("CREATE OR REPLACE TABLE d.x AS SELECT a || '2' AS a FROM d.x")
        self.assertEqual(self.fake.rows("SELECT a FROM d.x"), [["v2"]])
        self.fake.query("DROP TABLE d.x")
        self.fake.query("DROP TABLE IF EXISTS d.x")
        self.refused("DROP TABLE d.x", "Not found: Table p:d.x", "notFound")


if __name__ == "__main__":
    testing.main()
