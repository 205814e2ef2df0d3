# SPDX-License-Identifier: Apache-2.0
"""Tables about the reader driver that the code holds as data: profile options, a device's life."""

import re
from collections.abc import Iterator

from vreader.smclib.profile import PROFILES, DriverProfile
from vreader.wdm import NTSTATUS
from vreader.wdm.lifecycle import IO, LIFE, OPENS, REQUESTS


def profiles() -> Iterator[str]:
    """Yield the options of driver profiles: what each means, and what each profile says."""
    told = meanings()
    yield f"| option | {' | '.join(PROFILES)} | meaning |\n|---|{'---|' * len(PROFILES)}---|\n"
    for option in DriverProfile._fields[1:]:
        values = " | ".join(_value(getattr(profile, option)) for profile in PROFILES.values())
        yield f"| `{option}` | {values} | {told[option]} |\n"


def meanings(profile: type = DriverProfile) -> dict[str, str]:
    """Return what the docstring of a kind of profile says of each option."""
    text = (profile.__doc__ or "").partition("Attributes:")[2]
    entries = re.findall(r"^ {8}(\w+): (.*?)(?=^ {8}\w+: |\Z)", text, re.MULTILINE | re.DOTALL)
    return {name: " ".join(words.split()) for name, words in entries}


def _value(value: object) -> str:
    if isinstance(value, frozenset):
        return f"{len(value)} tags"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "all"}[value]
    return getattr(value, "name", str(value))


def life() -> Iterator[str]:
    """Yield the life of a device object: state by request, and what it serves meanwhile."""
    names = [request.name.removesuffix("_DEVICE") for request in REQUESTS]
    yield f"| state | {' | '.join(names)} | opens | I/O |\n|---|{'---|' * len(names)}---|---|\n"
    for state, row in LIFE.items():
        cells = [
            f"*{outcome.name}*" if isinstance(outcome, NTSTATUS) else outcome.value
            for outcome in (row[request] for request in REQUESTS)
        ]
        served = [table[state] for table in (OPENS, IO)]
        cells += ["served" if refusal is None else f"*{refusal.name}*" for refusal in served]
        yield f"| **{state.value}** | {' | '.join(cells)} |\n"
