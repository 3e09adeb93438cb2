"""A gateway with every kind of provider behind it, each a face of the same lab."""

from harness import Gateway, eventually, merged

# Dollars per million tokens; the same as the lab's own meter asks.
PRICES = {
    "chat": {"input": 1, "output": 4, "cached_input": 0.1},
    "tools": {"input": 1, "output": 4, "cached_input": 0.1},
    "claude": {"input": 3, "output": 15, "cached_input": 0.3},
}
# What is put before a model of the lab to ask for it at each provider.
TARGETS = {
    "openai": "oai/",
    "anthropic": "ant/",
    "portkey": "pk/@lab/lab/",
    "openrouter": "or/lab/",
    "cortex": "cx/",
}
EVERY_ENDPOINT = ["chat", "completions", "embeddings", "responses"]
# Every failure counts as the first: what a test asks must not hang on what others asked before.
CALM = {
    "attempts": 3,
    "backoff_base": "1ms",
    "backoff_cap": "2ms",
    "retry_reserve": 100000,
    "breaker": {"failures": 10000, "rate": "100%", "min_requests": 1000000},
}


def providers(url):
    """By name; all reached below the lab's address `url`."""
    faults = {"pass_headers": ["x-lab-fault", "x-lab-key"]}
    return {
        "oai": {"kind": "openai", "base_url": f"{url}/v1", "api_key": "openai-key-1111", "speaks": EVERY_ENDPOINT, **faults},
        # An OpenAI-compatible server that knows Chat alone, as most do.
        "old": {"kind": "openai", "base_url": f"{url}/v1", "api_key": "old-key-2222", "speaks": ["chat"], **faults},
        "ant": {"kind": "anthropic", "base_url": f"{url}/anthropic", "api_key": "anthropic-key-3333", **faults},
        "pk": {"kind": "portkey", "base_url": f"{url}/portkey/v1", "api_key": "portkey-key-4444", **faults},
        "or": {"kind": "openrouter", "base_url": f"{url}/openrouter/api/v1", "api_key": "sk-or-key-5555", **faults},
        "cx": {"kind": "cortex", "base_url": f"{url}/snowflake", "token": "pat-lab", **faults},
        "closed": {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "api_key": "k"},
    }


def prices():
    """Each model by the name each target has for it."""
    names = [target.split("/", 1)[1] for target in TARGETS.values()]
    return {name + model: price for name in names for model, price in PRICES.items()}


class Everywhere(Gateway):
    """All providers behind one gateway."""

    def __init__(self, folder, lab, settings=None, **more):
        base = {
            "providers": providers(lab.url),
            "prices": {"custom": prices()},
            "resilience": CALM,
            "ledger": {"flush_window": "5ms"},
        }
        super().__init__(folder, lab.url, merged(base, settings or {}), **more)

    def row_of(self, mark):
        """The ledger's row of the request that carried this x-request-id."""

        def found():
            return [row for row in self.rows() if row["client_request_id"] == mark]

        rows = eventually(found, 5, f"the row of {mark}")
        assert len(rows) == 1
        return rows[0]

    def id_of(self, row):
        """The request id that belongs to this row."""
        lines = eventually(lambda: self.logged(client_request_id=row["client_request_id"]), 5, "the access log's line")
        return lines[0]["request_id"]
