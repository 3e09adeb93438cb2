import unittest

import check_docs
from tests.support import write_tree

README = """# Title

See [the scope](docs/scope.md#later), [the web](https://example.org) and `make test`.

```sh test=quickstart
curl -s http://127.0.0.1:8080/livez

curl -s http://127.0.0.1:8080/version
```

```sh
make nothing-runs-this
```
"""
MAKEFILE = "test: ## run\n\ttrue\n"


class CheckDocs(unittest.TestCase):
    def tree(self, **changed):
        files = {"README.md": README, "docs/scope.md": "", "Makefile": MAKEFILE}
        return write_tree(self, {**files, **changed})

    def test_finds_the_blocks_marked_for_a_test(self):
        [block] = check_docs.runnable_blocks(self.tree())
        self.assertEqual((block.file, block.line, block.name, block.language), ("README.md", 5, "quickstart", "sh"))
        self.assertEqual(len(block.text.splitlines()), 3)

    def test_gives_a_block_by_its_name(self):
        root = self.tree()
        self.assertTrue(check_docs.runnable_block("quickstart", root).text.startswith("curl"))
        with self.assertRaises(LookupError):
            check_docs.runnable_block("nothing", root)

    def test_good_documents_have_no_findings(self):
        self.assertEqual(list(check_docs.check(self.tree())), [])

    def test_a_dead_link_a_missing_door_and_a_missing_path_are_findings(self):
        text = "[x](docs/gone.md)\n\n`make fly`\n\n`src/net/gone.cc`\n"
        findings = list(check_docs.check(self.tree(**{"README.md": text})))
        self.assertEqual(len(findings), 3)
        self.assertTrue(findings[0].startswith("README.md:1: link to docs/gone.md"))

    def test_one_name_marks_one_block(self):
        self.assertEqual(len(list(check_docs.check(self.tree(**{"README.md": README + README})))), 1)


if __name__ == "__main__":
    unittest.main()
