# SPDX-License-Identifier: Apache-2.0
"""A pcscd as somebody else would run it: its vpcd driver listens on ports of this machine."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from vreader.bridge.vpcd.namespaces import RUN_DIRECTORY
from vreader.bridge.vpcd.pcscd import PrivatePcscd


class Foreign(NamedTuple):
    """Where it is reached: by programs, by the cards, and its configuration's directory."""

    socket: str
    port: int
    configuration: str
    daemon: PrivatePcscd


@contextlib.contextmanager
def foreign_pcscd(name: str = "Virtual PCD") -> Iterator[Foreign]:
    """Run one with two slots, ``name 00 00`` and ``name 00 01``."""
    if os.getuid() and not Path(RUN_DIRECTORY).is_dir():
        pytest.skip(f"only root can make {RUN_DIRECTORY}")
    with PrivatePcscd([f"{name} 00 00"], isolate=False) as pcscd:
        configuration = pcscd.socket_path.parent / "conf.d"
        stanza = (configuration / "vpcd").read_text()
        port = int(re.search(r"CHANNELID 0x(\w+)", stanza)[1], 16)
        yield Foreign(str(pcscd.socket_path), port, str(configuration), pcscd)
