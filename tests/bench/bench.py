# SPDX-License-Identifier: Apache-2.0
"""How fast it is, in ratios measured in one run: ``make bench``.

    python tests/bench/bench.py [--quick] [--json FILE]

Every round visits every route, so that a noisy moment hits all alike; figures are medians over the
rounds, ratios medians of the ratios within a round. Prints a table, with verdicts on the goals.
Exits 0 whatever they are, and 1 when something could not be measured.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from decisions import DECISIONS, MORE_ATRS, MORE_ENTRIES, deciding
from decisions import PLAIN as DECIDING
from echo import SigningCard
from fixtures import EMPTY, LOCAL, REMOTE, tests_with_worlds
from in_process import PYSCARD, pyscard_latencies
from minidrivers import CALL, CERTIFICATION, calls, certification
from routes import (
    BARE_SIGNING,
    EMBEDDED,
    OURS,
    PLAIN,
    QUICK,
    SIGNING,
    TWIN,
    WORK,
    Routes,
    Unmeasurable,
    vreader,
)

from vreader.errors import VreaderError

APDU_ROUTES = (EMBEDDED, OURS, TWIN, QUICK, PLAIN)
RUN_TRUE, PYTHON = "vreader run -- true", "python -c pass"
FIRST, FIRST_PCSCD = "start to first APDU", "start to first APDU, --stack pcscd"
SIGN, BARE_CARD = "P-256 signature by a PIV card", "P-256 signature, a card that does no more"
BARE = "P-256 signature, cryptography alone"
PRESENT, ABSENT = "insert to event", "remove to event"


class Samples:
    """Nanoseconds measured: one list for each round."""

    def __init__(self) -> None:
        self.rounds: dict[str, list[list[int]]] = {}

    def add(self, name: str, values: list[int]) -> None:
        self.rounds.setdefault(name, []).append(sorted(values))

    def median(self, name: str, figure: Callable[[list[int]], float]) -> float:
        return statistics.median(figure(values) for values in self.rounds[name])

    def ratio(self, of: str, to: str, figure: Callable[[list[int]], float]) -> float:
        pairs = zip(self.rounds[of], self.rounds[to], strict=True)
        return statistics.median(figure(a) / figure(b) for a, b in pairs)


def p50(values: list[int]) -> float:
    return statistics.median(values)


def p99(values: list[int]) -> float:
    return values[min(len(values) - 1, int(len(values) * 0.99))]


def mean(values: list[int]) -> float:
    return statistics.fmean(values)


class Bench:
    """One run.

    Attributes:
        samples: what was measured.
        failures: (what, why) of what could not be.
    """

    def __init__(self, routes: Routes, *, quick: bool) -> None:
        self.routes = routes
        self.rounds = 3 if quick else 9
        self.count = 600 if quick else 3000
        self.runs = 20
        self.samples = Samples()
        self.failures = list(routes.failures)

    def run(self) -> None:
        for number in range(self.rounds):
            tasks = list(self._tasks(number))
            # Each round begins elsewhere: no route has the same neighbour's leftovers every time.
            for name, task in tasks[number % len(tasks) :] + tasks[: number % len(tasks)]:
                self._try(name, task)
            say(f"round {number + 1} of {self.rounds}")
        # Figures are compared within a round: half a row is none.
        complete = {k: v for k, v in self.samples.rounds.items() if len(v) == self.rounds}
        self.samples.rounds = complete

    def _try(self, name: str, task: Callable[[], dict[str, list[int]]]) -> None:
        if any(name == failed for failed, _ in self.failures):
            return  # said once
        try:
            measured = task()
        except (Unmeasurable, VreaderError) as error:
            self.failures.append((name, str(error)))
            return
        for what, values in measured.items():
            self.samples.add(what, values)

    def _tasks(self, number: int) -> Iterator[tuple[str, Callable[[], dict[str, list[int]]]]]:
        routes, count = self.routes, self.count
        for route in APDU_ROUTES:
            if route in routes.clients:
                yield route, lambda route=route: {route: routes.latencies(route, count)}
        yield PYSCARD, lambda: {PYSCARD: pyscard_latencies(count)}
        for work in WORK:
            name = beside(work)
            yield name, lambda name=name, work=work: {name: routes.latencies_beside(work, count)}

        some = count // 10
        yield SIGN, lambda: {SIGN: routes.signatures(SIGNING, some), BARE: bare_signatures(some)}
        yield BARE_CARD, lambda: {BARE_CARD: routes.signatures(BARE_SIGNING, some)}

        def events() -> dict[str, list[int]]:
            delays = routes.event_delays(10)
            return {PRESENT: delays["present"], ABSENT: delays["absent"]}

        yield PRESENT, events
        tests = 20 if count < 1000 else 60
        yield LOCAL, lambda: tests_with_worlds(tests)
        for name in DECISIONS:
            yield name, lambda name=name: {name: deciding(name)}
        yield CALL, lambda: {CALL: calls(some)}
        yield CERTIFICATION, lambda: {CERTIFICATION: certification()}
        runs = self.runs * (number + 1) // self.rounds - self.runs * number // self.rounds
        yield (
            RUN_TRUE,
            lambda: {RUN_TRUE: [wall(vreader("run", "--", "true")) for _ in range(runs)]},
        )
        yield PYTHON, lambda: {PYTHON: [wall([sys.executable, "-c", "pass"]) for _ in range(runs)]}
        yield FIRST, lambda: {FIRST: [self._first("embedded") for _ in range(3)]}
        if OURS in routes.clients:
            yield FIRST_PCSCD, lambda: {FIRST_PCSCD: [self._first("pcscd")]}

    def _first(self, stack: str) -> int:
        client = str(self.routes.client_program)
        command = vreader("run", "--stack", stack, "--card", "atr:3B80800101", "--", client)
        start = time.monotonic_ns()
        return int(output([*command, "once", ""])) - start


def bare_signatures(count: int) -> list[int]:
    """Nanoseconds of each of ``count`` P-256 signatures without reader and card."""
    sign, digest, took = SigningCard()._sign, bytes(range(32)), []
    for _ in range(count):
        start = time.perf_counter_ns()
        sign(digest)
        took.append(time.perf_counter_ns() - start)
    return took


def beside(work: str) -> str:
    return f"{EMBEDDED}, another card {work}"


def output(command: list[str]) -> str:
    try:
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=60
        ).stdout  # fmt: skip
    except FileNotFoundError:
        raise Unmeasurable(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Unmeasurable(f"{' '.join(command)}: no end after 60 s") from None
    except subprocess.CalledProcessError as error:
        raise Unmeasurable(f"{' '.join(command)}: {error.stderr.strip()}") from None


def wall(command: list[str]) -> int:
    start = time.monotonic_ns()
    output(command)
    return time.monotonic_ns() - start


# ---------------------------------------------------------------------- what comes of it


def table(samples: Samples) -> list[dict[str, object]]:
    """A row of figures, in microseconds, for each thing measured."""
    rows: list[dict[str, object]] = []
    for name, rounds in samples.rounds.items():
        row: dict[str, object] = {
            "name": name,
            "p50_us": samples.median(name, p50) / 1e3,
            "p99_us": samples.median(name, p99) / 1e3,
            "samples": sum(map(len, rounds)),
            "rounds_p50_us": [p50(values) / 1e3 for values in rounds],
        }
        if name in (*APDU_ROUTES, PYSCARD) or name.startswith(EMBEDDED):
            row["per_second"] = 1e9 / samples.median(name, mean)
        if name in DECISIONS:
            row["per_second"] = DECISIONS[name].decisions * 1e9 / samples.median(name, mean)
        if name in (*APDU_ROUTES, PYSCARD) and QUICK in samples.rounds:
            row["ratio_to_c_quick"] = samples.ratio(name, QUICK, p50)
        rows.append(row)
    order = [
        PYSCARD,
        *APDU_ROUTES,
        *map(beside, WORK),
        SIGN,
        BARE_CARD,
        BARE,
        PRESENT,
        ABSENT,
        FIRST,
        FIRST_PCSCD,
        RUN_TRUE,
        PYTHON,
        EMPTY,
        LOCAL,
        REMOTE,
        *DECISIONS,
        CALL,
        CERTIFICATION,
    ]
    return sorted(rows, key=lambda row: order.index(str(row["name"])))


def verdicts(samples: Samples) -> list[dict[str, object]]:
    """The goals that could be measured: what was asked, what was found, whether it is reached."""
    found: list[dict[str, object]] = []

    def goal(text: str, needs: tuple[str, ...], measure: Callable[[], float], unit: str,
             reached: Callable[[float], bool]) -> None:  # fmt: skip
        if all(name in samples.rounds for name in needs):
            value = measure()
            found.append({"goal": text, "measured": value, "unit": unit, "reached": reached(value)})

    goal(
        "pcscd, our card: p50 within 1.5 x the C quick-ACK echo card",
        (OURS, QUICK), lambda: samples.ratio(OURS, QUICK, p50), "x", lambda v: v <= 1.5,
    )  # fmt: skip
    goal(
        "pcscd, our card: at least 300 x the rate of a plain vpcd card",
        (OURS, PLAIN), lambda: samples.ratio(PLAIN, OURS, mean), "x", lambda v: v >= 300,
    )  # fmt: skip
    goal(
        "embedded: p50 below the C quick-ACK echo card behind pcscd",
        (EMBEDDED, QUICK), lambda: samples.ratio(EMBEDDED, QUICK, p50), "x", lambda v: v < 1,
    )  # fmt: skip
    goal(
        "a P-256 signature: at most 2 x cryptography alone, beside the round trip",
        (SIGN, BARE_CARD, BARE), lambda: signing_cost(samples), "x", lambda v: v <= 2,
    )  # fmt: skip
    goal(
        "vreader run -- true: below 200 ms",
        (RUN_TRUE,), lambda: samples.median(RUN_TRUE, p50) / 1e6, "ms", lambda v: v < 200,
    )  # fmt: skip
    for test, limit in ((LOCAL, 5), (REMOTE, 25)):
        goal(
            f"{test}: below {limit} ms more than an empty one",
            (test, EMPTY), lambda t=test: beside_empty(samples, t), "ms", lambda v, n=limit: v < n,
        )  # fmt: skip
    goal(
        "pairing: at least a million ATR x entry decisions a second",
        (DECIDING,), lambda: DECISIONS[DECIDING].decisions * 1e3 / samples.median(DECIDING, mean),
        "million", lambda v: v >= 1,
    )  # fmt: skip
    for more, what in ((MORE_ENTRIES, "entries"), (MORE_ATRS, "ATRs")):
        goal(
            f"pairing: 4 x the {what} in at most 6 x the time",
            (more, DECIDING), lambda m=more: samples.ratio(m, DECIDING, p50), "x", lambda v: v <= 6,
        )  # fmt: skip
    goal(
        "minidriver call: less than 1 ms beyond its APDUs",
        (CALL,), lambda: samples.median(CALL, p50) / 1e6, "ms", lambda v: v < 1,
    )  # fmt: skip
    goal(
        "PIV certification in process: below 60 s",
        (CERTIFICATION,), lambda: samples.median(CERTIFICATION, p50) / 1e9, "s", lambda v: v < 60,
    )  # fmt: skip
    return found


def beside_empty(samples: Samples, test: str) -> float:
    """How many milliseconds a test takes more than an empty one."""
    rounds = zip(samples.rounds[test], samples.rounds[EMPTY], strict=True)
    return statistics.median(p50(one) - p50(empty) for one, empty in rounds) / 1e6


def signing_cost(samples: Samples) -> float:
    """How many bare calls a card's signature costs beside an APDU's round trip.

    The round trip is measured with one bare call in it: a processor that waits for the card falls
    asleep, and waking it takes longer than an echo card lets it sleep.
    """
    rounds = zip(*(samples.rounds[name] for name in (SIGN, BARE_CARD, BARE)), strict=True)
    return 1 + statistics.median((p50(sign) - p50(one)) / p50(bare) for sign, one, bare in rounds)


def machine() -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def figure(microseconds: object) -> str:
    value = float(str(microseconds))
    return f"{value / 1000:.1f} ms" if value >= 1000 else f"{value:.1f} us"


def report(rows: list[dict[str, object]], goals: list[dict[str, object]]) -> str:
    lines = [f"{'':46}{'p50':>10}{'p99':>10}{'per s':>10}{'vs C quick':>12}{'samples':>9}"]
    for row in rows:
        rate = f"{row['per_second']:.0f}" if "per_second" in row else ""
        ratio = f"{row['ratio_to_c_quick']:.2f} x" if "ratio_to_c_quick" in row else ""
        lines.append(
            f"{row['name']:46}{figure(row['p50_us']):>10}{figure(row['p99_us']):>10}"
            f"{rate:>10}{ratio:>12}{row['samples']:>9}"
        )
    lines.append("")
    for verdict in goals:
        word = "reached" if verdict["reached"] else "MISSED"
        lines.append(f"{word:8} {verdict['goal']}: {verdict['measured']:.2f} {verdict['unit']}")
    return "\n".join(lines)


def say(text: str) -> None:
    """Progress, for people who look on."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure vreader against C programs.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, rougher figures")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE as well")
    arguments = parser.parse_args()
    before = machine()
    try:
        with Routes() as routes:
            bench = Bench(routes, quick=arguments.quick)
            bench.run()
    except (Unmeasurable, VreaderError) as error:
        print(f"bench: nothing can be measured: {error}", file=sys.stderr)
        return 1
    rows, goals = table(bench.samples), verdicts(bench.samples)
    print(report(rows, goals))
    for name, reason in bench.failures:
        print(f"bench: not measured: {name}: {reason}", file=sys.stderr)
    if arguments.json:
        told = {
            "machine": before,
            "quick": arguments.quick,
            "rounds": bench.rounds,
            "figures": rows,
            "verdicts": goals,
            "not_measured": [{"name": name, "reason": why} for name, why in bench.failures],
        }
        Path(arguments.json).write_text(json.dumps(told, indent=2) + "\n")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
