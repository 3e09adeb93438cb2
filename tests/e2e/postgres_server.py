"""A real PostgreSQL for a test."""

import json
import os
import shutil
import signal
import subprocess
from decimal import Decimal
from pathlib import Path

from harness import eventually


def postgres_program(name):
    """Debian keeps the server's programs beside the path, by version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert found, f"there is no {name}: scripts/install.sh test installs it"
    return str(found[-1])


class Postgres:
    """A real server with a folder and a socket of its own."""

    kind = "postgres"

    def __init__(self, folder):
        self.folder = folder
        # It refuses to run as root.
        self.runner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if self.runner:
            shutil.chown(folder, "postgres", "postgres")
        self.user = "postgres"
        self.run("initdb", "-D", folder / "data", "-U", self.user, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        words = [postgres_program("postgres"), "-D", folder / "data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        self.server = subprocess.Popen([*self.runner, *map(str, words)], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = f"postgresql://{self.user}@/postgres?host={folder}"
        eventually(lambda: self.psql("SELECT 1", check=False).returncode == 0, 20, "the start of PostgreSQL")

    def run(self, program, *arguments):
        words = [*self.runner, postgres_program(program), *map(str, arguments)]
        subprocess.run(words, cwd="/", check=True, capture_output=True)

    def psql(self, sql, check=True):
        words = [postgres_program("psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", self.url, "-c", sql]
        return subprocess.run(words, capture_output=True, text=True, check=check)

    def count(self):
        return int(self.psql("SELECT count(*) FROM sluice_exchange", check=False).stdout or 0)

    def rows(self):
        text = self.psql("SET timezone='UTC'; SELECT row_to_json(t) FROM sluice_exchange t").stdout
        rows = [json.loads(line, parse_float=Decimal) for line in text.splitlines()]
        for row in rows:
            # Trailing zeros of a fraction are left out.
            whole, _, fraction = row["started_at"].removesuffix("+00:00").partition(".")
            row["started_at"] = f"{whole}.{fraction:0<6}Z"
        return rows

    def stop(self):
        self.server.send_signal(signal.SIGINT)
        self.server.wait(30)
