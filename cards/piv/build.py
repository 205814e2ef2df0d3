# SPDX-License-Identifier: Apache-2.0
"""From memory to card: what a new PIV card starts with, and which applications it carries."""

from cards.piv.applet import PivApplet
from cards.piv.device import ALWAYS, Device
from cards.piv.management import ManagementApplet
from cards.piv.profile import PROFILES
from cards.piv.state import (
    DEFAULT_MANAGEMENT_KEY,
    DEFAULT_PIN,
    DEFAULT_PUK,
    GLOBAL_AREA,
    PivState,
)
from cards.piv.tables import Algorithm
from cards.platform import AppletCard, Application, CardStatus, Nvm
from cards.platform.card import applet_of
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
    touch: str = ALWAYS,
    contactless: bool = False,
    pin_complexity: bool = False,
    algorithm: Algorithm | None = None,
    global_pin: bytes | None = None,
    preference: str = "application",
    pairing_code: bytes | None = None,
) -> None:
    """Write a new card of ``profile`` into an empty memory.

    ``algorithm`` is that of the management key; ``preference`` tells which PIN people are asked
    for first when there is a ``global_pin``, "application" or "global".

    ``touch`` is a script for :mod:`cards.piv.device`; raises ValueError when it is none.
    """
    state = PivState(nvm.area("piv"), PROFILES[profile], shared=nvm.area(GLOBAL_AREA))
    state.initialise(serial=serial, guid=guid, pin=pin, puk=puk, key=key, algorithm=algorithm)
    if global_pin is not None:
        state.create_global_pin(global_pin, preference)
    if pairing_code is not None:
        state.set_pairing_code(pairing_code)
    if touch != ALWAYS:
        state.device.touch_script = touch
    if contactless:
        state.device.make_contactless()
    if pin_complexity:
        state.device.demand_complexity()


def build(kind: AppletKind, nvm: Nvm, profile_name: str) -> AppletCard:
    """Return the card over an initialised memory."""
    profile = PROFILES[profile_name]
    area = nvm.area("piv")

    shared, status = nvm.area(GLOBAL_AREA), CardStatus()

    def make() -> list[Application]:
        piv = PivApplet(area, profile, shared=shared, card=status)
        if profile.version is None:
            return [piv]
        return [piv, ManagementApplet(piv.state)]

    atr = profile.contactless_atr if Device(area).contactless else profile.atr
    return kind.assemble(nvm, atr, make, channels=profile.channels, status=status)


def piv_state(card: Card) -> PivState:
    """Return the state of a card's PIV application; raises UsageError when it has none."""
    applet = applet_of(card, PivApplet)
    if applet is None:
        raise UsageError("this is not a piv card", hint="use a card of kind piv")
    return applet.state
