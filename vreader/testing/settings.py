# SPDX-License-Identifier: Apache-2.0
"""What holds for a whole run of pytest: flags, environment variables, the configuration file.

A flag wins over an environment variable, that over the configuration file; markers win over all.
"""

import os
from typing import Any, Literal, NamedTuple

import pytest

from vreader.errors import UsageError, VreaderError


class Option(NamedTuple):
    """One setting: ``--vreader-NAME``, ``VREADER_NAME`` and ``vreader_name = …``.

    Attributes:
        name: its last word.
        about: what it is, for people.
        several: it can be given more than once: a line for each.
        flag: it is on or off.
        path: it is one; in the configuration file one from there.
    """

    name: str
    about: str
    several: bool = False
    flag: bool = False
    path: bool = False

    @property
    def ini(self) -> str:
        """Its name in the configuration file."""
        return f"vreader_{self.name}"

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return f"VREADER_{self.name.upper()}"


OPTIONS = (
    Option("card", "SPEC of the card, one for each reader, where a test names none [piv]", True),
    Option("reader", "name of the reader, for each card in turn", True),
    Option("profile", "whose ways our resource manager has: pcsclite or windows [pcsclite]"),
    Option("trace", "directory for captures (.pcapng) of the tests that fail", path=True),
    Option("events", "how many of the last events are shown when a test fails [20]"),
    Option("require", "what is not installed fails tests instead of skipping them", flag=True),
)
_ON, _OFF = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


class Settings(NamedTuple):
    """The settings of a run.

    Attributes:
        cards, readers, profile: of worlds of tests that do not say; empty where nobody does.
        trace: a directory; empty for none.
        events: how many of the last events a report has.
        require: fail instead of skip.
    """

    cards: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    profile: str = ""
    trace: str = ""
    events: int = 20
    require: bool = False


KEYWORDS = ("card", "reader", "faults", "profile", "pinpad", "link")
MARKER = f"vreader({', '.join(f'{name}=…' for name in KEYWORDS)}): the smart card world of a test"
"""The marker; see :mod:`vreader.testing.marker`."""
SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()


def add_options(parser: pytest.Parser) -> None:
    """Describe all settings to pytest."""
    group = parser.getgroup("vreader", "virtual smart card readers and cards")
    for option in OPTIONS:
        name = f"--vreader-{option.name}"
        if option.flag:
            group.addoption(
                name, dest=option.ini, action="store_const", const="1", help=option.about
            )
        else:
            action = "append" if option.several else "store"
            metavar = option.name.upper()
            group.addoption(
                name, dest=option.ini, action=action, metavar=metavar, help=option.about
            )
        kind: Literal["linelist", "string"] = "linelist" if option.several else "string"
        parser.addini(option.ini, option.about, type=kind, default=None)
    group.addoption(
        "--vreader-update", action="store_true", help="write golden files where they differ"
    )


def settings_of(config: pytest.Config) -> Settings:
    """Return the settings; raises pytest.UsageError for those that make no sense."""
    found = config.stash.get(SETTINGS, None)
    if found is None:
        given = {option.name: _given(config, option) for option in OPTIONS}
        try:
            found = _checked({name: value for name, value in given.items() if value})
        except VreaderError as error:
            raise pytest.UsageError(f"vreader: {error}\nhint: {error.hint}") from None
        config.stash[SETTINGS] = found
    return found


def _given(config: pytest.Config, option: Option) -> list[str]:
    """Return what is given for an option, in the strongest place."""
    flag = config.getoption(option.ini)
    if flag is not None:
        return [flag] if isinstance(flag, str) else list(flag)
    variable = os.environ.get(option.variable)
    if variable is not None:
        return [line for line in variable.splitlines() if line.strip()]
    ini: Any = config.getini(option.ini)
    if not ini:
        return []
    if option.path and config.inipath is not None:
        ini = str(config.inipath.parent / ini)
    return [ini] if isinstance(ini, str) else list(ini)


def _checked(given: dict[str, list[str]]) -> Settings:
    if not given:
        return Settings()
    from vreader.testing.marker import check

    last = {name: values[-1].strip() for name, values in given.items()}
    cards, readers = tuple(given.get("card", ())), tuple(given.get("reader", ()))
    check(card=cards, reader=readers)
    if profile := last.get("profile", ""):
        check(profile=profile)
    events, require = last.get("events", "20"), last.get("require", "").lower()
    if not (events.isascii() and events.isdigit() and int(events) <= 10_000):
        raise UsageError(
            f"vreader_events is {events!r}, not a number", hint="a number from 0 to 10000"
        )
    if require not in (*_ON, *_OFF):
        raise UsageError(f"vreader_require is {require!r}", hint="true or false")
    return Settings(
        cards, readers, profile, last.get("trace", ""), int(events), require in _ON
    )  # fmt: skip
