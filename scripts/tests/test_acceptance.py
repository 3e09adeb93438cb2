import unittest

import acceptance
from tests.support import write_tree


class Acceptance(unittest.TestCase):
    def test_expands_ranges(self):
        self.assertEqual(acceptance.read_ids("# words\nFB-1\nFB-3..5\n"), ["FB-1", "FB-3", "FB-4", "FB-5"])

    def test_cost_11_is_not_cost_1(self):
        self.assertEqual(acceptance.ids_in("Meter.COST_11_ChargesOnce"), {"COST-11"})

    def test_one_test_may_hold_several(self):
        self.assertEqual(acceptance.ids_in("test_FB_3_and_SSE_7_error_event"), {"FB-3", "SSE-7"})

    def test_reads_the_names_of_tests_in_three_languages_and_the_scope(self):
        root = write_tree(
            self,
            {
                "src/wire/sse_test.cc": "// COST-9 in words is no test\nTEST(Sse,\n     COST_4_SplitAnywhere) {\n",
                "tests/e2e/test_chat.py": "def test_TR_1_bytes(gateway):\n    pass\n",
                "tests/e2e/sdk.test.mjs": "test('SSE-6 reads with the SDK', async () => {});\n",
                "docs/scope.md": "Words of NET-5.\n\n| id | who |\n| --- | --- |\n| COST-8, DB-5 | routing |\n",
            },
        )
        self.assertEqual(set(acceptance.kept_by(root)), {"COST-4", "TR-1", "SSE-6", "COST-8", "DB-5"})


if __name__ == "__main__":
    unittest.main()
