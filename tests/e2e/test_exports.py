"""`sluice export ndjson`: the files equal the ledger, whatever happens on the way."""

import fcntl
import json
import re
import subprocess
import time
from decimal import Decimal

import pytest

from exporting import busy, command, exported, held, kill_thrice, multiply, reprice, run, talk, wanted
from harness import ROOT, Gateway, eventually


class Folder:
    """NDJSON as a loader reads it: of each request the highest revision."""

    kind = "ndjson"

    def __init__(self, gateway):
        self.path = gateway.folder / "data/export"

    def lines(self):
        files = sorted(self.path.glob("exchanges-*.ndjson"))
        return [json.loads(line, parse_float=Decimal) for file in files for line in file.read_text(encoding="utf-8").splitlines()]

    def count(self):
        return len(self.lines())

    def rows(self):
        lines = self.lines()
        names = [(line["request_id"], line["revision"]) for line in lines]
        assert len(set(names)) == len(names), "a row stands twice"
        return list({line["request_id"]: line for line in sorted(lines, key=lambda line: line["revision"])}.values())


@pytest.fixture
def folder(own):
    gateway = busy(own)
    return gateway, Folder(gateway)


def test_files_equal_the_ledger_and_a_second_run_adds_what_is_new(folder):
    gateway, files = folder
    assert exported("ndjson", gateway, "--dry-run") == 8 and not files.path.exists()
    assert exported("ndjson", gateway) == 8
    assert held(files.rows()) == wanted(gateway)
    row = next(line for line in files.rows() if line["outcome"] != "ok")
    assert row["workflow"].endswith(" '\\N\\") and row["attempts"][0]["target"].startswith("lab/")
    assert row["metadata"] == {"colour": "blue", "size": '"7\\'}
    assert exported("ndjson", gateway) == 0
    talk(gateway, 3)
    assert exported("ndjson", gateway) == 3
    assert held(files.rows()) == wanted(gateway)


def test_a_file_is_of_bounded_size_and_never_half_a_line(own):
    gateway = busy(own, 12, {"ndjson": {"max_file": "4KiB"}})
    assert exported("ndjson", gateway) == 12
    files = sorted(Folder(gateway).path.glob("*.ndjson"))
    assert len(files) > 3 and all(file.stat().st_size <= 4096 and file.read_bytes().endswith(b"\n") for file in files)
    assert held(Folder(gateway).rows()) == wanted(gateway)


def test_repriced_rows_come_again_with_a_higher_revision(folder):
    gateway, files = folder
    exported("ndjson", gateway)
    before = {row["request_id"]: row for row in files.rows()}
    reprice(gateway)
    changed = exported("ndjson", gateway)
    after = {row["request_id"]: row for row in files.rows()}
    assert changed == sum(1 for name, row in after.items() if row["revision"] > before[name]["revision"]) > 0
    assert held(files.rows()) == wanted(gateway)


def test_a_slow_request_that_ends_after_later_ones_were_exported_is_not_missed(folder):
    gateway, files = folder
    slow = gateway.open("lab/slow")
    talk(gateway, 2)
    assert exported("ndjson", gateway) == 10
    slow.close()
    gateway.wait_for_rows(11)
    assert exported("ndjson", gateway) == 1
    assert held(files.rows()) == wanted(gateway)


def test_a_period_has_a_folder_of_its_own(folder, tmp_path):
    gateway, _ = folder
    other = str(tmp_path / "period")
    assert exported("ndjson", gateway, "--folder", other, "--since", "2020-01-01", "--until", "2020-02-01") == 0
    assert exported("ndjson", gateway, "--folder", other, "--since", "2020-01-01", "--until", "2020-02-01") == 0
    refused = run("ndjson", gateway, "--folder", other)
    assert refused.returncode == 2 and "another period" in refused.stderr


def test_a_folder_of_another_ledger_is_refused(own, folder):
    gateway, files = folder
    exported("ndjson", gateway)
    stranger = busy(own, 1)
    refused = run("ndjson", stranger, "--folder", files.path)
    assert refused.returncode == 2 and "another ledger" in refused.stderr


def test_usage_errors_name_the_flag(folder):
    gateway, _ = folder
    wrong = run("ndjson", gateway, "--since", "yesterday")
    assert wrong.returncode == 2 and "--since" in wrong.stderr
    blocked = gateway.folder / "file"
    blocked.write_text("", encoding="utf-8")
    unwritable = run("ndjson", gateway, "--folder", blocked / "below")
    assert unwritable.returncode == 1 and "export.ndjson.folder" in unwritable.stderr


def test_follow_goes_on_with_what_comes(folder):
    gateway, files = folder
    child = subprocess.Popen(command("ndjson", gateway, "--follow", "--interval", "1"), stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: files.path.exists() and len(files.rows()) == 8, 20)
        talk(gateway, 2)
        eventually(lambda: len(files.rows()) == 10, 20)
    finally:
        child.kill()
        child.wait()
    exported("ndjson", gateway)
    assert held(files.rows()) == wanted(gateway)


def test_files_are_whole_after_a_kill_at_any_moment(own):
    gateway = busy(own, 4, {"ndjson": {"max_file": "16KiB"}})
    multiply(gateway, 500)
    files = Folder(gateway)
    kill_thrice(gateway, files, 2004)
    exported("ndjson", gateway)
    assert files.count() == 2004, "none is missing, none stands twice"
    assert held(files.rows()) == wanted(gateway)


def test_what_retention_removed_before_it_was_exported_is_told(own, lab):
    gateway = busy(own, 4)
    files = Folder(gateway)
    assert exported("ndjson", gateway) == 4
    multiply(gateway, 600)
    gateway.stop()
    with Gateway(gateway.folder, lab.url, {"ledger": {"retention_days": 1}}) as again:
        kept_from = (time.time() // 86_400 - 1) * 86_400_000
        eventually(lambda: min(row["key"] for row in again.rows()) >> 21 >= kept_from, 20)
    left = len(gateway.rows())
    assert 4 < left < 2404
    first = run("ndjson", gateway, "--json")
    assert first.returncode == 1 and "ledger.retention_days" in first.stderr
    told = json.loads(first.stdout)
    assert (told["rows"], told["missed"], told["complete"]) == (left - 4, 2404 - left, False)
    second = run("ndjson", gateway, "--json")
    assert second.returncode == 0 and f"{2404 - left} changes" in second.stderr
    assert json.loads(second.stdout)["missed_ever"] == 2404 - left
    assert held(files.rows()) == wanted(gateway)


def test_two_at_once_are_refused(folder):
    gateway, files = folder
    with open(f"{gateway.ledger}.export-ndjson", "w", encoding="ascii") as held_lock:
        fcntl.flock(held_lock, fcntl.LOCK_EX)
        refused = run("ndjson", gateway)
    assert refused.returncode == 1 and "another `sluice export ndjson`" in refused.stderr
    assert not files.path.exists()
    assert exported("ndjson", gateway) == 8


def test_the_columns_are_those_of_the_document(folder):
    gateway, files = folder
    exported("ndjson", gateway)
    page = (ROOT / "docs/exports.md").read_text(encoding="utf-8").split("## Columns")[1]
    assert re.findall(r"^\| `(\w+)` \|", page, re.M) == list(files.lines()[0])
