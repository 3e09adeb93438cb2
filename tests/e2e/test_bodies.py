"""Prompts and answers: stored of the keys that keep them, apart from the ledger; read, forgotten, aged, and of others nowhere."""

import base64
import json
import re
import signal
import sqlite3
import stat
import time

import pytest

from admin import Admin, command
from governed import DOORS, PAID, ask, bearer, governed, settings_for
from harness import HELLO, Gateway, eventually, read_until

CANARY = "canary-5d1f0c77"
KEEPING = {"kept": {"keep_bodies": True}, "plain": {}}


def asked(path, body, **more):
    """A body of a door with the canary in its prompt."""
    text = f"Remember {CANARY}."
    prompt = {"input": text} if path in ("/v1/embeddings", "/v1/responses") else {"prompt": text}
    if "messages" in body:
        prompt = {"messages": [{"role": "user", "content": text}]}
    return {**body, **prompt, **more}


def content(gateway, request_id):
    """What the admin API tells of a request."""
    return Admin(gateway).call("GET", f"/exchanges/{request_id}/content")


def told(gateway, request_id):
    # A client may have its answer a moment before the exchange has ended.
    return eventually(lambda: (reply := content(gateway, request_id)).status == 200 and reply.json())


def why_not(gateway, request_id, code="not_kept"):
    reply = content(gateway, request_id)
    assert (reply.status, reply.json()["code"]) == (404, code), reply.text
    return reply.json()["detail"]


def other(request_id):
    """An id that is well formed and nobody's."""
    return request_id[:-3] + ("a" if request_id[-3] != "a" else "b") + request_id[-2:]


def readings(gateway):
    return [row for row in Admin(gateway).audit() if row["action"].startswith("content.")]


def found_in(gateway, text):
    """The files of the data directory that hold it."""
    files = (path for path in (gateway.folder / "data").rglob("*") if path.is_file())
    return {path.name for path in files if text.encode() in path.read_bytes()}


def stored(gateway):
    with sqlite3.connect(f"file:{gateway.folder / 'data/bodies.db'}?mode=ro", uri=True) as bodies:
        return bodies.execute("SELECT count(*) FROM bodies").fetchone()[0]


@pytest.fixture
def keeping(own):
    return governed(own, KEEPING)


@pytest.mark.parametrize("door", DOORS)
def test_what_was_asked_and_answered_is_kept_to_the_byte(keeping, door):
    path, body = DOORS[door]
    body = asked(path, body)
    reply = ask(keeping, path, body, bearer("kept"))
    assert reply.status == 200
    kept = told(keeping, reply.headers["x-request-id"])
    assert kept["request"] == {"text": json.dumps(body), "size": len(json.dumps(body)), "truncated": False}
    assert kept["answer"] == {"text": reply.text, "size": len(reply.body), "truncated": False}
    assert (kept["key"], kept["user"], kept["endpoint"], kept["status"], kept["stream"]) == ("kept", None, door, 200, False)


@pytest.mark.parametrize("door", [door for door in PAID if door != "embeddings"])
def test_a_stream_is_kept_as_it_was_sent(keeping, door):
    path, body = PAID[door]
    reply = ask(keeping, path, asked(path, body, stream=True), bearer("kept"))
    kept = told(keeping, reply.headers["x-request-id"])
    assert kept["stream"] and kept["answer"]["text"] == reply.text and reply.text.count("data:") > 2


def test_a_refused_request_and_a_failed_answer_are_kept_too(keeping):
    chat = "/v1/chat/completions"
    no_model = ask(keeping, chat, {"model": "nobody-has-this", "messages": HELLO}, bearer("kept"))
    assert no_model.status == 404
    failed = ask(keeping, chat, {"model": "lab/chat", "messages": HELLO}, {**bearer("kept"), "x-lab-fault": "status-400"})
    assert failed.status == 400
    for reply in (no_model, failed):
        kept = told(keeping, reply.headers["x-request-id"])
        assert (kept["status"], kept["answer"]["text"]) == (reply.status, reply.text)
    forbidden = governed_again(keeping, {"kept": {"keep_bodies": True, "endpoints": ["embeddings"]}})
    kept = told(keeping, forbidden.headers["x-request-id"])
    assert kept["status"] == 403 and kept["request"] == {"text": "", "size": 0, "truncated": False}, "it was not read"


def governed_again(gateway, keys):
    """A chat that is refused after the keys have changed."""
    gateway.configure(settings_for(keys))
    gateway.send_signal(signal.SIGHUP)

    def refused():
        reply = ask(gateway, "/v1/chat/completions", {"model": "lab/chat", "messages": HELLO}, bearer("kept"))
        return reply.status == 403 and reply

    return eventually(refused)


def test_of_a_client_that_left_there_is_what_it_was_sent(keeping):
    connection = keeping.open("lab/slow", headers=bearer("kept"), max_tokens=500)
    head = read_until(connection, b"data:").decode()
    connection.close()
    keeping.wait_for_rows(1)
    request_id = re.search(r"(?i)x-request-id: (\S+)", head).group(1)
    kept = told(keeping, request_id)
    assert kept["status"] == 499
    assert "data:" in kept["answer"]["text"] and "[DONE]" not in kept["answer"]["text"]
    assert json.loads(kept["request"]["text"])["model"] == "lab/slow"


def test_a_long_body_is_cut_at_a_character_and_says_so(own):
    gateway = governed(own, KEEPING, ledger={"bodies": {"limit": "1KiB"}})
    body = {"model": "lab/fast", "messages": [{"role": "user", "content": "é" * 3000}]}
    text = json.dumps(body, ensure_ascii=False)
    connection = gateway.connect()
    connection.request("POST", "/v1/chat/completions", text.encode(), {**bearer("kept"), "Content-Type": "application/json"})
    request_id = connection.getresponse().headers["x-request-id"]
    kept = told(gateway, request_id)["request"]
    assert kept["truncated"] and kept["size"] == len(text.encode())
    assert text.startswith(kept["text"]) and 1023 <= len(kept["text"].encode()) <= 1024


def test_what_is_no_text_comes_as_base64(keeping):
    connection = keeping.connect()
    connection.request("POST", "/v1/chat/completions", b"\xff\xfe{", {**bearer("kept"), "Content-Type": "application/json"})
    reply = connection.getresponse()
    assert reply.status == 400
    kept = told(keeping, reply.headers["x-request-id"])["request"]
    assert base64.b64decode(kept["base64"]) == b"\xff\xfe{" and "text" not in kept


def test_each_reading_is_audited_before_it_is_answered_and_others_are_refused(keeping):
    reply = ask(keeping, *PAID["chat"], bearer("kept"))
    request_id = reply.headers["x-request-id"]
    admin = Admin(keeping)
    for role in ("viewer", "analyst", "operator"):
        token = admin.make("/admin_tokens", name=role, role=role)["token"]
        refused = Admin(keeping, token).call("GET", f"/exchanges/{request_id}/content")
        assert refused.status == 403 and "messages" not in refused.text
        assert Admin(keeping, token).call("DELETE", "/content?key=kept").status == 403
    assert content_of_stranger(keeping, request_id).status == 401
    assert readings(keeping) == []
    told(keeping, request_id)
    (row,) = readings(keeping)
    assert (row["actor"], row["action"], row["target"]) == ("local", "content.read", request_id)
    assert row["after"] == {"key": "kept"}
    with sqlite3.connect(keeping.folder / "data/control.db", isolation_level=None) as control:
        control.execute("BEGIN IMMEDIATE")
        locked_out = content(keeping, request_id)
        control.execute("ROLLBACK")
    assert locked_out.status == 503 and "choices" not in locked_out.text, "what cannot be audited is not shown"
    assert command("audit", "verify", "--control", str(keeping.folder / "data/control.db"))[0] == 0


def content_of_stranger(gateway, request_id):
    return Admin(gateway, "none").call("GET", f"/exchanges/{request_id}/content")


def test_where_nothing_is_kept_it_says_why(keeping):
    plain = ask(keeping, *PAID["chat"], bearer("plain")).headers["x-request-id"]
    keeping.wait_for_rows(1)
    assert "'plain' does not keep bodies" in why_not(keeping, plain)
    stranger = ask(keeping, *PAID["chat"]).headers["x-request-id"]
    keeping.wait_for_rows(2)
    assert "without a key" in why_not(keeping, stranger)
    assert "knows no request" in why_not(keeping, other(plain), "unknown_object")
    assert content(keeping, "nonsense").status == 400
    keeping.configure(settings_for({**KEEPING, "plain": {"keep_bodies": True}}))
    keeping.send_signal(signal.SIGHUP)
    eventually(lambda: "keeps bodies now" in why_not(keeping, plain))
    assert readings(keeping) == [], "nothing was read"


def test_a_key_keeps_from_the_moment_it_is_told_to(own):
    gateway = own(settings_for({"a": {}}))
    admin = Admin(gateway)
    text = admin.key("made", keep_bodies=True)
    assert admin.get("/keys/made")["keep_bodies"] is True
    headers = {"Authorization": f"Bearer {text}"}
    first = ask(gateway, *PAID["chat"], headers)
    assert told(gateway, first.headers["x-request-id"])["key"] == "made"
    admin.change("/keys/made", keep_bodies=False)
    second = ask(gateway, *PAID["chat"], headers)
    gateway.wait_for_rows(2)
    why_not(gateway, second.headers["x-request-id"])
    code, out, err = command("keys", "create", "by-flag", "--keep-bodies", gateway=gateway)
    assert code == 0 and out, err
    assert admin.get("/keys/by-flag")["keep_bodies"] is True


def test_bodies_of_a_key_or_a_user_are_forgotten_to_the_last_byte(own):
    gateway = governed(own, {"a": {"keep_bodies": True}, "b": {"keep_bodies": True}})
    path, body = PAID["chat"]
    ids = {}
    for name in ("a", "b"):
        for user in ("ann", "bob"):
            reply = ask(gateway, path, asked(path, body, user=user), bearer(name))
            ids[name, user] = reply.headers["x-request-id"]
    for call in ("/content", "/content?key=a&user=ann", "/content?day=1"):
        assert Admin(gateway).call("DELETE", call).status == 400
    assert told(gateway, ids["a", "ann"])["user"] == "ann"
    code, out, _ = command("bodies", "forget", "--user", "ann", gateway=gateway)
    assert (code, out) == (0, "2\n")
    assert "forgotten" in why_not(gateway, ids["a", "ann"])
    assert told(gateway, ids["a", "bob"])["user"] == "bob"
    assert Admin(gateway).call("DELETE", "/content?key=a").json() == {"removed": 1, "more": False}
    assert Admin(gateway).call("DELETE", "/content?key=b").json() == {"removed": 1, "more": False}
    assert found_in(gateway, CANARY) == set(), "nor do pages and logs of the database hold it"
    targets = [row["target"] for row in readings(gateway) if row["action"] == "content.forget"]
    assert targets == ["user:ann", "key:a", "key:b"]


def test_the_command_shows_content_and_what_fails(keeping):
    reply = ask(keeping, *PAID["chat"], bearer("kept"))
    request_id = reply.headers["x-request-id"]
    code, out, _ = command("bodies", "show", request_id, gateway=keeping)
    assert code == 0 and json.loads(out)["answer"]["text"] == reply.text
    code, out, err = command("bodies", "show", other(request_id), gateway=keeping)
    assert (code, out) == (1, "") and "knows no request" in err
    code, _, err = command("bodies", "forget", gateway=keeping)
    assert code == 2 and "--user" in err


def test_old_bodies_are_removed_by_their_own_retention(lab, tmp_path):
    settings = settings_for(KEEPING, ledger={"bodies": {"retention_days": 2}})
    with Gateway(tmp_path / "g", lab.url, settings) as gateway:
        old, new = (ask(gateway, *PAID["chat"], bearer("kept")).headers["x-request-id"] for _ in range(2))
        gateway.wait_for_rows(2)
        for each in (old, new):
            told(gateway, each)
    with sqlite3.connect(tmp_path / "g/data/bodies.db") as bodies:
        bodies.execute("UPDATE bodies SET key = key - (3 * 86400000 << 21) WHERE key = (SELECT min(key) FROM bodies)")
    with Gateway(tmp_path / "g", lab.url, settings) as gateway:
        eventually(lambda: stored(gateway) == 1)
        told(gateway, new)
        assert eventually(lambda: gateway.metric("llm_bodies_removed_total")) == 1
        assert len(gateway.rows()) == 2, "the ledger's rows have a retention of their own"


def test_DB_5_a_store_of_bodies_that_is_stuck_harms_nothing_else(own):
    gateway = governed(own, KEEPING)
    big = {"model": "lab/fast", "messages": [{"role": "user", "content": "x" * 1_000_000}]}
    with sqlite3.connect(gateway.folder / "data/bodies.db", isolation_level=None) as bodies:
        bodies.execute("BEGIN IMMEDIATE")
        ids = [ask(gateway, "/v1/chat/completions", big, bearer("kept")).headers["x-request-id"] for _ in range(45)]
        assert len(gateway.wait_for_rows(45)) == 45, "rows of the ledger do not wait for bodies"
        assert gateway.metric("llm_bodies_dropped_total") > 0
        assert gateway.metric("llm_bodies_memory_bytes") < 64 << 20
        bodies.execute("ROLLBACK")
    assert any("bodies are dropped" in str(line) for line in gateway.lines)
    assert "were dropped" in eventually(lambda: why_not(gateway, ids[-1]))
    assert told(gateway, ids[0])["request"]["size"] > 1_000_000


def test_DB_4_a_kill_loses_only_bodies_of_the_last_flush_window(lab, tmp_path):
    with Gateway(tmp_path / "g", lab.url, settings_for(KEEPING)) as gateway:
        ids = [ask(gateway, *PAID["chat"], bearer("kept")).headers["x-request-id"] for _ in range(20)]
        time.sleep(0.5)
        gateway.stop(signal.SIGKILL)
    with Gateway(tmp_path / "g", lab.url, settings_for(KEEPING)) as gateway:
        for each in ids:
            told(gateway, each)


def test_DB_8_of_keys_that_do_not_keep_them_no_body_is_anywhere(own):
    gateway = governed(own, {**KEEPING, "kept": {"keep_bodies": True}})
    for path, body in DOORS.values():
        for more, fault in (({}, ""), ({}, "status-500"), ({"stream": True}, ""), ({"temperature": CANARY}, "")):
            headers = {**bearer("plain"), **({"x-lab-fault": fault} if fault else {})}
            ask(gateway, path, asked(path, body, **more), headers)
    mark = ask(gateway, *PAID["chat"], bearer("kept")).headers["x-request-id"]
    told(gateway, mark)
    page = str(gateway.metrics())
    gateway.stop()
    assert found_in(gateway, CANARY) == set()
    assert CANARY not in page and not any(CANARY in str(line) for line in gateway.lines)
    assert stored(gateway) == 1


def test_SEC_1_what_is_kept_holds_no_header_and_its_file_is_its_owner_s(keeping):
    path, body = PAID["chat"]
    ask(keeping, path, asked(path, body), {**bearer("kept"), "x-private": "header-canary-19"})
    keeping.wait_for_rows(1)
    keeping.stop()
    assert found_in(keeping, CANARY) == {"bodies.db"}, "and nowhere else"
    for secret in (bearer("kept")["Authorization"][7:], "provider-key-7777", "header-canary-19"):
        assert found_in(keeping, secret) == set()
    assert stat.S_IMODE((keeping.folder / "data/bodies.db").stat().st_mode) == 0o600
