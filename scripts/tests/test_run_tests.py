import contextlib
import io
import unittest
import xml.etree.ElementTree as xml

from run_tests import Count, at_least_one_failure, count_gtest_output, count_gtest_report, count_junit, count_tap


class RunTests(unittest.TestCase):
    def test_the_closing_line_is_plain(self):
        self.assertEqual(str(Count(3, 0) + Count(1, 2)), "4 passed, 2 failed")
        self.assertEqual(str(Count(3, 0, 1)), "3 passed, 0 failed, 1 skipped")

    def test_counts_a_gtest_report(self):
        tests = [
            {"result": "COMPLETED"},
            {"result": "COMPLETED", "failures": [{"failure": "x"}]},
            {"result": "SKIPPED"},
            {"result": "SUPPRESSED"},
        ]
        self.assertEqual(count_gtest_report({"testsuites": [{"testsuite": tests}]}), Count(1, 1, 2))

    def test_a_crashed_gtest_run_fails_the_test_it_died_in(self):
        output = (
            "[ RUN      ] A.B\n[       OK ] A.B (0 ms)\n"
            "[ RUN      ] A.C\n[  FAILED  ] A.C (3 ms)\n"
            "[ RUN      ] A.D\n==1==ERROR: AddressSanitizer\n"
        )
        self.assertEqual(count_gtest_output(output), Count(1, 2, 0))

    def test_a_run_that_said_nothing_has_failed(self):
        self.assertEqual(count_gtest_output(""), Count(0, 1, 0))

    def test_counts_a_junit_report(self):
        report = '<testsuites><testsuite tests="9" failures="2" errors="1" skipped="1"/></testsuites>'
        self.assertEqual(count_junit(xml.fromstring(report)), Count(5, 3, 1))

    def test_counts_tap(self):
        output = "ok 1 - x\n# tests 7\n# pass 4\n# fail 1\n# cancelled 1\n# skipped 1\n"
        self.assertEqual(count_tap(output), Count(4, 2, 1))

    def test_a_leak_at_exit_is_a_failure(self):
        with contextlib.redirect_stdout(io.StringIO()) as words:
            self.assertEqual(at_least_one_failure(Count(5), 23, "net").failed, 1)
        self.assertIn("exit code 23", words.getvalue())
        self.assertEqual(at_least_one_failure(Count(5), 0, "net").failed, 0)


if __name__ == "__main__":
    unittest.main()
