# SPDX-License-Identifier: Apache-2.0
"""From memory to card: what a new PIV card starts with, and which applications it carries."""

from cards.piv.applet import PivApplet
from cards.piv.management import ManagementApplet
from cards.piv.profile import PROFILES
from cards.piv.state import (
    DEFAULT_MANAGEMENT_KEY,
    DEFAULT_PIN,
    DEFAULT_PUK,
    PivState,
)
from cards.platform import AppletCard, Application, Nvm
from cards.platform.kind import AppletKind
from vreader.card import Card
from vreader.errors import UsageError


def initialise(
    nvm: Nvm,
    profile: str,
    *,
    serial: int,
    guid: bytes,
    pin: bytes = DEFAULT_PIN,
    puk: bytes = DEFAULT_PUK,
    key: bytes = DEFAULT_MANAGEMENT_KEY,
) -> None:
    """Write a new card of ``profile`` into an empty memory."""
    state = PivState(nvm.area("piv"), PROFILES[profile])
    state.initialise(serial=serial, guid=guid, pin=pin, puk=puk, key=key)


def build(kind: AppletKind, nvm: Nvm, profile_name: str) -> AppletCard:
    """Return the card over an initialised memory."""
    profile = PROFILES[profile_name]
    area = nvm.area("piv")

    def make() -> list[Application]:
        piv = PivApplet(area, profile)
        if profile.version is None:
            return [piv]
        return [piv, ManagementApplet(profile.version, piv.state.serial)]

    return kind.assemble(nvm, profile.atr, make, channels=profile.channels)


def piv_state(card: Card) -> PivState:
    """Return the state of a card's PIV application; raises UsageError when it has none."""
    if isinstance(card, AppletCard):
        for application in card.applications:
            if isinstance(application, PivApplet):
                return application.state
    raise UsageError("this is not a piv card", hint="use a card of kind piv")
