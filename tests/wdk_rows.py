# SPDX-License-Identifier: Apache-2.0
"""Records which rows of the WDK inventory had a passing test; judges a full run.

A test names its rows with ``@pytest.mark.wdk("row.id")``. After a run of the whole suite every row
that is named must have a test that passed, and none that failed; otherwise the run fails and says
which rows are not proven. A part of the suite (``-k``, ``-m``, one file) is not judged.
"""

import pytest


class WdkRows:
    """The plug-in; one for each run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.rows_of: dict[str, tuple[str, ...]] = {}  # node id → rows
        self.passed: set[str] = set()  # node ids
        self.failed: set[str] = set()
        self.whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            rows = [row for mark in item.iter_markers("wdk") for row in mark.args]
            if rows:
                self.rows_of[item.nodeid] = tuple(rows)

    def pytest_deselected(self) -> None:
        self.whole = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.when == "call" and report.passed:
            self.passed.add(report.nodeid)

    def unproven(self) -> list[str]:
        """The rows named by tests of which none passed, or one failed."""
        proven = {row for node in self.passed for row in self.rows_of.get(node, ())}
        broken = {row for node in self.failed for row in self.rows_of.get(node, ())}
        named = {row for rows in self.rows_of.values() for row in rows}
        return sorted(named - proven | broken)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # session.shouldstop: -x, --maxfail or Ctrl-C; the rest of the suite has not been heard.
        self.whole = self.whole and not (session.shouldstop or self.config.option.collectonly)
        if self.whole and self.unproven() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.whole and (rows := self.unproven()):
            terminalreporter.section("rows of the WDK inventory that are not proven", red=True)
            for row in rows:
                terminalreporter.line(row)
