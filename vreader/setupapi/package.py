# SPDX-License-Identifier: Apache-2.0
"""A driver package: its INF, who signed it, how old it is.

Files of a package beside the INF are not looked at, and no catalog is verified: a package whose INF
names a catalog for the Windows at hand counts as signed. That is an assumption of this lab; what is
said about a package wins over it. Sources: WDK "INF Version Section", "Signature Score".
"""

import datetime
import hashlib
from enum import Enum
from typing import Final, Literal, NamedTuple

from vreader.errors import UsageError, near
from vreader.registry.names import fold
from vreader.setupapi.inf import Inf, read_inf
from vreader.setupapi.inffile import read_inf_bytes
from vreader.setupapi.target import Decoration, TargetOS

Version = tuple[int, int, int, int]
Source = Literal["inbox", "store", "update"]
_FOLDER_HASH: Final = 16  # hexadecimal digits
UNDATED: Final = datetime.date(1601, 1, 1)  # FILETIME 0: older than any driver


class Signature(Enum):
    """Who signed a package: Windows itself, Microsoft's hardware lab, somebody else, nobody."""

    INBOX = "inbox"
    WHQL = "whql"
    AUTHENTICODE = "authenticode"
    UNSIGNED = "unsigned"


class Package(NamedTuple):
    """One driver package; it does not change.

    Attributes:
        inf: what is in its INF.
        name: of the INF file, ``fabrikam.inf``.
        data: the INF file's bytes.
        source: ``inbox`` came with Windows, ``store`` has been staged, ``update`` is offered by
            Windows Update and not on the machine.
        published: its name in the driver store, ``oem3.inf``; empty for what is not staged.
        signature: who signed it.
        stated: somebody said so; else a catalog for some Windows is all there is to go by.
        date, version: of DriverVer; UNDATED and zeros where it has none that can be read.
    """

    inf: Inf
    name: str
    data: bytes = b""
    source: Source = "store"
    published: str = ""
    signature: Signature = Signature.UNSIGNED
    stated: bool = False
    date: datetime.date = UNDATED
    version: Version = (0, 0, 0, 0)

    @property
    def provider(self) -> str:
        """Who provides it."""
        return self.inf.value("Version", "Provider") or ""

    @property
    def class_name(self) -> str:
        """Name of its device setup class."""
        return self.inf.value("Version", "Class") or ""

    @property
    def class_guid(self) -> str:
        """GUID of its device setup class, with braces."""
        return self.inf.value("Version", "ClassGuid") or ""

    @property
    def version_text(self) -> str:
        """The version with dots."""
        return ".".join(map(str, self.version))

    def folder(self, arch: str) -> str:
        """Return the name of its folder in a driver store: ``a.inf_amd64_0123456789abcdef``."""
        content = hashlib.sha256(self.signature.value.encode() + b"\0" + self.data)
        return f"{self.name.lower()}_{arch}_{content.hexdigest()[:_FOLDER_HASH]}"

    def on(self, target: TargetOS) -> "Package":
        """Return it with the signature it has on one Windows.

        Unless it is said who signed it, it is unsigned where its INF names no catalog for that
        Windows.
        """
        signed = self.signature is not Signature.UNSIGNED
        if self.stated or not signed or catalog_for(self.inf, target):
            return self
        return self._replace(signature=Signature.UNSIGNED)

    def record(self) -> dict[str, object]:
        """Return everything but the INF under plain names, for JSON."""
        return {
            "name": self.name,
            "published": self.published,
            "source": self.source,
            "provider": self.provider,
            "class": self.class_name,
            "signature": self.signature.value,
            "date": self.date.isoformat(),
            "version": self.version_text,
        }


def read_package(
    path: str, signature: Signature | None = None, source: Source = "store"
) -> Package:
    """Read the package of an INF file.

    Args:
        path: of the INF file; ``FILE,unsigned``, ``FILE,whql`` and the like say who signed it.
        signature: says so, too, and wins; without either see the module.
        source: where it comes from.

    Raises:
        UsageError: the file cannot be read, or there is no such signature.
        InfError: what is in it is no INF.
    """
    path, stated = split_signature(path)
    return make_package(
        read_inf_bytes(path),
        path.replace("\\", "/").rpartition("/")[2],
        signature or stated,
        source,
    )


def make_package(
    data: bytes, name: str, signature: Signature | None = None, source: Source = "store"
) -> Package:
    """Return the package of an INF that is in memory; raises InfError."""
    inf = read_inf(data, name)
    date, version = driver_version(inf)
    presumed = Signature.AUTHENTICODE if any(_catalogs(inf)) else Signature.UNSIGNED
    return Package(
        inf, name, data, source, "", signature or presumed, signature is not None, date, version
    )


def split_signature(text: str) -> tuple[str, Signature | None]:
    """Split ``FILE,unsigned`` into both; raises UsageError for a signature that is none.

    A comma may be in a file's name: one after ``.inf`` starts a signature.
    """
    path, comma, word = text.rpartition(",")
    if not comma or not path.lower().endswith(".inf"):
        return text, None
    names = [each.value for each in Signature]
    if word.lower() not in names:
        hint = near(word, names) or f"one of {', '.join(names)}"
        raise UsageError(f"{word!r} is no signature of {path}", hint=hint)
    return path, Signature(word.lower())


def catalog_for(inf: Inf, target: TargetOS) -> str:
    """Return the catalog file of an INF on a Windows, or nothing.

    ``CatalogFile.NTamd64`` is for its architecture, ``CatalogFile.NT`` and ``CatalogFile`` for any.
    """
    found = ""
    for suffix, name in _catalogs(inf):
        if not suffix:
            found = found or name
        else:
            decoration = Decoration.parse(suffix)
            if decoration is not None and decoration.arch in (None, target.arch):
                return name
    return found


def driver_version(inf: Inf, install: str = "") -> tuple[datetime.date, Version]:
    """Return date and version of an INF's DriverVer, as far as they can be read.

    A version may be short. What follows a second comma is not looked at: ``1,2,3,4`` is 1.0.0.0.

    Args:
        inf: the INF.
        install: a DDInstall section; a DriverVer of its own outranks that of [Version] (WDK "INF
            DriverVer Directive").
    """
    for name in (install, "Version"):
        for entry in inf.directives(name, "DriverVer"):
            date, version, *_ = (*inf.fields(entry), "")
            return _date(date), _version(version)
    return UNDATED, (0, 0, 0, 0)


def _catalogs(inf: Inf) -> list[tuple[str, str]]:
    """Return decoration and file name of every catalog an INF names."""
    section = inf.find("Version")
    found = []
    for entry in [] if section is None else section.entries:
        key, _, suffix = (entry.key or "").partition(".")
        name = inf.fields(entry)[0]
        if fold(key.strip()) == "CATALOGFILE" and name:
            found.append((suffix, name))
    return found


def _date(text: str) -> datetime.date:
    parts = text.replace("-", "/").split("/")
    if len(parts) != 3 or not all(_is_number(part) for part in parts):
        return UNDATED
    month, day, year = map(int, parts)
    try:
        return max(datetime.date(year, month, day), UNDATED)
    except ValueError:
        return UNDATED


def _version(text: str) -> Version:
    parts = text.split(".")
    if len(parts) > 4 or not all(_is_number(part) and int(part) < 0x10000 for part in parts):
        return 0, 0, 0, 0
    first, second, third, fourth = (*map(int, parts), 0, 0, 0)[:4]
    return first, second, third, fourth


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6
