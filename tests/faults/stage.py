"""What a case is played on: three labs as providers a, b and c, and the gateway in front of them."""

import http.client
import socket
import ssl
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import harness  # noqa: E402
import views  # noqa: E402

SLOW = harness.SLOW
NAMES = ("a", "b", "c")
REFUSING = "refusing"  # in place of a list of faults: nobody listens there
# Dollars per million tokens, as the labs' own meter asks.
PRICE = {"input": 1, "output": 4, "cached_input": 0.1}
CONNECT_S = 1.0
FIRST_BYTE_S = 1.0
IDLE_S = 1.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Lab(harness.Server):
    """A lab that is sick by itself: `faults` are the values of its --fault."""

    def __init__(self, port, seed, faults, pair=None):
        words = [harness.SLUICE, "lab", "--listen", f"127.0.0.1:{port}", "--seed", seed]
        for fault in faults:
            words += ["--fault", fault]
        self.trust = None
        if pair:
            words += ["--tls-cert", pair[0], "--tls-key", pair[1]]
            self.trust = ssl.create_default_context()
            self.trust.check_hostname, self.trust.verify_mode = False, ssl.CERT_NONE  # it may be a bad one
        super().__init__(words)
        self.address = harness.host_and_port(self.wait_for_start()["lab"])

    def connect(self, timeout=30):
        if self.trust is None:
            return super().connect(timeout)
        return http.client.HTTPSConnection(*self.address, timeout=timeout * harness.SLOW, context=self.trust)

    def is_busy(self):
        return self.get("/lab/meter").json()["total"]["in_flight"] > 0


class Gateway(harness.Gateway):
    """As it comes, but for shorter waits for silent upstreams. `upstreams`: where the providers are."""

    def __init__(self, folder, upstreams, settings):
        self.upstreams = upstreams
        super().__init__(folder, None, settings)

    def peak_mib(self):
        """The most memory it ever had."""
        for line in Path(f"/proc/{self.child.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("Linux does not say how much memory a process has")

    def plain(self):
        providers = {
            name: {"kind": "openai", "api_key": f"provider-key-{name}", **upstream}
            for name, upstream in zip(NAMES, self.upstreams)
        }
        everywhere = [{"target": f"{name}/chat", "weight": 1} for name in NAMES]
        return {
            "server": {
                "listen": "127.0.0.1:0",
                "admin_listen": "127.0.0.1:0",
                "data_dir": str(self.folder / "data"),
                "workers": 2,
            },
            "providers": providers,
            "routes": {
                "spread": {"strategy": "weighted", "targets": everywhere},
                "pair": {"strategy": "weighted", "targets": everywhere[:2]},
            },
            "timeouts": {
                "connect": f"{int(CONNECT_S * 1000 * harness.SLOW)}ms",
                "first_byte": f"{int(FIRST_BYTE_S * 1000 * harness.SLOW)}ms",
                "idle": f"{int(IDLE_S * 1000 * harness.SLOW)}ms",
            },
            "prices": {"custom": {"chat": PRICE}},
            "log": {"access": "off"},
        }


class Stage:
    """`faults`: for each provider a list of --fault values, REFUSING, or a maker of something in sick.py.

    Leaving the `with` block stops all.
    """

    def __init__(self, folder, seed, faults, settings=None):
        self.seed = seed
        self.ports = [free_port() for _ in NAMES]
        self.sick = [given(folder / NAMES[i], self.ports[i], seed + i) if callable(given) else None
                     for i, given in enumerate(faults)]
        self.labs = [self._upstream(i, given) for i, given in enumerate(faults)]
        upstreams = [sick.provider if sick else {"base_url": f"http://127.0.0.1:{port}/v1"}
                     for sick, port in zip(self.sick, self.ports)]
        self.gateway = Gateway(folder, upstreams, settings or {})

    def _upstream(self, i, given):
        if self.sick[i] is not None:
            return self.sick[i].lab
        return None if given == REFUSING else self._lab(i, given)

    def _lab(self, i, faults):
        return Lab(self.ports[i], self.seed + i, faults)

    def replace_lab(self, i, faults):
        """Another lab takes the address of this one."""
        self.labs[i].stop()
        self.labs[i] = self._lab(i, faults)

    def records_of(self, i):
        """What a lab finished, with the provider's name."""
        if self.labs[i] is None:
            return []
        return [{**record, "provider": NAMES[i]} for record in views.lab_records(self.labs[i])]

    def records(self):
        return [record for i in range(len(NAMES)) for record in self.records_of(i)]

    def is_busy(self):
        return any(lab.is_busy() for lab in self.labs if lab is not None)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for server in (self.gateway, *(sick or lab for sick, lab in zip(self.sick, self.labs))):
            if server is not None:
                server.stop()
