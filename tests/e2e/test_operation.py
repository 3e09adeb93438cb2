"""Running it: reload, drain, kill, start without a configuration."""

import signal
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
        self.threads = [threading.Thread(target=self.call, args=(number,)) for number in range(clients)]
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


def test_CFG_3_a_reload_drops_nothing_and_a_bad_file_changes_nothing(own):
    gateway = own({"aliases": {"writer": "lab/chat"}})
    traffic = Traffic(gateway, "writer")
    with gateway.open("lab/slow+tokens-20") as stream:
        read_until(stream, b'"content":"')
        for round_number in range(10):
            gateway.configure({"aliases": {"writer": "lab/fast", f"extra{round_number}": "lab/chat"}})
            gateway.send_signal(signal.SIGHUP)
            eventually(lambda name=f"extra{round_number}": gateway.chat(name).status == 200, 1)
        gateway.config.write_text('{"aliases": {"writer": "lab/fast"}, "serverr": 1}', encoding="utf-8")
        gateway.send_signal(signal.SIGHUP)
        refused = eventually(lambda: [line for line in gateway.lines + gateway.errors if "serverr" in str(line)])
        assert refused
        assert gateway.chat("extra9").status == 200
        assert b"[DONE]" in read_until(stream, b"[DONE]")
    traffic.stop()
    assert traffic.bad == [] and traffic.good > 20
    assert gateway.metric("llm_config_last_reload_success") == 0


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
