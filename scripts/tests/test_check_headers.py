import unittest

import check_headers
from tests.support import write_tree

GOOD = "#pragma once\n#include <string>\nstd::string name();\n"


class CheckHeaders(unittest.TestCase):
    def test_a_header_included_first_by_its_source_is_proved(self):
        root = write_tree(self, {"src/net/x.h": GOOD, "src/net/x.cc": '// Words.\n#include "net/x.h"\n'})
        self.assertEqual(check_headers.sort_headers(root), ([], []))

    def test_a_source_that_includes_something_else_first_is_a_finding(self):
        root = write_tree(self, {"src/net/x.h": GOOD, "src/net/x.cc": '#include <string>\n#include "net/x.h"\n'})
        findings, unproved = check_headers.sort_headers(root)
        self.assertEqual(len(findings), 1)
        self.assertEqual(len(unproved), 1)

    def test_a_header_without_pragma_once_is_a_finding(self):
        root = write_tree(self, {"src/net/x.h": "int x();\n"})
        self.assertIn("no #pragma once", check_headers.sort_headers(root)[0][0])

    def test_a_header_that_leans_on_its_reader_does_not_compile_alone(self):
        root = write_tree(self, {"src/net/x.h": "#pragma once\nstd::string name();\n", "src/net/y.h": GOOD})
        self.assertIn("does not compile alone", check_headers.compile_alone(root / "src/net/x.h", root, []))
        self.assertIsNone(check_headers.compile_alone(root / "src/net/y.h", root, []))


if __name__ == "__main__":
    unittest.main()
