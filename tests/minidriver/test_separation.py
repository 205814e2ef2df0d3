# SPDX-License-Identifier: Apache-2.0
"""The certification examines a minidriver with expectations of its own.

It may know the binary interface; rules that a minidriver is built on, and the minidrivers
themselves, it may not.
"""

import ast
from pathlib import Path

import vreader.minidriver

ROOM = Path(vreader.minidriver.__file__).parent
FORBIDDEN = ("vreader.minidriver.rules", "vreader.minidriver.drivers")


def names(path):
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_certification_does_not_import_what_minidrivers_are_made_of():
    for path in ROOM.glob("certify/**/*.py"):
        assert not [name for name in names(path) if name.startswith(FORBIDDEN)], path


def test_the_binary_interface_knows_no_other_room_but_the_codes_of_winscard():
    allowed = ("vreader.minidriver.abi.", "vreader.winscard.codes.")
    for path in ROOM.glob("abi/*.py"):
        own = [name for name in names(path) if name.startswith("vreader.")]
        assert all(name.startswith(allowed) for name in own), path
