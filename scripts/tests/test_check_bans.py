import unittest

import check_bans
import tree
from tests.support import write_tree

BANS = check_bans.read_bans((tree.ROOT / "scripts/bans.txt").read_text(encoding="utf-8"))

# One line that breaks each rule, and one beside it that does not.
BAD_AND_GOOD = [
    ("src/wire/x.cc", "std::regex pattern;", "// std::regex is slow"),
    ("src/wire/x.h", "std::thread worker_;", "std::this_thread::yield();"),
    ("src/store/x.cc", "std::jthread worker;", 'log("std::jthread")'),
    ("src/base/thread.cc", "worker.detach();", "worker.join();"),
    ("src/net/x.cc", "auto t = std::chrono::steady_clock::now();", "auto t = clock.monotonic();"),
    ("src/net/x.cc", "clock_gettime(CLOCK_MONOTONIC, &ts);", "read(CLOCK_MONOTONIC);"),
    ("src/net/x.cc", 'getenv("HOME");', "environment.find(name);"),
    ("src/api/x.cc", "} catch (const std::exception& e) {", "if (!result) co_return result.error();"),
    ("src/api/x.cc", 'printf("here\\n");', "std::snprintf(buffer, 8, text);"),
    ("src/api/x.cc", "std::cerr << x;", "log.info(x);"),
    ("src/net/x.cc", "run([=] { go(); });", "run([&x] { go(); });"),
    ("src/net/x.cc", "co_await client.get({.url = u});", "co_await client.get(u);"),
    ("src/net/x.cc", "co_await client.get(Request{.url = u});", "if (co_await ready()) {\n  go();\n}"),
    ("src/net/x.cc", "co_return Agg{co_await x(), 1};", "auto a = co_await x();\nco_return Agg{a, 1};"),
    ("src/net/x.cc", "co_await each(list,\n [name](int x) { use(x); });", "co_await handlers[i](request);"),
    ("src/api/x.cc", "auto f = [this](int x) -> Task<int> {\n  co_return x;\n};", "[this](int x) -> Task<int> { return f(x); }"),
    ("src/net/x.h", "using namespace std;", "using std::move;"),
    ("src/net/x_test.cc", "usleep(10);", "co_await loop.sleep(kSecond);"),
    ("src/net/x_test.cc", "std::this_thread::sleep_for(1s);", "clock.advance(kSecond);"),
    ("src/net/x_test.cc", "TEST(A, DISABLED_B) {}", "TEST(A, B) {}"),
    ("src/net/x.cc", "// TODO: later", "// Todos are no marks."),
    ("scripts/x.py", "# FIXME", "# fixed"),
    ("src/net/x.cc", "f();  // NOLINT", "f();"),
    ("docs/x.md", "see /work/main/src", "see src/base or ~/work/x"),
    ("README.md", "cd /home/ann/sluice", "cd sluice"),
]


class CheckBans(unittest.TestCase):
    def broken(self, name, text):
        return [words for _, words, _ in check_bans.check_text(name, text, BANS)]

    def test_each_ban_catches_a_bad_line_and_lets_its_good_neighbour_be(self):
        for name, bad, good in BAD_AND_GOOD:
            with self.subTest(bad=bad):
                self.assertTrue(self.broken(name, bad))
                self.assertEqual(self.broken(name, good), [])

    def test_every_ban_has_a_bad_line_here(self):
        caught = {
            ban.pattern.pattern
            for name, bad, _ in BAD_AND_GOOD
            for ban in BANS
            if list(check_bans.check_text(name, bad, [ban]))
        }
        self.assertEqual(caught, {ban.pattern.pattern for ban in BANS})

    def test_allowed_files_may(self):
        self.assertEqual(self.broken("src/base/time.cc", "clock_gettime(clock, &ts);"), [])
        self.assertEqual(self.broken("src/app/commands/usage.cc", "std::cout << table;"), [])

    def test_names_file_line_and_reason(self):
        root = write_tree(self, {"src/net/x.cc": '#include "net/x.h"\n\nauto home = getenv("HOME");\n'})
        [finding] = check_bans.check(root, BANS)
        self.assertTrue(finding.startswith("src/net/x.cc:3: getenv: only app reads the environment"), finding)

    def test_strings_and_comments_are_no_code_but_keep_their_lines(self):
        code = check_bans.code_of('a("std::cout"); /* one\ntwo */ b(R"(three\nstd::regex)"); // four\nc(\'"\');')
        self.assertNotIn("std::", code)
        self.assertEqual(code.count("\n"), 3)
        self.assertIn("c(", code.splitlines()[3])

    def test_a_digit_separator_opens_no_string(self):
        self.assertIn("getenv", check_bans.code_of("int n = 1'000; getenv(x); int m = 2'000;"))

    def test_globs(self):
        self.assertTrue(check_bans.glob("src/**/*_test.cc").fullmatch("src/net/a_test.cc"))
        self.assertTrue(check_bans.glob("src/**").fullmatch("src/net/deep/a.cc"))
        self.assertFalse(check_bans.glob("src/*").fullmatch("src/net/a.cc"))

    def test_a_broken_list_is_refused(self):
        for text in ["ban x\n", "why x\n", "ban x\nwhy y\nin src\nwhat z\n"]:
            with self.subTest(text=text), self.assertRaises(ValueError):
                check_bans.read_bans(text)


if __name__ == "__main__":
    unittest.main()
