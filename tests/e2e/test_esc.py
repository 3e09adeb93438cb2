"""Values of Pulumi ESC environments, before the lab's strict emulation of its API."""

import json
import signal
import sqlite3
import subprocess

import pytest

from harness import SLUICE, Gateway, Lab, eventually
from test_documents import runnable_block

ENVIRONMENT = "acme/llm/prod"
TOKEN = "pul-canary-0123456789abcdef"


class Esc:
    """A lab with one environment that a test may change; `reach` are the variables that lead there."""

    def __init__(self, folder, listen="127.0.0.1:0"):
        self.file = folder / "esc.json"
        self.put({})
        self.lab = Lab("--esc-file", self.file, listen=listen)
        self.reach = {"PULUMI_ACCESS_TOKEN": TOKEN, "PULUMI_BACKEND_URL": self.lab.url}

    def put(self, values):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps({ENVIRONMENT: values, f"{ENVIRONMENT}@stable": values}), encoding="utf-8")
        fresh.replace(self.file)


@pytest.fixture
def esc(tmp_path):
    made = Esc(tmp_path)
    with made.lab:
        yield made


def secret(text):
    return {"fn::secret": text}


def rotated(current, previous):
    return {"rotated": {"current": {"apiKey": secret(current)}, "previous": previous and {"apiKey": secret(previous)}}}


def of(path, environment=ENVIRONMENT):
    return f"${{esc:{environment}:{path}}}"


def settings(key, **more):
    return {"providers": {"lab": {"api_key": key}}, "secrets": {"refresh": "200ms"}, **more}


def key_seen(gateway, lab):
    """The last characters of the key that a provider is called with."""
    assert gateway.chat().status == 200
    return lab.last()["headers"]["authorization"][-4:]


def check(folder, configuration, env):
    """The exit code of `sluice check` and all it says."""
    file = folder / "check.json"
    file.write_text(json.dumps(configuration), encoding="utf-8")
    done = subprocess.run(
        [SLUICE, "check", file], env={"NO_PROXY": "*", **env}, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def configuration(key):
    return {"providers": {"x": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": key}}}


def test_a_value_reaches_the_provider_and_is_shown_nowhere(own, lab, esc):
    esc.put({"environmentVariables": {"KEY": secret("esc-key-0123456789-aaaa")}, "region": secret("esc-region-98765")})
    gateway = own(
        settings(of("environmentVariables.KEY"), keys={"a": {"key": "client-key", "metadata": {"region": of("region")}}}),
        env=esc.reach,
    )
    assert key_seen(gateway, lab) == "aaaa"
    gateway.wait_for_rows(1)
    explained = subprocess.run(
        [SLUICE, "config", "explain", "-c", gateway.config], env={"NO_PROXY": "*", **esc.reach}, capture_output=True, text=True
    )
    assert explained.returncode == 0
    assert f"providers.lab.api_key = …aaaa (from {of('environmentVariables.KEY')})" in explained.stdout
    for text in (explained.stdout, json.dumps(gateway.lines), gateway.said()):
        assert "0123456789" not in text and "esc-region" not in text


def test_a_rotated_key_is_taken_up_without_a_restart(own, lab, esc):
    esc.put(rotated("first-key-0123456789-1111", None))
    gateway = own(settings(of("rotated.apiKey")), env=esc.reach)
    assert key_seen(gateway, lab) == "1111"
    esc.put(rotated("second-key-0123456789-2222", "first-key-0123456789-1111"))
    eventually(lambda: key_seen(gateway, lab) == "2222", 10, "the new key")
    because = "a value of an ESC environment changed"
    eventually(lambda: gateway.logged(msg="configuration reloaded", because=because), 5, "the line in the log")
    audited = subprocess.run(
        [SLUICE, "audit", "export", "--control", gateway.folder / "data/control.db"], capture_output=True, text=True
    ).stdout
    assert "config.reload" in audited and "0123456789" not in audited


def test_both_texts_of_a_rotated_virtual_key_are_good(own, lab, esc):
    esc.put(rotated("caller-one-0123456789", None))
    key = {"key": of("rotated.current.apiKey"), "previous": of("rotated.previous.apiKey")}
    gateway = own(settings("provider-key", keys={"app": key}), env=esc.reach)

    def status(text):
        return gateway.chat(headers={"Authorization": f"Bearer {text}"}).status

    assert [status("caller-one-0123456789"), status("caller-two-0123456789"), status("")] == [200, 401, 401]
    esc.put(rotated("caller-two-0123456789", "caller-one-0123456789"))
    eventually(lambda: status("caller-two-0123456789") == 200, 10, "the new text")
    assert status("caller-one-0123456789") == 200
    esc.put(rotated("caller-three-0123456789", "caller-two-0123456789"))
    eventually(lambda: status("caller-three-0123456789") == 200, 10, "the third text")
    assert [status("caller-two-0123456789"), status("caller-one-0123456789")] == [200, 401]


def test_both_keys_of_a_provider_serve_during_a_rotation(own, lab, esc):
    esc.put(rotated("sk-current-0123456789-cccc", None))
    keys = {"current": of("rotated.current.apiKey"), "previous": of("rotated.previous.apiKey")}
    provider = {"kind": "openai", "base_url": f"{lab.url}/v1", "keys": keys}
    gateway = own({"providers": {"esc": provider}, "secrets": {"refresh": "200ms"}}, env=esc.reach)
    assert gateway.logged(msg="`providers.esc.keys.previous` is empty and left out")
    assert gateway.chat("esc/chat").status == 200
    # The new key is not known to the provider yet: it is taken out of service, and the old one serves.
    esc.put(rotated("invalid-0123456789-nnnn", "sk-current-0123456789-cccc"))
    eventually(lambda: gateway.logged(msg="configuration reloaded"), 10, "the rotation")
    assert {gateway.chat("esc/chat").status for _ in range(10)} == {200}


def test_a_backend_that_is_down_leaves_the_old_values_in_force(own, lab, tmp_path):
    esc = Esc(tmp_path)
    esc.put({"key": "steady-key-0123456789-ssss"})
    gateway = own(settings(of("key")), env=esc.reach)
    esc.lab.stop()

    def failures():
        return gateway.metric("llm_esc_refreshes_total", environment=ENVIRONMENT, outcome="error")

    eventually(lambda: failures() >= 3, 20, "the third failure")
    assert key_seen(gateway, lab) == "ssss"
    (told,) = gateway.logged(msg="the ESC environment could not be opened; its last values stay")
    assert told["environment"] == ENVIRONMENT and told["because"]
    # SIGHUP opens them first; as that fails, it reloads with what there is.
    gateway.send_signal(signal.SIGHUP)
    eventually(lambda: gateway.logged(msg="configuration reloaded", because="SIGHUP"), 10, "the reload")
    assert key_seen(gateway, lab) == "ssss"
    esc.put({"key": "later-key-0123456789-llll"})
    with Lab("--esc-file", esc.file, listen=":".join(map(str, esc.lab.address))):
        eventually(lambda: key_seen(gateway, lab) == "llll", 20, "the key after the outage")
        eventually(lambda: gateway.logged(msg="the ESC environment opens again"), 5, "the line in the log")


def test_a_new_value_is_not_lost_when_the_control_store_is_locked(own, lab, esc):
    esc.put({"key": "before-key-0123456789-bbbb"})
    gateway = own(settings(of("key")), env=esc.reach)
    holder = sqlite3.connect(gateway.folder / "data/control.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    esc.put({"key": "after-key-0123456789-aaaa"})
    eventually(lambda: gateway.logged(msg="the configuration could not be put in force; the old one stays"), 10, "the refusal")
    assert key_seen(gateway, lab) == "bbbb"
    holder.execute("ROLLBACK")
    eventually(lambda: key_seen(gateway, lab) == "aaaa", 15, "the new key")


def test_without_a_refresh_sighup_opens_the_environments_anew(own, lab, esc):
    esc.put({"key": "before-key-0123456789-bbbb"})
    gateway = own({**settings(of("key", f"{ENVIRONMENT}@stable")), "secrets": {"refresh": "0"}}, env=esc.reach)
    esc.put({"key": "after-key-0123456789-aaaa"})
    assert key_seen(gateway, lab) == "bbbb"
    gateway.send_signal(signal.SIGHUP)
    eventually(lambda: key_seen(gateway, lab) == "aaaa", 10, "the new key")
    assert gateway.metric("llm_esc_refreshes_total", outcome="ok") == 1


def test_a_value_that_is_gone_leaves_the_old_one_in_force(own, lab, esc):
    esc.put({"key": "steady-key-0123456789-ssss"})
    gateway = own(settings(of("key")), env=esc.reach)
    esc.put({"other": "x"})
    told = eventually(
        lambda: gateway.logged(msg="the ESC environment could not be opened; its last values stay"), 10, "the warning"
    )
    assert told[0]["because"] == "it has no value at `key`"
    assert key_seen(gateway, lab) == "ssss"


@pytest.mark.parametrize(
    "path, env, said",
    [
        ("a.missing", {}, "`providers.x.api_key`: the ESC environment acme/llm/prod: it has no value at `a.missing`"),
        ("a", {}, "acme/llm/prod: `a` is no single value"),
        ("a.key", {"PULUMI_ACCESS_TOKEN": "pul-invalid-0123456789"}, "answered 401: Unauthorized"),
        ("a.key", {"PULUMI_ACCESS_TOKEN": ""}, "neither PULUMI_ACCESS_TOKEN nor PULUMI_ACCESS_TOKEN_FILE is set"),
        ("a.key", {"PULUMI_BACKEND_URL": "http://127.0.0.1:1"}, "acme/llm/prod: "),
        ("a.key", {"PULUMI_BACKEND_URL": "s3://bucket"}, "PULUMI_BACKEND_URL: "),
    ],
)
def test_check_says_what_cannot_be_had_and_where(tmp_path, esc, path, env, said):
    esc.put({"a": {"key": secret("hidden-0123456789")}})
    assert check(tmp_path, configuration(of("a.key")), esc.reach)[0] == 0
    code, text = check(tmp_path, configuration(of(path)), {**esc.reach, **env})
    assert code == 2
    assert said in text and "SL406" in text
    assert "check.json:1:" in text
    assert "0123456789" not in text


def test_an_unknown_environment_is_named(tmp_path, esc):
    code, text = check(tmp_path, configuration(of("a", "acme/llm/dev")), esc.reach)
    assert code == 2
    assert "the ESC environment acme/llm/dev: 127.0.0.1 answered 404: Not Found: environment 'acme/llm/dev' not found" in text


def test_a_gateway_does_not_start_without_its_values(tmp_path, lab, esc):
    with pytest.raises(AssertionError, match="SL406"):
        Gateway(tmp_path / "gateway", lab.url, settings(of("nothing")), env=esc.reach)


def test_the_configuration_of_the_manual_is_good_before_and_after_a_rotation(tmp_path, esc):
    file = tmp_path / "manual.yaml"
    file.write_text(runnable_block("esc").text, encoding="utf-8")

    def checked(previous):
        pair = {"current": {"apiKey": "sk-c-0123456789"}, "previous": previous and {"apiKey": previous}}
        app = {"current": "caller-c-0123456789", "previous": previous}
        esc.put({"openai": {"apiKey": "sk-o-0123456789"}, "anthropic": pair, "app": app})
        words = [SLUICE, "check", file]
        return subprocess.run(words, env={"NO_PROXY": "*", **esc.reach}, capture_output=True, text=True, timeout=120)

    before, after = checked(None), checked("sk-p-0123456789")
    assert [before.returncode, after.returncode] == [0, 0], before.stdout + after.stdout
    assert "note: `providers.anthropic.keys.previous` is empty and left out" in before.stderr
    assert "note" not in after.stderr


def test_the_token_may_stand_in_a_file(tmp_path, esc):
    esc.put({"a": "x-0123456789"})
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n", encoding="ascii")
    env = {"PULUMI_BACKEND_URL": esc.lab.url, "PULUMI_ACCESS_TOKEN_FILE": str(token)}
    assert check(tmp_path, configuration(of("a")), env)[0] == 0
