# SPDX-License-Identifier: Apache-2.0
"""The driver store: packages that Windows has, whether a device uses them or not.

What comes with Windows is there from the start. Others are *staged*: they are given a published
name ``oemN.inf`` of the first number that is free. To stage a package that is there gives the name
it has; one whose INF differs in a byte, or in its signer, is another package even where DriverVer
is the same, and both stay. Nothing is written to the registry. Source: WDK "Driver Store", "PnPUtil
Command Syntax". On a disk: :mod:`vreader.setupapi.storefile`.
"""

from collections.abc import Iterable
from typing import Final

from vreader.errors import UsageError, near
from vreader.registry.names import fold
from vreader.setupapi.inf import Inf
from vreader.setupapi.package import Package, Signature, Source

MAX_PACKAGES: Final = 10_000


class DriverStore:
    """A driver store in memory.

    Args:
        inbox: packages that come with Windows.
    """

    def __init__(self, inbox: Iterable[Package] = ()) -> None:
        self._inbox = list(inbox)
        self._staged: dict[int, Package] = {}  # by the number in its published name

    def packages(self) -> list[Package]:
        """Return all packages: those that came with Windows, then the staged by number."""
        return [*self._inbox, *(self._staged[number] for number in sorted(self._staged))]

    @property
    def sources(self) -> dict[str, Inf]:
        """INFs that came with Windows by folded name, which others may include."""
        return {fold(package.name): package.inf for package in self._inbox}

    def stage(self, package: Package) -> Package:
        """Add a package, or find it where it is there already; return it as the store has it.

        Raises:
            UsageError: there are too many.
        """
        for staged in self._staged.values():
            if _same(staged, package):
                return staged
        number = next(
            (number for number in range(MAX_PACKAGES) if number not in self._staged), None
        )
        if number is None:
            raise UsageError(
                f"the driver store has {MAX_PACKAGES} packages", hint="remove one first"
            )
        return self._put(number, package)

    def put(self, package: Package) -> Package:
        """Add a package under the published name it has; raises UsageError."""
        number = _number(package.published)
        if number is None or number in self._staged:
            raise UsageError(
                f"{package.published!r} is taken, or no published name", hint="for example oem0.inf"
            )
        return self._put(number, package)

    def _put(self, number: int, package: Package) -> Package:
        source: Source = "store"
        staged = package._replace(published=f"oem{number}.inf", source=source)
        self._staged[number] = staged
        return staged

    def find(self, published: str) -> Package:
        """Return a staged package by its published name; raises UsageError."""
        number = _number(published)
        if number not in self._staged:
            names = [package.published for package in self._staged.values()]
            raise UsageError(
                f"the driver store has no {published}",
                hint=near(published, names) or f"it has {', '.join(names) or 'none of its own'}",
            )
        return self._staged[number]

    def remove(self, published: str) -> Package:
        """Take a staged package out, and return it; raises UsageError."""
        package = self.find(published)
        return self._staged.pop(int(package.published[3:-4]))


def _same(one: Package, other: Package) -> bool:
    """Say whether two are one package: on every Windows both are signed alike."""
    return (
        one.data == other.data
        and one.signature is other.signature
        and (one.stated is other.stated or one.signature is Signature.UNSIGNED)
        and fold(one.name) == fold(other.name)
    )


def _number(published: str) -> int | None:
    """Return N of ``oemN.inf``; None for any other name."""
    name = published.lower()
    digits = name[3:-4]
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else -1
    return number if name == f"oem{number}.inf" else None
