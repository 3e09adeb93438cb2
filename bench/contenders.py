"""What is measured side by side: how each contender is configured, started and asked.

A contender is started in one of three wirings:
  plain    client -> contender -> upstream, all plain HTTP
  tls_up   TLS to the upstream
  tls_both TLS on both legs
"""

import http.client
import os
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path

import procs

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
PEERS = ROOT / "build" / "peers"
MOCK_PORT, MOCK_TLS_PORT = 19801, 19802
FIRST_PORT = 19810
MODEL = "bench-chat"


class Unavailable(Exception):
    """The contender cannot run here; the text says why."""


class Contender:
    name = ""
    wirings = ("plain", "tls_up", "tls_both")
    exact_body = True      # the body must be the upstream's, byte for byte
    headers = ()           # extra request headers
    index = 0              # its place among the ports

    def __init__(self, run_dir, cert, key):
        self.run_dir = Path(run_dir)
        self.cert, self.key = cert, key
        self.process = None
        self.wiring = None

    @property
    def port(self):
        return FIRST_PORT + self.index

    @property
    def upstream(self):
        return MOCK_PORT if self.wiring == "plain" else MOCK_TLS_PORT

    @property
    def scheme(self):
        return "http" if self.wiring == "plain" else "https"

    def prepare(self):
        """Raises Unavailable, or makes everything that start needs."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def start(self, wiring, wait_s=60):
        self.wiring = wiring
        self.dir = self.run_dir / f"{self.name}-{wiring}"
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        argv = self.command()
        started = time.monotonic()
        self.process = procs.spawn(argv, procs.PROXY_CPU, self.dir / "out.log",
                                   self.environment(), cwd=self.dir)
        self.wait_ready(started + wait_s)
        return time.monotonic() - started

    def wait_ready(self, deadline):
        """Until it answers a chat request well."""
        last = None
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Unavailable(f"{self.name} ended at start; see {self.dir / 'out.log'}")
            try:
                status, body = self.ask()
                if status == 200:
                    return
                last = f"{status} {body[:200]!r}"
                pause = 0.02
            except (OSError, http.client.HTTPException) as error:
                last, pause = error, 0.001
            time.sleep(pause)
        raise Unavailable(f"{self.name} does not answer: {last}; see {self.dir / 'out.log'}")

    def ask(self, stream=False):
        """One chat request as a client would send it: (status, body)."""
        if self.wiring == "tls_both":
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30,
                                                     context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json"}
        headers.update(line.split(": ", 1) for line in self.request_headers())
        flag = '"stream":true,"stream_options":{"include_usage":true},' if stream else ""
        connection.request("POST", "/v1/chat/completions",
                           f'{{"model":"{MODEL}",{flag}"messages":[{{"role":"user",'
                           '"content":"How deep is the basin?"}]}', headers)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, body

    def request_headers(self):
        return self.headers

    def pids(self):
        return procs.tree(self.process.pid)

    def stop(self):
        if self.process:
            procs.stop(self.process)
            self.process = None


class Direct(Contender):
    """The mock upstream itself where a proxy would stand: what no proxy can beat."""

    name, index = "direct", 0

    def command(self):
        argv = [mock_program(), "--port", self.port]
        return argv + (["--tls", self.cert, self.key] if self.wiring == "tls_both" else [])


class Nginx(Contender):
    name, index = "nginx", 1

    def prepare(self):
        need_program("nginx")

    def command(self):
        listen = f"{self.port} ssl" if self.wiring == "tls_both" else str(self.port)
        config = f"""
daemon off; user root; worker_processes 1; worker_rlimit_nofile 20000;
pid {self.dir}/nginx.pid; error_log {self.dir}/error.log warn;
events {{ worker_connections 19000; }}
http {{
  access_log off;
  client_body_temp_path {self.dir}/body; proxy_temp_path {self.dir}/proxy;
  fastcgi_temp_path {self.dir}/fcgi; uwsgi_temp_path {self.dir}/uwsgi; scgi_temp_path {self.dir}/scgi;
  keepalive_timeout 600s; keepalive_requests 1000000000;
  upstream mock {{
    server 127.0.0.1:{self.upstream};
    keepalive 512; keepalive_requests 1000000000; keepalive_timeout 600s;
  }}
  server {{
    listen 127.0.0.1:{listen} backlog=4096;
    ssl_certificate {self.cert}; ssl_certificate_key {self.key};
    location / {{
      proxy_pass {self.scheme}://mock; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_read_timeout 600s;
    }}
  }}
}}
"""
        (self.dir / "nginx.conf").write_text(config)
        return ["nginx", "-c", self.dir / "nginx.conf", "-p", self.dir, "-e", self.dir / "error.log"]


class Haproxy(Contender):
    name, index = "haproxy", 2

    def prepare(self):
        need_program("haproxy")

    def command(self):
        pem = self.dir / "both.pem"
        pem.write_text(Path(self.cert).read_text() + Path(self.key).read_text())
        bind = f" ssl crt {pem}" if self.wiring == "tls_both" else ""
        server = "" if self.wiring == "plain" else " ssl verify none"
        (self.dir / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  maxconn 19000
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  http-reuse always
  option http-no-delay
frontend front
  bind 127.0.0.1:{self.port}{bind} backlog 4096
  maxconn 19000
  default_backend mock
backend mock
  server mock 127.0.0.1:{self.upstream}{server} maxconn 19000 pool-max-conn 512
""")
        return ["haproxy", "-db", "-f", self.dir / "haproxy.cfg"]


class Sluice(Contender):
    """Everything on: routing, usage metering, ledger, metrics, access log to a file."""

    name, index = "sluice", 3
    more = ""  # further lines of its configuration

    def prepare(self):
        self.binary = Path(os.environ.get("SLUICE_BIN", ROOT / "build" / "release" / "sluice"))
        if not self.binary.exists():
            raise Unavailable(f"{self.binary} is not built")

    def command(self):
        client_tls = "" if self.wiring != "tls_both" else (
            f"\n  tls: {{cert_file: {self.cert}, key_file: {self.key}}}")
        upstream_tls = "" if self.wiring == "plain" else f"\n    tls: {{ca_file: {self.cert}}}"
        (self.dir / "sluice.yaml").write_text(f"""
server:
  workers: 1
  drain_timeout: 1s
  keep_alive: 600s{client_tls}
providers:
  bench:
    kind: openai
    base_url: {self.scheme}://127.0.0.1:{self.upstream}/v1
    api_key: bench
    pool: {{max_idle: 512, idle_timeout: 600s, max_connections: 20000}}{upstream_tls}
default_provider: bench
log: {{access: {self.dir}/access.log}}
prices:
  custom:
    {MODEL}: {{input: 0.15, output: 0.6, cached_input: 0.075}}
{self.more}""")
        return [self.binary, "serve", "--config", self.dir / "sluice.yaml",
                "--listen", f"127.0.0.1:{self.port}",
                "--admin-listen", f"127.0.0.1:{self.port + 50}",
                "--data-dir", self.dir / "data"]


class Keyed(Sluice):
    """The same with a virtual key; key, team and organisation each have limits and a budget that refuses."""

    name, index = "keyed", 6
    wirings = ("plain",)
    virtual_key = "sk-bench-0123456789-abcdefgh"
    bounds = ("requests_per_minute: 100000000, tokens_per_minute: 100000000000, parallel: 100000, "
              "budgets: {monthly: {amount: 100000000, per: month}}")
    more = f"""keys: {{bench: {{key: {virtual_key}, team: bench, {bounds}}}}}
teams: {{bench: {{organisation: bench, {bounds}}}}}
organisations: {{bench: {{{bounds}}}}}
"""

    def request_headers(self):
        return (f"Authorization: Bearer {self.virtual_key}",)


class Portkey(Contender):
    """@portkey-ai/gateway, the open-source Node gateway."""

    name, index = "portkey", 4
    wirings = ("plain",)
    exact_body = False

    def prepare(self):
        need_program("node")
        home = PEERS / "portkey"
        self.script = home / "node_modules/@portkey-ai/gateway/build/start-server.js"
        if not self.script.exists():
            home.mkdir(parents=True, exist_ok=True)
            shutil.copy(BENCH / "peers/portkey/package.json", home)
            install(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], home)

    def command(self):
        return ["node", self.script, f"--port={self.port}", "--headless"]

    def request_headers(self):
        return ("x-portkey-provider: openai", "Authorization: Bearer bench",
                f"x-portkey-custom-host: http://127.0.0.1:{self.upstream}/v1")


class Litellm(Contender):
    """The LiteLLM proxy, one worker, no database."""

    name, index = "litellm", 5
    wirings = ("plain",)
    exact_body = False

    def prepare(self):
        home = PEERS / "litellm"
        self.program = home / "bin" / "litellm"
        if not self.program.exists():
            install([sys.executable, "-m", "venv", home], ROOT)
            install([home / "bin/pip", "install", "-q", "-r", BENCH / "peers/litellm/requirements.txt"],
                    ROOT)

    def command(self):
        (self.dir / "config.yaml").write_text(f"""
model_list:
  - model_name: {MODEL}
    litellm_params:
      model: openai/{MODEL}
      api_base: http://127.0.0.1:{self.upstream}/v1
      api_key: bench
""")
        return [self.program, "--config", self.dir / "config.yaml", "--host", "127.0.0.1",
                "--port", self.port, "--num_workers", "1", "--telemetry", "False"]

    def environment(self):
        # Without a key it checks none, which is its cheapest mode; it listens on loopback only.
        return {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR",
                "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}


ALL = (Direct, Nginx, Haproxy, Sluice, Keyed, Portkey, Litellm)


def need_program(name):
    if not shutil.which(name):
        raise Unavailable(f"{name} is not installed")


def install(argv, cwd):
    print("bench: installing:", *map(str, argv), file=sys.stderr)
    result = subprocess.run(list(map(str, argv)), cwd=cwd, stdout=sys.stderr, stderr=sys.stderr)
    if result.returncode != 0:
        raise Unavailable(f"installing failed: {' '.join(map(str, argv))}")


def programs_dir():
    """Where the benchmark's own programs were built."""
    for place in (os.environ.get("SLUICE_BENCH_BIN"), ROOT / "build/release/bench", ROOT / "build/bench"):
        if place and (Path(place) / "bench_load").exists():
            return Path(place)
    raise SystemExit("bench: the programs are not built: cmake --preset release && "
                     "cmake --build --preset release")


def mock_program():
    return programs_dir() / "mock_upstream"


def load_program():
    return programs_dir() / "bench_load"


def certificate(run_dir):
    """A self-signed certificate for 127.0.0.1, made once per run."""
    cert, key = Path(run_dir) / "cert.pem", Path(run_dir) / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", cert, "-days", "30", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, stderr=subprocess.DEVNULL)
    return str(cert), str(key)
