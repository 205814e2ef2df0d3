# SPDX-License-Identifier: Apache-2.0
"""Which minidriver a card has: what the machine's registry says of it (SCardListCards and on)."""

from typing import NamedTuple

from vreader.errors import VreaderError
from vreader.host.scard import ScardApi
from vreader.host.scard_cardtypes import (
    SCARD_PROVIDER_CARD_MODULE,
    SCARD_PROVIDER_CSP,
    SCARD_PROVIDER_KSP,
)
from vreader.winscard.codes import ReaderFlag, ScardError, Win32
from vreader.winscard.status_change import ReaderState


class CardProviders(NamedTuple):
    """What the Calais entry of a card names.

    Attributes:
        card: the card's name.
        module: its minidriver, a file name or a path.
        csp, ksp: the providers; empty where there is none.
    """

    card: str
    module: str
    csp: str
    ksp: str


def find_providers(api: ScardApi, reader: str) -> CardProviders:
    """Find the minidriver of the card in a reader, and the providers that load it.

    Raises:
        VreaderError: there is no card, no entry for it, or no minidriver in its entry.
        ScardError: as SCardGetStatusChange and SCardListCards do.
    """
    context = api.SCardEstablishContext()
    try:
        (state,) = api.SCardGetStatusChange(context, 0, [ReaderState(reader)])
        if not state.event_state & ReaderFlag.PRESENT:
            raise VreaderError(f"there is no card in {reader}", hint="insert one")
        names = api.SCardListCards(context, state.atr)
        if not names:
            raise VreaderError(
                f"the card in {reader} has no entry in the Calais registry",
                hint="install an INF for it, or name the minidriver",
            )
        told = {
            number: _provider(api, context, names[0], number)
            for number in (SCARD_PROVIDER_CARD_MODULE, SCARD_PROVIDER_CSP, SCARD_PROVIDER_KSP)
        }
    finally:
        api.SCardReleaseContext(context)
    if not told[SCARD_PROVIDER_CARD_MODULE]:
        raise VreaderError(
            f"the entry {names[0]} names no minidriver (80000001)",
            hint="cards with a CSP of their own have none; else repair the entry",
        )
    return CardProviders(names[0], *told.values())


def _provider(api: ScardApi, context: int, card: str, number: int) -> str:
    try:
        return api.SCardGetCardTypeProviderName(context, card, number)
    except ScardError as error:
        if error.code is not Win32.FILE_NOT_FOUND:
            raise
        return ""
