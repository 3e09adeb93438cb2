"""The questions asked of every contender, and the goals of the answers."""

from dataclasses import dataclass

JSON_BYTES = 1200      # mock_answers.h: kChatBodyBytes
STREAM_EVENTS = 62     # events of a whole stream when usage was asked for
METERED_EVENTS = 61    # ... when it was not
SSE_INTERVAL_US = 10_000


@dataclass(frozen=True)
class Goal:
    against: str       # the contender it is measured against
    at_most: float     # ratio of CPU cost (or of the latency, for latency goals)
    moonshot: float = 0
    of: str = "sluice"


@dataclass(frozen=True)
class Load:
    """One load on every contender in turn; cost is CPU time per request or per event."""
    name: str
    title: str
    contenders: tuple
    flags: tuple
    wiring: str = "plain"
    stream: bool = False
    events: int = STREAM_EVENTS
    goals: tuple = ()
    added: bool = False    # also tell the latency added to direct
    window_s: float = 0    # where the usual window would see too little
    rounds: int = 0

    def load_flags(self, contender):
        flags = list(self.flags)
        if self.stream:
            flags.append("--stream")
            flags += ["--include-usage"] if self.events == STREAM_EVENTS else []
            # A paced stream lasts 0.6 s; spread the starts so that not all events fall together.
            flags += ["--stagger", 0.6]
            if contender.exact_body:
                flags += ["--expect-events", self.events]
        elif contender.exact_body:
            flags += ["--expect-bytes", JSON_BYTES]
        for header in contender.request_headers():
            flags += ["--header", header]
        if contender.wiring == "tls_both":
            flags.append("--tls")
        return flags


LEAN = ("direct", "nginx", "haproxy", "sluice", "keyed")
ADDED = ("direct", "nginx", "sluice")
SLOW = ("--mode", "rate", "--connections", 64, "--model", "bench-slow")
PEERS = ("nginx", "sluice", "portkey", "litellm")

LOADS = (
    Load("json", "buffered chat, 64 connections", LEAN, ("--connections", 64),
         goals=(Goal("nginx", 0.85, 0.70), Goal("sluice", 1.10, of="keyed"))),
    Load("rate", "buffered chat, 3,000 requests/s", LEAN,
         ("--mode", "rate", "--rate", 3000, "--connections", 64), added=True),
    Load("slow1", "upstream of 10 ms, 1 request/s", ADDED, (*SLOW, "--rate", 1), added=True,
         window_s=15, rounds=3),
    Load("slow100", "upstream of 10 ms, 100 requests/s", ADDED, (*SLOW, "--rate", 100), added=True),
    Load("slow1000", "upstream of 10 ms, 1,000 requests/s", ADDED, (*SLOW, "--rate", 1000),
         added=True),
    Load("sse300", "SSE with usage, 300 streams", LEAN, ("--connections", 300), stream=True,
         goals=(Goal("nginx", 0.95, 0.85),)),
    Load("sse500", "SSE with usage, 500 streams", LEAN, ("--connections", 500), stream=True,
         goals=(Goal("nginx", 0.95, 0.85),)),
    Load("metered", "SSE, usage asked by the gateway only, 300 streams", LEAN,
         ("--connections", 300), stream=True, events=METERED_EVENTS,
         goals=(Goal("nginx", 0.95, 0.85),)),
    Load("tls", "buffered chat, TLS upstream, 64 connections", ("nginx", "haproxy", "sluice"),
         ("--connections", 64), wiring="tls_up", goals=(Goal("nginx", 0.95, 0.85),)),
    Load("peers", "buffered chat, 16 connections", PEERS, ("--connections", 16),
         goals=(Goal("portkey", 1 / 45),)),
    Load("peers_rate", "buffered chat, 100 requests/s", PEERS,
         ("--mode", "rate", "--rate", 100, "--connections", 64)),
    Load("peers_sse", "SSE with usage, 16 streams", PEERS, ("--connections", 16), stream=True),
)


@dataclass(frozen=True)
class Hold:
    """Open, idle connections: resident memory for each."""
    name: str
    title: str
    count: int
    flags: tuple
    wiring: str
    goal_kb: float
    moonshot_kb: float = 0
    contenders: tuple = ("nginx", "haproxy", "sluice")


HOLDS = (
    Hold("idle_streams", "open idle streams, plain", 5000, ("--stream", "--model", "bench-idle"),
         "plain", 4, 3),
    Hold("idle_streams_tls", "open idle streams, TLS both sides", 5000,
         ("--stream", "--model", "bench-idle"), "tls_both", 40),
    Hold("idle_keepalive", "idle keep-alive connections", 10000, (), "plain", 2),
)

START_CONTENDERS = ("nginx", "haproxy", "sluice", "portkey", "litellm")
START_GOAL_MS = 100
IDLE_RSS_GOAL_MB = 20
MODES = tuple(load.name for load in LOADS) + tuple(hold.name for hold in HOLDS) + ("start",)
