"""The admin API: objects, rights, live changes, and what never leaves it."""

import re
import signal
import subprocess
import threading
import time

import pytest

from admin import Admin, ask, token_of
from conftest import PRICES
from harness import ROOT, SLOW, SLUICE, Gateway, eventually

ROLES = ["viewer", "analyst", "operator", "admin"]


def test_a_key_is_made_used_changed_and_removed(own):
    gateway = own()
    admin = Admin(gateway)
    made = admin.call("POST", "/keys", {"name": "prod", "models": ["fast"], "metadata": {"centre": "7"}})
    assert made.status == 201 and made.headers["cache-control"] == "no-store"
    key = made.json()["key"]
    assert key.startswith("sk-sluice-") and made.json()["state"] == "active"
    assert ask(gateway, key).status == 200
    assert ask(gateway, key, "lab/chat").status == 403
    assert ask(gateway, "sk-sluice-wrong").status == 401
    admin.change("/keys/prod", models=["fast", "chat"])
    assert ask(gateway, key, "lab/chat").status == 200
    assert admin.get("/keys/prod")["models"] == ["fast", "chat"]
    assert "key" not in admin.get("/keys/prod")
    assert admin.call("DELETE", "/keys/prod").status == 204
    assert admin.call("GET", "/keys/prod").status == 404
    row = gateway.wait_for_rows(4)[0]
    assert row["outcome"] == "ok"


def test_BUD_8_an_unknown_field_is_refused_by_name_and_a_read_returns_what_was_written(own):
    admin = Admin(own())
    refused = admin.call("POST", "/keys", {"name": "a", "requests_per_minut": 5})
    assert refused.status == 400 and refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["errors"][0]["field"] == "requests_per_minut"
    assert "requests_per_minute" in refused.json()["errors"][0]["hint"]
    budgets = {"daily": {"amount": 25.50, "per": "day", "ladder": {"warn": "80%", "block": "100%"}}}
    refused = admin.call("POST", "/keys", {"name": "a", "budgets": {"daily": {"amont": 1, "per": "day"}}})
    assert refused.status == 400
    assert "budgets.daily.amont" in [fault["field"] for fault in refused.json()["errors"]]
    assert admin.get("/keys")["items"] == [], "nothing of a refused body stays"
    written = {"parallel": 3, "budgets": budgets, "metadata": {"dollar": "${HOME} costs $5", "ümlaut": "🛟"}}
    refused = admin.call("POST", "/keys", {"name": "a", **written})
    assert refused.status == 400 and "metadata.ümlaut" in refused.text
    written["metadata"] = {"dollar": "${HOME} costs $5", "umlaut": "🛟"}
    admin.key("a", **written)
    read = admin.get("/keys/a")
    assert {name: read[name] for name in written} == written
    admin.change("/keys/a", budgets={"daily": {"amount": 30}, "total": {"amount": 1, "per": "total"}}, parallel=None)
    read = admin.get("/keys/a")
    assert read["budgets"]["daily"] == {**budgets["daily"], "amount": 30} and "total" in read["budgets"]
    assert "parallel" not in read
    for field in ("key", "digest", "revision", "name"):
        refused = admin.call("PATCH", "/keys/a", {field: "x"})
        assert refused.status == 400 and field in refused.json()["detail"]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"name": 1}', '{"name": "a b"}', '{"name": "a", "name": "b"}', '{"name": null}',
                                  '{"name": "a", "team": null}', '{"name":"a","models":"x"}', "\xff", "[" * 5000, '{"name":"a","expires":"soon"}'])
def test_bad_bodies_are_refused_and_change_nothing(gateway, body):
    admin = Admin(gateway)
    before = admin.get("/keys")
    refused = admin.call("POST", "/keys", body.encode("latin-1"))
    assert refused.status == 400 and refused.json()["detail"]
    assert admin.get("/keys") == before


def routes():
    """Method, path and least role of each line of the table in docs/admin-api.md."""
    page = (ROOT / "docs/admin-api.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `(\w+) /admin/v1(\S+)` \| (\w+) \|", page, re.M)


def test_SEC_9_every_route_is_refused_to_every_lesser_role_and_to_strangers(own):
    gateway = own()
    admin = Admin(gateway)
    tokens = {role: admin.make("/admin_tokens", name=role, role=role)["token"] for role in ROLES}
    assert len(routes()) > 20
    for method, path, least in routes():
        path = path.replace("{name}", "nobody")
        for role in ROLES:
            reply = Admin(gateway, tokens[role]).call(method, path, "{}" if method in ("POST", "PATCH") else None)
            allowed = ROLES.index(role) >= ROLES.index(least)
            assert (reply.status != 403) == allowed, (method, path, role, reply.text)
        for stranger in ("none", "sluice-admin-wrong", admin.token[:-1], admin.token + "x"):
            assert Admin(gateway, stranger).call(method, path).status == 401
    assert admin.get("/keys")["items"] == []


def test_routes_that_are_none(gateway):
    admin = Admin(gateway)
    assert admin.call("GET", "/nothing").status == 404
    assert admin.call("GET", "/keys/a/b/c").status == 404
    wrong = admin.call("PUT", "/keys")
    assert wrong.status == 405 and "GET, POST" in wrong.json()["detail"]
    unknown = admin.call("GET", "/keys?page=2")
    assert unknown.status == 400 and unknown.json()["errors"][0]["field"] == "page"
    assert admin.call("GET", "/keys?limit=0").status == 400
    assert gateway.metrics(), "/metrics asks for no token"


def test_pages_of_a_list(own):
    admin = Admin(own())
    for number in range(5):
        admin.make("/teams", name=f"team{number}")
    first = admin.get("/teams?limit=2")
    rest = admin.get(f"/teams?limit=3&cursor={first['next_cursor']}")
    assert [item["name"] for item in first["items"] + rest["items"]] == [f"team{n}" for n in range(5)]
    assert rest["next_cursor"] is None


def test_If_Match_keeps_two_administrators_from_overwriting_each_other(own):
    admin = Admin(own())
    made = admin.call("POST", "/teams", {"name": "a"})
    seen = made.headers["etag"]
    changed = admin.call("PATCH", "/teams/a", {"parallel": 2}, If_Match=seen)
    assert changed.status == 200 and changed.headers["etag"] != seen
    late = admin.call("PATCH", "/teams/a", {"parallel": 3}, If_Match=seen)
    assert late.status == 412 and admin.get("/teams/a")["parallel"] == 2
    assert admin.call("DELETE", "/teams/a", If_Match=seen).status == 412
    assert admin.call("DELETE", "/teams/a", If_Match=changed.headers["etag"]).status == 204
    assert admin.call("PATCH", "/teams/a", {}, If_Match="x").status == 400


def test_what_stands_in_the_file_is_changed_there(own):
    gateway = own({"teams": {"filed": {"parallel": 9}}, "keys": {"filed": {"digest": "ab" * 32, "team": "filed"}}})
    admin = Admin(gateway)
    read = admin.get("/keys/filed")
    assert read["source"] == "file" and read["team"] == "filed" and "revision" not in read
    for method, path in (("PATCH", "/keys/filed"), ("DELETE", "/keys/filed"), ("POST", "/keys/filed/rotate")):
        refused = admin.call(method, path, "{}" if method == "PATCH" else None)
        assert refused.status == 409 and "sluice.json" in refused.json()["detail"]
    assert admin.call("POST", "/keys", {"name": "filed"}).status == 409
    admin.key("mine", team="filed")
    gateway.configure({"teams": {"filed": {}}, "keys": {"filed": {"digest": "ab" * 32}, "mine": {"digest": "cd" * 32}}})
    gateway.send_signal(signal.SIGHUP)
    refused = eventually(lambda: gateway.logged(level="error"))[0]
    assert "keys.mine" in str(refused) and "admin API" in str(refused)
    assert admin.get("/keys/mine")["source"] == "api", "the reload changed nothing"
    assert gateway.stop() == 0
    again = subprocess.run([SLUICE, "serve", "--config", gateway.config], capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 2 and "keys.mine" in again.stderr


def test_a_team_that_a_key_is_of_stays(own):
    admin = Admin(own())
    admin.make("/organisations", name="acme")
    admin.make("/teams", name="writers", organisation="acme")
    admin.key("a", team="writers")
    refused = admin.call("DELETE", "/teams/writers")
    assert refused.status == 409 and "keys.a.team" in refused.text
    assert admin.call("DELETE", "/organisations/acme").status == 409
    refused = admin.call("POST", "/keys", {"name": "b", "team": "writer"})
    assert refused.status == 400 and "writers" in refused.json()["errors"][0]["hint"]
    assert admin.call("DELETE", "/keys/a").status == 204
    assert admin.call("DELETE", "/teams/writers").status == 204


class Callers:
    """Holders of a key that call without pause until stop(): (moment of the answer's request, status) each."""

    def __init__(self, gateway, key, clients=8):
        self.gateway, self.key, self.seen, self.stopping = gateway, key, [], False
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.stopping:
            sent = time.monotonic()
            self.seen.append((sent, ask(self.gateway, self.key).status))

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()


def test_SEC_5_a_revoked_key_opens_nothing_once_that_is_confirmed(own):
    gateway = own({"server": {"workers": 4}})
    admin = Admin(gateway)
    key = admin.key("a")
    admin.key("b")  # so that the gateway never stands open
    callers = Callers(gateway, key)
    eventually(lambda: len(callers.seen) > 40)
    began = time.monotonic()
    assert admin.call("POST", "/keys/a/revoke").json()["state"] == "revoked"
    confirmed = time.monotonic()
    assert confirmed - began < 1 * SLOW
    eventually(lambda: sum(sent > confirmed for sent, _ in callers.seen) > 40)
    callers.stop()
    assert {status for sent, status in callers.seen if sent < began - 0.5} <= {200}
    assert {status for sent, status in callers.seen if sent > confirmed} == {401}
    # A model that is taken away, likewise.
    other = admin.key("c", models=["fast", "chat"])
    assert ask(gateway, other, "lab/chat").status == 200
    admin.change("/keys/c", models=["fast"])
    assert ask(gateway, other, "lab/chat").status == 403


def test_SEC_6_both_texts_of_a_rotated_key_work_until_the_grace_is_over(own):
    gateway = own({"server": {"workers": 4}})
    admin = Admin(gateway)
    old = admin.key("a")
    rotated = admin.call("POST", "/keys/a/rotate", {"grace": "3s"}).json()
    end = time.monotonic() + 3
    new = rotated["key"]
    assert new != old and len(rotated["old_texts"]) == 1
    while time.monotonic() < end - 1:
        assert ask(gateway, old).status == 200 and ask(gateway, new).status == 200
    eventually(lambda: time.monotonic() > end + 0.2)
    for _ in range(8):
        assert ask(gateway, old).status == 401 and ask(gateway, new).status == 200
    assert admin.get("/keys/a")["old_texts"] == []
    last = admin.call("POST", "/keys/a/rotate").json()["key"]  # without grace: at once
    assert ask(gateway, new).status == 401 and ask(gateway, last).status == 200
    assert admin.call("POST", "/keys/a/rotate", {"grace": "long"}).status == 400
    assert admin.call("POST", "/keys/a/rotate", {"gracE": "1h"}).status == 400


def test_keys_and_what_became_of_them_outlive_a_restart(own):
    gateway = own()
    admin = Admin(gateway)
    admin.make("/teams", name="writers", requests_per_minute=100)
    kept, gone, revoked = admin.key("kept", team="writers"), admin.key("gone"), admin.key("revoked")
    admin.call("DELETE", "/keys/gone")
    admin.call("POST", "/keys/revoked/revoke")
    old = kept
    kept = admin.call("POST", "/keys/kept/rotate", {"grace": "1h"}).json()["key"]
    before = admin.get("/keys")
    gateway.send_signal(signal.SIGKILL)
    gateway.child.wait()
    again = own_again(gateway)
    with again:
        assert Admin(again).get("/keys") == before
        assert [ask(again, key).status for key in (kept, old, gone, revoked)] == [200, 200, 401, 401]
        assert Admin(again).call("DELETE", "/teams/writers").status == 409


def own_again(gateway):
    """The same gateway, started again in its folder."""
    class Again(Gateway):
        def configure(self, settings):
            self.config = gateway.config

    return Again(gateway.folder, gateway.lab_url)


def test_SEC_11_the_store_holds_digests_and_a_wrong_pepper_fails_loudly(own):
    gateway = own()
    admin = Admin(gateway)
    texts = [admin.key("a"), admin.make("/admin_tokens", name="b", role="viewer")["token"], token_of(gateway)]
    texts.append(admin.call("POST", "/keys/a/rotate", {"grace": "1h"}).json()["key"])
    admin.call("GET", "/keys/a?x=" + texts[0])
    assert Admin(gateway, texts[0]).call("GET", "/keys").status == 401
    assert gateway.stop() == 0
    for text in texts:
        secret = text.rsplit("-", 1)[1].encode()
        for file in (gateway.folder / "data").iterdir():
            if file.name != "admin-token":
                assert secret not in file.read_bytes(), file
        assert secret.decode() not in str(gateway.lines) and secret.decode() not in gateway.said()
    assert (gateway.folder / "data/admin-token").stat().st_mode & 0o777 == 0o600
    (gateway.folder / "data/key-pepper").write_text("another pepper of thirty-two and more characters", encoding="ascii")
    again = subprocess.run([SLUICE, "serve", "--config", gateway.config], capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 2 and "pepper" in again.stderr and "control.db" in again.stderr


def test_BUD_10_a_raised_limit_counts_for_the_next_request(own):
    prices = {"fast": {"input": 1000, "output": 1000}}
    gateway = own({"prices": {"custom": prices}})
    admin = Admin(gateway)
    key = admin.key("a", budgets={"month": {"amount": 0.01, "per": "month"}})
    refused = ask(gateway, key, max_tokens=100)
    assert refused.status != 200
    began = time.monotonic()
    admin.change("/keys/a", budgets={"month": {"amount": 1000}})
    assert ask(gateway, key, max_tokens=100).status == 200
    assert time.monotonic() - began < 1 * SLOW
    state = eventually(lambda: (found := admin.get("/budgets?level=key&subject=a")["items"]) and found[0]["spent"] and found[0])
    assert state["limit"] == 1000 and state["name"] == "month" and state["reserved"] == 0 and state["resets_at"].endswith("Z")
    assert state["step"] == "none" and state["kind"] == "hard"


def test_end_users_and_organisations_lose_their_limits_with_their_policy(own):
    gateway = own({"prices": {"custom": PRICES}})
    admin = Admin(gateway)
    assert admin.get("/end_users") == {"source": None}
    admin.change("/end_users", requests_per_minute=1)
    admin.make("/organisations", name="default", budgets={"all": {"amount": 5, "per": "total"}})
    key = admin.key("a")
    assert [ask(gateway, key, user="ada").status for _ in range(2)] == [200, 429]
    assert [each["subject"] for each in admin.get("/budgets")["items"]] == ["default"]
    assert admin.call("DELETE", "/end_users").status == 204
    assert admin.call("DELETE", "/organisations/default").status == 204
    assert ask(gateway, key, user="ada").status == 200
    assert admin.get("/budgets")["items"] == []


def test_a_reload_and_admin_changes_side_by_side_lose_nothing(own):
    gateway = own()
    admin = Admin(gateway)
    stopping = threading.Event()

    def reload():
        number = 0
        while not stopping.is_set():
            number += 1
            gateway.configure({"aliases": {f"alias{number}": "lab/fast"}})
            gateway.send_signal(signal.SIGHUP)
            time.sleep(0.02)

    thread = threading.Thread(target=reload)
    thread.start()
    keys = [admin.key(f"key{number}") for number in range(20)]
    stopping.set()
    thread.join()
    assert [ask(gateway, key).status for key in keys] == [200] * 20
    assert not gateway.logged(level="error")
