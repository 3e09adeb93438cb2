"""Responses that a provider keeps, through the gateway: looked at, deleted, cancelled, by the account that made them."""

import http.server
import socket
import threading

import openai
import pytest

from harness import SLOW, eventually
from upstreams import CALM, Everywhere


class Fake(http.server.ThreadingHTTPServer):
    """A provider that makes one response and then treats it as `mode` says. `seen`: method and target of each request."""

    daemon_threads = True
    mode = "ok"

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen = []
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *failure):
        self.shutdown()
        self.server_close()

    def count(self, method):
        return sum(seen[0] == method for seen in self.seen)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    done = b'{"id":"resp_fake-1","object":"response","status":"completed","model":"m","output":[],"usage":null}'

    def log_message(self, *words):
        pass

    def answer(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/responses":
            return self.answer(200, self.done)
        return self.serve()

    def serve(self):
        self.server.seen.append((self.command, self.path))
        mode = self.server.mode
        if mode == "reset":
            self.close_connection = True
        elif mode == "hang":
            self.connection.settimeout(20 * SLOW)
            self.connection.recv(1)  # until the gateway gives it up
            self.server.seen.append(("gone", self.path))
            self.close_connection = True
        elif mode == "html":
            self.answer(200, b"<html>Welcome</html>", "text/html")
        elif mode == "failed":
            self.answer(200, b'{"id":"resp_fake-1", "status":"failed","error":{"code":"server_error","message":"x"}}')
        elif mode == "plain 404":
            self.answer(404, b'{"detail":"Not Found"}')
        elif mode == "none":
            self.answer(204, b"")
        elif mode == "large":
            self.answer(200, b'{"a":"' + b"x" * (66 << 20) + b'"}')
        elif mode.isdigit():
            self.answer(int(mode), b'{"error":{"message":"No.","type":"server_error","param":null,"code":null}}')
        else:
            self.answer(200, self.done)

    do_GET = do_DELETE = serve


@pytest.fixture(scope="module")
def gateway(lab, tmp_path_factory):
    with Everywhere(tmp_path_factory.mktemp("stored"), lab) as started:
        yield started


@pytest.fixture
def fake(lab, tmp_path):
    """A gateway of its own in front of a Fake; a response was made there. Both."""
    with Fake() as provider:
        settings = {
            "providers": {"fake": {"kind": "openai", "base_url": provider.url, "api_key": "k", "speaks": ["responses"]}},
            "routes": {"both": {"strategy": "fallback", "targets": ["fake/m", "oai/chat"]}},
            "resilience": CALM,
        }
        with Everywhere(tmp_path, lab, settings) as started:
            made = started.request("POST", "/v1/responses", {"model": "both", "input": "Hello"})
            assert made.json()["id"] == "resp_fake-1" and made.headers["x-sluice-provider"] == "fake"
            yield provider, started


@pytest.fixture
def sdk(gateway):
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="client-key", max_retries=0) as opened:
        yield opened


def marked(mark):
    return {"extra_headers": {"x-request-id": mark}}


def test_AG_5_the_sdk_reads_lists_and_deletes_a_response(sdk, gateway, lab):
    made = sdk.responses.create(model="oai/chat", input="Remember the harbour.", **marked("make"))
    before = lab.total()
    assert sdk.responses.retrieve(made.id, **marked("read")) == made
    assert [item.content[0].text for item in sdk.responses.input_items.list(made.id, **marked("items"))] == ["Remember the harbour."]
    sdk.responses.delete(made.id, **marked("delete"))
    with pytest.raises(openai.NotFoundError, match="is not known here"):
        sdk.responses.retrieve(made.id, **marked("gone"))
    assert gateway.row_of("make")["output"] == made.usage.output_tokens
    for mark, endpoint in (("read", "retrieve"), ("items", "input_items"), ("delete", "delete")):
        row = gateway.row_of(mark)
        assert row["endpoint"] == f"responses.{endpoint}" and row["outcome"] == "ok" and row["provider"] == "oai"
        assert row["input"] == row["output"] == 0 and row["cost"] == 0  # counted when it was made
    assert gateway.row_of("gone")["outcome"] == "not_found"
    assert lab.total() == before


def test_AG_5_the_calls_go_up_as_they_came_and_come_down_byte_for_byte(sdk, gateway, lab):
    made = sdk.responses.create(model="oai/chat", input=[{"role": "user", "content": text} for text in "abc"])
    path = f"/v1/responses/{made.id}"
    key = {"Authorization": "Bearer openai-key-1111"}
    for query in ("", "?include[]=message.output_text.logprobs&include%5B%5D=x", "?stream=false&starting_after=7"):
        direct = lab.request("GET", path + query, headers=key)
        reply = gateway.get(path + query)
        assert lab.last()["target"] == path + query and lab.last()["method"] == "GET"
        assert (reply.status, reply.body) == (200, direct.body)
        assert reply.headers["x-sluice-provider"] == "oai" and reply.headers["x-request-id"].startswith("req_")
    for query in ("?limit=2", "?limit=2&order=asc&after=nobody", "?limit=101"):
        direct = lab.request("GET", f"{path}/input_items{query}", headers=key)
        reply = gateway.get(f"{path}/input_items{query}")
        assert (reply.status, reply.body) == (direct.status, direct.body)
    pages = sdk.responses.input_items.list(made.id, limit=1, order="asc")
    assert [item.content for item in pages] == [item.content for item in sdk.responses.input_items.list(made.id, order="asc")]


def test_AG_5_a_response_of_the_background_is_fetched_or_cancelled(sdk, gateway):
    slow = {"model": "oai/slow", "background": True}
    stopped = sdk.responses.create(input="Stop this one.", **slow)
    assert stopped.status == "queued" and not stopped.output
    assert sdk.responses.retrieve(stopped.id).status == "in_progress"
    assert sdk.responses.cancel(stopped.id, **marked("cancel")).status == "cancelled"
    assert sdk.responses.retrieve(stopped.id).status == "cancelled"
    row = gateway.row_of("cancel")
    assert row["endpoint"] == "responses.cancel" and row["cost"] == 0
    done = sdk.responses.create(model="oai/fast", input="Go on.", background=True)
    assert sdk.responses.retrieve(done.id).output_text
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a completed response"):
        sdk.responses.cancel(done.id, **marked("late"))
    assert gateway.row_of("late")["outcome"] == "upstream_rejected"


def test_AG_5_a_response_of_the_background_is_cancelled_while_it_streams(sdk, gateway):
    asked = {"model": "oai/slow", "background": True, "stream": True}
    with sdk.responses.create(input="Stop while you speak.", **asked) as stream:
        made = next(iter(stream)).response
        assert sdk.responses.cancel(made.id).status == "cancelled"


def test_AG_5_a_stream_is_taken_up_again_where_it_broke(sdk, gateway):
    events = list(sdk.responses.create(model="oai/fast", input="Again.", background=True, stream=True))
    made = events[-1].response
    again = list(sdk.responses.retrieve(made.id, stream=True, **marked("whole")))
    assert again == events
    rest = list(sdk.responses.retrieve(made.id, stream=True, starting_after=4))
    assert rest == events[5:]
    assert gateway.get(f"/v1/responses/{made.id}?stream=true&starting_after=999").body == b""
    row = gateway.row_of("whole")
    assert row["stream"] == 1 and row["events"] == len(events) and row["cost"] == 0 and row["output"] == 0


def test_AG_5_the_key_that_made_a_response_is_the_one_that_asks_for_it(lab, own):
    two = {"kind": "openai", "base_url": f"{lab.url}/v1", "keys": {"first": "account-1111", "second": "account-2222"}, "speaks": ["responses"]}
    gateway = own({"providers": {"two": two}})
    makers = set()
    for number in range(16):
        made = gateway.request("POST", "/v1/responses", {"model": "two/chat", "input": f"Number {number}."}).json()
        maker = lab.last()["headers"]["authorization"]
        makers.add(maker)
        assert gateway.get(f"/v1/responses/{made['id']}").status == 200
        assert lab.last()["headers"]["authorization"] == maker
        more = {"model": "two/chat", "input": "More.", "previous_response_id": made["id"]}
        assert gateway.request("POST", "/v1/responses", more).status == 200
        assert lab.last()["headers"]["authorization"] == maker
    assert len(makers) == 2


def test_AG_5_what_nobody_keeps_is_refused_with_the_reason(gateway):
    for stream in (False, True):
        made = gateway.request("POST", "/v1/responses", {"model": "ant/claude", "input": "Hello", "stream": stream})
        kept_by_nobody = made.chunks[-1]["response"]["id"] if stream else made.json()["id"]
        for method, tail in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")):
            reply = gateway.request(method, f"/v1/responses/{kept_by_nobody}{tail}")
            assert reply.status == 404 and "was not stored" in reply.error["message"] and "ant/claude" in reply.error["message"]
            assert reply.error["type"] == "invalid_request_error"
    unknown = gateway.get("/v1/responses/resp_68af4030592c81938ec0a5fbab4a3e9f")
    assert unknown.status == 404 and "before a restart" in unknown.error["message"]


def test_AG_5_a_restart_forgets_who_made_a_response_and_says_so(lab, own):
    settings = {"providers": {"lab": {"speaks": ["responses"]}}}
    first, second = own(settings), own(settings)
    made = first.request("POST", "/v1/responses", {"model": "lab/chat", "input": "Hello"}).json()
    reply = second.get(f"/v1/responses/{made['id']}")
    assert reply.status == 404 and "another instance" in reply.error["message"]
    first.configure({"providers": {"lab": {"speaks": ["chat"]}}})
    late = eventually(lambda: (r := first.get(f"/v1/responses/{made['id']}")).status == 404 and r, 5, "the reload")
    assert "no longer" in late.error["message"]


@pytest.mark.parametrize("id", ["..", ".", "a%2Fb", "%2e%2e", "a;b", "a:b", "a%00", "a@b", "x" * 257, "%", "a\\b", "a'b"])
@pytest.mark.parametrize("tail", ["", "/cancel", "/input_items"])
def test_NET_1_no_odd_id_reaches_an_upstream(gateway, lab, id, tail):
    before = lab.last()
    reply = gateway.request("POST" if tail == "/cancel" else "GET", f"/v1/responses/{id}{tail}")
    assert reply.status == 400 and reply.error["param"] == "response_id"
    assert lab.last() == before


def test_AG_6_methods_and_paths_below_responses_are_told(gateway):
    for path, allowed in (("/v1/responses/resp_1", "GET, DELETE"), ("/responses/resp_1/", "GET, DELETE"), ("/v1/responses/resp_1/cancel", "POST"), ("/v1/responses/resp_1/input_items", "GET")):
        refused = gateway.request("PUT", path)
        assert refused.status == 405 and refused.headers["allow"] == allowed
        asked = gateway.request("OPTIONS", path)
        assert asked.status == 204 and asked.headers["allow"] == f"{allowed}, OPTIONS"
    for path in ("/v1/responses/resp_1/output", "/v1/responses/resp_1/cancel/now", "/v1/responses/input_tokens", "/v1/responses/compact"):
        assert gateway.get(path).status == 404
    assert gateway.get("/v1/responses//cancel").status in (400, 405)


@pytest.mark.parametrize("mode", ["reset", "503", "429", "html"])
def test_RET_1_what_may_be_done_already_is_not_done_twice_and_by_nobody_else(fake, lab, mode):
    provider, gateway = fake
    provider.mode = mode
    before = lab.last()
    for method, tail in (("DELETE", ""), ("POST", "/cancel")):
        reply = gateway.request(method, f"/v1/responses/resp_fake-1{tail}", headers={"x-request-id": method})
        assert reply.status in (429, 502, 503)
        assert provider.count(method) == 1 == len(gateway.row_of(method)["attempts"])
    assert gateway.get("/v1/responses/resp_fake-1").status in (429, 502, 503)
    assert provider.count("GET") == 3  # reading does no harm
    provider.mode = "ok"
    assert gateway.get("/v1/responses/resp_fake-1").status == 200  # a failed DELETE forgets nothing
    assert lab.last() == before


def test_RET_1_what_nobody_has_read_is_sent_again(fake):
    provider, gateway = fake
    provider.shutdown()
    provider.server_close()
    reply = gateway.request("DELETE", "/v1/responses/resp_fake-1", headers={"x-request-id": "unsent"})
    assert reply.status == 502
    attempts = gateway.row_of("unsent")["attempts"]
    assert len(attempts) == 3 and all("connect_error" in attempt for attempt in attempts)


def test_AG_5_what_the_provider_says_of_a_response_is_passed_on(fake):
    provider, gateway = fake
    provider.mode = "failed"
    reply = gateway.get("/v1/responses/resp_fake-1")
    assert reply.status == 200 and reply.body.startswith(b'{"id":"resp_fake-1", "status":"failed"')
    assert provider.count("GET") == 1
    provider.mode = "404"
    reply = gateway.get("/v1/responses/resp_fake-1")
    assert reply.status == 404 and reply.error["message"] == "No."
    assert provider.count("GET") == 2
    provider.mode = "plain 404"
    reply = gateway.get("/v1/responses/resp_fake-1")
    assert reply.status == 404 and "'fake' answered with status 404" in reply.error["message"]
    assert provider.count("GET") == 3
    provider.mode = "401"
    reply = gateway.get("/v1/responses/resp_fake-1")
    assert reply.status == 502 and "refused the key" in reply.error["message"]
    provider.mode = "none"
    assert gateway.request("DELETE", "/v1/responses/resp_fake-1").status == 204
    assert gateway.get("/v1/responses/resp_fake-1").status == 404
    assert provider.count("GET") == 4


def test_a_reply_beyond_the_limit_is_refused(fake):
    provider, gateway = fake
    provider.mode = "large"
    assert gateway.request("POST", "/v1/responses/resp_fake-1/cancel").status == 502


def test_DISC_1_a_client_that_leaves_ends_the_call(fake):
    provider, gateway = fake
    provider.mode = "hang"
    connection = socket.create_connection(gateway.address)
    connection.sendall(b"GET /v1/responses/resp_fake-1 HTTP/1.1\r\nHost: t\r\nx-request-id: left\r\n\r\n")
    eventually(lambda: provider.count("GET") == 1, 5, "the call")
    connection.close()
    eventually(lambda: provider.count("gone") == 1, 5, "the end of the call")
    row = gateway.row_of("left")
    assert row["outcome"] == "client_closed" and row["status"] == 499 and len(row["attempts"]) == 1
