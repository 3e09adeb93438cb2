import unittest

import check_layers
from tests.support import write_tree

LINKS = """
# The links.
sluice_room(base LIBS fmt)
sluice_room(net  DEPS base LIBS ssl
                 crypto)
sluice_room(wire DEPS base)
sluice_room(gateway DEPS net wire LIBS fmt)
"""


class CheckLayers(unittest.TestCase):
    def findings(self, files):
        return list(check_layers.check(write_tree(self, {"src/CMakeLists.txt": LINKS, **files})))

    def test_reads_the_links_of_each_room(self):
        self.assertEqual(
            check_layers.read_deps(LINKS), {"base": [], "net": ["base"], "wire": ["base"], "gateway": ["net", "wire"]}
        )

    def test_accepts_the_own_room_and_lower_ones(self):
        text = '#include "gateway/pipeline.h"\n#include <vector>\n#include "net/client.h"\n#include "base/result.h"\n'
        self.assertEqual(self.findings({"src/gateway/pipeline.cc": text}), [])

    def test_refuses_a_sibling(self):
        [finding] = self.findings({"src/net/client.cc": '\n#include "wire/json.h"\n'})
        self.assertIn("src/net/client.cc:2", finding)
        self.assertIn("siblings", finding)

    def test_refuses_a_higher_room(self):
        [finding] = self.findings({"src/base/log.h": '#include "net/loop.h"\n'})
        self.assertIn("base (L0) reaches up to net (L1)", finding)

    def test_refuses_a_lower_room_without_a_link(self):
        [finding] = self.findings({"src/gateway/x.cc": '#include "store/sqlite.h"\n'})
        self.assertIn("add it to DEPS", finding)

    def test_refuses_an_include_that_names_no_room(self):
        [finding] = self.findings({"src/net/client.cc": '#include "client.h"\n'})
        self.assertIn("no room", finding)

    def test_refuses_an_unknown_room(self):
        [finding] = self.findings({"src/util/strings.h": ""})
        self.assertIn("'util' is no room", finding)

    def test_lets_only_tests_include_test_support(self):
        include = '#include "tests/support/clock.h"\n'
        self.assertEqual(self.findings({"src/net/loop_test.cc": include, "src/net/loop_test_base.h": include}), [])
        self.assertEqual(len(self.findings({"src/net/loop.cc": include})), 1)

    def test_refuses_links_between_siblings_and_upwards(self):
        root = write_tree(self, {"src/CMakeLists.txt": "sluice_room(net DEPS wire)\nsluice_room(base DEPS app)\n"})
        self.assertEqual(len(list(check_layers.check(root))), 2)


if __name__ == "__main__":
    unittest.main()
