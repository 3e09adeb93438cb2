"""`sluice export snowflake`: the lab's table equals the ledger, whatever happens on the way."""

import json
import subprocess
from decimal import Decimal

import pytest

from exporting import busy, command, exported, held, kill_thrice, multiply, reprice, run, talk, wanted
from harness import Lab, eventually


class Snowflake:
    """The lab's table, whose name carries the test's."""

    kind = "snowflake"

    def __init__(self, lab, table, warehouse="WH", **more):
        self.lab, self.table = lab, table
        self.settings = {
            "base_url": f"{lab.url}/snowflake", "token": "pat-lab", "database": "OBS", "warehouse": warehouse, "table": table,
            **more,
        }

    def rows(self):
        text = self.lab.get(f"/lab/sql/rows?table={self.table}").text
        rows = [json.loads(line, parse_float=Decimal) for line in text.splitlines()]
        assert len({row["request_id"] for row in rows}) == len(rows)
        return rows

    def count(self):
        return len(self.rows())

    def log(self):
        return [json.loads(line) for line in self.lab.get("/lab/sql/log").text.splitlines()]


@pytest.fixture
def snowflake(own, lab):
    """Starts a gateway whose rows go to the lab's Snowflake: snowflake(warehouse="WH+busy-1")."""
    lab.reset()

    def start(count=8, batch=1000, **more):
        table = Snowflake(lab, "ROWS", **more)
        return busy(own, count, {"batch": batch, "snowflake": table.settings}), table

    return start


def test_a_table_of_snowflakes_equals_the_ledger(snowflake):
    gateway, table = snowflake()
    assert exported("snowflake", gateway) == 8
    assert held(table.rows()) == wanted(gateway)
    row = next(row for row in table.rows() if row["outcome"] != "ok")
    assert row["metadata"] == {"colour": "blue", "size": '"7\\'} and len(row["attempts"]) > 1
    assert row["workflow"].endswith(" '\\N\\") and row["ttft_us"] is None
    assert exported("snowflake", gateway) == 0
    talk(gateway, 2)
    assert exported("snowflake", gateway) == 2
    assert held(table.rows()) == wanted(gateway)


def test_repriced_rows_are_replaced_in_snowflake(snowflake):
    gateway, table = snowflake()
    exported("snowflake", gateway)
    reprice(gateway)
    assert exported("snowflake", gateway) > 0
    assert held(table.rows()) == wanted(gateway)


@pytest.mark.parametrize("fault", ["busy-2", "down-1", "slow-2", "lost-2", "busy-1+lost-1+slow-1"])
def test_snowflakes_faults_cost_time_and_no_row(snowflake, fault):
    gateway, table = snowflake(5, 3, warehouse=f"WH+{fault}")
    assert exported("snowflake", gateway) == 5
    assert held(table.rows()) == wanted(gateway)
    ran = [line["requestId"] for line in table.log() if line["ran"]]
    assert len(ran) == len(set(ran)), "a statement ran twice"
    if "lost" in fault:
        assert any(line["retry"] and not line["ran"] and line["status"] in (200, 202) for line in table.log())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"token": "pat-wrong"}, "export.snowflake.token"),
        ({"database": ""}, "export.snowflake.database"),
        ({"warehouse": ""}, "export.snowflake.warehouse"),
        ({"token": ""}, "export.snowflake.private_key_file"),
    ],
)
def test_what_is_wrong_with_the_settings_of_snowflake_is_named(snowflake, broken, said):
    gateway, _ = snowflake(1)
    own = {**gateway.settings["export"]["snowflake"], **broken}
    gateway.settings["export"]["snowflake"] = {name: value for name, value in own.items() if value}
    gateway.configure(gateway.settings)
    refused = run("snowflake", gateway)
    assert refused.returncode in (1, 2) and said in refused.stderr and "pat-wrong" not in refused.stderr


def test_an_sql_error_of_snowflake_is_shown(snowflake):
    gateway, table = snowflake(1)
    body = {"statement": 'CREATE TABLE IF NOT EXISTS "ROWS" (other VARCHAR)', "database": "OBS", "schema": "PUBLIC"}
    made = table.lab.request(
        "POST", "/snowflake/api/v2/statements?requestId=00000000-0000-4000-8000-000000000001", body,
        {"Authorization": "Bearer pat-lab", "User-Agent": "test"},
    )
    assert made.status == 200, made.text
    refused = run("snowflake", gateway)
    assert refused.returncode == 1 and "invalid identifier" in refused.stderr and "000904" in refused.stderr


def test_a_key_pair_signs_in_at_the_sql_api(own, tmp_path):
    private, public = tmp_path / "key.p8", tmp_path / "public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", private], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    known = ["--snowflake-account", "acme-prod", "--snowflake-user", "SLUICE", "--snowflake-public-key", public]
    with Lab(*known) as lab:
        table = Snowflake(lab, "ROWS", account="acme-prod", user="sluice", private_key_file=str(private))
        del table.settings["token"]
        gateway = busy(own, 2, {"snowflake": table.settings})
        assert exported("snowflake", gateway) == 2
        assert held(table.rows()) == wanted(gateway)
        assert lab.last()["headers"]["x-snowflake-authorization-token-type"] == "KEYPAIR_JWT"


def test_snowflake_has_every_row_once_after_a_kill_at_any_moment(snowflake):
    gateway, table = snowflake(4, 20)
    multiply(gateway, 200)
    kill_thrice(gateway, table, 804)
    exported("snowflake", gateway)
    assert table.count() == 804
    assert held(table.rows()) == wanted(gateway)


def test_a_batch_that_was_sent_before_a_kill_is_sent_again_under_its_name_and_does_not_run_twice(snowflake):
    gateway, table = snowflake(4, warehouse="WH+delay-1000")
    child = subprocess.Popen(command("snowflake", gateway), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = eventually(lambda: [line for line in table.log() if line["ran"] and "MERGE" in line["statement"]], 20)[0]
    child.kill()
    child.wait()
    assert exported("snowflake", gateway) == 4
    again = table.log()[-1]
    assert (again["requestId"], again["retry"], again["ran"]) == (first["requestId"], True, False)
    assert held(table.rows()) == wanted(gateway)


def test_a_period_is_sent_whole_over_what_is_there_and_moves_nothing(snowflake):
    gateway, table = snowflake()
    assert exported("snowflake", gateway, "--since", "1d") == 8
    assert exported("snowflake", gateway, "--since", "1d") == 8
    assert exported("snowflake", gateway) == 8, "the period has not moved where the export stands"
    assert held(table.rows()) == wanted(gateway)


def test_the_table_is_printed_for_whoever_makes_it(snowflake):
    gateway, _ = snowflake(1)
    printed = run("snowflake", gateway, "--ddl")
    assert printed.returncode == 0 and printed.stdout.startswith('CREATE TABLE IF NOT EXISTS "ROWS" (request_id VARCHAR NOT NULL')
