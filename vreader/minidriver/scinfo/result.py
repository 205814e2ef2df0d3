# SPDX-License-Identifier: Apache-2.0
"""What was found about a reader, its card, its containers, keys and certificates."""

from typing import Final, NamedTuple

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.scinfo.certificate import CertificateFacts
from vreader.minidriver.scinfo.chain import Chain
from vreader.minidriver.scinfo.keytest import KeyTest, KeyVerdict
from vreader.minidriver.scinfo.logon import Eligibility
from vreader.minidriver.scinfo.propagation import Propagated

EMPTY: Final = "SCARD_STATE_EMPTY"
PRESENT: Final = "SCARD_STATE_PRESENT"


class CertificateReport(NamedTuple):
    """A key's certificate.

    Attributes:
        facts: what it says.
        matches: it is for the key that the card has.
        chain: up to a root.
        logon: whether Windows would offer it.
        propagated: where it is copied.
    """

    facts: CertificateFacts
    matches: bool
    chain: Chain
    logon: Eligibility
    propagated: Propagated

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return {
            **self.facts.record(),
            "matches_key": self.matches,
            "chain": self.chain.record(),
            "logon": self.logon.record(),
            "propagation": self.propagated.record(),
        }


class KeyReport(NamedTuple):
    """A key.

    Attributes:
        spec: what it is for.
        name: what it is, ``RSA-2048``.
        certificate: its certificate, or None.
        problem: why there is none where there should be one, or empty.
        tests: of the private key.
    """

    spec: KeySpec
    name: str
    certificate: CertificateReport | None = None
    problem: str = ""
    tests: tuple[KeyTest, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing is wrong with it; a key that was not tested is not wrong."""
        fits = self.certificate is None or self.certificate.matches
        results = {test.result for test in self.tests}
        useless = KeyVerdict.UNSUPPORTED in results and KeyVerdict.WORKS not in results
        return fits and not useless and KeyVerdict.FAILS not in results and not self.problem

    @property
    def works(self) -> bool:
        """The private key has done something right."""
        return any(test.result is KeyVerdict.WORKS for test in self.tests)

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return {
            "spec": f"AT_{self.spec.name}",
            "key": self.name,
            "certificate": None if self.certificate is None else self.certificate.record(),
            "problem": self.problem,
            "tests": [test.record() for test in self.tests],
        }


class ContainerReport(NamedTuple):
    """A container: its number on the card, its name, whether it is the default one, its keys."""

    number: int
    name: str
    default: bool
    keys: tuple[KeyReport, ...]

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return {
            "index": self.number,
            "name": self.name,
            "default": self.default,
            "keys": [key.record() for key in self.keys],
        }


class ReaderReport(NamedTuple):
    """A reader with its card.

    Attributes:
        reader: its name.
        status: SCARD_STATE_* as the resource manager tells it.
        atr: of the card; empty where there is none, or it does not answer.
        card: what winscard calls it, or empty.
        csp, ksp: its providers, or empty.
        module: the minidriver.
        version: of CARD_DATA that was agreed on; 0 where no context was acquired.
        containers: the card's.
        authorities: where certificates of CAs that are on the card are copied.
        pin_problem: why keys were not tested, or empty.
        problems: what is wrong with the card itself.
    """

    reader: str
    status: str
    atr: bytes
    card: str = ""
    csp: str = ""
    ksp: str = ""
    module: str = ""
    version: int = 0
    containers: tuple[ContainerReport, ...] = ()
    authorities: tuple[Propagated, ...] = ()
    pin_problem: str = ""
    problems: tuple[str, ...] = ()

    @property
    def default_container(self) -> str:
        """The name of the default container, or empty."""
        return next((one.name for one in self.containers if one.default), "")

    @property
    def keys(self) -> list[KeyReport]:
        """All keys."""
        return [key for container in self.containers for key in container.keys]

    @property
    def ok(self) -> bool:
        """Nothing is wrong. Certificates that no logon would take are not wrong."""
        return not self.problems and all(key.ok for key in self.keys)

    @property
    def verdict(self) -> str:
        """The whole in one line."""
        if self.problems:
            return "; ".join(self.problems)
        if self.status == EMPTY:
            return "no card"
        if not self.keys:
            return "no keys"
        wrong = sum(not key.ok for key in self.keys)
        if wrong:
            return f"{wrong} of {len(self.keys)} keys with something wrong"
        if self.pin_problem:
            return f"nothing wrong, but no private key was tested: {self.pin_problem}"
        working = sum(key.works for key in self.keys)
        return f"nothing wrong; {working} of {len(self.keys)} private keys were seen to work"

    def record(self) -> dict[str, object]:
        """Return everything under plain names, for JSON."""
        return {
            "reader": self.reader,
            "status": self.status,
            "atr": self.atr.hex().upper(),
            "card": self.card,
            "csp": self.csp,
            "ksp": self.ksp,
            "module": self.module,
            "version": self.version,
            "default_container": self.default_container,
            "containers": [one.record() for one in self.containers],
            "authorities": [one.record() for one in self.authorities],
            "pin_problem": self.pin_problem,
            "problems": list(self.problems),
            "ok": self.ok,
            "verdict": self.verdict,
        }
