"""Gateways with keys, limits and budgets, and the requests that try them."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor

from conftest import PRICES
from harness import HELLO, Reply

MICRO = 1000  # nano-dollars in a micro-dollar

# Every door behind which a model answers, with a body that costs something.
PAID = {
    "chat": ("/v1/chat/completions", {"model": "lab/chat", "messages": HELLO, "max_tokens": 50}),
    "completions": ("/v1/completions", {"model": "lab/chat", "prompt": "Tell me.", "max_tokens": 50}),
    "embeddings": ("/v1/embeddings", {"model": "lab/embed", "input": "Tell me."}),
    "responses": ("/v1/responses", {"model": "lab/chat", "input": "Tell me.", "max_output_tokens": 50}),
    "messages": ("/v1/messages", {"model": "lab/chat", "messages": HELLO, "max_tokens": 50}),
}
DOORS = {
    **PAID,
    "count_tokens": ("/v1/messages/count_tokens", {"model": "lab/chat", "messages": HELLO}),
}


def key(name):
    return f"sk-{name}-0123456789-abcdefgh"


def bearer(name):
    return {"Authorization": f"Bearer {key(name)}"}


# The three ways to show a key.
WAYS = {
    "bearer": lambda text: {"Authorization": f"Bearer {text}"},
    "x-api-key": lambda text: {"x-api-key": text},
    "api-key": lambda text: {"api-key": text},
}


def settings_for(keys, **settings):
    declared = {name: {"key": key(name), **more} for name, more in keys.items()}
    return {"prices": {"custom": {**PRICES, "embed": {"input": 20, "output": 0}}}, "keys": declared, **settings}


def governed(own, keys, **settings):
    """A gateway with these keys: {"a": {"parallel": 1}}; key("a") is its text."""
    return own(settings_for(keys, **settings))


def ask(gateway, path, body=None, headers=None, method=None):
    """A request with no more header fields than these."""
    connection = gateway.connect()
    try:
        content = json.dumps(body) if body is not None else None
        more = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method or ("GET" if body is None else "POST"), path, content, {**more, **(headers or {})})
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


def at_once(count, call):
    """The results of call(number), all under way together."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def spend_of(gateway, subject):
    """Nano-dollars that the ledger's sums say this subject has spent; 0 without a word of it."""
    with sqlite3.connect(f"file:{gateway.ledger}?mode=ro", uri=True) as ledger:
        found = ledger.execute("SELECT charged FROM spend WHERE subject=? AND quarter=-1", (subject,)).fetchone()
    return found[0] if found else 0


def charged(gateway):
    """[(key's name, nano-dollars)] of every row that has a key, oldest first."""
    with sqlite3.connect(f"file:{gateway.ledger}?mode=ro", uri=True) as ledger:
        return ledger.execute(
            "SELECT caller.key, charged FROM exchange JOIN caller ON caller.id = exchange.caller ORDER BY exchange.key"
        ).fetchall()


def attribution(gateway):
    """What each row with a purpose was for, oldest first; metadata parsed."""
    with sqlite3.connect(f"file:{gateway.ledger}?mode=ro", uri=True) as ledger:
        ledger.row_factory = sqlite3.Row
        rows = [dict(row) for row in ledger.execute("SELECT * FROM attribution ORDER BY key")]
    for row in rows:
        row["metadata"] = json.loads(row["metadata"]) if row["metadata"] else {}
    return rows


def budget(amount, **more):
    return {"budgets": {"all": {"amount": amount, "per": "total", **more}}}


def own_usage(gateway, name):
    return ask(gateway, "/v1/usage", headers=bearer(name)).json()
