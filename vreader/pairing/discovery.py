# SPDX-License-Identifier: Apache-2.0
"""What Plug and Play and the class minidriver ask a card, and what they take it for.

Three processes ask, for three purposes and in three orders, and they are not to be mixed up: these
two, and the resource manager's (:mod:`vreader.winscard.discovery`). A card that has both
applications is PIV to these, and GIDS to that one. Source: WDK "Smart Card Discovery Process".
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final, NamedTuple

from vreader.cardids import GIDS_ID, PIV_ID, device_id
from vreader.iso7816 import Atr, AtrError, CommandApdu
from vreader.pairing.cardid import CardIdError, GuidOrder, parse_card_id
from vreader.winscard.probing import GIDS, PIV, Asked, Probe, ask, select

PNP: Final = bytes.fromhex("A0000003974349445F0100")
_GET_CARD_ID = bytes(CommandApdu(0, 0xCA, 0x7F, 0x68, b"", 256))
_SELECT_MF = bytes.fromhex("00A4000C023F00")
_SELECT_EF_ATR = bytes.fromhex("00A4020C022F01")
_READ_BINARY = bytes(CommandApdu(0, 0xB0, 0, 0, b"", 256))
NOT_FOUND: Final = frozenset({0x6A82})


class Identity(NamedTuple):
    """What Plug and Play has found out.

    Attributes:
        hardware_ids, compatible_ids: of the card's device, best first; both empty where the card
            has nothing to tell it by (SCARD_E_UNEXPECTED, no device).
        source: what decided: ``7F68``, ``EF.ATR``, ``PIV``, ``GIDS``, ``historical bytes`` or
            nothing.
        asked: the questions, in order.
    """

    hardware_ids: list[str]
    compatible_ids: list[str]
    source: str
    asked: list[Asked]


def historical_bytes(atr: bytes) -> bytes:
    """Return all historical bytes of an ATR, a status indicator included; none of a bad one."""
    try:
        return Atr.parse(atr).historical
    except AtrError:
        return b""


def plug_and_play(
    atr: bytes,
    *,
    ef_atr: bool = True,
    guid_order: GuidOrder = "windows",
    asked: list[Asked] | None = None,
) -> Probe[Identity]:
    """Find out the device ids of a card that was inserted.

    Args:
        atr: the card's.
        ef_atr: look into EF.ATR too, as the page says; traces of Windows do not show it.
        guid_order: see :func:`vreader.pairing.cardid.parse_card_id`.
        asked: gets the questions as they are put, for a card that leaves between them.
    """
    asked = [] if asked is None else asked
    own = historical_bytes(atr)
    # The object is asked for whether or not the application is there: another may have it.
    yield from ask(select(PNP), "SELECT the Plug and Play application", asked)
    answer = yield from ask(_GET_CARD_ID, "GET DATA 7F68, the card identifier", asked)
    if answer.ok and (found := _first_guid(answer.data, guid_order, asked)):
        return Identity([found], [], "7F68", asked)
    if ef_atr:
        answer = yield from ask(_SELECT_MF, "SELECT the MF", asked)
        if answer.ok:
            answer = yield from ask(_SELECT_EF_ATR, "SELECT EF.ATR", asked)
        if answer.ok:
            answer = yield from ask(_READ_BINARY, "READ BINARY of EF.ATR", asked)
        if answer.ok and (found := _first_guid(answer.data, guid_order, asked)):
            return Identity([found], [], "EF.ATR", asked)
    for aid, generic, name in ((PIV, PIV_ID, "PIV"), (GIDS, GIDS_ID, "GIDS")):
        answer = yield from ask(select(aid), f"SELECT the {name} application", asked)
        if answer.ok:
            return Identity([device_id(own) if own else generic], [generic], name, asked)
    if own:
        return Identity([device_id(own)], [], "historical bytes", asked)
    return Identity([], [], "", asked)


def _first_guid(data: bytes, order: GuidOrder, asked: list[Asked]) -> str:
    """Return the device id of the first GUID; empty, and a note, where the object is bad."""
    last = asked[-1]
    try:
        guids = parse_card_id(data, order)
    except CardIdError as error:
        asked[-1] = last._replace(text=f"{last.text}, but {error}")
        return ""
    more = f", the first of {len(guids)}" if len(guids) > 1 else ""
    asked[-1] = last._replace(text=f"{last.text}: {guids[0]}{more}")
    return device_id(guids[0])


class Verdict(StrEnum):
    """What the class minidriver takes a card for."""

    PIV = "PIV"
    GIDS = "GIDS"
    UNKNOWN = "unknown"


class ClassVerdict(NamedTuple):
    """Verdict of the class minidriver, and the questions that led to it."""

    verdict: Verdict
    asked: list[Asked]


def class_minidriver(
    not_found: Collection[int] = NOT_FOUND, asked: list[Asked] | None = None
) -> Probe[ClassVerdict]:
    """Find out what msclmd.dll takes a card for, in CardAcquireContext.

    Args:
        not_found: status words of the GIDS SELECT that still mean GIDS: a card whose application
            has another name. The page says "not found"; what counts beside 6A82 is not documented.
        asked: as for :func:`plug_and_play`.
    """
    asked = [] if asked is None else asked
    answer = yield from ask(select(PIV), "SELECT the PIV application", asked)
    if answer.ok:
        return ClassVerdict(Verdict.PIV, asked)
    answer = yield from ask(select(GIDS), "SELECT the GIDS application", asked)
    if answer.ok or answer.sw in not_found:
        return ClassVerdict(Verdict.GIDS, asked)
    return ClassVerdict(Verdict.UNKNOWN, asked)
