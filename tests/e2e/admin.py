"""The admin API and the commands over it, as the tests use them."""

import http.client
import json
import subprocess

from harness import SLOW, SLUICE, Reply


def token_of(gateway):
    return (gateway.folder / "data/admin-token").read_text(encoding="ascii").strip()


class Admin:
    """Calls to /admin/v1 of a gateway: by its own token, or by another."""

    def __init__(self, gateway, token=None):
        self.gateway, self.token = gateway, token or token_of(gateway)

    def call(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(*self.gateway.admin, timeout=30 * SLOW)
        try:
            given = {"Authorization": f"Bearer {self.token}"} if self.token != "none" else {}
            given |= {name.replace("_", "-"): value for name, value in headers.items()}
            text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
            connection.request(method, f"/admin/v1{path}", text, given)
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def get(self, path):
        reply = self.call("GET", path)
        assert reply.status == 200, reply.text
        return reply.json()

    def make(self, path, **body):
        reply = self.call("POST", path, body)
        assert reply.status == 201, reply.text
        return reply.json()

    def key(self, name, **fields):
        """The text of a new key."""
        return self.make("/keys", name=name, **fields)["key"]

    def change(self, path, **body):
        reply = self.call("PATCH", path, body)
        assert reply.status == 200, reply.text
        return reply.json()

    def audit(self):
        """All rows, oldest first."""
        return self.get("/audit?limit=1000")["items"][::-1]


def ask(gateway, key, model="lab/fast", **more):
    """A chat by the holder of a key."""
    return gateway.chat(model, headers={"Authorization": f"Bearer {key}"}, **more)


def command(*words, gateway=None, text=None, env=None):
    """`sluice words...`, about this gateway: exit code, stdout, stderr."""
    if gateway is not None:
        host, port = gateway.admin
        words = (*words, "--admin", f"{host}:{port}", "--data-dir", str(gateway.folder / "data"))
    done = subprocess.run([SLUICE, *words], input=text, capture_output=True, text=True, timeout=60 * SLOW, check=False, env=env)
    return done.returncode, done.stdout, done.stderr
