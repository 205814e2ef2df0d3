# SPDX-License-Identifier: Apache-2.0
"""What a card module does when it registers itself: DllRegisterServer, DllUnregisterServer.

Modules up to version 4 of the minidriver specification had to export both (SDK "Smart Card
Modules"); since version 5 nobody calls them, and an INF does the work (WDK "Minidriver
Registration"). So nothing here is called unless somebody asks for it.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from vreader.host.scard import ScardApi
from vreader.host.scard_cardtypes import (
    SCARD_PROVIDER_CARD_MODULE,
    SCARD_PROVIDER_CSP,
    SCARD_PROVIDER_KSP,
)
from vreader.winscard.codes import SCARD, ScardError, Win32

if TYPE_CHECKING:
    from vreader.winscard.cardtypes import CardType


class CardModule:
    """A card module that can register itself.

    Args:
        file: of the module: a name, or a path.
        card_types: what it serves. Their own ``module`` is not looked at.
    """

    def __init__(self, file: str, card_types: "Sequence[CardType]") -> None:
        self.file = file
        self.card_types = tuple(card_types)

    def DllRegisterServer(self, api: ScardApi) -> list[str]:  # noqa: N802 - what it exports
        """Introduce the card types and name their providers; all of them or none.

        Args:
            api: of the machine, with the bits of the program that has loaded the module.

        Returns:
            The names that are new. A card type that is there already is left as it is.

        Raises:
            ScardError: as SCardIntroduceCardType and SCardSetCardTypeProviderName do; what was
                introduced before is forgotten.
        """
        introduced: list[str] = []
        context = api.SCardEstablishContext()
        try:
            for card in self.card_types:
                try:
                    self._introduce(api, context, card)
                except ScardError as error:
                    if error.code is Win32.ALREADY_EXISTS:
                        continue
                    raise
                introduced.append(card.name)
                self._name_providers(api, context, card)
        except BaseException:
            for name in reversed(introduced):
                with suppress(ScardError):  # the service may have stopped meanwhile
                    api.SCardForgetCardType(context, name)
            raise
        finally:
            api.SCardReleaseContext(context)
        return introduced

    def DllUnregisterServer(self, api: ScardApi) -> None:  # noqa: N802
        """Forget the card types; those that are not there do not matter."""
        context = api.SCardEstablishContext()
        try:
            for card in self.card_types:
                try:
                    api.SCardForgetCardType(context, card.name)
                except ScardError as error:
                    if error.code is not SCARD.E_UNKNOWN_CARD:
                        raise
        finally:
            api.SCardReleaseContext(context)

    def _introduce(self, api: ScardApi, context: int, card: "CardType") -> None:
        api.SCardIntroduceCardType(
            context,
            card.name,
            card.primary_provider,
            card.interfaces,
            card.atr,
            card.mask or None,
        )

    def _name_providers(self, api: ScardApi, context: int, card: "CardType") -> None:
        for provider, name in (
            (SCARD_PROVIDER_CARD_MODULE, self.file),
            (SCARD_PROVIDER_CSP, card.csp),
            (SCARD_PROVIDER_KSP, card.ksp),
        ):
            if name or provider == SCARD_PROVIDER_CARD_MODULE:
                api.SCardSetCardTypeProviderName(context, card.name, provider, name)
