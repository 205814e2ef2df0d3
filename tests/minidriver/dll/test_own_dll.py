# SPDX-License-Identifier: Apache-2.0
"""Your own DLL, certified against the results of the first run.

``VREADER_MINIDRIVER_DLL`` names it; ``VREADER_MINIDRIVER_CARD`` its card (piv), and
``VREADER_MINIDRIVER_CONFIG`` a cmck_config.xml. The results are kept beside the DLL in a file that
ends with ``.results``, or where ``VREADER_MINIDRIVER_RESULTS`` says. What changes fails the test
and shows as a diff; who wants the change removes the file.
"""

import os
import subprocess
from pathlib import Path

import pytest
from dll_desk import compiled

from vreader.minidriver.dll.module import sample_dll

DLL = os.environ.get("VREADER_MINIDRIVER_DLL", "")
PATIENCE_S = 900


@pytest.fixture
def certify(wine, vreader):
    """Certify a DLL; return the exit code, how results differ, and what went wrong."""

    def certify(dll, results, *options):
        command = [*vreader, "minidriver", "certify", "--dll", dll, "--pinned", results, *options]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        _, _, diff = done.stdout.partition(".results\n+++ ")
        return done.returncode, diff.splitlines(), done.stderr

    return certify


if DLL:  # nobody else has such a test, so that nothing is skipped

    @pytest.mark.timeout(PATIENCE_S)
    def test_your_dll_does_what_it_did(certify):
        results = os.environ.get("VREADER_MINIDRIVER_RESULTS", f"{DLL}.results")
        options = ["--card", os.environ.get("VREADER_MINIDRIVER_CARD", "piv")]
        if config := os.environ.get("VREADER_MINIDRIVER_CONFIG"):
            options += ["--config", config]
        code, diff, said = certify(DLL, results, *options)
        assert diff == []
        assert code == 0, said


def test_a_dll_that_changes_shows_as_a_diff(certify, tmp_path):
    results = str(tmp_path / "mine.results")
    options = ("--card", "piv", "--only", "A.delete-context,A.version-kept")
    assert certify(sample_dll(), results, *options) == (0, [], "")
    kept = Path(results).read_text()
    assert certify(sample_dll(), results, *options) == (0, [], "")
    code, diff, _ = certify(compiled("bad"), results, *options)
    assert (code, diff[0]) == (1, "mine.results (now)"), diff
    assert "-ok   A.delete-context" in diff
    assert any(line.startswith("+FAIL A.delete-context: version: ") for line in diff)
    assert Path(results).read_text() == kept
