#!/usr/bin/env python3
"""Every rule of tools/lint, shown with a small project that breaks it and one that does not."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import testing  # noqa: E402
from linting import arrows, banned, cpp, defects, documents, size  # noqa: E402
from linting.tree import Tree  # noqa: E402

ARROWS = """
| folder | for |
|---|---|
| `src/base/` | the bottom |
| `src/env/` | taps |
| `src/migrate/` | engine |
| `src/migrate/copy/` | copier |
| `src/migrate/witness/` | verifier |
| `src/store/sqlite/` | adapter |

```arrows
env → base
migrate → base env
migrate/copy migrate/witness → migrate base
store/* → base
app → everything
```
"""


class LintCase(unittest.TestCase):
    def tree(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for path, text in files.items():
            file = Path(folder.name, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return Tree(folder.name)

    def assert_found(self, check, files, *fragments):
        """`check` reports exactly one finding for each fragment, in any order."""
        found = [str(f) for f in check(self.tree(files))]
        for fragment in fragments:
            self.assertTrue(any(fragment in f for f in found), f"no finding says '{fragment}': {found}")
        self.assertEqual(len(found), len(fragments), found)


class Arrows(LintCase):
    def house(self, path, text):
        return {"ARCHITECTURE.md": ARROWS, path: text}

    def test_an_include_along_an_arrow_is_fine(self):
        self.assert_found(arrows.check, self.house("src/env/files.cc", '#include "base/error.h"\n#include "env/files.h"\n'))

    def test_an_include_against_an_arrow_is_found_with_its_line(self):
        self.assert_found(arrows.check, self.house("src/base/error.cc", '\n#include "env/files.h"\n'), "src/base/error.cc:2: ")

    def test_an_adapter_is_not_named_by_the_engine(self):
        self.assert_found(arrows.check, self.house("src/migrate/run.cc", '#include "store/sqlite/sink.h"\n'), "migrate → store/sqlite is no arrow")

    def test_only_app_names_everything(self):
        self.assert_found(arrows.check, self.house("src/app/main.cc", '#include "store/sqlite/sink.h"\n#include "migrate/copy/copy.h"\n'))

    def test_the_two_paths_share_no_code_even_in_tests(self):
        self.assert_found(arrows.check, self.house("src/migrate/witness/a_test.cc", '#include "migrate/copy/copy.h"\n'), "not even in tests")

    def test_the_witness_parses_with_its_own_parser(self):
        self.assert_found(arrows.check, self.house("src/migrate/witness/a.cc", "#include <simdjson.h>\n"), "<simdjson.h> belongs to")

    def test_a_test_may_use_an_adapter_and_a_fake(self):
        self.assert_found(arrows.check, self.house("src/migrate/a_test.cc", '#include "store/sqlite/s.h"\n#include "tests/fakes/f.h"\n'))

    def test_an_undeclared_folder_is_found(self):
        self.assert_found(arrows.check, self.house("src/gate/a.cc", '#include "base/error.h"\n'), "folder gate has no line")

    def test_an_include_without_a_folder_is_found(self):
        self.assert_found(arrows.check, self.house("src/env/a.cc", '#include "files.h"\n'), "write the folder too")

    def test_a_ring_of_arrows_is_found(self):
        ring = ARROWS.replace("env → base\n", "env → base\nbase → env\n")
        self.assert_found(arrows.check, {"ARCHITECTURE.md": ring}, "env can reach itself", "base can reach itself")

    def test_a_missing_table_is_found(self):
        self.assert_found(arrows.check, {"ARCHITECTURE.md": "nothing"}, "no ```arrows block")


class Banned(LintCase):
    def banned(self, path, code, *fragments):
        self.assert_found(banned.check, {path: code}, *fragments)

    def test_the_clock_is_read_in_env_only(self):
        self.banned("src/domain/a.cc", "auto t = std::time(nullptr);\n", "env/clock.h")
        self.banned("src/domain/a.cc", "auto t = std::chrono::system_clock::now();\n", "env/clock.h")
        self.banned("src/env/a.cc", "auto t = std::chrono::system_clock::now();\n")

    def test_files_are_opened_in_env_and_drivers_only(self):
        self.banned("src/legacy/export/a.cc", 'int f = ::open(p, 0);\nFILE* g = fopen(p, "r");\n', "env/files.h", "env/files.h")
        self.banned("src/legacy/export/a.cc", "std::ifstream in(p);\n", "env/files.h")
        self.banned("src/drivers/sqlite/a.cc", "int f = ::open(p, 0);\n")

    def test_a_member_called_open_or_time_is_no_call_of_the_system(self):
        self.banned("src/legacy/a.cc", "file.open(p); Column time(int i); auto x = field->time(i);\n")

    def test_randomness_comes_from_env(self):
        self.banned("src/sample/a.cc", "std::random_device d;\nint i = rand();\n", "entropy.h", "entropy.h")

    def test_only_cli_and_app_print(self):
        self.banned("src/migrate/a.cc", 'std::cout << 1;\nprintf("");\nfmt::print("");\n', *["only cli and app print"] * 3)
        self.banned("src/cli/a.cc", "std::cout << 1;\n")

    def test_nobody_sleeps_not_even_a_test(self):
        self.banned("src/migrate/a_test.cc", "std::this_thread::sleep_for(1s);\n", "sleeping is env's")

    def test_settings_do_not_come_from_getenv(self):
        self.banned("src/obs/a.cc", 'auto h = std::getenv("HOME");\n', "cli/settings")

    def test_using_namespace_std_and_std_format_are_found_everywhere(self):
        self.banned("src/app/a.cc", "using namespace std;\nauto s = std::format(f);\n", "name what you use", "use fmt::format")

    def test_comments_and_literals_do_not_count(self):
        self.banned("src/base/a.cc", '// time(nullptr)\n/* rand() */ auto a = "getenv(x)"; auto b = R"(printf(1))";\n')

    def test_the_library_does_not_end_the_process_or_start_a_shell(self):
        self.banned("src/migrate/a.cc", "std::exit(1);\nsystem(x);\n", "only main ends the process", "start no shell")


class Size(LintCase):
    LONG = "namespace a {\nvoid Long(int x) {\n" + "  x++;\n" * 80 + "}\n}\n"

    def test_a_function_over_the_limit_is_found(self):
        self.assert_found(size.check, {"src/base/a.cc": self.LONG}, "function src/base/a.cc Long: 82 lines, at most 70")

    def test_the_ratchet_grants_what_was_there_and_no_more(self):
        self.assert_found(size.check, {"src/base/a.cc": self.LONG, size.RATCHET: "function src/base/a.cc Long 82\n"})
        self.assert_found(size.check, {"src/base/a.cc": self.LONG, size.RATCHET: "function src/base/a.cc Long 81\n"}, "may only shrink")

    def test_the_ratchet_tightens(self):
        self.assert_found(size.check, {"src/base/a.cc": self.LONG, size.RATCHET: "function src/base/a.cc Long 90\n"}, "shrank to 82 lines")
        self.assert_found(size.check, {"src/base/a.cc": "int a;\n", size.RATCHET: "function src/base/a.cc Long 90\n"}, "delete its line")

    def test_headers_sources_and_tests_have_their_own_limits(self):
        self.assert_found(size.check, {"src/base/a.h": "\n" * 201, "src/base/b.cc": "\n" * 401, "src/base/b_test.cc": "\n" * 801},
                          "201 lines, at most 200", "401 lines, at most 400", "801 lines, at most 800")

    def test_functions_are_measured_in_classes_and_with_initializers(self):
        text = ("class A {\n public:\n  A() : a_{1}, b_{2} {\n    f();\n  }\n  int G() const { return 1; }\n};\n"
                "const std::vector<int> kTable = {\n  F(1),\n};\nTEST(Suite, Claim) {\n  auto l = [](int) {\n  };\n}\n")
        self.assertEqual([(f.name, f.line, f.lines) for f in cpp.functions(text)],
                         [("A", 3, 3), ("G", 6, 1), ("Suite.Claim", 11, 4)])


class Documents(LintCase):
    def test_a_path_of_one_machine_is_found(self):
        self.assert_found(documents.check_machine, {"docs/a.md": "see /work" + "/main/x\nand /tmp/bash" + "_jobs.0\n"}, "a.md:1", "a.md:2")

    def test_a_registry_host_is_found(self):
        self.assert_found(documents.check_machine, {"tools/a": "curl https://pypi." + "org/simple\n"}, "package registry")

    def test_an_ordinary_path_is_fine(self):
        self.assert_found(documents.check_machine, {"docs/a.md": "src/work/a and build/release and /etc/reeve/reeve.toml\n"})

    def test_a_folder_that_is_not_in_the_table_is_found_and_a_row_without_a_folder_too(self):
        files = {"ARCHITECTURE.md": ARROWS, "src/gate/a.h": ""}
        files |= {f"src/{f}/a.h": "" for f in ("base", "env", "migrate/copy", "migrate/witness", "migrate")}
        self.assert_found(documents.check_folders, files, "src/gate is not in the folder table", "src/store/sqlite is in the folder table")

    def test_links_lead_somewhere(self):
        files = {"README.md": "[a](docs/a.md) [b](docs/b.md) [c](docs/a.md#two-words) [d](docs/a.md#none) [w](https://x.y/)\n`[e](no.md)`\n",
                 "docs/a.md": "# Two words\n"}
        self.assert_found(documents.check_links, files, "'docs/b.md' leads nowhere", "'docs/a.md#none'")


class Defects(LintCase):
    def rows(self, special):
        return "".join(special.get(n, f"| {n} | so | `Suite.Claim` |\n") for n in defects.NUMBERS)

    def files(self, special):
        return {"tests/defects.md": self.rows(special), "src/base/a_test.cc": "TEST(Suite, Claim) {\n}\n",
                "tests/e2e/k_test.py": "class Kill:\n    def test_one(self):\n        pass\n"}

    def test_a_full_table_is_fine(self):
        self.assert_found(defects.check, self.files({3: "| 3 | so | `Kill.test_one` |\n", 4: "| 4 | so | elsewhere: the gate |\n"}))

    def test_a_test_that_does_not_exist_is_found(self):
        self.assert_found(defects.check, self.files({3: "| 3 | so | `Suite.Gone` |\n"}), "there is no test Suite.Gone")

    def test_missing_double_and_empty_rows_are_found(self):
        self.assert_found(defects.check, self.files({3: "", 5: "| 5 | so |  |\n", 7: "| 7 | so | `Suite.Claim` |\n" * 2}),
                          "3 has no row", "5 names no test", "7 has a row already")


if __name__ == "__main__":
    testing.main()
