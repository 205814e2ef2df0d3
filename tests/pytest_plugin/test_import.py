# SPDX-License-Identifier: Apache-2.0
"""Every run of pytest on the machine imports the plugin: it costs next to nothing."""

import subprocess
import sys
from importlib.metadata import entry_points

NEW = """
import sys, pytest
before = set(sys.modules)
import vreader.pytest_plugin, vreader.testing.settings
print(*sorted(set(sys.modules) - before))
"""


def test_only_what_it_must_have_is_imported():
    told = subprocess.run([sys.executable, "-c", NEW], capture_output=True, text=True, check=True)
    ours = {name for name in told.stdout.split() if name.partition(".")[0] in ("vreader", "cards")}
    assert ours == {
        "vreader", "vreader.errors", "vreader.pytest_plugin", "vreader.testing",
        "vreader.testing.settings",
    }  # fmt: skip
    assert len(told.stdout.split()) < 10  # and hardly anything of others


def test_pytest_finds_it():
    (point,) = (p for p in entry_points(group="pytest11") if p.name == "vreader")
    assert point.value == "vreader.pytest_plugin"


def test_tests_that_want_no_card_import_no_more(pytester):
    pytester.makepyfile("""
        import sys
        def test_nothing():
            assert "vreader.testing.settings" in sys.modules
            assert "vreader.world" not in sys.modules
            assert "vreader.testing.marker" not in sys.modules
    """)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
