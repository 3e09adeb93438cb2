"""A real redis-server on a Unix socket, as the tests drive it."""

import signal
import socket
import subprocess

from harness import eventually


class Redis:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "redis.sock"
        self.url = f"unix://{self.path}"
        self.child = None

    def start(self):
        words = ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", self.folder, "--save", ""]
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
