# SPDX-License-Identifier: Apache-2.0
"""Sphinx configuration. What the code can say by itself is generated first, into ``_generated``."""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402 - it lies beside this file

from vreader import __version__  # noqa: E402

generate.main()
runpy.run_path(str(HERE / "diagrams.py"), run_name="__main__")

project = "vreader"
author = "the vreader authors"
version = release = __version__
language = "en"

extensions = ["myst_parser"]
exclude_patterns = ["_build", "_generated", "examples/*/.*"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_title = f"vreader {release}"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
