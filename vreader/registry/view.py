# SPDX-License-Identifier: Apache-2.0
r"""A registry as a program of 32 or of 64 bits sees it.

On a 64-bit system a 32-bit program that names ``HKLM\SOFTWARE\X`` reaches
``HKLM\SOFTWARE\Wow6432Node\X``, but for the keys that both share. Which those are is the table of
Win32 "Registry Keys Affected by WOW64" for Windows 7 and later; a key below one in the table is as
that one is. Below ``SOFTWARE\Classes`` what is redirected lies in ``SOFTWARE\Classes\Wow6432Node``:
the page's symbolic links say so, and they hold for programs of 64 bits, too. Windows Vista and
older reflect keys of COM between the two views; that is not modelled.

A path that names ``Wow6432Node`` where such a key can be stays as it is.
"""

from collections.abc import Mapping
from typing import Final

from vreader.errors import UsageError
from vreader.registry.names import LONG_NAMES, fold, resolve
from vreader.registry.store import Key, Registry

WOW64: Final = "Wow6432Node"
_WOW64: Final = fold(WOW64)
_LOCAL_MACHINE: Final = "HKEY_LOCAL_MACHINE"
_CURRENT_USER: Final = "HKEY_CURRENT_USER"

_SHARED: Final = True
_REDIRECTED: Final = False
_CLASSES_REDIRECTED: Final = (
    "CLSID", "DirectShow", "Interface", "Media Type", "MediaFoundation",
)  # fmt: skip
_SOFTWARE_SHARED: Final = (
    r"Clients", r"Policies", r"RegisteredApplications",
    r"Microsoft\COM3", r"Microsoft\Cryptography\Calais\Current",
    r"Microsoft\Cryptography\Calais\Readers", r"Microsoft\Cryptography\Services",
    r"Microsoft\CTF\SystemShared", r"Microsoft\CTF\TIP", r"Microsoft\DFS",
    r"Microsoft\Driver Signing", r"Microsoft\EnterpriseCertificates", r"Microsoft\EventSystem",
    r"Microsoft\MSMQ", r"Microsoft\Non-Driver Signing", r"Microsoft\Notepad\DefaultFonts",
    r"Microsoft\OLE", r"Microsoft\RAS", r"Microsoft\RPC",
    r"Microsoft\Shared Tools\MSInfo",  # the page has SOFTWARE\Microsoft in it twice, a slip
    r"Microsoft\SystemCertificates", r"Microsoft\TermServLicensing",
    r"Microsoft\TransactionServer",
    *(
        rf"Microsoft\Windows\CurrentVersion\{name}"
        for name in (
            "App Paths", r"Control Panel\Cursors\Schemes", r"Explorer\AutoplayHandlers",
            r"Explorer\DriveIcons", r"Explorer\KindMap", "Group Policy", "Policies",
            "PreviewHandlers", "Setup", r"Telephony\Locations",
        )
    ),
    *(
        rf"Microsoft\Windows NT\CurrentVersion\{name}"
        for name in (
            "Console", "FontDpi", "FontLink", "FontMapper", "Fonts", "FontSubstitutes",
            "Gre_Initialize", "Image File Execution Options", "Language Pack", "NetworkCards",
            "Perflib", "Ports", "Print", "ProfileList", "Time Zones",
        )
    ),
)  # fmt: skip
# Links below Classes\Wow6432Node that lead back to the key of the same name in Classes.
_LINKED_BACK: Final = frozenset({"APPID", "PROTOCOLS", "TYPELIB"})


class View:
    """A registry as one program sees it.

    The keys it returns are those of the registry: a key below one of them is named by its own path
    through the view, or is where it is.

    Attributes:
        registry: what is looked at.
        bits: of the program, 32 or 64.
        system_bits: of the system, 32 or 64; one of 32 bits has one view.
    """

    __slots__ = ("bits", "registry", "system_bits")

    def __init__(self, registry: Registry, bits: int = 64, system_bits: int = 64) -> None:
        check_bits(bits, system_bits)
        self.registry = registry
        self.bits = bits
        self.system_bits = system_bits

    def path(self, path: str) -> str:
        """Return where a path leads; raises NameRefusedError."""
        return seen(path, self.bits, self.system_bits)

    def find(self, path: str) -> Key | None:
        """Return the key at ``path``, or None; raises NameRefusedError."""
        return self.registry.find(self.path(path))

    def open(self, path: str) -> Key:
        """Return the key at ``path``; raises KeyNotFoundError, NameRefusedError."""
        return self.registry.open(self.path(path))

    def create(self, path: str) -> Key:
        """Return the key at ``path``, made where missing; raises NameRefusedError."""
        return self.registry.create(self.path(path))

    def delete(self, path: str, *, tree: bool = False) -> None:
        """Delete the key at ``path``; raises KeyNotFoundError, KeyRefusedError."""
        self.registry.delete(self.path(path), tree=tree)

    def __repr__(self) -> str:
        return f"<View of {self.bits} bits on {self.system_bits}>"


def check_bits(bits: int, system_bits: int) -> None:
    """Refuse a program that cannot be; raises UsageError."""
    for number in (bits, system_bits):
        if number not in (32, 64):
            raise UsageError(f"{number} bits", hint="a program and a system have 32 or 64")
    if bits > system_bits:
        raise UsageError("no program of 64 bits runs on a system of 32", hint="take 32 bits")


def seen(path: str, bits: int, system_bits: int = 64) -> str:
    r"""Return where ``path`` leads a program of ``bits`` on a system of ``system_bits``.

    A path that leads elsewhere keeps the spelling of its names; ``Wow6432Node`` comes in, and HKCR
    becomes the keys it stands for. Its depth is judged where it is opened.

    Raises:
        NameRefusedError: a name in ``path`` is none, or its root.
    """
    tree, names = resolve(path)
    if system_bits == 32:
        return path
    found = _physical(tree, names, bits)
    if found is names:
        return path
    root = path.partition("\\")[0]
    if LONG_NAMES[root.upper()] != tree:
        root = tree  # HKCR
    return "\\".join((root, *found))


def _physical(tree: str, names: list[str], bits: int) -> list[str]:
    """Return the names of the key that a path leads to; ``names`` itself where that is the one."""
    folded = [fold(name) for name in names]
    rows = _ROWS.get(tree)
    if rows is None or folded[:1] != ["SOFTWARE"]:
        return names
    home = 2 if folded[1:2] == ["CLASSES"] else 1  # where Wow6432Node stands
    if folded[home : home + 1] == [_WOW64]:
        return _linked(names, folded) if tree == _LOCAL_MACHINE else names
    if bits == 64 or _is_shared(rows, folded):
        return names
    return [*names[:home], WOW64, *names[home:]]


def _linked(names: list[str], folded: list[str]) -> list[str]:
    """Follow the symbolic links of a path that names Wow6432Node itself."""
    found = names
    if folded[1:3] == [_WOW64, "CLASSES"]:
        found = [names[0], names[2], names[1], *names[3:]]
    elif folded[1] != "CLASSES":
        return names
    if "".join(folded[3:4]) in _LINKED_BACK:
        found = [*found[:2], *found[3:]]
    return found


def _is_shared(rows: Mapping[tuple[str, ...], bool], folded: list[str]) -> bool:
    """Say what the table says of the key, or of the nearest above it that stands there."""
    for length in range(min(len(folded), _LONGEST), 0, -1):
        found = rows.get(tuple(folded[:length]))
        if found is not None:
            return found
    return _SHARED


def _table(*, software: bool) -> Mapping[tuple[str, ...], bool]:
    rows = {r"SOFTWARE\Classes": _SHARED}
    rows |= {rf"SOFTWARE\Classes\{name}": _REDIRECTED for name in _CLASSES_REDIRECTED}
    if software:
        rows |= {"SOFTWARE": _REDIRECTED}
        rows |= {rf"SOFTWARE\{name}": _SHARED for name in _SOFTWARE_SHARED}
    return {tuple(fold(row).split("\\")): shared for row, shared in rows.items()}


_ROWS: Final = {_LOCAL_MACHINE: _table(software=True), _CURRENT_USER: _table(software=False)}
_LONGEST: Final = max(len(row) for rows in _ROWS.values() for row in rows)
