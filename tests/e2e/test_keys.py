"""Virtual keys at the door: who is let in, and to what."""

import hashlib
import json
import statistics
import time

import anthropic
import openai
import pytest

from governed import DOORS, WAYS, ask, bearer, governed, key, settings_for
from harness import Gateway, eventually


def two_providers(own, lab, keys, **settings):
    here = {"kind": "openai", "base_url": f"{lab.url}/v1", "api_key": "none", "local": True}
    return governed(own, keys, providers={"here": here}, **settings)


@pytest.mark.parametrize("way", WAYS)
def test_a_key_opens_every_door_however_it_is_sent(own, lab, way):
    gateway = governed(own, {"a": {}})
    for name, (path, body) in DOORS.items():
        reply = ask(gateway, path, body, WAYS[way](key("a")))
        assert reply.status == 200, (name, reply.text)
        assert key("a") not in json.dumps(lab.last())
    for path in ("/v1/models", "/models", "/v1/models/lab%2Fchat", "/v1/usage"):
        assert ask(gateway, path, headers=WAYS[way](key("a"))).status in (200, 404), path
    rows = gateway.wait_for_rows(len(DOORS))
    assert [row["status"] for row in rows[: len(DOORS)]] == [200] * len(DOORS)


WRONG = {
    "none": {},
    "unknown": {"Authorization": "Bearer sk-nobody-0123456789-abcdefgh"},
    "basic": {"Authorization": "Basic YTpi"},
    "short": {"x-api-key": "a"},
    "quotes": {"x-api-key": "' OR 1=1; --\""},
    "long": {"api-key": "k" * 6000},
    "latin": {"x-api-key": "clé-é-0123456789-0123456789-é"},
    "expired": bearer("expired"),
    "revoked": bearer("revoked"),
    "elsewhere": bearer("elsewhere"),
}


@pytest.fixture(scope="module")
def guarded(lab, tmp_path_factory):

    keys = {
        "a": {},
        "expired": {"expires": "2020-01-01"},
        "revoked": {"revoked": True},
        "elsewhere": {"addresses": ["10.0.0.0/8", "2001:db8::/32"]},
        "near": {"addresses": ["127.0.0.0/8"]},
    }
    with Gateway(tmp_path_factory.mktemp("guarded"), lab.url, settings_for(keys)) as started:
        yield started


@pytest.mark.parametrize("wrong", WRONG)
def test_SEC_7_whatever_opens_nothing_is_refused_alike_at_every_door(guarded, lab, wrong):
    lab.reset()
    words = set()
    calls = [(path, body, None) for path, body in DOORS.values()]
    calls += [("/v1/models", None, None), ("/v1/models/lab%2Fchat", None, None), ("/v1/usage", None, None)]
    calls += [("/v1/responses/resp_1", None, method) for method in ("GET", "DELETE")]
    calls += [("/v1/responses/resp_1/cancel", None, "POST"), ("/v1/responses/resp_1/input_items", None, "GET")]
    for path, body, method in calls:
        reply = ask(guarded, path, body, WRONG[wrong], method)
        assert reply.status == 401, (path, reply.text)
        error = reply.error
        assert error["type"] == "authentication_error"
        words.add(error["message"])
    assert len(words) == 1
    assert lab.total()["requests"] == 0


def test_SEC_7_the_time_of_a_refusal_tells_nothing_of_the_key(guarded):
    wrong = {"unknown": "sk-nobody-0123456789-abcdefgh", "malformed": "'\\x80;--", "nearly right": key("a")[:-1] + "!"}
    seconds = {kind: [] for kind in wrong}
    for _ in range(200):
        for kind, text in wrong.items():
            before = time.perf_counter()
            assert ask(guarded, *DOORS["chat"], {"x-api-key": text}).status == 401
            seconds[kind].append(time.perf_counter() - before)
    quarters = {kind: statistics.quantiles(times, n=4) for kind, times in seconds.items()}
    noise = max(third - first for first, _, third in quarters.values())
    medians = [median for _, median, _ in quarters.values()]
    assert max(medians) - min(medians) < noise, quarters


def test_SEC_2_a_refusal_shows_four_characters_of_a_key_at_most(guarded):
    text = "sk-nobody-0123456789-abcdWXYZ"
    said = ask(guarded, *DOORS["chat"], {"Authorization": f"Bearer {text}"}).text
    assert "WXYZ" in said and text[-5:] not in said and text[:8] not in said
    assert "secret" not in ask(guarded, *DOORS["chat"], {"x-api-key": "secret"}).text


def test_the_ledger_says_which_key_was_refused_and_why(guarded):
    before = len(guarded.rows())
    for name in ("expired", "revoked", "elsewhere"):
        assert ask(guarded, *DOORS["chat"], bearer(name)).status == 401
    wanted = {"the key has expired", "the key is revoked", "the key is not good from this address"}

    def reasons():
        # Rows of the requests before may come late.
        return {row["reason"] for row in guarded.rows()[before:] if row["outcome"] == "unauthorized"}

    eventually(lambda: reasons() >= wanted)


def test_a_key_is_good_from_its_own_addresses(guarded):
    assert ask(guarded, *DOORS["chat"], bearer("near")).status == 200


def test_what_says_nothing_of_the_configuration_asks_for_no_key(guarded):
    for path in ("/livez", "/readyz", "/version", "/"):
        assert ask(guarded, path).status == 200
    assert ask(guarded, "/v1/nothing").status == 404


def test_refusals_come_in_the_dialect_that_was_asked(guarded):
    with pytest.raises(anthropic.AuthenticationError):
        anthropic.Anthropic(base_url=guarded.url, api_key="wrong", max_retries=0).messages.create(
            model="lab/chat", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]
        )
    with pytest.raises(anthropic.AuthenticationError) as caught:
        anthropic.Anthropic(base_url=guarded.url, api_key="wrong", max_retries=0).models.list()
    assert caught.value.body["type"] == "error"
    with pytest.raises(openai.AuthenticationError) as caught:
        openai.OpenAI(base_url=f"{guarded.url}/v1", api_key="wrong", max_retries=0).models.list()
    assert caught.value.type == "authentication_error"


def test_without_any_key_this_machine_is_served(own):
    gateway = own()
    assert ask(gateway, *DOORS["chat"]).status == 200
    assert ask(gateway, "/v1/models").status == 200


def test_a_key_may_be_declared_by_its_digest(own):

    digest = hashlib.sha256(key("a").encode()).hexdigest()
    gateway = own({"keys": {"a": {"digest": digest}}})
    assert ask(gateway, *DOORS["chat"], bearer("a")).status == 200
    assert ask(gateway, *DOORS["chat"], {"x-api-key": digest}).status == 401


def test_SEC_5_a_key_that_goes_or_ends_opens_nothing_any_more(own):
    gateway = governed(own, {"a": {}, "b": {}})
    assert ask(gateway, *DOORS["chat"], bearer("a")).status == 200

    gateway.configure(settings_for({"b": {}}))
    eventually(lambda: ask(gateway, *DOORS["chat"], bearer("a")).status == 401)
    gateway.configure(settings_for({"b": {"revoked": True}}))
    eventually(lambda: ask(gateway, *DOORS["chat"], bearer("b")).status == 401)
    # The last key is gone, revoked or not: that opens the door to this machine alone, not to its old text.
    assert ask(gateway, *DOORS["chat"]).status == 401


# What a key may be used for.


@pytest.mark.parametrize(
    "rights, model, status",
    [
        ({"models": ["chat"]}, "lab/chat", 200),
        ({"models": ["chat"]}, "lab/fast", 403),
        ({"models": ["lab/ch*"]}, "lab/chat", 200),
        ({"models": ["here/*"]}, "lab/chat", 403),
        ({"providers": ["lab"]}, "lab/chat", 200),
        ({"providers": ["here"]}, "lab/chat", 403),
        ({"tiers": ["quick"]}, "quick", 200),
        ({"tiers": ["quick"]}, "good", 403),
        ({"tiers": ["quick"]}, "lab/chat", 200),
        ({"tiers": ["quick"], "models": ["fast"]}, "lab/chat", 403),
        ({"tasks": ["code"]}, "task/code", 200),
        ({"tasks": ["code"]}, "task/talk", 403),
    ],
)
def test_a_key_is_used_for_what_it_may_alone(own, lab, rights, model, status):
    gateway = two_providers(
        own,
        lab,
        {"a": rights},
        tiers={"quick": ["lab/fast"], "good": ["lab/chat"]},
        tasks={"code": ["lab/chat"], "talk": ["lab/fast"]},
    )
    for stream in (False, True):
        reply = gateway.chat(model, stream=stream, headers=bearer("a"))
        assert reply.status == status, reply.text
        if status == 403:
            assert reply.error["type"] == "permission_error" and "'a' may not use" in reply.error["message"]


@pytest.mark.parametrize("door", DOORS)
def test_a_key_calls_its_endpoints_alone(own, door):
    other = next(name for name in DOORS if name != door)
    gateway = governed(own, {"a": {"endpoints": [door]}})
    assert ask(gateway, *DOORS[door], bearer("a")).status == 200
    refused = ask(gateway, *DOORS[other], bearer("a"))
    assert refused.status == 403 and "endpoint" in refused.error["message"]


def test_of_a_tier_a_key_gets_the_targets_it_may_use(own, lab):
    gateway = two_providers(own, lab, {"a": {"providers": ["here"]}}, tiers={"good": ["lab/chat", "here/status-500"]})
    reply = gateway.chat("good", headers=bearer("a"))
    assert reply.status >= 500
    row = gateway.wait_for_rows(1)[0]
    assert {attempt[0] for attempt in row["attempts"]} == {"here/status-500"}
    assert "some targets are not the key's to use" in row["reason"]
    assert gateway.chat("good").status == 401


def test_a_prompt_that_does_not_fit_goes_nowhere_its_key_may_not(own, lab):
    gateway = two_providers(
        own,
        lab,
        {"a": {"providers": ["lab"]}, "b": {}},
        resilience={"on_context_overflow": "here/chat"},
    )
    free = gateway.chat("lab/context-length", headers=bearer("b"))
    assert (free.status, free.headers["x-sluice-provider"]) == (200, "here"), free.text
    assert gateway.chat("lab/context-length", headers=bearer("a")).status == 400


def test_the_data_of_a_restricted_key_stays_here_whatever_its_caller_says(own, lab):
    gateway = two_providers(own, lab, {"a": {"restricted": True}}, tiers={"good": ["lab/chat", "here/chat"]})
    for data in ({}, {"x-sluice-data": "open"}):
        reply = gateway.chat("good", headers={**bearer("a"), **data})
        assert (reply.status, reply.headers["x-sluice-provider"]) == (200, "here")
        assert gateway.chat("lab/chat", headers={**bearer("a"), **data}).status == 403
        assert gateway.chat("here/chat", stream=True, headers={**bearer("a"), **data}).status == 200


def test_the_list_of_models_shows_what_a_key_may_use(own, lab):
    gateway = two_providers(
        own,
        lab,
        {"all": {}, "here": {"providers": ["here"]}, "quick": {"tiers": ["quick"], "models": ["fast"]}, "kept": {"restricted": True}},
        tiers={"quick": ["lab/fast"], "good": ["lab/chat", "here/chat"]},
    )

    def names(name, **more):
        reply = ask(gateway, "/v1/models", headers={**bearer(name), **more})
        return {model["id"] for model in reply.json()["data"]}

    everything = names("all")
    assert {"quick", "good"} <= everything
    assert "good" in names("here") and "quick" not in names("here")
    assert "quick" in names("quick") and "good" not in names("quick")
    assert "good" in names("kept") and "quick" not in names("kept")
    assert names("here") == names("here", **{"anthropic-version": "2023-06-01"})
    assert ask(gateway, "/v1/models/good", headers=bearer("quick")).status == 404
    assert ask(gateway, "/v1/models/good", headers=bearer("here")).status == 200


def test_SEC_1_no_key_is_in_any_log_metric_or_row(own):
    gateway = governed(own, {"a": {}}, log={"format": "json", "level": "debug"})
    for headers in (bearer("a"), {"x-api-key": key("b")}, {"Authorization": f"Bearer {key('c')}"}):
        ask(gateway, *DOORS["chat"], headers)
        ask(gateway, *DOORS["chat"], {**headers, "x-lab-fault": "status-500"})
    gateway.wait_for_rows(6)
    gateway.stop()
    kept = json.dumps(gateway.lines) + str(gateway.errors) + gateway.ledger.read_bytes().decode("latin-1")
    for wal in gateway.ledger.parent.glob("*"):
        kept += wal.read_bytes().decode("latin-1")
    for name in "abc":
        assert key(name)[3:15] not in kept




def test_a_stored_response_is_there_for_the_team_that_made_it_alone(own, lab):
    speaks = {"kind": "openai", "base_url": f"{lab.url}/v1", "api_key": "k", "speaks": ["chat", "responses"]}
    keys = {"a": {"team": "t"}, "b": {"team": "t"}, "c": {}}
    gateway = governed(own, keys, teams={"t": {}}, providers={"oai": speaks})
    made = ask(gateway, "/v1/responses", {"model": "oai/chat", "input": "Remember."}, bearer("a")).json()
    path = f"/v1/responses/{made['id']}"
    assert ask(gateway, path, headers=bearer("b")).status == 200
    for stranger in (path, f"{path}/input_items"):
        refused = ask(gateway, stranger, headers=bearer("c"))
        assert refused.status == 404 and "is not known here" in refused.error["message"]
    assert ask(gateway, path, headers=bearer("c"), method="DELETE").status == 404
    assert ask(gateway, path, headers=bearer("a")).status == 200
