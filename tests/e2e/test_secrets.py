"""Secrets that the gateway stores encrypted, and that nobody gets back."""

import base64
import json
import os
import sqlite3
import subprocess

from admin import Admin, command
from harness import SLUICE, eventually

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = bytes(range(1, 33)).hex()
FIRST = "sk-first-canary-0123456789-1111"
SECOND = "sk-second-canary-9876543210-2222"
WITH_KEY = {"SLUICE_SECRETS_KEY": KEY}


def reread(gateway, count=1):
    """Waits until a changed file was taken up so many times."""
    eventually(lambda: len(gateway.logged(msg="configuration reloaded", because="a file changed")) >= count, 10, "the reload")


def stored(own, value=FIRST):
    """A gateway whose provider's key is the stored secret `openai`."""
    gateway = own(env=WITH_KEY)
    assert command("secrets", "set", "openai", gateway=gateway, text=value + "\n")[0] == 0
    gateway.configure({"providers": {"lab": {"api_key": "${secret:openai}"}}})
    reread(gateway)
    return gateway


def key_seen(gateway, lab):
    assert gateway.chat().status == 200
    return lab.last()["headers"]["authorization"][-4:]


def start_again(gateway, **env):
    """What `sluice serve` says that does not start."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_SECRETS")}
    return subprocess.run(
        [SLUICE, "serve", "--config", gateway.config], env={**clean, **env}, capture_output=True, text=True, timeout=120, check=False
    )


def kept(gateway):
    """Every byte in the data directory."""
    return b"".join(file.read_bytes() for file in (gateway.folder / "data").iterdir() if file.is_file())


def test_a_changed_secret_is_in_force_when_the_command_returns(own, lab):
    gateway = stored(own)
    assert key_seen(gateway, lab) == "1111"
    code, out, said = command("secrets", "set", "openai", gateway=gateway, text=SECOND)
    assert (code, out, said) == (0, "", "openai is stored as version 2.\n")
    assert {key_seen(gateway, lab) for _ in range(8)} == {"2222"}


def test_SEC_11_a_secret_is_written_and_never_read_back(own):
    gateway = stored(own)
    admin = Admin(gateway)
    (listed,) = admin.get("/secrets")["items"]
    assert listed == admin.get("/secrets/openai")
    assert set(listed) == {"name", "version", "updated_at", "fingerprint", "in_use"}
    assert (listed["name"], listed["version"], listed["in_use"]) == ("openai", 1, True)
    assert len(listed["fingerprint"]) == 8 and listed["fingerprint"] not in FIRST
    changed = admin.call("PUT", "/secrets/openai", {"value": SECOND})
    assert changed.status == 200 and changed.json()["fingerprint"] != listed["fingerprint"]
    rows = {row["action"]: row for row in admin.audit()}
    assert rows["secret.create"]["before"] is None or rows["secret.create"]["before"] == ""
    assert "fingerprint" in json.dumps(rows["secret.change"]["after"])
    said = changed.text + json.dumps([listed, admin.audit(), gateway.lines]) + gateway.said()
    assert command("secrets", "list", gateway=gateway)[1].split()[5:7] == ["openai", "2"]
    assert gateway.stop() == 0
    everything = kept(gateway) + said.encode()
    for secret in (FIRST, SECOND, KEY):
        for start in range(len(secret) - 12):
            assert secret[start : start + 12].encode() not in everything


def test_SEC_11_a_wrong_or_missing_key_fails_loudly_and_calls_nobody(own, lab):
    gateway = stored(own)
    assert gateway.stop() == 0
    asked = lab.total()["requests"] if "requests" in lab.total() else None
    wrong = start_again(gateway, SLUICE_SECRETS_KEY=OTHER)
    assert wrong.returncode == 2
    assert "SL407" in wrong.stderr and "is not the key that the secrets in" in wrong.stderr
    missing = start_again(gateway)
    assert missing.returncode == 2 and "neither SLUICE_SECRETS_KEY nor SLUICE_SECRETS_KEY_FILE is set" in missing.stderr
    broken = start_again(gateway, SLUICE_SECRETS_KEY="short")
    assert broken.returncode == 2 and "32 bytes" in broken.stderr
    # Not even when the configuration names none of them.
    gateway.configure({})
    unnamed = start_again(gateway, SLUICE_SECRETS_KEY=OTHER)
    assert unnamed.returncode == 2 and "SLUICE_SECRETS_KEY: this is not the key" in unnamed.stderr
    assert asked is None or lab.total()["requests"] == asked


def test_SEC_11_rows_that_were_swapped_do_not_open(own):
    gateway = stored(own)
    assert command("secrets", "set", "other", gateway=gateway, text=SECOND)[0] == 0
    assert gateway.stop() == 0
    with sqlite3.connect(gateway.folder / "data/control.db") as control:
        rows = dict(control.execute("SELECT name, sealed FROM secret").fetchall())
        wrapped = dict(control.execute("SELECT name, wrapped FROM secret").fetchall())
        for name, of in (("openai", "other"), ("other", "openai")):
            control.execute("UPDATE secret SET sealed = ?, wrapped = ? WHERE name = ?", (rows[of], wrapped[of], name))
    control.close()
    failed = start_again(gateway, **WITH_KEY)
    assert failed.returncode == 2 and "does not open" in failed.stderr and "SL407" in failed.stderr
    assert FIRST not in failed.stderr and SECOND not in failed.stderr


def test_without_a_key_nothing_is_stored(own):
    gateway = own()
    code, _, said = command("secrets", "set", "openai", gateway=gateway, text=FIRST)
    assert code == 1 and "openssl rand -base64 32" in said and FIRST not in said
    assert Admin(gateway).get("/secrets")["items"] == []


def test_what_is_no_secret_is_refused(own):
    gateway = own(env=WITH_KEY)
    admin = Admin(gateway)
    for body in ("", "{}", '{"value":""}', '{"value":1}', '{"value":"x","name":"y"}', '{"value":"' + "x" * 70000 + '"}'):
        assert admin.call("PUT", "/secrets/a", body).status == 400, body[:40]
    assert admin.call("PUT", "/secrets/a%20b", {"value": "x"}).status == 400
    assert admin.call("GET", "/secrets/a").status == 404
    assert admin.call("DELETE", "/secrets/a").status == 404
    assert command("secrets", "set", "a", gateway=gateway, text="")[0] == 2
    assert admin.get("/secrets")["items"] == []


def test_a_secret_in_use_stays_and_one_that_does_not_fit_is_told(own, lab):
    gateway = stored(own)
    code, _, said = command("secrets", "delete", "openai", gateway=gateway)
    assert code == 1 and "${secret:openai}" in said
    code, _, said = command("secrets", "set", "openai", gateway=gateway, text="two\nlines")
    assert code == 1 and "not in force" in said
    assert key_seen(gateway, lab) == "1111"
    assert command("secrets", "set", "openai", gateway=gateway, text=SECOND)[0] == 0
    assert key_seen(gateway, lab) == "2222"
    gateway.configure({})
    reread(gateway, 2)
    assert command("secrets", "delete", "openai", gateway=gateway)[0] == 0
    assert Admin(gateway).get("/secrets")["items"] == []


def test_rekey_moves_all_secrets_to_another_key(own, lab):
    gateway = stored(own)
    assert gateway.stop() == 0
    control = str(gateway.folder / "data/control.db")
    env = {"SLUICE_SECRETS_KEY": OTHER, "SLUICE_SECRETS_NEW_KEY": KEY}
    code, _, said = command("secrets", "rekey", "--control", control, env=env)
    assert code == 1 and "another key" in said
    env = {"SLUICE_SECRETS_KEY": KEY, "SLUICE_SECRETS_NEW_KEY": OTHER}
    code, _, said = command("secrets", "rekey", "--control", control, env=env)
    assert code == 0 and said.startswith("1 secrets are sealed")
    assert start_again(gateway, **WITH_KEY).returncode == 2
    assert command("audit", "verify", "--control", control)[0] == 0
    checked = subprocess.run([SLUICE, "check", gateway.config], env={"SLUICE_SECRETS_KEY": OTHER}, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout
