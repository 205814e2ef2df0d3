# SPDX-License-Identifier: Apache-2.0
"""Looking at the card in a simulated Windows through its providers."""

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from vreader.errors import VreaderError
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.host import BaseCsp, CryptoProvider, HostProcess
from vreader.minidriver.host.containers import Container, ContainerKey
from vreader.minidriver.module import Module
from vreader.minidriver.scinfo import authorities, keytest, propagation
from vreader.minidriver.scinfo.certificate import facts, key_name, load, public_key
from vreader.minidriver.scinfo.chain import Authority, build
from vreader.minidriver.scinfo.keytest import KeyTest, KeyVerdict
from vreader.minidriver.scinfo.logon import Subject, eligibility
from vreader.minidriver.scinfo.pin import OnePin
from vreader.minidriver.scinfo.policies import LogonPolicies, PropagationPolicies
from vreader.minidriver.scinfo.result import (
    CertificateReport,
    ContainerReport,
    KeyReport,
    ReaderReport,
)
from vreader.pairing.machine import Machine
from vreader.pairing.result import Pairing
from vreader.setupapi.calais import BASE_CSP, BASE_KSP
from vreader.winscard.codes import ReaderFlag, ScardError
from vreader.winscard.probing import MSCLMD
from vreader.winscard.status_change import ReaderState

_PROVIDERS: Final = {BASE_CSP.lower(): False, BASE_KSP.lower(): True}  # name → as the KSP does


class Wish(NamedTuple):
    """What is wanted to know.

    Attributes:
        pin: answers when a provider asks.
        test: put private keys to a test, which needs the PIN.
        authorities: certificates that chains are built from, beside those on the card.
        now: when; with a time zone.
    """

    pin: OnePin
    test: bool
    authorities: Sequence[Authority]
    now: datetime.datetime


def look(machine: Machine, pairing: Pairing, module: Module | None, wish: Wish) -> ReaderReport:
    """Look at the card that is in the machine.

    Args:
        machine: with the card in its reader.
        pairing: what became of the card there.
        module: its minidriver; None where there is none, and the pairing says why.
        wish: what is wanted.

    Raises:
        VreaderError: the minidriver's DllMain refuses to be loaded.
    """
    report = ReaderReport(
        machine.reader,
        status(machine),
        pairing.atr,
        pairing.card_name,
        pairing.csp,
        pairing.ksp,
        "" if pairing.module is None else pairing.module.path,
    )
    if module is None:
        return report._replace(problems=(pairing.answer,))
    with HostProcess(machine.host.clock) as process:
        providers = {
            name: _provider(machine, pairing, module, wish, process, ksp=_PROVIDERS[name.lower()])
            for name in pairing.ways
        }
        try:
            return _Look(machine, wish, providers).fill(report)
        except MinidriverError as error:
            return report._replace(problems=(f"the minidriver fails: {error}",))
        except VreaderError as error:  # a DLL that crashes or hangs
            return report._replace(problems=(str(error),))
        finally:
            for provider in providers.values():
                provider.close()


def look_without_card(machine: Machine) -> ReaderReport:
    """Look at a machine's reader in which there is no card."""
    return ReaderReport(machine.reader, status(machine), b"")


def status(machine: Machine) -> str:
    """Return the state of the machine's reader as SCardGetStatusChange tells it."""
    api = machine.api
    try:
        context = api.SCardEstablishContext()
    except ScardError as error:
        return str(error)
    try:
        (seen,) = api.SCardGetStatusChange(context, 0, [ReaderState(machine.reader)])
    except ScardError as error:
        return str(error)
    finally:
        api.SCardReleaseContext(context)
    told = ReaderFlag(seen.event_state & 0xFFFF & ~ReaderFlag.CHANGED)
    return " | ".join(f"SCARD_STATE_{flag.name}" for flag in told) or "SCARD_STATE_UNAWARE"


def _provider(
    machine: Machine,
    pairing: Pairing,
    module: Module,
    wish: Wish,
    process: HostProcess,
    *,
    ksp: bool,
) -> CryptoProvider:
    return CryptoProvider(
        BaseCsp(
            machine.api,
            machine.reader,
            module,
            pairing.card_name,
            clock=machine.host.clock,
            prompt=wish.pin,
            view=machine.view,
            process=process,
            ksp=ksp,
        )
    )


class _Look:
    """One look at one card, through each of its providers."""

    def __init__(self, machine: Machine, wish: Wish, providers: dict[str, CryptoProvider]) -> None:
        self._wish = wish
        self._providers = providers
        self._main_name, self._main = list(providers.items())[-1]  # the KSP where there is one
        self._logon = LogonPolicies.read(machine.view)
        self._propagation = PropagationPolicies.read(machine.view)
        self._authorities: list[Authority] = []

    def fill(self, report: ReaderReport) -> ReaderReport:
        main = self._main
        with _alone(main):
            version = main.csp.run(lambda: main.csp.session.version)
            containers = main.containers()
            on_card, problems = authorities.on_card(main.csp)
        self._authorities = [*on_card, *self._wish.authorities]
        told = tuple(self._container(one) for one in containers)
        pin = self._wish.pin
        return report._replace(
            version=version,
            containers=told,
            authorities=tuple(
                propagation.of_authority(facts(one.certificate), self._propagation)
                for one in on_card
            ),
            pin_problem=pin.problem if self._wish.test else "no test was wanted",
            problems=tuple(problems),
        )

    def _container(self, container: Container) -> ContainerReport:
        keys = tuple(self._key(container, key) for key in container.keys)
        return ContainerReport(container.number, container.name, container.default, keys)

    def _key(self, container: Container, key: ContainerKey) -> KeyReport:
        report = KeyReport(key.spec, key_name(key.public), tests=tuple(self._test(container, key)))
        try:
            with _alone(self._main):
                der = self._main.certificate(container.number, key.spec)
        except MinidriverError as error:
            return report._replace(problem=f"its certificate cannot be read: {error}")
        if der is None:
            return report
        certificate = load(der)
        if certificate is None:
            return report._replace(problem="its certificate is no X.509 certificate")
        seen = facts(certificate)
        chain = build(certificate, self._authorities, self._wish.now)
        subject = Subject(seen, key.spec, self._wish.now, chain, self._logon)
        return report._replace(
            certificate=CertificateReport(
                seen,
                public_key(certificate) == key.public,
                chain,
                eligibility(subject),
                propagation.of_key(seen, self._main_name, self._propagation),
            )
        )

    def _test(self, container: Container, key: ContainerKey) -> Iterator[KeyTest]:
        for name, provider in self._providers.items():
            with _alone(provider):
                for operation in keytest.operations(provider, container, key):
                    reason = self._reason(provider, key)
                    if reason:
                        yield KeyTest(operation.name, name, KeyVerdict.SKIPPED, reason)
                    else:
                        yield self._settled(keytest.run(operation, name))

    def _reason(self, provider: CryptoProvider, key: ContainerKey) -> str:
        """Return why a key is not put to a test, or nothing."""
        if not provider.csp.ksp and not key.spec.is_rsa:
            return "this provider has no curves"
        return self._wish.pin.problem if self._wish.test else "no test was wanted"

    def _settled(self, test: KeyTest) -> KeyTest:
        """Tell a key that fails from one whose PIN is missing or wrong."""
        problem = self._wish.pin.problem
        if test.result is KeyVerdict.FAILS and problem:
            return test._replace(result=KeyVerdict.SKIPPED, detail=problem)
        return test


@contextmanager
def _alone(provider: CryptoProvider) -> Iterator[None]:
    """Let the other providers have the card afterwards, rather than when this one is idle."""
    try:
        yield
    finally:
        provider.csp.session.end_transaction()


def vendor_file(pairing: Pairing) -> str:
    """Return the file of a minidriver that Windows would load and that is not at hand, or empty."""
    if not pairing.loaded or pairing.module is None:
        return ""
    path = pairing.module.path
    return "" if path.rpartition("\\")[2].lower() == MSCLMD else path
