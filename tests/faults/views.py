"""The other two views of a campaign, the ledger's and the labs', and whether all three agree."""

import json
import sqlite3
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # base/id.h
# Attempts that end so have not reached an upstream (routing/failure_class.cc: state N).
NEVER_SENT = {"dns_error", "connect_error", "connect_timeout", "tls_error", "pool_timeout"}
ROW_PATIENCE_S = 30
COLUMNS = (
    "key, request_tail, client_request_id, started_micros, status, result, outcome, provider, stream, "
    "plain_input + cache_read + cache_write + cache_write_1h AS input, visible_output + reasoning AS output, "
    "usage_source, cost, attempts_cost, attempts_unknown, duration, upstream, overhead, attempts, error"
)
REPORTED, ESTIMATED = 1, 2


def request_id(key, tail):
    number = (key << 64) | (tail & (2**64 - 1))
    return "req_" + "".join(DIGITS[(number >> shift) & 31] for shift in range(125, -1, -5))


@dataclass(slots=True)
class Row:
    """One exchange as the ledger has it; cost in nano-dollars, times in microseconds."""

    request_id: str
    name: str
    started: int
    status: int
    result: str
    outcome: str
    provider: str
    input: int
    output: int
    usage_source: int
    cost: int | None  # of all attempts
    attempts_cost: int  # the part of those that failed
    attempts_unknown: int  # failed attempts that may have cost more
    duration: int
    overhead: int
    attempts: list  # [target, outcome, status, microseconds], then what a failed one spent (telemetry/row.cc)
    error: str | None


def ledger_rows(path, prefix):
    """{client's name: row} of the requests whose names begin so; and how many names occur twice."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as ledger:
        ledger.row_factory = sqlite3.Row
        ledger.execute("BEGIN")
        names = dict(ledger.execute("SELECT id, text FROM name").fetchall())
        found = ledger.execute(
            f"SELECT {COLUMNS} FROM exchange WHERE client_request_id GLOB ? ORDER BY key", (f"{prefix}-*",)
        ).fetchall()
    rows, twice = {}, 0
    for line in found:
        attempts = json.loads(line["attempts"] or "[]")
        name = line["client_request_id"]
        twice += name in rows
        rows[name] = Row(
            request_id(line["key"], line["request_tail"]), name, line["started_micros"], line["status"],
            names.get(line["result"], line["result"]), names.get(line["outcome"], line["outcome"]),
            names.get(line["provider"], line["provider"]), line["input"], line["output"], line["usage_source"],
            line["cost"], line["attempts_cost"], line["attempts_unknown"], line["duration"], line["overhead"], attempts, line["error"],
        )
    return rows, twice


def wait_for_rows(path, prefix, count):
    """As ledger_rows(), once there are so many: the ledger is written behind the answers."""
    end = time.monotonic() + ROW_PATIENCE_S
    while True:
        rows, twice = ledger_rows(path, prefix)
        if len(rows) >= count or time.monotonic() > end:
            return rows, twice
        time.sleep(0.2)


def lab_records(lab, since=0):
    """What the lab finished after record number `since`, oldest first."""
    records = []
    while True:
        lines = lab.get(f"/lab/requests?since={since}").text.splitlines()
        if not lines:
            return records
        records += map(json.loads, lines)
        since = records[-1]["seq"]


@dataclass
class Agreement:
    """What the three views say of the same requests."""

    clients: int = 0
    rows: int = 0
    calls: int = 0  # finished at the labs
    attempts: int = 0  # of the ledger, those that reached an upstream
    billed: int = 0  # answered whole: compared to the token and the nano-dollar
    tokens: int = 0
    cost_nanos: int = 0
    estimated: int = 0  # broken or left streams: the ledger says `estimated`
    tokens_estimated: int = 0
    tokens_sent: int = 0  # of those streams, by the labs
    attempts_paid: int = 0  # that failed and had told their usage
    attempts_tokens: int = 0
    attempts_nanos: int = 0
    attempts_unknown: int = 0  # that failed and may have cost something
    unseen_tokens: int = 0  # output of attempts that failed before the client saw content
    faults: Counter = field(default_factory=Counter)
    examples: dict = field(default_factory=dict)

    def blame(self, what, example):
        self.faults[what] += 1
        self.examples.setdefault(what, example)

    def add(self, other):
        for name in ("clients", "rows", "calls", "attempts", "billed", "tokens", "cost_nanos", "estimated",
                     "tokens_estimated", "tokens_sent", "attempts_paid", "attempts_tokens", "attempts_nanos",
                     "attempts_unknown", "unseen_tokens"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults.update(other.faults)
        for what, example in other.examples.items():
            self.examples.setdefault(what, example)


def reached(row):
    """Attempts of this row that an upstream may have seen."""
    if not row.attempts:
        return int(bool(row.provider)) if row.result != "blocked" else 0
    return sum(attempt[1] not in NEVER_SENT for attempt in row.attempts)


def compare(seen, rows, twice, records, bills=True):
    """`records`: all that the labs finished. `bills`: the labs told their usage truly, so it must be charged so."""
    agreement = Agreement(clients=len(seen), rows=len(rows))
    if twice:
        agreement.blame("requests with two ledger rows", twice)
    calls = defaultdict(list)
    ids = {row.request_id for row in rows.values()}
    for record in records:
        calls[record["x_request_id"]].append(record)
        if record["x_request_id"] not in ids:
            agreement.blame("upstream calls without a ledger row", record)
    for one in seen:
        row = rows.get(one.name)
        if row is None:
            agreement.blame("requests without a ledger row", one)
            continue
        compare_one(agreement, one, row, calls[row.request_id], bills)
    return agreement


def compare_one(agreement, one, row, calls, bills):
    agreement.calls += len(calls)
    agreement.attempts += reached(row)
    if len(calls) > reached(row):
        agreement.blame("more upstream calls than attempts in the ledger", (one, row, calls))
    whole = row.result in ("ok", "fallback_ok")
    if one.end != "left" and whole != one.good:
        agreement.blame("client and ledger disagree about success", (one, row))
    if one.end != "left" and one.status not in (0, row.status):
        agreement.blame("client and ledger disagree about the status", (one, row))
    served = calls[-1:]
    if whole:  # a lab may have finished an answer that the gateway had to refuse: the last one counts
        served = [call for call in calls if call["end"] == "completed" and call["provider"] == row.provider][-1:]
    agreement.unseen_tokens += sum(call["completion_tokens"] for call in calls) - sum(
        call["completion_tokens"] for call in served
    )
    if bills:
        compare_attempts(agreement, row, calls)
    if whole and bills:
        compare_bill(agreement, one, row, served)
    elif row.usage_source == ESTIMATED:
        agreement.estimated += 1
        agreement.tokens_estimated += row.output
        agreement.tokens_sent += sum(call["completion_tokens"] for call in served)


def compare_attempts(agreement, row, calls):
    """What a failed attempt told of its usage is what its lab has in its books."""
    agreement.attempts_unknown += row.attempts_unknown
    left = [(call["provider"], call["prompt_tokens"], call["completion_tokens"], call["cost_nanos"]) for call in calls]
    for target, _, _, _, *spent in row.attempts:
        if not spent or spent[0] != REPORTED:
            continue
        _, tokens_in, tokens_out, cost = spent
        agreement.attempts_paid += 1
        agreement.attempts_tokens += tokens_in + tokens_out
        agreement.attempts_nanos += cost or 0
        entry = (target.split("/")[0], tokens_in, tokens_out, cost)
        if entry in left:
            left.remove(entry)
        else:
            agreement.blame("failed attempts that no lab has in its books", (row, calls))


def compare_bill(agreement, one, row, served):
    if len(served) != 1:
        agreement.blame("answers that no single upstream call explains", (one, row, served))
        return
    call = served[0]
    agreement.billed += 1
    agreement.tokens += row.input + row.output
    cost = None if row.cost is None else row.cost - row.attempts_cost
    agreement.cost_nanos += cost or 0
    if (row.input, row.output) != (call["prompt_tokens"], call["completion_tokens"]):
        agreement.blame("tokens of ledger and lab differ", (row, call))
    if cost != call["cost_nanos"]:
        agreement.blame("cost of ledger and lab differ", (row, call))
    if one.usage is not None and one.usage != (row.input, row.output):
        agreement.blame("tokens of client and ledger differ", (one, row))
