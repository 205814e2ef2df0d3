# SPDX-License-Identifier: Apache-2.0
"""Whether ``cards`` is ours, and whether every plug-in of cards can be loaded."""

from collections import Counter
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from vreader.doctor.check import Finding, fail, ok, warn
from vreader.doctor.machine import Machine
from vreader.kinds import ENTRY_POINT_GROUP, OWN_KINDS

OURS = Path(__file__).resolve().parents[2]


def look_at_cards(_machine: Machine) -> Iterator[Finding]:
    """Find out which package ``import cards`` brings."""
    hint = "reinstall vreader"
    try:
        found = find_spec("cards")
    except (ImportError, ValueError, AttributeError) as error:
        yield fail(f"'import cards' fails: {error}", hint)
        return
    places = [*(found.submodule_search_locations or ()), found.origin] if found else []
    place = next((Path(place) for place in places if place), None)
    if place is None:
        yield fail("the package cards is missing", hint)
    elif place.resolve() != OURS / "cards":
        yield fail(
            f"'import cards' brings somebody else's: {place}",
            "rename it, or start where it is not first in sys.path (PYTHONPATH, the directory)",
        )
    else:
        yield ok(f"cards is ours: {place}")


def look_at_plugins(_machine: Machine) -> Iterator[Finding]:
    """Load what other packages offer."""
    points = entry_points(group=ENTRY_POINT_GROUP)
    # One package may be seen twice, installed and in its checkout.
    several = Counter(name for name, _ in {(point.name, point.value) for point in points})
    bad = False
    for point in points:
        package = point.dist.name if point.dist is not None else "?"
        whose = f"card kind {point.name!r} of the package {package}"
        if (ours := OWN_KINDS.get(point.name)) is not None:
            if point.value != ours:
                bad = True
                yield warn(f"{whose} is hidden by ours", "let its package call it something else")
                continue
        elif several[point.name] > 1:
            bad = True
            yield warn(f"{whose} is one of several of that name", "remove the others")
        try:
            point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: whatever a plug-in does
            bad = True
            text = " ".join(f"{type(error).__name__}: {error}".split())
            yield warn(
                f"{whose} cannot be loaded: {text}",
                f"repair {package}, or pip uninstall {package}",
            )
    if not points:
        yield warn("vreader is not installed: its entry points are missing", "pip install vreader")
    elif not bad:
        yield ok("card kinds: " + ", ".join(sorted({point.name for point in points})))
