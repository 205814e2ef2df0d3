# SPDX-License-Identifier: Apache-2.0
"""Which driver of several a device gets: the rank 0xSSGGTHHH, the lowest wins.

SS is the signature's score, GG the feature score, THHH says how the ids meet. Of equals the newest
date wins, then the highest version. Sources: WDK "How Windows Ranks Drivers", "Signature Score",
"Feature Score", "Identifier Score". Microsoft gives names of the signature scores, not what they
are on a Windows whose signers are equal: 00 for trusted signers, and C0 for an unsigned driver
without an .nt section, are assumptions; logs of real machines bear out 00 and 80.
"""

import datetime
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from vreader.setupapi.inf import Inf
from vreader.setupapi.package import Package, Signature, Version, driver_version
from vreader.setupapi.target import Model, TargetOS, install_section, match, models_for

# SIGNERSCORE_*: the first byte counts for the rank, the last tells kinds of signers apart.
SIGNER_SCORES: Final = {
    Signature.INBOX: 0x0D000003,
    Signature.WHQL: 0x0D000005,
    Signature.AUTHENTICODE: 0x0F000000,
    Signature.UNSIGNED: 0x80000000,
}
SIGNER_SCORE_NO_NT: Final = 0xC0000000  # SIGNERSCORE_W9X_SUSPECT
NO_FEATURE_SCORE: Final = 0xFF
LAST_RESORT: Final = 0x00FFFFFF  # worse than any id that fits


class Candidate(NamedTuple):
    """A driver that fits a device.

    Attributes:
        package: where it is, with the signature that counts on this Windows.
        model: the line of the INF that fits.
        section: the DDInstall section that would be run.
        matching_id: the id by which it fits, as the INF has it.
        rank: 0xSSGGTHHH.
        date, version: of DriverVer, the package's or that of the section itself.
    """

    package: Package
    model: Model
    section: str
    matching_id: str
    rank: int
    date: datetime.date
    version: Version

    def record(self) -> dict[str, object]:
        """Return everything under plain names, for JSON."""
        return {
            "package": self.package.record(),
            "line": self.model.line,
            "description": self.model.description,
            "section": self.section,
            "matching_id": self.matching_id,
            "rank": f"{self.rank:08X}",
            "date": self.date.isoformat(),
            "version": ".".join(map(str, self.version)),
        }


def search(
    packages: Iterable[Package],
    hardware_ids: Sequence[str],
    compatible_ids: Sequence[str],
    target: TargetOS,
    *,
    signers_equal: bool = True,
) -> list[Candidate]:
    """Return the drivers that fit a device, best first; of a package the best alone.

    Args:
        packages: where to look; of equals the first wins.
        hardware_ids: of the device, best first.
        compatible_ids: of the device, best first.
        target: the Windows.
        signers_equal: all trusted signers rank alike (AllSignersEqual, default since Windows 7);
            else what Microsoft signed beats Authenticode, as on Windows Vista.

    Raises:
        InfError: an INF says something that cannot be.
    """
    found = []
    for package in packages:
        best: Candidate | None = None
        for each in _of(package.on(target), hardware_ids, compatible_ids, target, signers_equal):
            if best is None or each.rank < best.rank:
                best = each
        if best is not None:
            found.append(best)
    return sorted(found, key=_order)


def last_resort(package: Package, target: TargetOS) -> Candidate | None:
    """Return a package's first model for a device that it does not name, or None.

    Windows 8 and later so take the NULL driver of unknown cards, whose ids are not public.
    """
    for model in models_for(package.inf, target):
        section = install_section(package.inf, model.install, target.arch)
        if section is not None:
            return Candidate(
                package, model, section, "", LAST_RESORT, package.date, package.version
            )
    return None


def _of(
    package: Package,
    hardware_ids: Sequence[str],
    compatible_ids: Sequence[str],
    target: TargetOS,
    signers_equal: bool,
) -> Iterable[Candidate]:
    inf = package.inf
    for model in models_for(inf, target):
        found = match(model, hardware_ids, compatible_ids)
        section = install_section(inf, model.install, target.arch)
        if found is None or section is None:
            continue
        score, matching_id = found
        signer = signature_score(package.signature, section, model, signers_equal=signers_equal)
        rank = signer << 24 | feature_score(inf, section) << 16 | score
        yield Candidate(package, model, section, matching_id, rank, *driver_version(inf, section))


def signature_score(
    signature: Signature, section: str, model: Model, *, signers_equal: bool
) -> int:
    """Return SS of a rank.

    Args:
        signature: the package's.
        section: the DDInstall section that is run.
        model: that names it, undecorated.
        signers_equal: see :func:`search`.
    """
    if signature is Signature.UNSIGNED:
        decorated = section[len(model.install.strip()) :].upper().startswith(".NT")
        score = SIGNER_SCORES[signature] if decorated else SIGNER_SCORE_NO_NT
        return score >> 24
    return 0 if signers_equal else SIGNER_SCORES[signature] >> 24


def feature_score(inf: Inf, section: str) -> int:
    """Return GG of a rank: FeatureScore of the DDInstall section itself, else FF.

    Raises:
        InfError: it is no hexadecimal byte.
    """
    for entry in inf.directives(section, "FeatureScore"):
        text = inf.fields(entry)[0]
        digits = text[2:] if text[:2].lower() == "0x" else text
        if not digits.isascii() or not digits.isalnum() or len(digits) > 2:
            raise inf.error(entry.line, f"FeatureScore {text!r} is no byte", "FF is the default")
        try:
            return int(digits, 16)
        except ValueError:
            raise inf.error(
                entry.line, f"FeatureScore {text!r} is no byte", "FF is the default"
            ) from None
    return NO_FEATURE_SCORE


def _order(candidate: Candidate) -> tuple[int, int, tuple[int, ...]]:
    newest_first = -candidate.date.toordinal()
    return candidate.rank, newest_first, tuple(-part for part in candidate.version)
