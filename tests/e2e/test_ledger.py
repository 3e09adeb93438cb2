"""The ledger of the real program: killed, locked, cleaned up, read beside its writer, described in docs/ledger.md."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from governed import ask, bearer, budget, governed, own_usage, settings_for, spend_of
from harness import HELLO, ROOT, SLOW, SLUICE, Gateway, eventually

DAY_MS = 86_400_000


def command(*words):
    return subprocess.run([SLUICE, *map(str, words)], capture_output=True, text=True, timeout=120 * SLOW, check=False)


def assert_sound(gateway):
    done = command("ledger", "verify", "--ledger", gateway.ledger)
    assert done.returncode == 0, done.stdout + done.stderr


def usage(gateway, *words):
    done = command("usage", "--json", "--ledger", gateway.ledger, *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def locked(*databases):
    """Another process' write lock."""
    held = [sqlite3.connect(database, isolation_level=None) for database in databases]
    for each in held:
        each.execute("BEGIN IMMEDIATE")
    yield
    for each in held:
        each.execute("ROLLBACK")
        each.close()


class Callers:
    """Calls in a loop that note the id of each reply and when it ended, until the gateway is gone."""

    def __init__(self, gateway, clients=4):
        self.gateway, self.done = gateway, []
        self.threads = [threading.Thread(target=self.call, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def call(self):
        while True:
            try:
                reply = ask(self.gateway, "/v1/chat/completions", {"model": "lab/fast", "messages": HELLO}, bearer("a"))
            except (OSError, ValueError):
                return
            except Exception:  # http.client's own: the gateway died within a reply
                return
            if reply.status == 200:
                self.done.append((reply.headers["x-request-id"], time.monotonic()))

    def join(self):
        for thread in self.threads:
            thread.join()


def test_DB_4_a_killed_gateway_loses_no_settled_reply_and_holds_no_reservation(lab, tmp_path):
    settings = settings_for({"a": budget(1000)}, ledger={"flush_window": "20ms"})
    settled, seen = 0, 0
    for _ in range(6):
        with Gateway(tmp_path / "gateway", lab.url, settings) as gateway:
            held = own_usage(gateway, "a")["budgets"][0]
            assert held["reserved_usd"] == 0, "nothing is held for requests of the dead"
            assert round(held["spent_usd"] * 1e9) == spend_of(gateway, "key:a")
            callers = Callers(gateway)
            time.sleep(random.uniform(0.2, 0.6) * SLOW)
            killed = time.monotonic()
            gateway.stop(signal.SIGKILL)
            callers.join()
        settled += sum(1 for _, ended in callers.done if ended < killed - 0.15 * SLOW)
        seen += len(callers.done)
        rows = [row for row in gateway.rows() if row["outcome"] == "ok"]
        assert settled <= len(rows), "a settled reply has no row"
        assert len({row["key"] for row in rows}) == len(rows)
        with sqlite3.connect(f"file:{gateway.ledger}?mode=ro", uri=True) as ledger:
            (charged,) = ledger.execute("SELECT sum(charged) FROM exchange").fetchone()
        assert spend_of(gateway, "key:a") == charged
        assert_sound(gateway)
    assert settled > 20


def insert_old_rows(path, count, days_ago):
    """Copies of the newest row, a second apart, and their place in the kept sums, as one of an earlier version had it."""
    with closing(sqlite3.connect(path)) as ledger, ledger:
        columns = [row[1] for row in ledger.execute("PRAGMA table_info(exchange)")]
        first = (int(time.time() * 1000) - days_ago * DAY_MS) << 21
        values = {
            "key": f"{first} + (i * 1000 << 21)",
            "started_micros": f"({first} >> 21) * 1000 + i * 1000000",
            "error": "printf('%.*c', 300, 'x')",
        }
        ledger.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}),"
            " one AS (SELECT * FROM exchange ORDER BY key DESC LIMIT 1)"
            f" INSERT INTO exchange({', '.join(columns)})"
            f" SELECT {', '.join(values.get(column, 'one.' + column) for column in columns)} FROM n, one"
        )
        ledger.execute("UPDATE exchange SET caller = NULL, charged = NULL")
        for table in ("usage_sum", "user_sum", "spend", "usage_total"):
            ledger.execute(f"DELETE FROM {table}")
        ledger.execute(
            "INSERT INTO usage_total SELECT 'lab', 'fast', '', 0, 0, count(*), sum(cost IS NULL), sum(plain_input +"
            " cache_write + cache_write_1h), sum(cache_read), sum(visible_output), sum(reasoning), ifnull(sum(cost), 0)"
            " FROM exchange"
        )
        ledger.execute("UPDATE mark SET value = (SELECT max(key) + 1 FROM exchange) WHERE name = 'summed_from'")


def old_ledger(lab, folder, count, days_ago):
    with Gateway(folder, lab.url) as gateway:
        assert gateway.chat("lab/fast").status == 200
        gateway.wait_for_rows(1)
    insert_old_rows(gateway.ledger, count, days_ago)


def test_DB_2_retention_cleans_up_under_load(lab, tmp_path):
    count = 20_000
    old_ledger(lab, tmp_path / "gateway", count, 100)
    size = (tmp_path / "gateway/data/ledger.db").stat().st_size
    with Gateway(tmp_path / "gateway", lab.url, {"ledger": {"retention_days": 90}}) as gateway:
        before = gateway.resident_kib()
        served = 0
        while gateway.metric("llm_ledger_removed_rows_total", table="exchange") < count:
            assert gateway.chat("lab/fast").status == 200
            served += 1
            assert served < 20_000
        if SLOW == 1:  # sanitizers keep what was freed
            assert gateway.resident_kib() - before < 20_000
        assert usage(gateway, "--since", "200d")["total"]["requests"] <= served + 1, "what is gone is in no report"
        eventually(lambda: gateway.ledger.stat().st_size < size / 2, 20, "a shorter file")
        assert gateway.metric("llm_ledger_freed_bytes_total") > size / 2
    assert len(gateway.rows()) == served + 1
    assert_sound(gateway)


def test_rows_of_an_earlier_version_are_summed_while_requests_are_served(lab, tmp_path):
    old_ledger(lab, tmp_path / "gateway", 20_000, 3)
    with Gateway(tmp_path / "gateway", lab.url) as gateway:
        for _ in range(20):
            assert gateway.chat("lab/fast").status == 200
            assert usage(gateway)["total"]["requests"] >= 20_001
        with sqlite3.connect(f"file:{gateway.ledger}?mode=ro", uri=True) as ledger:
            eventually(lambda: ledger.execute("SELECT value FROM mark WHERE name = 'summed_from'").fetchone() == (0,), 20)
        gateway.wait_for_rows(20_021)
        assert usage(gateway)["total"]["requests"] == 20_021
        assert_sound(gateway)


def test_a_ledger_of_an_earlier_version_is_upgraded_by_hand(lab, tmp_path):
    old_ledger(lab, tmp_path / "gateway", 5_000, 3)
    path = tmp_path / "gateway/data/ledger.db"
    with closing(sqlite3.connect(path)) as ledger, ledger:
        for table in ("mark", "usage_sum", "user_sum", "removed", "export", "changed"):
            ledger.execute(f"DROP TABLE {table}")
        ledger.execute("PRAGMA user_version=5")
    refused = command("usage", "--ledger", path)
    assert refused.returncode == 1 and "sluice ledger upgrade" in refused.stderr
    done = command("ledger", "upgrade", "--json", "--ledger", path)
    assert (done.returncode, json.loads(done.stdout)["summed"]) == (0, True), done.stderr
    report = json.loads(command("usage", "--by", "day", "--json", "--ledger", path).stdout)
    assert report["total"]["requests"] == 5_001
    with Gateway(tmp_path / "gateway", lab.url) as gateway:
        busy = command("ledger", "upgrade", "--ledger", gateway.ledger)
        assert busy.returncode == 1 and "a gateway uses the ledger" in busy.stderr
        assert_sound(gateway)


def test_DB_3_known_keys_are_served_while_the_store_is_stopped(own):
    gateway = governed(own, {"a": {}})
    body = {"model": "lab/fast", "messages": HELLO}
    with locked(gateway.ledger):
        end, served = time.monotonic() + 3, 0
        while time.monotonic() < end:
            assert ask(gateway, "/v1/chat/completions", body, bearer("a")).status == 200
            served += 1
        assert ask(gateway, "/v1/chat/completions", body, bearer("nobody")).status == 401
    rows = eventually(lambda: (rows := gateway.rows()) and len(rows) >= served + 1 and rows, 10)
    assert sorted({row["status"] for row in rows}) == [200, 401]
    assert len({row["key"] for row in rows}) == len(rows) == served + 1
    assert_sound(gateway)


def open_files(gateway):
    folder = Path(f"/proc/{gateway.child.pid}/fd")
    return [os.readlink(entry) for entry in folder.iterdir() if entry.is_symlink()]


def test_DB_6_one_connection_to_the_ledger_however_many_workers(own):
    gateway = own({"server": {"workers": 4}})
    with ThreadPoolExecutor(16) as pool:
        replies = [pool.submit(gateway.chat, "lab/chat+tokens-20+interval-20", stream=True) for _ in range(32)]
        eventually(lambda: gateway.metric("llm_requests_in_flight") > 3, 10)
        assert sum(name.endswith("/ledger.db") for name in open_files(gateway)) == 1
        assert {reply.result().status for reply in replies} == {200}


def test_DB_7_unknown_keys_ask_no_database_and_a_new_key_works_at_once(own):
    gateway = governed(own, {"a": {}})
    body = {"model": "lab/fast", "messages": HELLO}
    stores = [path for path in (gateway.folder / "data").glob("*.db")]
    with locked(*stores), ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(ask, gateway, "/v1/chat/completions", body, {"Authorization": f"Bearer sk-{number:032}"})
            for number in range(300)
        ]
        assert {reply.result().status for reply in asked} == {401}
        assert ask(gateway, "/v1/chat/completions", body, bearer("a")).status == 200
    gateway.configure(settings_for({"a": {}, "new": {}}))
    eventually(lambda: ask(gateway, "/v1/chat/completions", body, bearer("new")).status == 200, 1)


def test_DB_8_a_prompt_is_nowhere_in_the_store(own):
    canary = "canary-7f3a9c51"
    gateway = governed(own, {"a": {}})
    messages = [{"role": "user", "content": f"remember {canary}"}]
    chat = "/v1/chat/completions"
    for body, fault in (
        ({"model": "lab/chat", "messages": messages}, ""),
        ({"model": "lab/chat", "messages": messages, "stream": True}, ""),
        ({"model": "lab/chat", "messages": messages}, "status-500"),
        ({"model": "lab/chat", "messages": messages}, "status-400"),
        ({"model": "no-such-model", "messages": messages}, ""),
        ({"model": "lab/chat", "messages": messages, "temperature": canary}, ""),
        ({"model": "lab/chat", "messages": [{"role": "nobody", "content": canary}]}, ""),
    ):
        ask(gateway, chat, body, {**bearer("a"), **({"x-lab-fault": fault} if fault else {})})
    ask(gateway, chat, {"model": "lab/chat", "messages": messages}, {"Authorization": f"Bearer {canary}"})
    assert len(gateway.wait_for_rows(8)) == 8
    gateway.stop()
    for path in (gateway.folder / "data").rglob("*"):
        assert path.is_dir() or canary.encode() not in path.read_bytes(), path
    assert not any(canary in str(line) for line in gateway.lines)


def test_DB_9_reports_are_read_beside_long_writes(own):
    gateway = own()
    for _ in range(5):
        gateway.chat("lab/fast")
    gateway.wait_for_rows(5)
    with locked(gateway.ledger):
        began = time.monotonic()
        assert usage(gateway)["total"]["requests"] == 5
        assert_sound(gateway)
        assert time.monotonic() - began < 10 * SLOW
    with ThreadPoolExecutor(2) as pool:
        stop = threading.Event()

        def write():
            while not stop.is_set():
                gateway.chat("lab/fast")

        writing = [pool.submit(write) for _ in range(2)]
        for _ in range(5):
            usage(gateway, "--by", "day")
            assert_sound(gateway)
        stop.set()
        assert [each.result() for each in writing] == [None, None]


def described():
    """{table: columns} of docs/ledger.md."""
    text = (ROOT / "docs/ledger.md").read_text(encoding="utf-8")
    tables = {}
    for table, part in re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", text, re.M | re.S):
        names = re.findall(r"^\| ([^|]*)\|", part, re.M)
        tables[table] = [name for cell in names for name in re.findall(r"`(\w+)`", cell)]
    return tables


def test_the_tables_of_the_document_are_those_of_the_ledger(own):
    gateway = own()
    with sqlite3.connect(f"file:{gateway.ledger}?mode=ro", uri=True) as ledger:
        tables = [row[0] for row in ledger.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        there = {table: {row[1] for row in ledger.execute(f"PRAGMA table_info({table})")} for table in tables}
        (version,) = ledger.execute("PRAGMA user_version").fetchone()
    with sqlite3.connect(f"file:{gateway.folder / 'data/bodies.db'}?mode=ro", uri=True) as bodies:
        there["bodies"] = {row[1] for row in bodies.execute("PRAGMA table_info(bodies)")}
    written = described()
    assert {table: set(columns) for table, columns in written.items()} == there
    assert all(len(columns) == len(set(columns)) for columns in written.values())
    assert f"schema version {version}" in (ROOT / "docs/ledger.md").read_text(encoding="utf-8")
