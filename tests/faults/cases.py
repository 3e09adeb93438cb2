"""The cases of the campaign: which upstream fails how, what is asked of it, and what must come out.

Names U* and goals G* are the project's own catalogue of faults and figures; docs/reliability.md explains them.
"""

from dataclasses import dataclass
from functools import partial

import judges
import sick
from driver import Load
from stage import CONNECT_S, FIRST_BYTE_S, REFUSING, SLOW

WELL = ()
STREAMED = 1.0
HALF = 0.5


@dataclass(frozen=True)
class Case:
    name: str
    what: str
    goal: str
    faults: tuple  # of the three labs
    load: Load
    judge: object  # of judges.py: (played) -> judges.Verdict
    settings: tuple = ()  # of the gateway, ((key, value), ...)
    bills: bool = True  # the upstreams tell their usage truly, so that sums must be equal


def everywhere(*faults):
    return (faults, faults, faults)


def spread(requests, **more):
    return Load("spread", requests, **more)


# 5 % of all calls, on all three: fails before any content, so that nobody needs to notice.
BEFORE_CONTENT = (
    ("U9", "accepts, never answers", ("silent",), HALF),
    ("U13", "resets before the first byte", ("reset",), HALF),
    ("U23", "200 with an error object", ("error-200",), 0.0),
    ("U24", "200, first event is an error", ("overloaded-after-0",), STREAMED),
    ("U27", "garbage or half a JSON object", ("garbage-200", "cut-json-200"), 0.0),
    ("U28", "429 with Retry-After: 1", ("status-429-retry-1",), HALF),
    ("U31", "503 and 529", ("status-503", "status-529"), HALF),
)

# The prompt is counted and told before the failure: it has its price.
PAID = ("usage-first+overloaded-after-0", "usage-first+reset-after-0", "usage-cumulative+error-after-0")

# 30 % of all streams, on all three: fails when the client has seen content.
IN_THE_MIDDLE = (
    ("U12", "stalls", "stall-after-10"),
    ("U14", "resets", "reset-after-10"),
    ("U15", "ends properly, without its end", "end-after-10"),
    ("U15b", "closes in order, without its last chunk", "close-after-10"),
    ("U16", "half an event, then closes", "half-after-10"),
    ("U25", "an error event", "error-after-10"),
)

# Other failures before content.
OTHER_FAILURES = (
    ("U10", "head one byte at a time", ("slow-head-50",)),
    ("U26", "200 with HTML or nothing", ("html-200", "empty-200")),
    ("U29", "429 with a strange Retry-After", ("status-429-retry-past", "status-429-retry-negative",
                                              "status-429-retry-garbage")),
    ("U32", "500 and an HTML 502", ("status-500", "html-502")),
    ("U35", "redirect to a private address", ("redirect",)),
    ("U40", "two lengths, bad chunk, no HTTP", ("both-lengths", "two-lengths", "bad-chunk", "garbage-head")),
    ("U41", "10,000 reply headers", ("many-headers",)),
    ("U42", "unasked 101, 204 with a body, a thousand 100s", ("switching-101", "body-204", "many-1xx")),
    ("U43", "closes the idle connection", ("idle-close-0", "idle-close-5")),
    ("head", "a head, then nothing", ("head-only",)),
)

# Strange, but every answer is there: all must arrive whole, and be charged right.
STRANGE = (
    ("U11", "slow bodies", ("interval-5",)),
    ("U18", "every byte by itself", ("single-bytes",)),
    ("U19", "comments, CR, BOM, other fields", ("comments", "cr", "bom", "other-fields", "no-space", "two-lines")),
    ("U21", "two [DONE], events behind it", ("two-dones", "data-after-done")),
    ("U46", "usage twice or cumulative", ("usage-twice", "usage-cumulative", "usage-first")),
    ("code", "gzip, br, zstd unasked", ("gzip", "br", "zstd", "deflate")),
)

# Answers that are damaged: explicit or whole, never silently cut. With the share of the calls, in percent.
DAMAGED = (
    ("U17", "broken JSON in one event", ("bad-json-after-5",), 20),
    ("U20", "an event of 20 MB", ("oversized-after-5",), 6),
    ("U38", "Content-Length too long", ("length-long",), 20),
    ("U39", "Content-Length too short", ("length-short",), 20),
)

# Every answer is there, and what it says of its usage is missing or nonsense.
FALSE_USAGE = ("usage-absent", "usage-null", "usage-negative", "usage-huge", "usage-text")


def shared(faults, percent):
    """--fault values: together so many percent."""
    each = int(1e4 * percent / len(faults)) / 1e4
    return tuple(f"{fault}={each}%" for fault in faults)


def mix_of(faults, percent):
    return everywhere(*shared(faults, percent))


def cases(base):
    """All of them, for a campaign whose largest case has `base` requests."""
    some, few = max(base // 12, 400), max(base // 200, 200)
    yield from outages(base)
    yield from unreachable(max(base // 20, 400))
    yield from before_content(some, base)
    yield from mid_stream(max(base // 50, 200))
    yield from catalogue(few)
    yield from limits(few)
    yield from behaviours(base)


def outages(base):
    yield Case("down", "1 of 3 refuses connections", "G1", (WELL, WELL, REFUSING), spread(base, streamed=0.05),
               judges.success(99.99))
    for fault, status in (("status-503", 503), ("status-529", 529)):
        yield Case(str(status), f"1 of 3 always answers {status}", "G2", (WELL, WELL, (fault,)),
                   spread(base // 5, streamed=0.05), judges.success(99.9))
    yield Case("half", "1 of 2 fails every other call", "G4", (WELL, ("status-500=50%",), WELL),
               Load("pair", 0, streamed=0.05, rate=1000, seconds=15), judges.success(99.5, after_s=5))


# One of three, where TLS is expected.
BAD_TLS = (
    ("U6-date", "shows a certificate that has expired", partial(sick.Certified, words=("-days", "-1"))),
    ("U6-name", "shows the certificate of another host", partial(sick.Certified, names="DNS:elsewhere.example")),
    ("U6-ca", "shows a certificate of an unknown authority", partial(sick.Certified, foreign=True)),
    ("U6-plain", "speaks no TLS where it should", sick.Plain),
)


def unreachable(some):
    """One of three, all the time; of most nothing is ever sent."""
    connect_s, first_byte_s = CONNECT_S * SLOW, FIRST_BYTE_S * SLOW
    hidden = judges.success(99.99)
    yield Case("U2", "1 of 3 is a black hole: packets are dropped", "G3", (WELL, WELL, sick.Swallowing),
               spread(some * 4, streamed=HALF), judges.named(judges.ejected(99.9, connect_s), c="connect_timeout"))
    yield Case("mute", "1 of 3 accepts all and never answers", "G3", (WELL, WELL, sick.Mute),
               spread(max(some * 10, 30_000), streamed=HALF),
               judges.named(judges.ejected(99.9, first_byte_s), c="first_byte_timeout"))
    yield Case("U7", "1 of 3 accepts and never shakes hands (TLS)", "G3", (WELL, WELL, sick.MuteInHandshake),
               spread(some * 4, streamed=HALF), judges.named(judges.ejected(99.9, connect_s), c="connect_timeout"))
    yield Case("U3", "1 of 3 has a name without an address", "G1", (WELL, WELL, sick.Nameless),
               spread(some, streamed=HALF), judges.named(hidden, c="dns_error"))
    for name, what, bad in BAD_TLS:
        yield Case(name, f"1 of 3 {what}", "G1", (WELL, WELL, bad), spread(some, streamed=HALF),
                   judges.named(hidden, c="tls_error"))
    yield Case("tls", "1 of 3 shows a good certificate", "whole", (WELL, WELL, sick.Certified),
               spread(some, streamed=HALF), judges.serving(judges.visible_errors(0.0)))


def refusing(weight):
    """Settings: of 1,000 requests so many go to an address first where nobody listens."""
    nobody = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "api_key": "none"}
    targets = [{"target": f"{name}/chat", "weight": 1000 - weight} for name in "abc"]
    targets += [{"target": f"none-{name}/chat", "weight": weight} for name in "abc"]
    return (
        ("providers", {f"none-{name}": nobody for name in "abc"}),
        ("routes", {"spread": {"strategy": "weighted", "targets": targets}}),
    )


def before_content(some, base):
    yield Case("U1", "5 %: refuses the connection", "G5", everywhere(), spread(some, streamed=HALF),
               judges.visible_errors(0.1), refusing(50))
    for name, what, faults, streamed in BEFORE_CONTENT:
        yield Case(name, f"5 %: {what}", "G5", mix_of(faults, 5), spread(some, streamed=streamed),
                   judges.visible_errors(0.1))
    yield Case("paid", "5 %: tells its usage, then fails", "G5", mix_of(PAID, 5), spread(some, streamed=STREAMED),
               judges.paid(judges.visible_errors(0.1)))
    mixed = [faults[0] for _, _, faults, _ in BEFORE_CONTENT]
    percent = 5 * len(mixed) / (len(mixed) + 1)
    yield Case("mix", "5 %: all of these together", "G5", mix_of(mixed, percent), spread(base // 5, streamed=HALF),
               judges.visible_errors(0.1), refusing(6))


def mid_stream(streams):
    for name, what, fault in IN_THE_MIDDLE:
        yield Case(name, f"30 % of streams: {what}", "G6", mix_of((fault,), 30), spread(streams, streamed=STREAMED),
                   judges.explicit)


def catalogue(few):
    for name, what, faults in OTHER_FAILURES:
        yield Case(name, f"5 %: {what}", "hidden", mix_of(faults, 5), spread(few, streamed=HALF),
                   judges.visible_errors(1.0))
    for name, what, faults in STRANGE:
        yield Case(name, f"all: {what}", "whole", mix_of(faults, 100), spread(few, streamed=HALF),
                   judges.visible_errors(0.0))
    for name, what, faults, percent in DAMAGED:
        yield Case(name, f"{percent} %: {what}", "explicit", mix_of(faults, percent), spread(few, streamed=HALF),
                   judges.explicit, bills=False)
    yield Case("U45", "all: usage missing, negative, huge, text", "whole", mix_of(FALSE_USAGE, 100),
               spread(few, streamed=HALF), judges.visible_errors(0.0), bills=False)


TOTAL_S = 3.0


def limits(few):
    """Answers that would never end, or would never fit."""
    yield Case("U8", "TLS that is cut without a word, on all", "G6", (sick.Cutting,) * 3,
               spread(few * 2, streamed=STREAMED), judges.explicit)
    yield Case("U22", "10 % of streams never end", "G6", mix_of(("endless+interval-5",), 10),
               spread(few, streamed=STREAMED), judges.within(judges.explicit, TOTAL_S * SLOW),
               (("timeouts", {"total": f"{int(TOTAL_S * 1000 * SLOW)}ms"}),))
    yield Case("U37", "1 of 3 answers 10 MB that unpack to 10 GB", "hidden", (WELL, WELL, sick.Bomb),
               spread(few, connections=8, streamed=HALF),
               judges.slender(judges.named(judges.visible_errors(1.0), c="upstream_bad_reply")))


def behaviours(base):
    seconds = 25 if base >= 20000 else 6
    yield Case("storm", "everything answers 503", "G8", everywhere("status-503"),
               spread(0, rate=400, seconds=seconds, streamed=0.1), judges.amplification)
    yield Case("fallback", "5 % answer 503, 300 requests/s", "G7", everywhere("status-503=5%"),
               spread(max(base // 20, 600), rate=300), judges.fallback_time)
    yield Case("left", "1 of 5 clients leaves in mid-stream", "DISC-1", everywhere("interval-3"),
               spread(max(base // 50, 200), streamed=STREAMED, leaving=0.2), judges.left)


def short(requests):
    """The short form of unreachable() and limits(): two of three are sick at once, and waits are short."""
    expired, elsewhere, foreign = (bad for _, _, bad in BAD_TLS[:3])
    few = Load("spread", requests, connections=16, streamed=HALF)
    impatient = (("timeouts", {"connect": "500ms", "first_byte": "500ms"}),)

    def hidden(*sick_ones, **expected):
        return Case("sick", "", "G3", (WELL, *sick_ones), few, judges.named(judges.success(100), **expected), impatient)

    return {
        "black holes": hidden(sick.Swallowing, sick.Mute, b="connect_timeout", c="first_byte_timeout"),
        "no handshake, no TLS": hidden(sick.MuteInHandshake, sick.Plain, b="connect_timeout", c="tls_error"),
        "no address, out of date": hidden(sick.Nameless, expired, b="dns_error", c="tls_error"),
        "another's certificate": hidden(elsewhere, foreign, b="tls_error", c="tls_error"),
        "cut TLS": Case("cut", "", "G6", (sick.Cutting,) * 3, spread(requests, streamed=STREAMED), judges.explicit),
        "endless": Case("endless", "", "G6", mix_of(("endless+interval-20",), 20), spread(48, streamed=STREAMED),
                        judges.within(judges.explicit, 1.0), (("timeouts", {"total": "1s"}),)),
        "bomb": Case("bomb", "", "", (WELL, WELL, sick.Bomb), Load("spread", 30, connections=4, streamed=HALF),
                     judges.slender(judges.named(judges.success(100), c="upstream_bad_reply"))),
    }


def mixtures(requests):
    """The short form: every class once, in a few mixtures."""
    before = [fault for _, _, faults, _ in BEFORE_CONTENT for fault in faults]
    before += [fault for _, _, faults in OTHER_FAILURES for fault in faults]
    middle = [fault for _, _, fault in IN_THE_MIDDLE]
    strange = [fault for _, _, faults in STRANGE for fault in faults]
    damaged = [fault for _, _, faults, _ in DAMAGED for fault in faults if fault != "oversized-after-5"]
    return {
        "before content": Case("before", "", "G5", mix_of(before, 10), spread(requests, streamed=HALF),
                               judges.visible_errors(1.0)),
        "paid for": Case("paid", "", "G5", mix_of(PAID, 5), spread(requests // 2, streamed=STREAMED),
                         judges.paid(judges.visible_errors(1.0))),
        "in the middle": Case("middle", "", "G6", mix_of(middle, 30), spread(requests // 2, streamed=STREAMED),
                              judges.explicit),
        "strange": Case("strange", "", "whole", mix_of(strange, 100), spread(requests // 2, streamed=HALF),
                        judges.visible_errors(0.0)),
        "false usage": Case("usage", "", "whole", mix_of(FALSE_USAGE, 100), spread(requests // 8, streamed=HALF),
                            judges.visible_errors(0.0), bills=False),
        "damaged": Case("damaged", "", "explicit", mix_of(damaged, 20), spread(requests // 4, streamed=HALF),
                        judges.explicit, bills=False),
    }
