# SPDX-License-Identifier: Apache-2.0
"""``python -m vreader`` is ``vreader``."""

from vreader.cli import main

main()
