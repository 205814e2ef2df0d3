# SPDX-License-Identifier: Apache-2.0
"""The functions that our winscard.dll forwards, in the order of their numbers."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from vreader.host.scard import CardStatus, ScardApi
from vreader.winscard.codes import SCARD, ScardError


class Forwarded(NamedTuple):
    """One function: its parameters and results by the letters of the wire."""

    name: str
    parameters: str
    results: str


FUNCTIONS: Final = tuple(
    Forwarded(*row.replace("-", "").split(","))
    for row in (
        "SCardEstablishContext,i,i",
        "SCardReleaseContext,i,-",
        "SCardIsValidContext,i,-",
        "SCardListReaders,iL,L",
        "SCardListReaderGroups,i,L",
        "SCardConnect,isii,ii",
        "SCardReconnect,iiii,i",
        "SCardDisconnect,ii,-",
        "SCardBeginTransaction,i,-",
        "SCardEndTransaction,ii,-",
        "SCardStatus,i,siib",
        "SCardTransmit,iib,b",
        "SCardControl,iibi,b",
        "SCardGetAttrib,ii,b",
        "SCardSetAttrib,iib,-",
        "SCardGetStatusChange,iiR,R",
        "SCardCancel,i,-",
        "SCardLocateCards,iLR,R",
        "SCardLocateCardsByATR,iMR,R",
        "SCardListCards,ibG,L",
        "SCardListInterfaces,is,G",
        "SCardGetProviderId,is,g",
        "SCardGetCardTypeProviderName,isi,s",
        "SCardSetCardTypeProviderName,isis,-",
        "SCardIntroduceCardType,isgGbbi,-",
        "SCardForgetCardType,is,-",
        "SCardIntroduceReader,iss,-",
        "SCardForgetReader,is,-",
        "SCardIntroduceReaderGroup,is,-",
        "SCardForgetReaderGroup,is,-",
        "SCardAddReaderToGroup,iss,-",
        "SCardRemoveReaderFromGroup,iss,-",
        "SCardReadCache,ibis,b",
        "SCardWriteCache,ibisb,-",
    )
)

_ONE_RESULT: Final = {"i", "b", "s", "g", "L", "G", "R"}


def perform(api: ScardApi, function: Forwarded, values: list[Any]) -> list[Any]:
    """Call a function of the API; return its results in the wire's order. Raises ScardError."""
    if function.name in _SPECIAL:
        result = _SPECIAL[function.name](api, *values)
    else:
        result = getattr(api, function.name)(*values)
    if not function.results:
        return []
    if function.results in _ONE_RESULT:
        return [result]
    if isinstance(result, CardStatus):
        return [result.reader, result.state, result.protocol, result.atr]
    return list(result)


def _list_cards(api: ScardApi, context: int, atr: bytes | None, interfaces: list[Any]) -> list[str]:
    return api.SCardListCards(context, atr, interfaces or None)


def _introduce(
    api: ScardApi,
    context: int,
    name: str,
    provider: Any,  # noqa: ANN401 - a UUID or None
    interfaces: list[Any],
    atr: bytes | None,
    mask: bytes | None,
    length: int,
) -> None:
    api.SCardIntroduceCardType(
        context, name, provider, interfaces or None, atr or b"", mask, length
    )


_SPECIAL: Final[dict[str, Callable[..., Any]]] = {
    "SCardListCards": _list_cards,
    "SCardIntroduceCardType": _introduce,
}


def release(api: ScardApi, contexts: set[int]) -> None:
    """Release what a client left behind."""
    for context in contexts:
        try:
            api.SCardReleaseContext(context)
        except ScardError as error:
            if error.code not in (SCARD.E_INVALID_HANDLE, SCARD.E_NO_SERVICE):
                raise
