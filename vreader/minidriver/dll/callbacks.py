# SPDX-License-Identifier: Apache-2.0
"""What mdhost asks the host while a call runs, and its answers."""

from collections.abc import Callable
from typing import Any, Final

from vreader.minidriver.abi.codes import Padding
from vreader.minidriver.abi.returncodes import SUCCESS, MinidriverError
from vreader.minidriver.callbacks import HostCallbacks
from vreader.minidriver.values import DecryptInfo, Oaep, PaddingInfo, Pkcs1, Pss, SigningInfo
from vreader.winscard.codes import SCARD


def answer(host: HostCallbacks | None, asked: dict[str, Any]) -> tuple[int, bytes]:
    """Return the code and the bytes of a callback; a host that fails answers with its code."""
    if host is None:
        return int(SCARD.E_INVALID_HANDLE), b""
    try:
        return int(SUCCESS), _CALLBACKS[asked["callback"]](host, asked)
    except MinidriverError as error:
        return int(error.code), b""


def _data(asked: dict[str, Any], name: str) -> bytes | None:
    return None if asked.get(name) is None else bytes.fromhex(asked[name])


def _text(asked: dict[str, Any], name: str) -> str | None:
    raw = _data(asked, name)
    return None if raw is None else raw.decode("utf-16-le", "replace")


def _padding(asked: dict[str, Any]) -> PaddingInfo | None:
    if "padding_hash" not in asked:
        return None
    name = _text(asked, "padding_hash")
    match asked["padding_type"]:
        case Padding.PSS:
            return Pss(name, asked["salt"])
        case Padding.OAEP:
            return Oaep(name, _data(asked, "label") or b"")
    return Pkcs1(name)


def _pad(host: HostCallbacks, asked: dict[str, Any]) -> bytes:
    info = SigningInfo(
        asked["container"],
        asked["spec"],
        _data(asked, "data"),
        asked["hash"],
        asked["flags"],
        _padding(asked),
        asked.get("padding_type", 0),
        asked["version"],
    )
    return host.CspPadData(info, asked["width"])


def _unpad(host: HostCallbacks, asked: dict[str, Any]) -> bytes:
    info = DecryptInfo(
        asked["container"],
        asked["spec"],
        _data(asked, "data"),
        _padding(asked),
        asked.get("padding_type", 0),
        asked["version"],
    )
    return host.CspUnpadData(info)


def _add(host: HostCallbacks, asked: dict[str, Any]) -> bytes:
    host.CspCacheAddFile(_text(asked, "tag") or "", asked["flags"], _data(asked, "data") or b"")
    return b""


def _lookup(host: HostCallbacks, asked: dict[str, Any]) -> bytes:
    return host.CspCacheLookupFile(_text(asked, "tag") or "", asked["flags"])


def _delete(host: HostCallbacks, asked: dict[str, Any]) -> bytes:
    host.CspCacheDeleteFile(_text(asked, "tag") or "", asked["flags"])
    return b""


def _agreement(host: HostCallbacks, asked: dict[str, Any]) -> bytes:
    return bytes((host.CspGetDHAgreement(asked["secret"], asked["flags"]) & 0xFF,))


_CALLBACKS: Final[dict[str, Callable[[HostCallbacks, dict[str, Any]], bytes]]] = {
    "CspCacheAddFile": _add,
    "CspCacheLookupFile": _lookup,
    "CspCacheDeleteFile": _delete,
    "CspPadData": _pad,
    "CspGetDHAgreement": _agreement,
    "CspUnpadData": _unpad,
}
