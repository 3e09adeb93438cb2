"""`sluice export postgres`: the table of a real server equals the ledger, whatever happens on the way."""

import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pytest

from exporting import busy, command, exported, held, kill_thrice, multiply, reprice, run, talk, wanted
from harness import SLOW, eventually
from postgres_server import Postgres


@pytest.fixture(scope="module")
def server():
    # A socket's path is short.
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        started = Postgres(Path(folder))
        yield started
        started.stop()


@pytest.fixture
def postgres(own, server):
    """Starts a gateway whose rows go to the server: postgres(count, batch=3)."""
    server.psql("DROP TABLE IF EXISTS sluice_exchange")

    def start(count=8, batch=1000, **more):
        return busy(own, count, {"batch": batch, "postgres": {"url": server.url, **more}}), server

    return start


def test_a_table_of_postgresqls_equals_the_ledger(postgres):
    gateway, table = postgres()
    assert exported("postgres", gateway) == 8
    assert held(table.rows()) == wanted(gateway)
    row = next(row for row in table.rows() if row["outcome"] != "ok")
    assert row["metadata"] == {"colour": "blue", "size": '"7\\'} and len(row["attempts"]) > 1
    assert row["workflow"].endswith(" '\\N\\") and row["ttft_us"] is None
    assert exported("postgres", gateway) == 0
    talk(gateway, 2)
    assert exported("postgres", gateway) == 2
    assert held(table.rows()) == wanted(gateway)


def test_repriced_rows_are_replaced_in_postgresql(postgres):
    gateway, table = postgres()
    exported("postgres", gateway)
    reprice(gateway)
    assert exported("postgres", gateway) > 0
    assert held(table.rows()) == wanted(gateway)


def test_postgresql_has_every_row_once_after_a_kill_at_any_moment(postgres):
    gateway, table = postgres(4, 20)
    multiply(gateway, 1000)
    kill_thrice(gateway, table, 4004)
    assert table.count() % 20 == 0 or table.count() == 4004, "batches are whole"
    exported("postgres", gateway)
    assert table.count() == 4004
    assert held(table.rows()) == wanted(gateway)


def test_a_session_that_ends_in_the_middle_leaves_whole_batches_and_the_next_run_goes_on(postgres):
    gateway, table = postgres(4, 50)
    multiply(gateway, 1000)
    child = subprocess.Popen(command("postgres", gateway), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    eventually(lambda: table.count() > 0, 20)
    table.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice export'")
    _, said = child.communicate(timeout=60 * SLOW)
    assert child.returncode == 1 and "next run" in said, said
    assert table.count() % 50 == 0
    exported("postgres", gateway)
    assert held(table.rows()) == wanted(gateway)


def test_two_exports_of_one_ledger_to_one_table_are_safe(postgres, tmp_path):
    """By way of another file of the lock, as two machines would have."""
    gateway, table = postgres(4, 20)
    multiply(gateway, 200)
    copy = tmp_path / "copy.db"
    with sqlite3.connect(gateway.ledger) as ledger, sqlite3.connect(copy) as to:
        ledger.backup(to)
    children = [
        subprocess.Popen(command("postgres", gateway, "--ledger", path), stdout=subprocess.DEVNULL)
        for path in (gateway.ledger, copy)
    ]
    assert [child.wait(90 * SLOW) for child in children] == [0, 0]
    assert held(table.rows()) == wanted(gateway)


def test_what_is_wrong_with_postgresql_is_named_and_no_password_is_told(postgres):
    gateway, table = postgres(1)

    def tried(**own):
        gateway.settings["export"]["postgres"] = own
        gateway.configure(gateway.settings)
        done = run("postgres", gateway)
        assert "hunter22" not in done.stdout + done.stderr
        return done

    unset = tried()
    assert unset.returncode == 2 and "export.postgres.url is not set" in unset.stderr
    garbled = tried(url="postgres:/hunter22 nonsense")
    assert garbled.returncode == 2 and "export.postgres.url" in garbled.stderr
    away = tried(url="postgresql://u:hunter22@127.0.0.1:1/db")
    assert away.returncode == 1 and "cannot be reached" in away.stderr
    nowhere = tried(url=table.url, schema="missing")
    assert nowhere.returncode == 1 and "missing" in nowhere.stderr and "--ddl" in nowhere.stderr


def test_the_printed_table_is_good_sql(postgres):
    gateway, table = postgres(1)
    printed = run("postgres", gateway, "--ddl")
    assert printed.returncode == 0, printed.stderr
    table.psql(printed.stdout)
    assert exported("postgres", gateway) == 1
