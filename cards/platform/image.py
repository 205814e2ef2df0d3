# SPDX-License-Identifier: Apache-2.0
"""The image of a card as a text: its whole memory, for export, import and the way back.

JSON with hexadecimal values, so that two images can be compared with ``diff``. It holds keys and
PINs in clear, like the state file.
"""

import json
from collections.abc import Mapping

from cards.platform.nvm import Key, Nvm
from vreader.errors import VreaderError

FORMAT, VERSION = "vreader card image", 1
# What the card was when it was made, an image without this entry itself.
_BORN: Key = ("card", "born")


def export(nvm: Nvm) -> bytes:
    """Return the committed memory as JSON."""
    return _write(nvm.content())


def read(text: bytes, kind: str) -> dict[Key, bytes]:
    """Return the memory in an exported image of a card of ``kind``.

    Raises:
        VreaderError: it is not an image, of a newer version, or of another kind.
    """
    try:
        told = json.loads(text)
        found, version = told["format"], told["version"]
        memory = {
            (area, key): bytes.fromhex(value)
            for area, entries in told["memory"].items()
            for key, value in entries.items()
            if (area + key).encode() is not None  # no lone surrogates, which no file can hold
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise VreaderError(
            "this is not an exported card image", hint="make one with vreader card export"
        ) from error
    if found != FORMAT or version != VERSION:
        raise VreaderError(
            f"this image has format {found!r} version {version!r}, not {FORMAT!r} {VERSION}",
            hint="upgrade vreader, or export the card again with this version",
        )
    if memory.get(("card", "kind")) != kind.encode():
        raise VreaderError(f"the image is not of a {kind} card", hint="import it as what it is")
    return memory


def kind_of(text: bytes) -> str:
    """Return the kind an exported image names, or nothing."""
    try:
        return bytes.fromhex(json.loads(text)["memory"]["card"]["kind"]).decode()
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def remember(nvm: Nvm) -> None:
    """Keep the present memory in itself, for :func:`first`."""
    nvm.put(_BORN, _write(_without_born(nvm.content())))
    nvm.commit()


def first(nvm: Nvm) -> dict[Key, bytes]:
    """Return the memory as it was remembered; raises VreaderError when nothing usable was."""
    born = nvm.get(_BORN)
    if born is None:
        raise VreaderError(
            "this card was made before cards kept their first state",
            hint="make a new one with vreader card new",
        )
    try:
        content = read(born, (nvm.get(("card", "kind")) or b"").decode())
    except VreaderError as error:
        raise VreaderError(
            f"the card's first state cannot be used: {error}",
            hint="the file was changed from outside; use a copy, or make a new card",
        ) from error
    return {**content, _BORN: born}


def recall(nvm: Nvm, content: Mapping[Key, bytes]) -> None:
    """Make ``content`` all there is; raises NvmError, and then nothing is changed."""
    nvm.replace(content)
    try:
        nvm.commit()
    except BaseException:
        nvm.rollback()
        raise


def _without_born(content: Mapping[Key, bytes]) -> dict[Key, bytes]:
    return {key: value for key, value in content.items() if key != _BORN}


def _write(content: Mapping[Key, bytes]) -> bytes:
    memory: dict[str, dict[str, str]] = {}
    for (area, key), value in sorted(content.items()):
        memory.setdefault(area, {})[key] = value.hex()
    told = {"format": FORMAT, "version": VERSION, "memory": memory}
    return json.dumps(told, indent=1).encode() + b"\n"
