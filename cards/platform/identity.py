# SPDX-License-Identifier: Apache-2.0
"""The options that every card has: how it introduces itself, whatever applications it carries.

They are kept in the area ``card`` of the memory, beside the kind and the profile. Imported with
every start of the tool, so everything heavy is imported where it is needed.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cards.platform.options import choice_option, hex_option
from vreader.errors import UsageError

if TYPE_CHECKING:
    from cards.platform.applet import Application
    from cards.platform.nvm import Area

OPTIONS: Mapping[str, str] = {
    "atr": "answer to reset in hex, handed out as it is",
    "hist": "historical bytes in hex, 0 to 15; the rest of the profile's ATR is kept",
    "pnp": "GUIDs for Windows Plug and Play (data object 7F68), joined with +",
    "pnp-where": "where: applet, card (whatever is selected), ef.atr; joined with + [applet]",
    "pnp-wrap": "yes: in the tag 7F68; no: the bare SEQUENCE [yes]",
    "pnp-version": "0 to 127 writes the version, none leaves it out [none]",
    "pnp-vendor": "vendor beside the GUIDs, at most 64 ASCII characters [MSFT]",
    "pnp-order": "the GUID's first three fields are little or big endian [little]",
    "pnp-data": "what GET DATA 7F68 answers in hex, as it is; instead of pnp",
}
_PLACES = ("applet", "card", "ef.atr")


def write(area: "Area", options: Mapping[str, str]) -> None:
    """Keep what the options say; raises UsageError for a value that cannot be used."""
    if "atr" in options and "hist" in options:
        raise UsageError("atr and hist both say what the ATR is", hint="give one of them")
    if "atr" in options:
        area.put("atr", hex_option(options, "atr", 1, 33))
    if "hist" in options:
        area.put("hist", hex_option(options, "hist", 0, 15))
    _write_pnp(area, options)


def atr(area: "Area", default: bytes) -> bytes:
    """Return the card's answer to reset: its own, or the profile's with its own historical bytes.

    Raises:
        UsageError: the profile's ATR has no room for them.
    """
    historical = area.get("hist")
    if historical is None:
        return area.get("atr") or default
    from vreader.iso7816 import Atr, AtrError

    try:
        return bytes(Atr.parse(default).with_historical(historical))
    except AtrError as error:
        raise UsageError(
            f"hist cannot be put into the ATR {default.hex().upper()}: {error}",
            hint="give the whole ATR as atr=",
        ) from error


def applications(area: "Area") -> "Sequence[Application]":
    """Return the applications that the options added."""
    content = area.get("pnp")
    if content is None:
        return ()
    from cards.platform.masterfile import MasterFile
    from cards.platform.pnp import PnpApplet

    places = (area.get("pnp-where") or b"").decode().split("+")
    found: list[Application] = []
    if "applet" in places or "card" in places:
        found.append(PnpApplet(content, selectable="applet" in places, anywhere="card" in places))
    if "ef.atr" in places:
        found.append(MasterFile(content))
    return found


def _write_pnp(area: "Area", options: Mapping[str, str]) -> None:
    given = [name for name in options if name.startswith("pnp")]
    if not given:
        return
    if ("pnp" in options) == ("pnp-data" in options):
        raise UsageError(
            "Plug and Play needs either pnp or pnp-data",
            hint="for example pnp=00112233-4455-6677-8899-aabbccddeeff",
        )
    where = options.get("pnp-where", _PLACES[0])
    if not set(where.split("+")) <= set(_PLACES):
        raise UsageError(f"pnp-where={where} is no place", hint="use " + ", ".join(_PLACES))
    if "pnp-data" in options:
        content = hex_option(options, "pnp-data", 0, 4096)
        if fixed := [name for name in given if name not in ("pnp-data", "pnp-where")]:
            raise UsageError(f"pnp-data leaves no choice of {fixed[0]}", hint="leave it out")
    else:
        content = _card_id(options)
    area.put("pnp", content)
    area.put("pnp-where", where.encode())


def _card_id(options: Mapping[str, str]) -> bytes:
    from cards.platform.pnp import CARD_ID, VENDOR, card_id, guid_bytes
    from vreader.iso7816 import Tlv

    big_endian = choice_option(options, "pnp-order", ("little", "big")) == "big"
    wrapped = choice_option(options, "pnp-wrap", ("yes", "no")) == "yes"
    try:
        guids = [guid_bytes(g, big_endian=big_endian) for g in options["pnp"].split("+")]
    except ValueError as error:
        raise UsageError(
            f"pnp is not a list of GUIDs: {error}",
            hint="for example pnp=00112233-4455-6677-8899-aabbccddeeff",
        ) from error
    vendor = options.get("pnp-vendor", VENDOR.decode())
    if not vendor.isascii() or len(vendor) > 64:
        raise UsageError("pnp-vendor has at most 64 ASCII characters", hint="Windows wants MSFT")
    version = options.get("pnp-version", "none")
    if version != "none" and not (version.isascii() and version.isdigit() and len(version) < 4):
        version = "128"
    if version != "none" and int(version) > 127:
        raise UsageError("pnp-version is none or 0 to 127", hint="Windows wants none or 0")
    told = card_id(
        guids, version=None if version == "none" else int(version), vendor=vendor.encode()
    )
    return bytes(Tlv(CARD_ID, told)) if wrapped else told
