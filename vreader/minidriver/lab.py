# SPDX-License-Identifier: Apache-2.0
"""The whole chain for a card, an INF and a minidriver: from the insertion to a signature."""

from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, NamedTuple

from vreader.errors import UsageError, VreaderError
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.guarded import Guarded
from vreader.minidriver.host import BaseCsp, CryptoProvider
from vreader.minidriver.host.containers import Container, ContainerKey
from vreader.minidriver.host.opening import UNNAMED_CARD
from vreader.minidriver.load import load_module
from vreader.minidriver.module import Module
from vreader.minidriver.scinfo.certificate import key_name
from vreader.minidriver.scinfo.keytest import MESSAGE, verifies
from vreader.minidriver.scinfo.pin import OnePin
from vreader.pairing.events import PairingStep
from vreader.pairing.machine import Machine
from vreader.pairing.result import Module as CardModule
from vreader.pairing.result import Pairing
from vreader.setupapi.calais import BASE_CSP, BASE_KSP
from vreader.winscard.probing import MSCLMD

if TYPE_CHECKING:
    from vreader.card import Card


class LabReport(NamedTuple):
    """What became of the chain.

    Attributes:
        pairing: from the insertion to the minidriver's name.
        steps: from the minidriver to the signature.
        verdict: the whole in one line.
        ok: all of it worked.
    """

    pairing: Pairing
    steps: tuple[PairingStep, ...]
    verdict: str
    ok: bool

    def record(self) -> dict[str, object]:
        """Return everything under plain names, for JSON."""
        return {
            "pairing": self.pairing.record(),
            "steps": [step.record() for step in self.steps],
            "verdict": self.verdict,
            "ok": self.ok,
        }


def run_lab(machine: Machine, card: "Card", label: str, dll: str, pin: OnePin) -> LabReport:
    """Insert a card and go on until a signature is verified, or something does not work.

    Args:
        machine: with the INF in its driver store; its events tell every step, call and APDU.
        card: the card.
        label: what to call it.
        dll: the minidriver, as :func:`~vreader.minidriver.load.load_module` takes it; what is not
            a file for Windows stands for the one that the INF names.
        pin: answers when it is asked for.

    Raises:
        VreaderError: there is no such minidriver, or what it needs is missing.
    """
    return _Lab(machine, pin).run(card, label, dll)


def trace(module: Module, machine: Machine) -> Module:
    """Return a module whose calls the machine's events tell, and whose mistakes are its own."""
    host = machine.host
    return Guarded(module, host.events, clock=host.clock, reader=machine.reader, unmask=host.unmask)


def chosen(pairing: Pairing, dll: str) -> Pairing:
    """Return a pairing in which a minidriver is the card's, whatever the registry names.

    Raises:
        UsageError: no program of these bits could load it.
    """
    wrong = wrong_bits(dll, pairing.bits)
    if wrong:
        raise UsageError(wrong, hint="leave --bits out, or name a --os of 64 bits")
    return pairing._replace(
        card_name=pairing.card_name or UNNAMED_CARD,
        csp=pairing.csp if pairing.ways else BASE_CSP,
        ksp=pairing.ksp if pairing.ways else BASE_KSP,
        module=CardModule(dll, dll, True),
        problem="",
    )


def wrong_bits(dll: str, bits: int) -> str:
    """Return why no program of so many bits could load a minidriver, or nothing.

    Raises:
        UsageError: it is a file that nobody could load here.
    """
    name = _last(dll)
    if bits == 64 or not name.endswith(".dll") or name == MSCLMD:
        return ""
    from vreader.minidriver.dll.pe import check_dll

    check_dll(dll)
    return f"a program of {bits} bits cannot load {dll}, a DLL for x64"


def close(module: Module) -> None:
    """End what a module has started, where it has anything."""
    closer = getattr(module, "close", None)
    if closer is not None:
        closer()


class _StoppedError(Exception):
    """The chain has come to its end too early."""


class _Lab:
    def __init__(self, machine: Machine, pin: OnePin) -> None:
        self._machine = machine
        self._pin = pin
        self._steps: list[PairingStep] = []

    def run(self, card: "Card", label: str, dll: str) -> LabReport:
        machine = self._machine
        pairing = machine.insert(card, label)
        module: Module | None = None
        with ExitStack() as closers:
            try:
                self._same(pairing, dll)
                module = load_module(dll, machine.api)
                closers.callback(close, module)
                verdict, ok = self._use(pairing, trace(module, machine)), True
            except _StoppedError as stopped:
                verdict, ok = str(stopped), False
            found = self._findings(module)
        if ok and found:
            verdict, ok = f"the signature is right, but: {found[0]}", False
        return LabReport(pairing, tuple(self._steps), verdict, ok)

    def _say(self, stage: str, text: str, **facts: object) -> None:
        step = PairingStep(stage, text, tuple(facts.items()))
        self._steps.append(step)
        self._machine.host.events.emit(step)

    def _same(self, pairing: Pairing, dll: str) -> None:
        """Stop where Windows would not load this minidriver for the card."""
        if not pairing.loaded or pairing.module is None:
            raise _StoppedError(pairing.answer)
        wanted, given = _last(pairing.module.path), _last(dll)
        if not given.endswith(".dll"):
            self._say("minidriver", f"{dll} stands for {pairing.module.path}")
        elif wanted != given:
            raise _StoppedError(
                f"Windows would load {pairing.module.path} for this card, not {dll}"
            )
        wrong = wrong_bits(dll, pairing.bits)
        if wrong:
            raise _StoppedError(wrong)

    def _use(self, pairing: Pairing, module: Module) -> str:
        """Sign with the card, and say how."""
        with ExitStack() as closers:
            return self._sign(pairing, module, closers)

    def _sign(self, pairing: Pairing, module: Module, closers: ExitStack) -> str:
        ksp = BASE_KSP.lower() in (way.lower() for way in pairing.ways)
        what = "LoadLibrary"
        try:
            provider = closers.enter_context(closing(self._provider(pairing, module, ksp=ksp)))
            what = "CardAcquireContext"
            csp = provider.csp
            version = csp.run(lambda: csp.session.version)
            self._say("minidriver", f"CardAcquireContext: CARD_DATA version {version}")
            what = "looking for keys"
            container, key = self._key(provider)
            what = "signing"
            signature = provider.sign(MESSAGE, container.number, spec=key.spec)
        except MinidriverError as error:
            raise _StoppedError(f"{what}: {self._pin.why(error)}") from None
        except VreaderError as error:  # it refuses to be loaded, or a DLL crashes or hangs
            raise _StoppedError(f"{what}: {error}") from None
        name = f"AT_{key.spec.name} in container {container.number}, {key_name(key.public)}"
        if not verifies(key.public, signature, MESSAGE):
            raise _StoppedError(f"signing: the public key does not verify the signature of {name}")
        self._say("signature", f"{len(signature)} bytes by {name}; its public key verifies them")
        return f"a signature by {name}, through {BASE_KSP if ksp else BASE_CSP}"

    def _provider(self, pairing: Pairing, module: Module, *, ksp: bool) -> CryptoProvider:
        machine = self._machine
        csp = BaseCsp(
            machine.api,
            machine.reader,
            module,
            pairing.card_name,
            clock=machine.host.clock,
            prompt=self._pin,
            view=machine.view,
            ksp=ksp,
        )
        return CryptoProvider(csp)

    def _findings(self, module: Module | None) -> list[str]:
        """Tell and return what a DLL did that no host forgives."""
        found = [f"{one.kind}: {one.text}" for one in getattr(module, "findings", ())]
        for text in found:
            self._say("minidriver", text)
        return found

    def _key(self, provider: CryptoProvider) -> tuple[Container, ContainerKey]:
        """Return the key to sign with: of the default container, or of the first that has one."""
        containers = provider.containers()
        self._say("minidriver", f"{len(containers)} containers")
        for container in sorted(containers, key=lambda one: not one.default):
            with suppress(StopIteration):
                return container, next(
                    key for key in container.keys if key.spec.is_rsa or not key.spec.is_exchange
                )
        raise _StoppedError("the card has no key that could sign")


def _last(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].lower()
