"""`sluice keys` and `sluice admin-token`: what an operator types."""

import hashlib
import json
import os

from admin import Admin, ask, command, token_of
from conftest import PRICES


def test_a_key_from_its_making_to_its_end(own):
    gateway = own({"prices": {"custom": PRICES}})
    Admin(gateway).make("/teams", name="writers")
    code, key, words = command("keys", "create", "prod", "--team", "writers", "--model", "fast", "--model", "chat", "--requests-per-minute", "100",
                               "--budget", "10/month", "--budget", "daily=1/day", "--metadata", "centre=7", "--expires", "2099-01-01", gateway=gateway)
    assert code == 0 and "shown this once" in words and key.count("\n") == 1
    key = key.strip()
    assert ask(gateway, key).status == 200
    code, listed, _ = command("keys", "list", gateway=gateway)
    lines = listed.splitlines()
    assert code == 0 and lines[0].split()[:3] == ["name", "state", "shown"] and "active" in lines[1] and "fast,chat" in lines[1]
    assert key not in listed and key[-4:] in listed
    code, shown, _ = command("keys", "show", "prod", "--json", gateway=gateway)
    object_ = json.loads(shown)
    assert object_["budgets"] == {"month": {"amount": "10", "per": "month"}, "daily": {"amount": "1", "per": "day"}}
    assert object_["metadata"] == {"centre": "7"} and object_["requests_per_minute"] == 100
    assert command("keys", "change", "prod", "--model", "tools", "--clear", "requests_per_minute", gateway=gateway)[0] == 0
    changed = Admin(gateway).get("/keys/prod")
    assert changed["models"] == ["tools"] and "requests_per_minute" not in changed and changed["team"] == "writers"
    assert ask(gateway, key).status == 403
    command("keys", "change", "prod", "--clear", "models", gateway=gateway)
    code, new, words = command("keys", "rotate", "prod", "--grace", "1h", gateway=gateway)
    assert code == 0 and "1h more" in words
    assert ask(gateway, key).status == 200 and ask(gateway, new.strip()).status == 200
    code, out, _ = command("keys", "revoke", "prod", gateway=gateway)
    assert code == 0 and "revoked" in out and ask(gateway, new.strip()).status == 401
    assert command("keys", "delete", "prod", gateway=gateway)[0] == 0
    code, _, words = command("keys", "show", "prod", gateway=gateway)
    assert code == 1 and "no key 'prod'" in words


def test_mistakes_are_told_in_words(own, tmp_path):
    gateway = own()
    code, _, words = command("keys", "create", "a", "--team", "nobody", gateway=gateway)
    assert code == 2 and "there is no team `nobody`" in words
    assert command("keys", "create", "a", "--budget", "ten", gateway=gateway)[0] == 2
    assert command("keys", "create", "a", "--metadata", "x", gateway=gateway)[0] == 2
    assert command("keys", "create", gateway=gateway)[0] == 2
    code, _, words = command("keys", "list", "--admin", "127.0.0.1:1", "--data-dir", str(gateway.folder / "data"))
    assert code == 1 and "no gateway is running at 127.0.0.1:1" in words
    code, _, words = command("keys", "list", "--data-dir", str(tmp_path))
    assert code == 1 and "SLUICE_ADMIN_TOKEN" in words
    host, port = gateway.admin
    code, _, words = command("keys", "list", "--admin", f"{host}:{port}", env={**os.environ, "SLUICE_ADMIN_TOKEN": "sluice-admin-wrong"})
    assert code == 1 and "no admin token of this gateway" in words
    assert command("keys", "lst")[0] == 2


def test_admin_tokens_of_lesser_roles(own):
    gateway = own()
    code, token, words = command("admin-token", "create", "--name", "watch", "--role", "viewer", gateway=gateway)
    assert code == 0 and token.startswith("sluice-admin-") and "once" in words
    host, port = gateway.admin
    viewer = {**os.environ, "SLUICE_ADMIN_TOKEN": token.strip()}
    assert command("keys", "list", "--admin", f"{host}:{port}", env=viewer)[0] == 0
    code, _, words = command("keys", "create", "a", "--admin", f"{host}:{port}", env=viewer)
    assert code == 1 and "takes the role admin" in words
    code, listed, _ = command("admin-token", "list", gateway=gateway)
    assert "watch" in listed and "local" in listed and token.strip() not in listed
    assert command("admin-token", "create", "--name", "watch", "--role", "viewer", gateway=gateway)[0] == 1
    assert command("admin-token", "create", "--name", "b", "--role", "king", gateway=gateway)[0] == 2
    assert command("admin-token", "delete", "--name", "watch", gateway=gateway)[0] == 0
    assert command("keys", "list", "--admin", f"{host}:{port}", env=viewer)[0] == 1


def test_a_lost_admin_token_is_made_anew_at_the_next_start(own):
    from test_admin import own_again

    gateway = own()
    lost = token_of(gateway)
    assert gateway.stop() == 0
    (gateway.folder / "data/admin-token").unlink()
    with own_again(gateway) as again:
        assert token_of(again) != lost
        assert Admin(again).call("GET", "/keys").status == 200
        assert Admin(again, lost).call("GET", "/keys").status == 401


def test_the_digest_of_a_key_opens_what_a_file_declares(own):
    code, digest, _ = command("keys", "digest", text="my-own-key-of-some-length\n")
    assert code == 0 and digest.strip() == hashlib.sha256(b"my-own-key-of-some-length").hexdigest()
    gateway = own({"keys": {"mine": {"digest": digest.strip()}}})
    assert ask(gateway, "my-own-key-of-some-length").status == 200
    assert command("keys", "digest", text="\n")[0] == 2
    code, listed, _ = command("keys", "list", "--config", str(gateway.config), "--admin", "{}:{}".format(*gateway.admin))
    assert code == 0 and "mine" in listed and "file" in listed
