"""The real binary as the tests drive it: a lab, gateways in front of it, and their ledgers, logs and metrics."""

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SLUICE = os.environ.get("SLUICE_BIN", str(ROOT / "build/release/sluice"))
# Sanitizers make everything slower, so times in tests are multiplied by this.
SLOW = 4 if os.environ.get("SLUICE_PRESET", "release") != "release" else 1
# Columns of the ledger that hold the number of a name. Of a reason only those that many requests share.
NAMED = ("endpoint", "task", "alias", "provider", "model", "answered_model", "outcome", "result", "reason")
# The provider's key of every plain gateway. Whatever a test does, no piece of it may be seen anywhere: see Gateway.stop().
CANARY = "provider-canary-3f9a1c77b2e04d58-7777"
HELLO = [{"role": "user", "content": "Tell me about the harbour."}]


def leaks(said, *secrets):
    """The pieces of twelve characters of these secrets that stand in `said`."""
    said = said if isinstance(said, bytes) else said.encode()
    pieces = {secret[at : at + 12].encode() for secret in secrets for at in range(len(secret) - 11)}
    return set(re.findall(b"|".join(map(re.escape, pieces)), said))


def eventually(check, seconds=5, what="it"):
    """The first truthy result of check(). Fails after so many seconds."""
    end = time.monotonic() + seconds * SLOW
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not happen within {seconds * SLOW} s"
        time.sleep(0.01)


class Process:
    """A started program whose JSON lines on stdout are kept. Leaving the `with` block stops it."""

    def __init__(self, words, env=None):
        clean = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        self.child = subprocess.Popen(
            [str(word) for word in words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**clean, "NO_PROXY": "*", **(env or {})},
        )
        self.lines, self.errors = [], []
        self.readers = [
            threading.Thread(target=self._keep, args=(self.child.stdout, self.lines), daemon=True),
            threading.Thread(target=self._keep, args=(self.child.stderr, self.errors), daemon=True),
        ]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def _keep(stream, lines):
        for line in stream:
            try:
                lines.append(json.loads(line))
            except ValueError:
                lines.append(line)

    def logged(self, **fields):
        return [
            line
            for line in list(self.lines)
            if isinstance(line, dict) and all(line.get(name) == value for name, value in fields.items())
        ]

    def said(self):
        return "".join(map(str, self.errors))[-6000:]

    def wait_for_start(self):
        def serving():
            if self.child.poll() is not None:
                raise AssertionError(f"ended with {self.child.returncode}: {self.errors} {self.lines}")
            return self.logged(msg="serving")

        return eventually(serving, 20, "the start")[0]

    def send_signal(self, number):
        self.child.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        try:
            code = self.child.wait(30 * SLOW)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise
        for reader in self.readers:
            reader.join(5)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        code = self.stop()
        if failure == (None, None, None):
            assert code in (0, -signal.SIGKILL), f"exit code {code}: {self.said()}"


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json()["error"]

    @property
    def events(self):
        """The payloads of an SSE body, as strings."""
        return payloads(self.text)

    @property
    def chunks(self):
        return [json.loads(event) for event in self.events if event != "[DONE]"]

    @property
    def content(self):
        """What a streamed chat said."""
        return "".join(
            choice["delta"].get("content") or ""
            for chunk in self.chunks
            for choice in chunk.get("choices") or []
        )


def payloads(text):
    return re.findall(r"^data: (.*)$", text, re.M)


class Server(Process):
    """Something with an HTTP port: `address` is (host, port)."""

    address = None

    def connect(self, timeout=30):
        return http.client.HTTPConnection(*self.address, timeout=timeout * SLOW)

    def request(self, method, path, body=None, headers=None):
        connection = self.connect()
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
            given = {"Content-Type": "application/json", "Authorization": "Bearer client-key", **(headers or {})}
            connection.request(method, path, body, given)
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def chat(self, model="lab/chat", stream=False, headers=None, **more):
        body = {"model": model, "messages": HELLO, **({"stream": True} if stream else {}), **more}
        return self.request("POST", "/v1/chat/completions", body, headers)

    def open(self, model="lab/chat", headers=None, **more):
        """A streamed chat whose reply is read by the caller: the socket, request sent."""
        body = json.dumps({"model": model, "messages": HELLO, "stream": True, **more}).encode()
        lines = [b"POST /v1/chat/completions HTTP/1.1", b"Host: test", b"Content-Type: application/json"]
        lines += [b"Content-Length: %d" % len(body)]
        given = {"Authorization": "Bearer client-key", **(headers or {})}
        lines += [f"{name}: {value}".encode() for name, value in given.items()]
        connection = socket.create_connection(self.address, timeout=30 * SLOW)
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        return connection


def read_until(connection, wanted, seconds=10):
    """Bytes from the socket up to the first that completes `wanted`."""
    got, end = b"", time.monotonic() + seconds * SLOW
    while wanted not in got:
        assert time.monotonic() < end, f"{wanted} did not come; got {got[-300:]}"
        piece = connection.recv(65536)
        assert piece, f"closed before {wanted}; got {got[-300:]}"
        got += piece
    return got


def host_and_port(url):
    host, port = url.split("//")[1].split(":")
    return host, int(port)


class Lab(Server):
    def __init__(self, *arguments, listen="127.0.0.1:0"):
        super().__init__([SLUICE, "lab", "--listen", listen, *arguments])
        self.url = self.wait_for_start()["lab"]
        self.address = host_and_port(self.url)

    def meter(self):
        return self.get("/lab/meter").json()

    def total(self):
        return self.meter()["total"]

    def last(self):
        """The last request as it arrived; header names in lower case."""
        last = self.get("/lab/last").json()
        last["headers"] = {name.lower(): value for name, value in last["headers"]}
        return last

    def reset(self):
        assert self.request("POST", "/lab/meter/reset").status == 200


class Gateway(Server):
    """`settings` is merged over a plain one with a provider `lab`."""

    def __init__(self, folder, lab_url, settings=None, env=None):
        self.folder, self.lab_url = Path(folder), lab_url
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "sluice.json"
        self.configure(settings or {})
        super().__init__([SLUICE, "serve", "--config", self.config], env)
        started = self.wait_for_start()
        self.address = host_and_port(started["api"])
        self.url = started["api"]
        self.admin = host_and_port(started["admin"])

    def configure(self, settings):
        """Puts the whole file in place at once, as an editor does."""
        fresh = self.config.with_suffix(".new")
        fresh.write_text(json.dumps(merged(self.plain(), settings)), encoding="utf-8")
        fresh.replace(self.config)

    def plain(self):
        return {
            "server": {
                "listen": "127.0.0.1:0",
                "admin_listen": "127.0.0.1:0",
                "data_dir": str(self.folder / "data"),
                "workers": 2,
            },
            "providers": {
                "lab": {
                    "kind": "openai",
                    "base_url": f"{self.lab_url}/v1",
                    "api_key": CANARY,
                    "pass_headers": ["x-lab-fault", "x-lab-key"],
                }
            },
            "resilience": {"backoff_base": "1ms", "backoff_cap": "5ms", "retry_reserve": 100000},
            "log": {"format": "json"},
        }

    @property
    def ledger(self):
        return self.folder / "data/ledger.db"

    def request(self, method, path, body=None, headers=None):
        reply = super().request(method, path, body, headers)
        assert not leaks(str(reply.headers).encode() + reply.body, CANARY)
        return reply

    def kept(self):
        """Every byte that it logged or keeps on the disk."""
        files = [file.read_bytes() for file in (self.folder / "data").glob("**/*") if file.is_file()]
        return json.dumps(self.lines).encode() + self.said().encode() + b"".join(files)

    def stop(self, number=signal.SIGTERM):
        code = super().stop(number)
        assert not leaks(self.kept(), CANARY)
        return code

    def rows(self):
        """The ledger's exchanges, oldest first, names resolved and attempts parsed."""
        with sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True) as ledger:
            ledger.row_factory = sqlite3.Row
            ledger.execute("BEGIN")  # names and rows of one moment
            names = dict(ledger.execute("SELECT id, text FROM name").fetchall())
            # Keys of one millisecond are in the order of the workers, not of time.
            rows = [dict(row) for row in ledger.execute("SELECT * FROM exchange ORDER BY started_micros, key")]
        for row in rows:
            for column in NAMED:
                row[column] = names.get(row[column], row[column])
            row["attempts"] = json.loads(row["attempts"] or "[]")
            row["input"] = sum(row[c] for c in ("plain_input", "cache_read", "cache_write", "cache_write_1h"))
            row["output"] = row["visible_output"] + row["reasoning"]
        return rows

    def wait_for_rows(self, count):
        return eventually(lambda: (rows := self.rows()) and len(rows) >= count and rows, 5, f"row {count}")

    def metrics(self):
        """{(name, sorted labels): value} of the page at /metrics."""
        connection = http.client.HTTPConnection(*self.admin, timeout=10)
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
        connection.close()
        found = {}
        for line in page.splitlines():
            match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)(?: # .*)?", line)
            if match and not line.startswith("#"):
                labels = tuple(sorted(re.findall(r'(\w+)="([^"]*)"', match.group(2) or "")))
                found[match.group(1), labels] = float(match.group(3))
        return found

    def metric(self, wanted, **labels):
        """The sum of a metric's series that carry these labels."""
        return sum(
            value
            for (name, found), value in self.metrics().items()
            if name == wanted and labels.items() <= dict(found).items()
        )

    def resident_kib(self):
        return self.memory("VmRSS")

    def peak_kib(self):
        return self.memory("VmHWM")

    def memory(self, line):
        status = Path(f"/proc/{self.child.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"{line}:\s+(\d+)", status).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))


def merged(base, over):
    """`over` on top of `base`, maps merged."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {key: merged(base[key], over[key]) if key in base and key in over else over.get(key, base.get(key)) for key in {**base, **over}}
