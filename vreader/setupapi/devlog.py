# SPDX-License-Identifier: Apache-2.0
r"""A driver search and an install, told as Windows 10 tells them in setupapi.dev.log.

Sections stand between ``>>>`` and ``<<<``; in between each line has the name of who says it and is
indented by depth; ``!`` before it is a warning, ``!!!`` an error. Times are the caller's: nothing
here looks at a clock. Sources: WDK "Format of a Text Log Section", "Driver Rank Information in the
SetupAPI Log", and logs that people have published. Only what the search and its outcome are is
told: a real log has more, and the words for an unsigned driver are an assumption.
"""

import datetime
from collections.abc import Sequence
from typing import Final, NamedTuple

from vreader.setupapi.dirids import WINDOWS
from vreader.setupapi.package import Package, Signature
from vreader.setupapi.rank import SIGNER_SCORES, Candidate

ERROR_NO_COMPAT_DRIVERS: Final = 0xE0000228
_REPOSITORY: Final = rf"{WINDOWS}\System32\DriverStore\FileRepository"
_SIGNERS: Final = {
    Signature.INBOX: "Inbox",
    Signature.WHQL: "WHQL",
    Signature.AUTHENTICODE: "Authenticode",
    Signature.UNSIGNED: "Not digitally signed",
}


class Node(NamedTuple):
    """A driver that was looked at.

    Attributes:
        inf: its published name, or its own.
        path: of the INF in the driver store.
        class_guid: with braces.
        version: ``mm/dd/yyyy,w.x.y.z``.
        matching_id: the id by which it fits.
        section: DDInstall.
        rank: 0xSSGGTHHH.
        signature: who signed it.
    """

    inf: str
    path: str
    class_guid: str
    version: str
    matching_id: str
    section: str
    rank: int
    signature: Signature


def node_of(candidate: Candidate, arch: str) -> Node:
    """Return what the log of a Windows of ``arch`` tells of a driver."""
    package = candidate.package
    return Node(
        package.published or package.name,
        store_path(package, arch),
        package.class_guid,
        f"{candidate.date:%m/%d/%Y},{'.'.join(map(str, candidate.version))}",
        candidate.matching_id,
        candidate.section,
        candidate.rank,
        package.signature,
    )


def store_path(package: Package, arch: str) -> str:
    """Return where Windows keeps a package's INF."""
    return rf"{_REPOSITORY}\{package.folder(arch)}\{package.name.lower()}"


class Log:
    """Lines of one section of the log.

    Args:
        title: of the section.
        when: its time.
        lasting: after which it ends.
    """

    def __init__(
        self,
        title: str,
        when: datetime.datetime,
        lasting: datetime.timedelta = datetime.timedelta(0),
    ) -> None:
        self._when = when
        self._end = when + lasting
        self._depth = 0
        self._lines = [f">>>  [{title}]", f">>>  Section start {_stamp(when)}"]

    def say(self, who: str, text: str, mark: str = "") -> None:
        """Add a line at the present depth."""
        self._lines.append(f"{mark:<5}{who}: {' ' * 5 * self._depth}{text}")

    def open(self, who: str, what: str) -> None:
        """Begin an operation; lines are a step deeper from now on."""
        self.say(who, f"{{{what}}} {_time(self._when)}")
        self._depth += 1

    def close(self, who: str, what: str, code: int = 0) -> None:
        """End it with an exit code."""
        self._depth -= 1
        self.say(who, f"{{{what} - exit(0x{code:08x})}} {_time(self._when)}")

    def end(self, code: int = 0) -> list[str]:
        """End the section; return its lines."""
        status = f"FAILURE(0x{code:08x})" if code else "SUCCESS"
        return [
            *self._lines,
            f"<<<  Section end {_stamp(self._end)}",
            f"<<<  [Exit status: {status}]",
        ]


def device_install(
    instance: str,
    hardware_ids: Sequence[str],
    compatible_ids: Sequence[str],
    nodes: Sequence[Node],
    when: datetime.datetime,
    *,
    selected: Node | None = None,
    service: str = "",
    lasting: datetime.timedelta = datetime.timedelta(0),
) -> list[str]:
    """Return the section about a device that has come.

    Args:
        instance: the device's.
        hardware_ids: of the device, best first.
        compatible_ids: of the device, best first.
        nodes: the drivers that fit, best first.
        when: all of it happened.
        selected: what was installed; the best by default, none where there is none.
        service: the device's, if its install made one.
        lasting: how much later the section ends.
    """
    log = Log(f"Device Install (Hardware initiated) - {instance}", when, lasting)
    selected = selected or next(iter(nodes), None)
    log.open("dvi", "Build Driver List")
    for kind, ids in (("hardware", hardware_ids), ("compatible", compatible_ids)):
        if ids:
            log.say("dvi", f"Searching for {kind} ID(s):")
            for each in ids:
                log.say("dvi", f"     {each.lower()}")
    log.close("dvi", "Build Driver List")
    log.open("utl", f"Select Drivers - {instance}")
    shown = [selected, *(node for node in nodes if node != selected)] if selected else []
    for node in shown:
        _node(log, node, "Selected" if node == selected else "Outranked")
    if selected is None:
        log.say("utl", "No drivers found.", "!")
        log.close("utl", "Select Drivers", ERROR_NO_COMPAT_DRIVERS)
        return log.end(ERROR_NO_COMPAT_DRIVERS)
    log.close("utl", "Select Drivers")
    log.open("ndv", "Core Device Install")
    log.open("dvi", f"Install Device - {instance}")
    log.open("inf", f"Install from INF Section - {selected.section}")
    log.close("inf", "Install from INF Section")
    if service:
        log.say("dvi", f"Add Service: Created service '{service}'.")
    log.close("dvi", "Install Device")
    log.close("ndv", "Core Device Install")
    return log.end()


def _node(log: Log, node: Node, status: str) -> None:
    score = SIGNER_SCORES[node.signature]
    if node.rank >> 24 >= SIGNER_SCORES[Signature.UNSIGNED] >> 24:
        score = node.rank & 0xFF000000  # unsigned, with an .nt section or without
    log.say("utl", "Driver Node:")
    for name, text in (
        ("Status", status),
        ("Driver INF", f"{node.inf} ({node.path})"),
        ("Class GUID", node.class_guid.lower()),
        ("Driver Version", node.version),
        ("Configuration", f"{node.matching_id} [{node.section}]".lstrip()),
        ("Driver Rank", f"{node.rank:08X}"),
        ("Signer Score", f"{_SIGNERS[node.signature]} ({score:08X})"),
    ):
        log.say("utl", f"     {name:<14} - {text}")


def import_package(package: Package, arch: str, when: datetime.datetime) -> list[str]:
    """Return the section about a package that is staged.

    Args:
        package: with its published name.
        arch: of the Windows.
        when: all of it happened.
    """
    log = Log(f"SetupCopyOEMInf - {package.name}", when)
    log.open("sto", f"Setup Import Driver Package: {package.name}")
    log.say("inf", f"Provider: {package.provider}")
    log.say("inf", f"Class GUID: {package.class_guid}")
    log.say("inf", f"Driver Version: {package.date:%m/%d/%Y},{package.version_text}")
    if package.signature is Signature.UNSIGNED:
        log.say("sig", "Driver package is not signed.", "!")
    log.close("sto", "Setup Import Driver Package")
    log.say("inf", f"Driver Store Path: {store_path(package, arch)}")
    log.say("inf", rf"Published Inf Path: {WINDOWS}\INF\{package.published}")
    return log.end()


def _stamp(when: datetime.datetime) -> str:
    return f"{when:%Y/%m/%d} {_time(when)}"


def _time(when: datetime.datetime) -> str:
    return f"{when:%H:%M:%S}.{when.microsecond // 1000:03}"
