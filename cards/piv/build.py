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
    """Write a new card of ``profile`` into an empty memory, in one transaction."""
    identity = nvm.area("card")
    identity.put("kind", b"piv")
    identity.put("profile", profile.encode())
    state = PivState(nvm.area("piv"), PROFILES[profile])
    state.initialise(serial=serial, guid=guid, pin=pin, puk=puk, key=key)
    nvm.commit()


def profile_of(nvm: Nvm) -> str:
    """Return the profile of the card in the memory, which may be one this version lacks."""
    return (nvm.area("card").get("profile") or b"").decode()


def build(nvm: Nvm) -> AppletCard:
    """Return the card over an initialised memory."""
    profile = PROFILES[profile_of(nvm)]
    piv = PivApplet(nvm.area("piv"), profile)
    applications: list[Application] = [piv]
    if profile.version is not None:
        applications.append(ManagementApplet(profile.version, piv.state.serial))
    return AppletCard(profile.atr, applications, nvm)
