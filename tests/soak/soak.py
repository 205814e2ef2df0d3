# SPDX-License-Identifier: Apache-2.0
"""Hostile input for a long time: ``make soak``, or parts of it with options.

Each surface gets cases until its number of inputs or its time is used up; after each batch an
innocent client must complete a transaction. What is found is written to tests/corpus, where
``make test`` replays it for ever, and ends the run with exit code 1.
"""

import argparse
import hashlib
import json
import random
import secrets
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import crashes
import surfaces

CORPUS = Path(__file__).parents[1] / "corpus"
PROGRESS_S = 5.0
BATCH = 20  # cases between two innocent clients
ENOUGH = 10  # findings after which a surface is given up


class Run:
    """Counts, time and findings of one part."""

    def __init__(self, name: str, wanted: int, minutes: float) -> None:
        self.name = name
        self.wanted = wanted
        self.inputs = 0
        self.findings: list[str] = []
        self.started = self._told = time.monotonic()
        self._end = self.started + 60 * minutes

    @property
    def seconds(self) -> float:
        return max(time.monotonic() - self.started, 1e-9)

    def over(self) -> bool:
        """Whether the part has done enough."""
        return (
            self.inputs >= self.wanted
            or time.monotonic() >= self._end
            or len(self.findings) >= ENOUGH
        )

    def tick(self, inputs: int) -> None:
        """Count, and say every few seconds how far it is."""
        self.inputs += inputs
        if time.monotonic() - self._told >= PROGRESS_S:
            self._told = time.monotonic()
            print(f"[{self.seconds:5.0f} s] {self.row()}", flush=True)

    def find(self, what: str) -> None:
        """Note a finding."""
        self.findings.append(what)
        print(f"FOUND in {self.name}: {what}", flush=True)

    def row(self) -> str:
        rate = self.inputs / self.seconds
        return f"{self.name:<10}{self.inputs:>10}{rate:>10.0f}/s{len(self.findings):>10}"

    def finish(self) -> dict[str, object]:
        """Return the figures as they are printed and written."""
        seconds = self.seconds
        return {
            "surface": self.name,
            "inputs": self.inputs,
            "seconds": round(seconds, 1),
            "per_second": round(self.inputs / seconds, 1),
            "findings": self.findings,
        }


def fuzz(name: str, run: Run, seed: int, corpus: Path) -> None:
    """Feed one surface; a batch that harms is played again case by case, in a fresh one."""
    mutator = surfaces.seeded(seed, name)
    open_surface = surfaces.opener(name)
    while not run.over():
        with open_surface() as surface:
            bad = _feed(surface, mutator, run)
        if bad:
            _report(bad, open_surface, run, corpus)


def _feed(surface: surfaces.Surface, mutator: surfaces.Mutator, run: Run) -> list[bytes]:
    """Play batches until one harms or it is enough; return that batch, last case last."""
    while not run.over():
        batch: list[bytes] = []
        wrong: str | None = None
        try:
            for _ in range(BATCH):
                case, inputs = surface.case(mutator)
                batch.append(case)
                wrong = surface.play(case)
                run.tick(inputs)
                if wrong or surface.broken:
                    break
                if surface.name == "apdu":
                    surface.innocent()
            surface.innocent()
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong or surface.broken:
            print(f"{surface.name}: {wrong or surface.broken[0]}", flush=True)
            return batch
    return []


def _report(batch: list[bytes], open_surface: type, run: Run, corpus: Path) -> None:
    """Look for the single case that harms; without one, keep the last and say so."""
    for case in reversed(batch):
        with open_surface() as surface:
            wrong = surface.check(case)
        if wrong:
            run.find(f"{_keep(case, run.name, corpus)}: {wrong}")
            return
    kept = _keep(batch[-1], run.name, corpus)
    run.find(f"{kept}: the last of {len(batch)} cases, harmless when played alone")


def _keep(case: bytes, name: str, corpus: Path) -> str:
    path = corpus / name / f"{hashlib.sha256(case).hexdigest()[:12]}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(case)
    return str(path)


def collect(run: Run, findings: Iterable[str]) -> None:
    """Run a part that yields its findings."""
    try:
        for what in findings:
            run.find(what)
    except Exception as error:
        run.find(f"{type(error).__name__}: {error}")


NAMES = (*surfaces.NAMES, *(f"kill {kind}" for kind in crashes.WRITERS), "restart")


def main() -> int:
    """Run what is asked for; return the exit code."""
    options = _arguments()
    print(f"seed {options.seed}", flush=True)
    done = []
    for name in options.surface or NAMES:
        if name.startswith("kill "):
            run = Run(name, options.kills, options.minutes)
            chance = random.Random(f"{options.seed} {name}")
            kind = name.removeprefix("kill ")
            collect(run, crashes.kills(kind, options.kills, chance, run.tick, run.over))
        elif name == "restart":
            run = Run(name, options.restarts, options.minutes)
            collect(run, crashes.restarts(options.restarts, run.tick, run.over))
        else:
            run = Run(name, options.inputs, options.minutes)
            fuzz(name, run, options.seed, options.corpus)
        done.append(run.finish())
    found = _summary(done)
    if options.json is not None:
        options.json.write_text(json.dumps({"seed": options.seed, "parts": done}, indent=2) + "\n")
    if found:
        print(f"again: python tests/soak/soak.py --seed {options.seed}")
    return 1 if found else 0


def _summary(done: list[dict]) -> int:
    print(f"\n{'surface':<10}{'inputs':>10}{'seconds':>10}{'per s':>10}{'findings':>10}")
    for row in done:
        print(
            f"{row['surface']:<10}{row['inputs']:>10}{row['seconds']:>10}"
            f"{row['per_second']:>10}{len(row['findings']):>10}"
        )
        for what in row["findings"]:
            print(f"    {what}")
    return sum(len(row["findings"]) for row in done)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--surface", action="append", choices=NAMES, help="only this; repeatable")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each surface [10^6]")
    parser.add_argument("--minutes", type=float, default=10, help="at most, for each part [10]")
    parser.add_argument(
        "--kills", type=int, default=1000, help="of a writing process, for each kind of card [1000]"
    )
    parser.add_argument("--restarts", type=int, default=100, help="of pcscd under load [100]")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="[random]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="where findings go")
    return parser.parse_args()


if __name__ == "__main__":
    # As processes of ours do: a busy thread must not hold up another socket's answer for 5 ms.
    sys.setswitchinterval(1e-4)
    sys.exit(main())
