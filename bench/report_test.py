"""python3 -m unittest discover -s bench -p '*_test.py'"""

import unittest

import report


def visit(cost, disturbed=False):
    return {"cpu_us": cost, "disturbed": disturbed}


class RatioTest(unittest.TestCase):
    def test_is_taken_inside_a_round_and_then_the_median(self):
        rounds = [{"nginx": visit(10), "sluice": visit(8)}, {"nginx": visit(40), "sluice": visit(20)},
                  {"nginx": visit(20), "sluice": visit(14)}]
        self.assertEqual(report.ratio(rounds, "sluice", "nginx", "cpu_us"), (0.7, 3))
        self.assertEqual(report.median(rounds, "sluice", "cpu_us"), 14)

    def test_leaves_out_a_round_in_which_either_side_was_disturbed(self):
        rounds = [{"nginx": visit(10), "sluice": visit(8)},
                  {"nginx": visit(1, disturbed=True), "sluice": visit(9)},
                  {"nginx": visit(10), "sluice": visit(90, disturbed=True)}]
        self.assertEqual(report.ratio(rounds, "sluice", "nginx", "cpu_us"), (0.8, 1))

    def test_is_unknown_without_a_common_round(self):
        self.assertEqual(report.ratio([{"nginx": visit(10)}], "sluice", "nginx", "cpu_us"), (None, 0))


if __name__ == "__main__":
    unittest.main()
