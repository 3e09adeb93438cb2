"""Medians, ratios and the Markdown table."""

import platform
import statistics
import sys
from datetime import date

import scenarios

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
COLUMNS = ("direct", "nginx", "haproxy", "sluice", "keyed", "portkey", "litellm")


def values(rounds, name, key):
    """`key` of one contender over its undisturbed, unfailed rounds, by round number."""
    found = {}
    for number, results in enumerate(rounds):
        result = results.get(name)
        if result and not result["disturbed"] and result.get(key) is not None:
            found[number] = result[key]
    return found


def median(rounds, name, key):
    found = values(rounds, name, key)
    return statistics.median(found.values()) if found else None


def ratio(rounds, name, base, key):
    """Median over rounds of the quotient taken inside a round, and the number of rounds."""
    ours, theirs = values(rounds, name, key), values(rounds, base, key)
    quotients = [ours[n] / theirs[n] for n in ours if theirs.get(n)]
    return (statistics.median(quotients), len(quotients)) if quotients else (None, 0)


def difference(rounds, name, base, key):
    ours, theirs = values(rounds, name, key), values(rounds, base, key)
    found = [ours[n] - theirs[n] for n in ours if n in theirs]
    return statistics.median(found) if found else None


def number(value, digits=1):
    return "-" if value is None else f"{value:,.{digits}f}"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def ratio_digits(value):
    return 2 if value < 10 else 0


def cost_row(scenario, rounds):
    unit = "event" if scenario.stream else "request"
    cells = [f"{scenario.title}: CPU us/{unit} (ratio to nginx)"]
    for name in COLUMNS:
        cost = median(rounds, name, "cpu_us")
        share, _ = ratio(rounds, name, "nginx", "cpu_us")
        cells.append("-" if cost is None else
                     number(cost) + (f" ({share:.{ratio_digits(share)}f})" if share else ""))
    return row(cells + [verdict(scenario, rounds)])


def verdict(scenario, rounds):
    texts = []
    for goal in scenario.goals:
        share, count = ratio(rounds, goal.of, goal.against, "cpu_us")
        if goal.at_most >= 0.1:
            limit = ("" if goal.of == "sluice" else f"{goal.of} ") + f"<= {goal.at_most:.2f}x {goal.against}"
        else:
            limit = f"{1 / goal.at_most:.0f}x less than {goal.against}"
        if share is None:
            texts.append(f"{limit}: not measured")
            continue
        got = f"{share:.2f}" if goal.at_most >= 0.1 else f"{1 / share:.0f}x less"
        word = "moonshot reached" if share <= goal.moonshot else (
            "reached" if share <= goal.at_most else "missed")
        few = "" if count >= 5 else f", only {count} rounds"
        texts.append(f"{limit}: {got}, **{word}**{few}")
    return "; ".join(texts)


def simple_row(title, rounds, key, digits=0, goal=""):
    cells = [title] + [number(median(rounds, name, key), digits) for name in COLUMNS]
    return row(cells + [goal])


def not_worse(rounds, key):
    mine, nginx = median(rounds, "sluice", key), median(rounds, "nginx", key)
    if mine is None or nginx is None:
        return "no worse than nginx: not measured"
    share, _ = ratio(rounds, "sluice", "nginx", key)
    if share is None:
        return "no worse than nginx: no round with both"
    return f"no worse than nginx: {share:.2f}x, **{'reached' if share <= 1.0 else 'missed'}**"


def added_row(rounds, key, label, goal=False):
    cells = [f"... {label} added to direct, us"]
    added = {name: difference(rounds, name, "direct", key) for name in COLUMNS}
    cells += [number(added[name], 0) for name in COLUMNS]
    words = ""
    if goal and added["sluice"] is not None and added["nginx"] is not None:
        words = f"no worse than nginx: **{'reached' if added['sluice'] <= added['nginx'] else 'missed'}**"
    return row(cells + [words])


def latency_rows(scenario, rounds):
    rows = [simple_row("... p50, us", rounds, "p50_us"), simple_row("... p99, us", rounds, "p99_us")]
    if scenario.added:
        rows += [added_row(rounds, "p50_us", "p50", goal=scenario.name == "rate"),
                 added_row(rounds, "p99_us", "p99")]
    return rows


def load_rows(scenario, rounds):
    rows = [cost_row(scenario, rounds)]
    if scenario.stream:
        goal = not_worse(rounds, "first_p50_us") if "haproxy" in scenario.contenders else ""
        rows.append(simple_row("... time to first event p50, us", rounds, "first_p50_us", goal=goal))
        goal = not_worse(rounds, "content_p50_us") if "haproxy" in scenario.contenders else ""
        rows.append(simple_row("... time to first event with content p50, us", rounds,
                               "content_p50_us", goal=goal))
        rows.append(simple_row("... events in one client read (1: none were merged)", rounds,
                               "events_per_read", digits=2))
    elif "rate" in scenario.flags:
        rows += latency_rows(scenario, rounds)
    else:
        rows.append(simple_row("... requests/s", rounds, "per_second"))
    return rows


def within(value, limit, moonshot, unit):
    text = f"<= {limit:g} {unit}"
    if value is None:
        return text + ": not measured"
    word = "moonshot reached" if value <= moonshot else ("reached" if value <= limit else "missed")
    return f"{text}: **{word}**"


def hold_row(hold, results):
    each = {name: r["kb_each"] for name, r in results.items()}
    cells = [f"{hold.count:,} {hold.title}: RSS KB each"]
    cells += [number(each.get(name), 2) for name in COLUMNS]
    return row(cells + [within(each.get("sluice"), hold.goal_kb, hold.moonshot_kb, "KB")])


def start_rows(results):
    rows = []
    for title, key, limit, unit in (
            ("start to first answer, ms", "first_answer_ms", scenarios.START_GOAL_MS, "ms"),
            ("idle RSS, MB", "idle_rss_mb", scenarios.IDLE_RSS_GOAL_MB, "MB")):
        found = {name: statistics.median(r[key]) for name, r in results.items() if r[key]}
        cells = [title] + [number(found.get(name)) for name in COLUMNS]
        rows.append(row(cells + [within(found.get("sluice"), limit, 0, unit)]))
    return rows


def faults(results):
    """What a reader must know before believing the table."""
    lines = []
    for name, rounds in results["loads"].items():
        visits = [r for round_ in rounds for r in round_.values()]
        disturbed = sum(r["disturbed"] for r in visits)
        kept = sum(r["kept"] for r in visits)
        wrong = {}
        for round_ in rounds:
            for contender, r in round_.items():
                if r["wrong"] or r["broken"]:
                    wrong[contender] = wrong.get(contender, 0) + r["wrong"] + r["broken"]
        if disturbed:
            lines.append(f"- {name}: {disturbed} of {len(visits)} visits disturbed and left out.")
        if kept:
            lines.append(f"- {name}: {kept} of {len(visits)} visits disturbed and counted all the same.")
        for contender, count in wrong.items():
            lines.append(f"- {name}: {contender} had {count} wrong or broken answers.")
    for name, reason in results["missing"].items():
        lines.append(f"- {name} not measured: {reason}")
    return lines


def render(results, options):
    lines = [f"Measured {date.today()} on {platform.machine()}, Linux {platform.release()}; "
             f"{options.rounds} rounds, {options.window:g} s window.", "",
             row(["measure", *COLUMNS, "goal for sluice"]),
             row(["---"] + ["---:"] * len(COLUMNS) + ["---"])]
    for scenario in scenarios.LOADS:
        if scenario.name in results["loads"]:
            lines += load_rows(scenario, results["loads"][scenario.name])
    for hold in scenarios.HOLDS:
        if hold.name in results["holds"]:
            lines.append(hold_row(hold, results["holds"][hold.name]))
    if results["start"]:
        lines += start_rows(results["start"])
    notes = faults(results)
    return "\n".join(lines + ([""] + notes if notes else [])) + "\n"


def write_into(path, text):
    """Replaces what stands between the markers; the page must have them."""
    page = path.read_text()
    if BEGIN not in page or END not in page:
        sys.exit(f"bench: {path} has no {BEGIN} ... {END}")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n{text}{END}{tail}")
