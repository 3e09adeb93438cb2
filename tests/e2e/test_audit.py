"""The audit chain: every change is in it, and no row can be changed behind its back."""

import http.client
import json
import random
import shutil
import signal
import sqlite3
import threading
import time

import pytest

from admin import Admin, command
from harness import CANARY, eventually
from test_admin import own_again


def control_of(gateway):
    return gateway.folder / "data/control.db"


def verify(path, *more):
    code, out, err = command("audit", "verify", "--control", str(path), "--json", *more)
    return code, json.loads(out) if out else err


def test_every_change_is_a_row_with_who_before_and_after(own):
    gateway = own({"aliases": {"writer": "lab/fast"}})
    admin = Admin(gateway)
    operator = Admin(gateway, admin.make("/admin_tokens", name="ops", role="operator")["token"])
    key = admin.key("a", parallel=1)
    admin.change("/keys/a", parallel=2)
    rotated = admin.call("POST", "/keys/a/rotate", {"grace": "1h"}).json()["key"]
    assert operator.call("POST", "/keys/a/revoke").status == 200
    assert operator.call("DELETE", "/keys/a").status == 403
    assert admin.call("DELETE", "/keys/a").status == 204
    assert Admin(gateway, "none").call("GET", "/keys").status == 401
    assert admin.call("POST", "/keys", {"name": "a", "wrong": 1}).status == 400
    gateway.configure({"aliases": {"writer": "lab/chat"}, "providers": {"lab": {"api_key": "another-secret-9999"}}})
    gateway.send_signal(signal.SIGHUP)
    rows = eventually(lambda: (rows := admin.audit()) and rows[-1]["action"] == "config.reload" and rows)
    said = [(row["actor"], row["action"], row["target"]) for row in rows]
    assert said[:2] == [("gateway", "admin_token.create", "local"), ("gateway", "gateway.start", str(gateway.config))]
    assert said[2:7] == [
        ("local", "admin_token.create", "ops"),
        ("local", "key.create", "a"),
        ("local", "key.change", "a"),
        ("local", "key.rotate", "a"),
        ("ops", "key.revoke", "a"),
    ]
    assert [action for _, action, _ in said[7:]] == ["admin.refused", "key.delete", "admin.refused", "config.reload"]
    change = rows[4]
    assert change["before"] == {"parallel": 1} and change["after"] == {"parallel": 2}
    assert rows[8]["before"] == {"parallel": 2, "revoked": True} and rows[8]["after"] is None
    assert "ops is operator, not admin" in rows[7]["after"]["because"]
    reload = rows[-1]
    assert reload["actor"] == "file" and reload["before"]["aliases.writer"] == "[lab/fast]" and reload["after"]["aliases.writer"] == "[lab/chat]"
    for secret in (key, rotated, "another-secret-9999", CANARY, admin.token):
        assert secret not in json.dumps(rows)
    code, report = verify(control_of(gateway))
    assert code == 0 and report["rows"] == len(rows) and report["problems"] == []
    code, out, _ = command("audit", "export", "--control", str(control_of(gateway)))
    assert code == 0 and [json.loads(line) for line in out.splitlines()] == rows
    code, out, _ = command("audit", "export", "--control", str(control_of(gateway)), "--after", "5")
    assert [json.loads(line)["seq"] for line in out.splitlines()] == list(range(6, len(rows) + 1))


def test_a_reload_that_cannot_be_written_down_fails_soon_and_is_made_up_for(own, lab):
    gateway = own({"aliases": {"writer": "lab/fast"}})
    admin, seen = Admin(gateway), []
    holder = sqlite3.connect(control_of(gateway), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    calls = [threading.Thread(target=lambda n=n: seen.append(admin.call("POST", "/teams", {"name": f"t{n}"}).status)) for n in range(8)]
    for call in calls:
        call.start()
    gateway.configure({"aliases": {"writer": "lab/chat"}})
    began = time.monotonic()
    gateway.send_signal(signal.SIGHUP)
    (refused,) = eventually(lambda: gateway.logged(msg="the configuration could not be put in force; the old one stays"))
    assert time.monotonic() - began < 6, "it need not wait for the calls before it, which fail one after another"
    assert "control.db: locked by another process" in refused["because"]
    assert gateway.metric("llm_config_last_reload_success") == 0
    assert gateway.chat("writer").status == 200 and json.loads(lab.last()["body"])["model"] == "fast"
    for call in calls:
        call.join()
    assert seen == [503] * len(calls)
    holder.execute("ROLLBACK")
    eventually(lambda: gateway.logged(msg="configuration reloaded", because="SIGHUP"), 15, "the second try")
    assert gateway.metric("llm_config_last_reload_success") == 1
    assert gateway.chat("writer").status == 200 and json.loads(lab.last()["body"])["model"] == "chat"
    assert verify(control_of(gateway))[0] == 0


@pytest.fixture(scope="module")
def chain(lab, tmp_path_factory):
    """A control.db with some thirty rows, and its head."""
    from harness import Gateway

    with Gateway(tmp_path_factory.mktemp("audited"), lab.url) as gateway:
        admin = Admin(gateway)
        for number in range(25):
            admin.make("/teams", name=f"team{number}")
    code, report = verify(control_of(gateway))
    assert code == 0
    return control_of(gateway), report["head"]


TAMPERINGS = {
    "a flipped target": ("UPDATE audit SET target = 'team99' WHERE seq = 9", "row 9 was changed"),
    "another actor": ("UPDATE audit SET actor = 'eve' WHERE seq = 3", "row 3 was changed"),
    "another time": ("UPDATE audit SET time = time + 1 WHERE seq = 12", "row 12 was changed"),
    "another before": ("UPDATE audit SET before = '{}' WHERE seq = 12", "row 12 was changed"),
    "a row taken out": ("DELETE FROM audit WHERE seq = 10", "rows 10 to 10 are missing"),
    "the first row taken out": ("DELETE FROM audit WHERE seq = 1", "rows 1 to 1 are missing"),
    "two rows swapped": (
        "UPDATE audit SET seq = -5 WHERE seq = 7; UPDATE audit SET seq = 7 WHERE seq = 8; UPDATE audit SET seq = 8 WHERE seq = -5",
        "row 7 was changed",
    ),
    "a gap closed": ("DELETE FROM audit WHERE seq = 10; UPDATE audit SET seq = seq - 1 WHERE seq > 10", "row 10 does not follow row 9"),
    "a hash of nothing": ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 4", "row 4 was changed"),
    "the end cut off": ("DELETE FROM audit WHERE seq > 20", "were cut off the end"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_every_tampering_is_found(chain, tmp_path, what):
    path, head = chain
    shutil.copy(path, tmp_path / "control.db")
    sql, problem = TAMPERINGS[what]
    with sqlite3.connect(tmp_path / "control.db") as database:
        database.executescript(sql)
    code, report = verify(tmp_path / "control.db", "--head", head)
    assert code == 1 and any(problem in each for each in report["problems"]), report
    code, report = verify(path, "--head", head)
    assert code == 0 and report["problems"] == []


def test_verify_says_what_it_cannot_read(chain, tmp_path):
    assert command("audit", "verify", "--control", str(tmp_path / "none.db"))[0] == 2
    assert command("audit", "verify", "--control", str(chain[0]), "--head", "x")[0] == 2
    (tmp_path / "garbage.db").write_bytes(b"x" * 9000)
    assert command("audit", "verify", "--control", str(tmp_path / "garbage.db"))[0] == 2


def test_the_chain_is_sound_after_a_kill_in_the_middle_of_changes(own):
    gateway = own()
    for turn in range(4):
        admin, confirmed, stopping = Admin(gateway), {}, threading.Event()

        def change(name, admin=admin, confirmed=confirmed, stopping=stopping):
            number = 0
            while not stopping.is_set():
                number += 1
                try:
                    made = admin.call("POST", "/teams", {"name": f"{name}-{number}"})
                    confirmed[f"{name}-{number}"] = made.status
                except (OSError, http.client.HTTPException):  # the gateway is gone
                    return

        threads = [threading.Thread(target=change, args=(f"t{turn}-{n}",)) for n in range(3)]
        for thread in threads:
            thread.start()
        wanted = random.randint(3, 12)
        eventually(lambda confirmed=confirmed, wanted=wanted: len(confirmed) > wanted)
        gateway.send_signal(signal.SIGKILL)
        gateway.child.wait()
        stopping.set()
        for thread in threads:
            thread.join()
        code, report = verify(control_of(gateway))
        assert code == 0, report
        gateway = own_again(gateway)
        rows = {row["target"] for row in Admin(gateway).audit() if row["action"] == "team.create"}
        there = {item["name"] for item in Admin(gateway).get("/teams?limit=1000")["items"]}
        assert {name for name, status in confirmed.items() if status == 201} <= there, "what was confirmed is kept"
        assert there == rows, "no change without its row, no row without its change"
    assert gateway.stop() == 0


def test_guesses_do_not_fill_the_chain(own):
    gateway = own()
    for _ in range(60):
        assert Admin(gateway, "sluice-admin-guess").call("GET", "/keys").status == 401
    refused = [row for row in Admin(gateway).audit() if row["action"] == "admin.refused"]
    assert 10 <= len(refused) <= 20 and "not written down" in str(refused[9])
