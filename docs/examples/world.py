# SPDX-License-Identifier: Apache-2.0
"""A PC/SC program from Python, with a card of its own."""

import os
import subprocess

import vreader

with vreader.world("piv") as world:
    subprocess.run(["opensc-tool", "--atr"], env=os.environ | world.environment, check=True)
