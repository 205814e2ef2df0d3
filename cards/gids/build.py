# SPDX-License-Identifier: Apache-2.0
"""From memory to card: what a ready made GIDS card starts with, and its one application."""

from cards.gids import tables
from cards.gids.applet import GidsApplet
from cards.gids.files import File
from cards.gids.profile import READY, Variant
from cards.gids.state import GidsState
from cards.platform import AppletCard, Area, Nvm
from cards.platform.card import applet_of
from cards.platform.kind import AppletKind
from vreader import cardfs as fs
from vreader.card import Card
from vreader.errors import UsageError
from vreader.iso7816 import Tlv

AREA = "gids"

# EF → access rules: write, then read (Microsoft, "Windows inbox smart card minidriver").
_FILES = {
    tables.USER_CREATE_DELETE_DIR: "033000",
    tables.EVERYONE_READ_USER_WRITE: "033000",
    tables.USER_WRITE_EXECUTE: "0330FF",
    tables.EVERYONE_READ_ADMIN_WRITE: "032000",
    tables.USER_READ_WRITE: "033030",
    tables.ADMIN_READ_WRITE: "032020",
}
# The admin key: everybody may use it, the admin replace it, nobody read it.
_ADMIN_KEY_FCP = bytes.fromhex("8201188302B0808C04870020FFA50BA4098001028301809501C0")

_WRITABLE, _FIXED = tables.EVERYONE_READ_USER_WRITE, tables.EVERYONE_READ_ADMIN_WRITE
_FILE_TABLE = [
    fs.FileEntry(fs.MSCP, "", 0, tables.USER_CREATE_DELETE_DIR),
    fs.FileEntry("", "cardid", fs.CARD_ID, _FIXED),
    fs.FileEntry("", "cardapps", fs.CARD_APPS, _WRITABLE),
    fs.FileEntry("", "cardcf", fs.CARD_CF, _WRITABLE),
    fs.FileEntry(fs.MSCP, "cmapfile", fs.CONTAINER_MAP, _WRITABLE),
]


def initialise(
    nvm: Nvm,
    variant: Variant,
    profile: str,
    *,
    pin: bytes,
    puk: bytes | None,
    admin_key: bytes,
    card_id: bytes,
    tries: int,
) -> None:
    """Write a new card into an empty memory; of a blank one only ``tries`` matters."""
    state = GidsState(nvm.area(AREA), variant.pin_sizes)
    state.initialise(tries=tries)
    if profile != READY:
        return
    state.set_pin(tables.PinRef.PIN, pin)
    if puk is not None:
        state.set_pin(tables.PinRef.PUK, puk)
    for file_id, rules in _FILES.items():
        state.create_file(File.read(_fcp(file_id, tables.EF_WITH_OBJECTS, bytes.fromhex(rules))))
    admin = File.read(_ADMIN_KEY_FCP)
    state.create_file(admin)
    state.put_admin_key(admin, admin_key)
    table = fs.encode_file_table(_FILE_TABLE)
    state.put_object(tables.USER_CREATE_DELETE_DIR, fs.FILE_TABLE, table)
    state.put_object(_WRITABLE, fs.CARD_APPS, fs.CARD_APPS_CONTENT)
    state.put_object(_WRITABLE, fs.CARD_CF, bytes(fs.CardCf()))
    state.put_object(_WRITABLE, fs.CONTAINER_MAP, b"")
    state.put_object(_FIXED, fs.CARD_ID, card_id)
    state.life_cycle = tables.LifeCycle.OPERATIONAL


def build(kind: AppletKind, nvm: Nvm, variant: Variant) -> AppletCard:
    """Return the card over an initialised memory."""
    area: Area = nvm.area(AREA)
    return kind.assemble(nvm, variant.atr, lambda: [GidsApplet(area, variant.pin_sizes)])


def gids_state(card: Card) -> GidsState:
    """Return the state of a card's GIDS application; raises UsageError when it has none."""
    applet = applet_of(card, GidsApplet)
    if applet is None:
        raise UsageError("this is not a GIDS card", hint="use a card of kind gids or tpmvsc")
    return applet.state


def key_file(reference: int, algorithm: int, *, signature: bool) -> File:
    """Return the EF of a new key, with the rights that Microsoft's minidriver gives it.

    Args:
        reference: the key reference, 81 and up.
        algorithm: the lower half of its algorithm references.
        signature: it only signs; otherwise it deciphers as well.
    """
    uses = [(tables.Template.SIGNATURE, padding) for padding in tables.SIGNING]
    if not signature and algorithm in tables.RSA_BITS:
        uses = [(tables.Template.CONFIDENTIALITY, p) for p in tables.DECIPHERING] + uses
    templates = b"".join(
        bytes(
            Tlv.of(
                template,
                Tlv(0x80, bytes((padding | algorithm,))),
                Tlv(0x83, bytes((reference,))),
                Tlv(0x95, b"\x40"),
            )
        )
        for template, padding in uses
    )
    file_id = tables.KEY_FILE_BASE + reference
    rules = bytes.fromhex("8F10101000")
    return File.read(_fcp(file_id, tables.EF_WITH_KEY, rules) + bytes(Tlv(0xA5, templates)))


def _fcp(file_id: int, descriptor: int, rules: bytes) -> bytes:
    parts = ((0x82, bytes((descriptor,))), (0x83, file_id.to_bytes(2, "big")), (0x8C, rules))
    return b"".join(bytes(Tlv(tag, value)) for tag, value in parts)
