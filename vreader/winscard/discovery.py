# SPDX-License-Identifier: Apache-2.0
r"""How Windows finds the name of a card: registered, known from before, or by asking the card.

Source: WDK "Smart Card Discovery Process", "Winscard Discovery Process". This is one of three
processes; what Plug and Play and the class minidriver ask a card is not this module's affair. The
page's list has GIDS in step 4 and PIV in step 5. Its table of registry keys says that the cache of
PIV cards is written in step 4 and that of GIDS cards in step 5, as if it were the other way round;
which of them is asked for first is an option.
"""

from collections.abc import Callable, Container, Iterable
from typing import Final, Literal, NamedTuple

from vreader.registry import REG_BINARY, Value
from vreader.registry.view import View
from vreader.winscard.cardtypes import CALAIS, CardType
from vreader.winscard.codes import ScardError
from vreader.winscard.probing import GIDS, GIDS_CARD, PIV, PIV_CARD, Asked, Probe, ask, select

PIV_CACHE: Final = "PIV Device ATR Cache"
IDMP_CACHE: Final = "IDMP ATR Cache"

ProbeOrder = Literal["list", "table", "off"]
"""Which application is asked for first: GIDS as the page's list says, PIV as its table does, or
none at all: before Windows 7 no card was asked."""


class Application(NamedTuple):
    """An application that the class minidriver serves.

    Attributes:
        label: in words.
        aid: that is selected.
        card: the name of a card that has it.
        cache: the key that remembers such cards.
    """

    label: str
    aid: bytes
    card: str
    cache: str


_PIV = Application("PIV", PIV, PIV_CARD, PIV_CACHE)
_GIDS = Application("GIDS", GIDS, GIDS_CARD, IDMP_CACHE)
_ORDERS: Final[dict[str, tuple[Application, ...]]] = {
    "list": (_GIDS, _PIV),
    "table": (_PIV, _GIDS),
    "off": (),
}


class Discovery(NamedTuple):
    """What came of it.

    Attributes:
        name: the card's, or empty.
        source: what decided: ``registry``, ``PIV cache``, ``IDMP cache``, ``GIDS application``,
            ``PIV application`` or nothing.
        steps: all that was looked at, in words.
        asked: what the card was asked, in order.
        cache: the key in which its ATR is to be remembered; empty where none.
        problem: why the card could not be asked to the end, or empty.
    """

    name: str
    source: str
    steps: list[str]
    asked: list[Asked]
    cache: str = ""
    problem: str = ""


def winscard_discovery(
    atr: bytes,
    entries: Iterable[CardType],
    piv_cache: Container[bytes] = (),
    idmp_cache: Container[bytes] = (),
    order: ProbeOrder = "list",
) -> Probe[Discovery]:
    """Find the name of the card with an ATR. ScardError thrown in ends it without a name.

    Args:
        atr: the card's.
        entries: the registered card types, as they are walked.
        piv_cache: ATRs of cards that have answered as PIV cards before.
        idmp_cache: ATRs of those that have answered as GIDS cards.
        order: in which the card is asked.
    """
    steps: list[str] = []
    asked: list[Asked] = []
    entry = next((entry for entry in entries if entry.matches(atr)), None)
    if entry is not None:
        steps.append(f"Calais\\SmartCards: {entry.name!r} matches")
        return Discovery(entry.name, "registry", steps, asked)
    steps.append("Calais\\SmartCards: no entry matches")
    for known, application in ((piv_cache, _PIV), (idmp_cache, _GIDS)):
        if atr in known:
            steps.append(f"{application.cache}: the ATR is there")
            source = application.cache.partition(" ")[0] + " cache"
            return Discovery(application.card, source, steps, asked)
        steps.append(f"{application.cache}: the ATR is not there")
    for application in _ORDERS[order]:
        what = f"SELECT the {application.label} application"
        try:
            answer = yield from ask(select(application.aid), what, asked)
        except ScardError as error:
            problem = f"{what}: {error}"
            return Discovery("", "", [*steps, problem], asked, problem=problem)
        steps.append(asked[-1].text)
        if answer.ok:
            source = f"{application.label} application"
            return Discovery(application.card, source, steps, asked, application.cache)
    return Discovery("", "", steps, asked)


class AtrCache:
    """ATRs of cards that have answered before: a key of the registry.

    Services share it, so it is the native key whoever asks: an assumption, no page says so.

    Args:
        view: the registry as services see it.
        name: PIV_CACHE or IDMP_CACHE.
        new_name: makes a name for a value; the page says that it is random.
    """

    __slots__ = ("_new_name", "_path", "_view")

    def __init__(self, view: View, name: str, new_name: Callable[[], str]) -> None:
        self._view = view
        self._path = f"{CALAIS}\\{name}"
        self._new_name = new_name

    def __contains__(self, atr: object) -> bool:
        key = self._view.find(self._path)
        values = key.values() if key is not None else []
        return any(value.type == REG_BINARY and value.data == atr for _, value in values)

    def add(self, atr: bytes) -> None:
        """Remember a card's ATR."""
        if atr in self:
            return
        key = self._view.create(self._path)
        name = self._new_name()
        while key.find_value(name) is not None:
            name = self._new_name()
        key.set(name, Value.binary(atr))
