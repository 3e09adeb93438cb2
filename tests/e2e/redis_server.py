"""Real Redis servers, as the tests drive them: one alone, one with its replica and a sentinel, a cluster."""

import signal
import socket
import subprocess

from harness import eventually


class Redis:
    """`lines`: of its configuration."""

    def __init__(self, folder, lines=(), sentinel=False):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.sentinel = sentinel
        self.config = folder / "redis.conf"
        self.config.write_text("".join(line + "\n" for line in lines))
        self.path = folder / "redis.sock"
        self.url = f"unix://{self.path}"
        self.child = None

    def start(self):
        port = [] if "port " in self.config.read_text() else ["--port", "0"]
        words = ["redis-server", self.config, *port, "--unixsocket", self.path, "--dir", self.folder, "--save", ""]
        words += ["--sentinel"] if self.sentinel else []
        self.child = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL)
        eventually(self.answers, 10, "redis-server")

    def answers(self):
        try:
            return self.tell("PING").startswith("+PONG")
        except OSError:
            return False

    def tell(self, line):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.path))
            connection.sendall(line.encode() + b"\r\n")
            return connection.recv(1 << 20).decode()

    def kill(self):
        if self.child is not None:
            self.child.send_signal(signal.SIGCONT)
            self.child.kill()
            self.child.wait()
            self.child = None

    def pause(self):
        self.child.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.child.send_signal(signal.SIGCONT)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Guarded:
    """A master, its replica, and a sentinel that puts the one in the other's place."""

    def __init__(self, folder):
        self.ports = [free_port() for _ in range(3)]
        master, replica, sentinel = self.ports
        watch = [f"sentinel monitor main 127.0.0.1 {master} 1", "sentinel down-after-milliseconds main 300"]
        follow = [f"replicaof 127.0.0.1 {master}", "repl-diskless-sync-delay 0"]
        self.master = Redis(folder / "master", [f"port {master}"])
        self.replica = Redis(folder / "replica", [f"port {replica}", *follow])
        self.sentinel = Redis(
            folder / "sentinel", [f"port {sentinel}", *watch, "sentinel failover-timeout main 2000"], sentinel=True
        )
        self.url = f"redis+sentinel://127.0.0.1:{sentinel}/main"

    def start(self):
        for server in (self.master, self.replica, self.sentinel):
            server.start()
        eventually(lambda: "master_link_status:up" in self.replica.tell("INFO replication"), 10, "the replica")
        eventually(lambda: str(self.ports[1]) in self.sentinel.tell("SENTINEL replicas main"), 15, "the sentinel")

    def kill(self):
        for server in (self.sentinel, self.replica, self.master):
            server.kill()


class Cluster:
    """Three masters without replicas, each with a third of the slots."""

    SLOTS = 16384

    def __init__(self, folder):
        ports = [(free_port(), free_port()) for _ in range(3)]
        self.nodes = [
            Redis(folder / f"node{port}", [f"port {port}", f"cluster-port {bus}", "cluster-enabled yes"])
            for port, bus in ports
        ]
        self.ports = ports
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port, _ in ports[:2])

    def start(self):
        (port, bus), count = self.ports[0], len(self.nodes)
        for number, node in enumerate(self.nodes):
            node.start()
            node.tell(f"CLUSTER ADDSLOTSRANGE {self.SLOTS * number // count} {self.SLOTS * (number + 1) // count - 1}")
            node.tell(f"CLUSTER SET-CONFIG-EPOCH {number + 1}")
            node.tell(f"CLUSTER MEET 127.0.0.1 {port} {bus}")
        for node in self.nodes:
            eventually(lambda node=node: "cluster_state:ok" in node.tell("CLUSTER INFO"), 15, "the cluster")

    def kill(self):
        for node in self.nodes:
            node.kill()
