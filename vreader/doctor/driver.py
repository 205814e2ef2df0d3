# SPDX-License-Identifier: Apache-2.0
"""The drivers of the stacks with a real pcscd: are they there, and is vpcd's the slow one.

Until 2023 vpcd sent the length of a message and its body apart. The body then waits for the card's
delayed acknowledgement of the length: 44 ms an APDU, for every card that does not forbid that
delay, as ours do (TCP_QUICKACK). Whether this one is so is seen from what it sends: a receive that
brings two bytes brings a length alone.
"""

import re
import socket
import time
from collections.abc import Iterator

from vreader.bridge.vpcd.frame import Control, FrameDecoder, encode
from vreader.bridge.vpcd.installation import TWIN, VPCD, SlotDriver, find_installation
from vreader.bridge.vpcd.pcscd import PrivatePcscd
from vreader.doctor.check import Finding, note, ok, warn
from vreader.doctor.machine import Machine, version_of
from vreader.errors import VreaderError

_ATR = bytes.fromhex("3B80800101")
_FRAMES = 4
_PATIENCE_S = 3.0


def look_at_vpcd(machine: Machine) -> Iterator[Finding]:
    """Run it in a pcscd of our own for a moment, and look at what it sends."""
    try:
        found = find_installation(wanted=VPCD)
    except VreaderError as error:
        yield note(f"{error}: no --stack pcscd", error.hint)
        return
    name = f"{found.driver}, version {version_of(found.driver) or 'unknown'}"
    name += _packaged(machine, VPCD)
    try:
        with PrivatePcscd(["Doctor 00 00"]) as pcscd, pcscd.dials[0]() as connection:
            apart = _sends_apart(connection)
    except (VreaderError, OSError) as error:
        hint = error.hint if isinstance(error, VreaderError) else "see the other checks"
        yield warn(f"{name}: it does not work in a private pcscd: {error}", hint)
        return
    if apart:
        yield note(
            f"{name}, sends length and body apart: 44 ms an APDU for cards of others, "
            "none for those of vreader",
            "for other cards build vsmartcard 0.10 or newer; vreader needs nothing",
        )
    else:
        yield ok(f"{name}, sends messages whole")


def _sends_apart(connection: socket.socket) -> bool:
    """Answer its first questions as a card; tell whether lengths came alone.

    Raises:
        OSError: it does not ask.
    """
    connection.settimeout(_PATIENCE_S)
    deadline = time.monotonic() + _PATIENCE_S
    decoder = FrameDecoder()
    frames = alone = 0
    while frames < _FRAMES and time.monotonic() < deadline:
        if not (data := connection.recv(4096)):
            raise ConnectionResetError("the driver hangs up")
        alone += len(data) == 2
        for payload in decoder.feed(data):
            frames += 1
            if payload[:1] == bytes([Control.ATR]):
                connection.sendall(encode(_ATR))
    return alone * 2 >= frames


def look_at_twin(machine: Machine) -> Iterator[Finding]:
    """Find libccid's driver for serial readers."""
    try:
        found = find_installation(wanted=TWIN)
    except VreaderError as error:
        yield note(f"{error}: no --stack twin", error.hint)
        return
    yield ok(f"{found.driver}{_packaged(machine, TWIN)}")


def _packaged(machine: Machine, driver: SlotDriver) -> str:
    """Say which package of the distribution it is, where that can be asked."""
    query = machine.which("dpkg-query")
    if query is None:
        return ""
    try:
        code, said = machine.run(query, "-W", "-f=${Version}", driver.package)
    except OSError:
        return ""
    if code or not re.fullmatch(r"\S+", said):
        return ""
    return f" ({driver.package} {said})"
