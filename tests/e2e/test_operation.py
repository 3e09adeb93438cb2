"""Running it: reload, drain, kill, start without a configuration."""

import random
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness import SLOW, SLUICE, Gateway, Process, Server, eventually, host_and_port, payloads, read_until


class Traffic:
    """Calls in a loop from a few threads until stop()."""

    def __init__(self, gateway, model, clients=4):
        self.gateway, self.model, self.stopping = gateway, model, False
        self.good, self.bad = 0, []
        self.threads = [threading.Thread(target=self.call, args=(number,), daemon=True) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def call(self, number):
        while not self.stopping:
            try:
                reply = self.gateway.chat(self.model, stream=number % 2 == 0)
                if reply.status == 200 and (number % 2 or reply.events[-1] == "[DONE]"):
                    self.good += 1
                else:
                    self.bad.append(reply.text)
            except OSError as failure:
                self.bad.append(repr(failure))

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("signalled", [True, False])
def test_CFG_3_a_reload_is_live_soon_and_drops_nothing(own, signalled):
    gateway = own({"aliases": {"writer": "lab/chat"}})
    traffic = Traffic(gateway, "writer")
    with gateway.open("lab/chat+tokens-20+interval-200") as stream:
        read_until(stream, b'"content":"')
        for number in range(5):
            gateway.configure({"aliases": {"writer": "lab/fast", f"extra{number}": "lab/chat"}})
            if signalled:
                gateway.send_signal(signal.SIGHUP)
            # Until the alias is there, its name is a model of the only provider: the lab knows none of that name.
            eventually(lambda name=f"extra{number}": gateway.chat(name).headers["x-sluice-model"] == "chat", 1.2)
        assert b"[DONE]" in read_until(stream, b"[DONE]")
    traffic.stop()
    assert traffic.bad == [] and traffic.good > 20
    assert gateway.metric("llm_config_last_reload_success") == 1


def test_CFG_3_a_bad_file_changes_nothing_and_its_line_and_field_are_named(own):
    gateway = own({"aliases": {"writer": "lab/chat"}})
    gateway.config.write_text('{\n"aliases": {"writer": "lab/fast"},\n"serverr": 1}', encoding="utf-8")
    gateway.send_signal(signal.SIGHUP)
    refused = eventually(lambda: gateway.logged(level="error"))[0]
    assert "serverr" in refused["msg"] and "server" in str(refused)
    assert refused["line"] == 3 and refused["file"].endswith("sluice.json")
    assert gateway.chat("writer").headers["x-sluice-model"] == "chat"  # the old one
    assert gateway.metric("llm_config_last_reload_success") == 0


def test_CFG_3_a_file_emptied_by_mistake_does_not_turn_the_gateway_into_a_lab(own):
    gateway = own({"aliases": {"writer": "lab/chat"}})
    gateway.config.write_text("", encoding="utf-8")
    gateway.send_signal(signal.SIGHUP)
    refused = eventually(lambda: gateway.logged(level="error"))[0]
    assert "lab" in str(refused)
    assert gateway.chat("writer").headers["x-sluice-model"] == "chat"
    assert gateway.metric("llm_config_last_reload_success") == 0


def test_CFG_2_random_edits_under_load_fail_no_request(own):
    """A thousand edits of the file. What an edit does not touch is not touched."""
    dice, gateway, edits = random.Random(7), own({"aliases": {"writer": "lab/chat"}}), 1000 // SLOW
    traffic = Traffic(gateway, "writer", clients=2)
    models, aliases = ["chat", "fast", "echo"], {}
    revision = gateway.metric("llm_config_revision")
    with gateway.open("lab/endless+interval-20") as stream:
        for _ in range(edits):
            name = f"name{dice.randrange(8)}"
            if name in aliases and dice.random() < 0.4:
                del aliases[name]
            else:
                aliases[name] = f"lab/{dice.choice(models)}"
            more = {"spare": {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}} if dice.random() < 0.5 else {}
            gateway.configure({"aliases": {"writer": "lab/chat", **aliases}, "providers": more})
            gateway.send_signal(signal.SIGHUP)
            if dice.random() < 0.05:
                read_until(stream, b"data: ")
        # Without the alias, it is a model of the only provider; with two, of none.
        wanted = aliases["name0"].removeprefix("lab/") if "name0" in aliases else None if more else "name0"
        eventually(lambda: gateway.chat("name0").headers["x-sluice-model"] == wanted, 5)
        read_until(stream, b"data: ")
    traffic.stop()
    assert traffic.bad == [] and traffic.good > 20
    assert gateway.metric("llm_config_last_reload_success") == 1
    assert gateway.metric("llm_config_revision") > revision

    def outcomes():
        return [row["outcome"] for row in gateway.rows() if row["alias"] == "writer"]

    eventually(lambda: len(outcomes()) == traffic.good, 5, "a row for each")
    assert set(outcomes()) == {"ok"}


def test_CFG_3_a_directory_in_place_of_the_file_changes_nothing(own):
    gateway = own({"aliases": {"writer": "lab/chat"}})
    gateway.config.unlink()
    gateway.config.mkdir()
    gateway.send_signal(signal.SIGHUP)
    refused = eventually(lambda: gateway.logged(level="error"))[0]
    assert refused["code"] == "SL001" and "Is a directory" in refused["msg"]
    assert gateway.chat("writer").headers["x-sluice-model"] == "chat"
    assert gateway.metric("llm_config_last_reload_success") == 0


@pytest.mark.parametrize("name", ["directory", "missing.yaml"])
@pytest.mark.parametrize("words", [["check"], ["serve", "--config"], ["config", "explain", "server.listen", "--config"]])
def test_a_configuration_that_cannot_be_read_is_refused_by_every_command(tmp_path, words, name):
    (tmp_path / "directory").mkdir()
    run = subprocess.run([SLUICE, *words, tmp_path / name], capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 2
    assert "SL001" in run.stdout + run.stderr and name in run.stdout + run.stderr


def test_a_secret_in_a_directory_is_refused(tmp_path):
    config = tmp_path / "sluice.yaml"
    config.write_text("providers: {openai: {kind: openai, api_key: '${file:/tmp}'}}\n", encoding="utf-8")
    run = subprocess.run([SLUICE, "check", config], capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 2 and "SL402" in run.stdout and "Is a directory" in run.stdout


@pytest.mark.parametrize("command", [["check"], ["serve", "--config"]])
def test_a_file_that_the_configuration_names_must_be_there(tmp_path, command):
    config = tmp_path / "sluice.yaml"
    config.write_text("providers:\n  openai: {kind: openai}\nprices:\n  file: gone.json\n", encoding="utf-8")
    run = subprocess.run([SLUICE, *command, config], capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 2
    assert "sluice.yaml:4:9: error: `prices.file`: cannot read gone.json: No such file" in run.stdout + run.stderr


def test_a_broken_configuration_never_starts(tmp_path):
    config = tmp_path / "sluice.yaml"
    config.write_text("providers:\n  openai: {kind: openai, api_kee: k}\n", encoding="utf-8")
    run = subprocess.run([SLUICE, "serve", "--config", config], capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 2
    assert "sluice.yaml:2:" in run.stderr and "api_key" in run.stderr


def test_a_drain_finishes_what_is_in_hand_and_loses_no_row(lab, tmp_path):
    with Gateway(tmp_path / "gateway", lab.url) as gateway:
        stream = gateway.open("lab/chat+tokens-10+interval-50")
        got = read_until(stream, b'"content":"')
        stopped = threading.Thread(target=gateway.stop)
        stopped.start()
        got += read_until(stream, b"[DONE]")
        stopped.join()
        assert payloads(got.decode())[-1] == "[DONE]"
        with pytest.raises(OSError):
            gateway.chat("lab/chat")
        assert [row["outcome"] for row in gateway.rows()] == ["ok"]


def test_DB_4_after_sigkill_every_request_older_than_the_flush_window_has_its_row(lab, tmp_path):
    for round_number in range(3):
        with Gateway(tmp_path / f"gateway{round_number}", lab.url, {"ledger": {"flush_window": "50ms"}}) as gateway:
            traffic = Traffic(gateway, "lab/fast")
            time.sleep(0.5)
            traffic.stop()
            time.sleep(0.05 + 0.25 * SLOW)
            gateway.stop(signal.SIGKILL)
            assert traffic.bad == []
            assert len(gateway.rows()) == traffic.good > 10


def test_the_ledger_goes_on_after_a_kill(lab, tmp_path):
    for count in (1, 2):
        with Gateway(tmp_path / "gateway", lab.url) as gateway:
            gateway.chat("lab/chat")
            gateway.wait_for_rows(count)
            gateway.stop(signal.SIGKILL)
    with Gateway(tmp_path / "gateway", lab.url) as gateway:
        assert gateway.metric("llm_requests_total") == 2  # counters equal the ledger from the start
    words = [SLUICE, "ledger", "verify", "--ledger", gateway.ledger]
    assert subprocess.run(words, capture_output=True, timeout=30, check=False).returncode == 0


def test_without_keys_it_starts_on_the_lab(tmp_path):
    words = [SLUICE, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", tmp_path]
    with Process(words) as process:
        server = Server.__new__(Server)
        server.address = host_and_port(process.wait_for_start()["api"])
        reply = server.chat("lab/chat")
        assert reply.status == 200 and reply.json()["system_fingerprint"] == "lab: not a real model"


def test_without_keys_every_listed_model_works_and_faults_still_do(tmp_path):
    words = [SLUICE, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", tmp_path]
    with Process(words) as process:
        server = Server.__new__(Server)
        server.address = host_and_port(process.wait_for_start()["api"])
        names = [model["id"] for model in server.get("/v1/models").json()["data"]]
        assert {"default", "lab/chat", "lab/fast", "lab/reasoning"} <= set(names)
        quick = [name for name in names if "embed" not in name and "slow" not in name]
        assert {name: server.chat(name).status for name in quick} == {name: 200 for name in quick}
        embedded = {"model": "lab/embed", "input": "harbour"}
        assert server.request("POST", "/v1/embeddings", embedded).status == 200
        broken = server.chat("lab/reset-after-3", stream=True)
        assert "[DONE]" not in broken.events and broken.content


def test_among_several_providers_an_unlisted_model_is_refused_with_the_nearest(own):
    spare = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "models": ["gpt-5"]}
    gateway = own({"providers": {"spare": spare}})
    refused = gateway.chat("gpt-55")
    assert refused.status == 400 and refused.error["code"] == "model_not_found"
    assert "'gpt-5'" in refused.error["message"]
    assert gateway.chat("lab/chat").status == 200
    gateway.configure({"providers": {"spare": spare}, "default_provider": "lab"})
    gateway.send_signal(signal.SIGHUP)
    eventually(lambda: gateway.chat("chat").status == 200)


def test_usage_prints_the_ledger(own):
    gateway = own({"prices": {"custom": {"chat": {"input": 1, "output": 4}}}})
    gateway.chat("lab/chat")
    gateway.wait_for_rows(1)
    run = subprocess.run([SLUICE, "usage", "--ledger", gateway.ledger], capture_output=True, text=True, check=True, timeout=30)
    assert "chat" in run.stdout


def test_PERF_5_it_is_ready_soon_and_small(lab, tmp_path):
    with Gateway(tmp_path / "gateway", lab.url) as gateway:
        gateway.chat("lab/chat")
    begun = time.monotonic()
    with Gateway(tmp_path / "gateway", lab.url) as gateway:
        assert gateway.chat("lab/chat").status == 200
        assert time.monotonic() - begun < 1 * SLOW
        if SLOW == 1:
            assert gateway.resident_kib() < 50 * 1024


def test_one_gateway_a_port_and_a_ledger(own, tmp_path):
    gateway = own()
    taken = "{}:{}".format(*gateway.address)
    words = [SLUICE, "serve", "--admin-listen", "127.0.0.1:0"]
    port = [*words, "--listen", taken, "--data-dir", tmp_path / "other"]
    ledger = [*words, "--listen", "127.0.0.1:0", "--data-dir", gateway.ledger.parent]
    for second, why in ((port, "already in use"), (ledger, "held by another process")):
        run = subprocess.run(second, capture_output=True, text=True, timeout=30, check=False)
        assert run.returncode == 2 and why in run.stderr.lower()
    assert gateway.chat().status == 200


def test_a_refused_request_leaves_its_row_too(own):
    gateway = own()
    assert gateway.get("/nope").status == 404
    assert gateway.request("PUT", "/v1/models").headers["x-request-id"].startswith("req_")
    with socket.create_connection(gateway.address, timeout=30) as raw:
        raw.sendall(b"no HTTP at all\r\n\r\n")
        read_until(raw, b"400 Bad Request")
    rows = gateway.wait_for_rows(3)
    assert sorted(row["outcome"] for row in rows) == ["bad_request", "method_not_allowed", "not_found"]
    assert gateway.metric("llm_requests_total") == 3
