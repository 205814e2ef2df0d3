# SPDX-License-Identifier: Apache-2.0
"""A report for people, line by line."""

from collections.abc import Iterable, Iterator

from vreader.minidriver.scinfo.result import (
    CertificateReport,
    ContainerReport,
    KeyReport,
    ReaderReport,
)

_WIDTH = 11  # of the labels
_MARKS = {"holds": "+", "lifted": "~", "fails": "-", "open": "?"}


def told(report: ReaderReport, *, rules: bool = True) -> Iterator[str]:
    """Yield the lines that tell a report.

    Args:
        report: what was found.
        rules: and every rule of a logon.
    """
    yield _line("reader", report.reader)
    yield _line("status", report.status)
    yield _line("ATR", report.atr.hex(" ").upper() or "none")
    yield _line("card", report.card or ("unknown" if report.atr else "none"))
    yield _line("CSP", report.csp or "none")
    yield _line("KSP", report.ksp or "none")
    version = f", CARD_DATA version {report.version}" if report.version else ""
    yield _line("minidriver", f"{report.module or 'none'}{version}")
    yield _line("default", report.default_container or "no default container")
    for container in report.containers:
        yield ""
        yield from _container(container, rules=rules)
    if report.authorities:
        yield ""
        yield "CAs on the card"
    for one in report.authorities:
        yield f"  {one.subject}: to {one.store.value}, {one.why}"
    yield ""
    yield _line("verdict", report.verdict)


def _container(container: ContainerReport, *, rules: bool) -> Iterator[str]:
    default = " (default)" if container.default else ""
    yield f"container {container.number}: {container.name}{default}"
    for key in container.keys:
        yield from _indented(_key(key, rules=rules))
    if not container.keys:
        yield "  no key"


def _key(key: KeyReport, *, rules: bool) -> Iterator[str]:
    yield _line("key", f"AT_{key.spec.name}, {key.name}")
    for test in key.tests:
        yield _line("", f"{test.operation} through {test.provider}: {test.result.value}")
        yield _line("", f"  {test.detail}")
    if key.problem:
        yield _line("problem", key.problem)
    if key.certificate is not None:
        yield from _certificate(key.certificate, rules=rules)
    elif not key.problem:
        yield _line("certificate", "none")


def _certificate(report: CertificateReport, *, rules: bool) -> Iterator[str]:
    seen = report.facts
    yield _line("certificate", seen.subject or "(no subject)")
    yield _line("", f"issued by {seen.issuer or '(no name)'}")
    yield _line("", f"serial {seen.serial}, thumbprint {seen.thumbprint}")
    yield _line("", f"valid from {seen.not_before:%Y-%m-%d} to {seen.not_after:%Y-%m-%d}")
    matches = "is that of the key" if report.matches else f"{seen.key}, is NOT that of the key"
    yield _line("", f"its public key {matches}")
    for number, link in enumerate(report.chain.links):
        problem = f": {link.problem}" if link.problem else ""
        yield _line("" if number else "chain", f"{link.subject} ({link.source}){problem}")
    yield _line("", report.chain.verdict)
    yield _line("propagated", f"to {report.propagated.store.value}: {report.propagated.why}")
    yield _line("logon", report.logon.verdict)
    for one in report.logon.findings if rules else ():
        mark = _MARKS[one.outcome.value]
        yield _line("", f"{mark} {one.rule.stage.value}: {one.rule.title}: {one.reason}")


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {line}"


def _line(label: str, text: str) -> str:
    return f"{label:<{_WIDTH}} {text}"
