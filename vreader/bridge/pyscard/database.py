# SPDX-License-Identifier: Apache-2.0
"""The database of readers and card types, which Windows has.

pcsc-lite's library has none of it: there the profile of the resource manager refuses.
"""

from typing import Any

from vreader.bridge.pyscard.arguments import guids, number, octets, states, string, strings
from vreader.bridge.pyscard.shapes import Answer, Shaped, code, told, values


class DatabaseFunctions(Shaped):
    """What pyscard calls of the database; builds for Windows alone offer the card types."""

    @code
    def SCardIntroduceReader(self, hcontext: int, readername: str, devicename: str) -> None:
        """Return the code."""
        self._api.SCardIntroduceReader(hcontext, string(readername), string(devicename))

    @code
    def SCardForgetReader(self, hcontext: int, readername: str) -> None:
        """Return the code."""
        self._api.SCardForgetReader(hcontext, string(readername))

    @code
    def SCardIntroduceReaderGroup(self, hcontext: int, groupname: str) -> None:
        """Return the code."""
        self._api.SCardIntroduceReaderGroup(hcontext, string(groupname))

    @code
    def SCardForgetReaderGroup(self, hcontext: int, groupname: str) -> None:
        """Return the code."""
        self._api.SCardForgetReaderGroup(hcontext, string(groupname))

    @code
    def SCardAddReaderToGroup(self, hcontext: int, readername: str, groupname: str) -> None:
        """Return the code."""
        self._api.SCardAddReaderToGroup(hcontext, string(readername), string(groupname))

    @code
    def SCardRemoveReaderFromGroup(self, hcontext: int, readername: str, groupname: str) -> None:
        """Return the code."""
        self._api.SCardRemoveReaderFromGroup(hcontext, string(readername), string(groupname))

    # ------------------------------------------------------------------ card types

    @code
    def SCardIntroduceCardType(
        self,
        hcontext: int,
        cardname: str,
        primaryprovider: list[int],
        providerlist: list[int],
        atr: list[int],
        mask: list[int],
    ) -> None:
        """Return the code."""
        primary = guids(primaryprovider)
        self._api.SCardIntroduceCardType(
            hcontext,
            string(cardname),
            primary[0] if primary else None,
            guids(providerlist),
            octets(atr),
            octets(mask),
        )

    @code
    def SCardForgetCardType(self, hcontext: int, cardname: str) -> None:
        """Return the code."""
        self._api.SCardForgetCardType(hcontext, string(cardname))

    @values("")
    def SCardGetCardTypeProviderName(
        self, hcontext: int, cardname: str, dwproviderid: int
    ) -> Answer:
        """Return [code, name]."""
        provider = number(dwproviderid)
        return [self._api.SCardGetCardTypeProviderName(hcontext, string(cardname), provider)]

    @values([])
    def SCardListCards(self, hcontext: int, atr: list[int], providerlist: list[int]) -> Answer:
        """Return [code, names]; an empty ATR stands for any card."""
        wanted = octets(atr) or None
        return [self._api.SCardListCards(hcontext, wanted, guids(providerlist) or None)]

    @values([])
    def SCardListInterfaces(self, hcontext: int, cardname: str) -> Answer:
        """Return [code, GUIDs], a list of 16 integers for each."""
        found = self._api.SCardListInterfaces(hcontext, string(cardname))
        return [[list(guid.bytes_le) for guid in found]]

    @values([])
    def SCardLocateCards(
        self, hcontext: int, cardstolocate: list[str], readerstatelist: list[Any]
    ) -> Answer:
        """Return [code, states]."""
        asked = states(readerstatelist)
        return [told(self._api.SCardLocateCards(hcontext, strings(cardstolocate), asked))]
