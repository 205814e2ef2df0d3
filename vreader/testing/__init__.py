# SPDX-License-Identifier: Apache-2.0
"""What the pytest plugin is made of: settings, the marker, worlds of a test and of a session.

The plugin itself, :mod:`vreader.pytest_plugin`, has hooks and fixtures alone, since every run of
pytest imports it. Modules here are imported when a test first wants a world.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vreader.testing.case import Case

CASE: "pytest.StashKey[Case]" = pytest.StashKey()
"""Where a test item has its worlds, once it wants one."""
UPDATE_GOLDEN = "VREADER_UPDATE_GOLDEN"
"""The environment variable that lets golden files be written."""


class VreaderWarning(pytest.PytestWarning):
    """What a test should do otherwise; ``-W ignore::vreader.testing.VreaderWarning`` hides it."""
