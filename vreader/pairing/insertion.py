# SPDX-License-Identifier: Apache-2.0
"""What Windows does when a card is inserted, and when a program asks for it, step by step.

The order: the card's ATR; Plug and Play, unless a Calais entry or a policy keeps it away; a search
for a driver, and its installation; the card's name; its card module and provider. Everything a card
is asked goes through the resource manager, and its device through the Plug and Play manager.
"""

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from vreader.pairing import matching
from vreader.pairing.cardid import GuidOrder
from vreader.pairing.discovery import class_minidriver, plug_and_play
from vreader.pairing.drivers import DriverSearch
from vreader.pairing.events import PairingStep
from vreader.pairing.nearest import nearest
from vreader.pairing.result import Device, Module, Pairing
from vreader.pairing.talk import Talk
from vreader.setupapi.calais import BASE_CSP
from vreader.winscard.cardtypes import CARD_MODULE, CSP, KSP, CardTypes, Order
from vreader.winscard.codes import SCARD, Disposition, ScardError, Win32
from vreader.winscard.locate import discover
from vreader.winscard.probing import MSCLMD, Asked

if TYPE_CHECKING:
    from vreader.pairing.machine import Machine

# What a code means of a card that is being asked.
_BECAUSE: Final[dict[int, str]] = {
    SCARD.W_REMOVED_CARD: ", it has left",
    SCARD.E_NO_SMARTCARD: ", it has left",
    Win32.SEM_TIMEOUT: ", it does not answer",
    SCARD.W_UNRESPONSIVE_CARD: ", it does not answer",
    SCARD.W_UNSUPPORTED_CARD: ", its ATR is malformed",
}
_MOST_NAMES = 10
FAILED_INSTALL = "code 28: the drivers for this device are not installed"


class Insertion:
    """One card's way.

    Args:
        machine: the card is in its reader.
        label: what to call the card.
    """

    def __init__(self, machine: "Machine", label: str) -> None:
        self._machine = machine
        self._steps: list[PairingStep] = []
        self._found = Pairing(label, b"", str(machine.windows.target), machine.bits)

    def run(self) -> Pairing:
        """Do it all; a card that does not answer, or leaves, is the answer's ``problem``.

        What was found out until then stays in the answer.
        """
        try:
            self._read_atr()
            self._plug_and_play()
            self._name()
            self._provider()
        except ScardError as error:
            problem = f"the card cannot be asked{_BECAUSE.get(error.code, '')}: {error}"
            self._tell(self._steps[-1].stage if self._steps else "insertion", problem)
            self._found = self._found._replace(problem=problem)
        return self._found._replace(steps=tuple(self._steps))

    def _tell(self, stage: str, text: str, **facts: object) -> None:
        step = PairingStep(stage, text, tuple(facts.items()))
        self._steps.append(step)
        events = self._machine.host.events
        if events:
            events.emit(step)

    def _tell_asked(self, stage: str, asked: list[Asked]) -> None:
        for each in asked:
            told = each.record()
            text = str(told.pop("text"))
            self._tell(stage, text, **told)

    # ------------------------------------------------------------------ the card and its device

    def _ask_atr(self) -> bytes:
        with Talk(self._machine.api, self._machine.reader, Disposition.LEAVE) as talk:
            return talk.atr

    def _read_atr(self) -> None:
        atr = self._ask_atr()
        text = f"the card in {self._machine.reader!r} answers {atr.hex(' ').upper()}"
        self._tell("insertion", text, atr=atr.hex().upper())
        self._found = self._found._replace(atr=atr)

    def _plug_and_play(self) -> None:
        machine, stage, atr = self._machine, "plug and play", self._found.atr
        if not machine.windows.card_pnp:
            os = self._found.os
            self._tell(stage, f"Windows {os} gives cards no device: that came with 6.1")
            return
        if not machine.policy.card_pnp(machine.registry):
            self._tell(stage, "group policy has turned it off for cards (EnableScPnP)")
            return
        kept_away = self._suppressed_by()
        if kept_away:
            self._found = self._found._replace(suppressed_by=kept_away)
            return
        ef_atr = machine.policy.ef_atr == "yes"
        order: GuidOrder = "raw" if machine.policy.guid_order == "raw" else "windows"
        asked: list[Asked] = []
        try:
            with Talk(machine.api, machine.reader) as talk:
                identity = talk.ask(
                    plug_and_play(atr, ef_atr=ef_atr, guid_order=order, asked=asked)
                )
        finally:
            self._tell_asked(stage, asked)
        if not identity.hardware_ids:
            self._tell(stage, "the card has nothing to be told by: SCARD_E_UNEXPECTED")
            return
        device = machine.make_device(identity)
        if device is None:
            raise ScardError(SCARD.W_REMOVED_CARD)
        self._tell(
            stage,
            f"device {device.instance}, by {identity.source}",
            instance=device.instance,
            hardware_ids=device.hardware_ids,
            compatible_ids=device.compatible_ids,
        )
        self._drive(device)

    def _suppressed_by(self) -> str:
        """Return the Calais entry that keeps the card's device away, or nothing."""
        machine, stage = self._machine, "plug and play"
        how = machine.policy.suppress
        if how == "never":
            self._tell(stage, "policy suppress=never: no Calais entry keeps the device away")
            return ""
        entries = CardTypes(machine.services).list(self._order)
        matching_entry = matching.walk(entries, self._found.atr).winner
        if matching_entry is None:
            self._tell(stage, "no Calais entry keeps the card's device away")
            return ""
        name, csp = matching_entry.name, matching_entry.csp
        if how == "foreign-csp" and csp.lower() in ("", BASE_CSP.lower()):
            self._tell(
                stage,
                f"entry {name!r} matches, but a device is kept away only by one whose Crypto "
                "Provider is another than the Base CSP (policy suppress=foreign-csp)",
                entry=name,
            )
            return ""
        because = f"its Crypto Provider is {csp!r}" if how == "foreign-csp" else "any entry does"
        self._tell(stage, f"no device: entry {name!r} matches, and {because}", entry=name)
        return name

    @property
    def _order(self) -> Order:
        return "created" if self._machine.policy.walk == "created" else "name"

    def _drive(self, device: Device) -> None:
        """Find the device's driver and install it."""
        search = DriverSearch(self._machine, device, self._tell)
        came = search.run(datetime.datetime.now())
        if came.driver is None:
            device = device._replace(problem=FAILED_INSTALL)
        self._found = self._found._replace(
            device=device,
            candidates=tuple(came.candidates),
            driver=came.driver,
            devlog=tuple(came.log),
        )

    # ------------------------------------------------------------------ the card's name

    def _name(self) -> None:
        """Ask for the card's name as a program does: SCardListCards with its ATR."""
        machine, stage, atr = self._machine, "winscard", self._ask_atr()
        if atr != self._found.atr:  # what was asked meanwhile ended in a reset
            text = f"after a warm reset the card answers {atr.hex(' ').upper()}"
            self._tell(stage, text, atr=atr.hex().upper())
        entries = CardTypes(machine.view).list(self._order)
        walk = matching.walk(entries, atr)
        for step in walk.steps:
            self._tell(stage, f"entry {step.name!r}: {step.text}", entry=step.record())
        if walk.winner is not None:
            behind = _not_looked_at(walk.unreached)
            self._tell(stage, f"the card is called {walk.winner.name!r}{behind}")
            self._found = self._found._replace(card_name=walk.winner.name, name_source="registry")
            return
        close = nearest(entries, atr)
        if close is not None:
            self._tell(stage, f"nearest is {close.entry.name!r}: {close.text}",
                       nearest=close.record())  # fmt: skip
        self._discover(atr)

    def _discover(self, atr: bytes) -> None:
        """Let the resource manager look into its caches, and ask the card."""
        machine, stage = self._machine, "winscard"
        rm = machine.host.rm
        assert rm is not None  # a machine has one
        order = machine.policy.winscard if machine.windows.card_pnp else "off"
        types = CardTypes(machine.view)
        name = machine.host.call(discover(rm, types, atr, [machine.reader], order))
        asked = {each.text: each for each in name.asked}
        for text in name.steps[1:]:  # the first is the walk above
            if text in asked:
                self._tell_asked(stage, [asked[text]])
            else:
                self._tell(stage, text)
        called = f"the card is called {name.name!r}, by its {name.source}" if name.name else ""
        self._tell(stage, called or "the card has no name")
        self._found = self._found._replace(card_name=name.name, name_source=name.source)
        if name.problem:
            self._found = self._found._replace(problem=f"the card cannot be asked: {name.problem}")

    # ------------------------------------------------------------------ what is loaded

    def _provider(self) -> None:
        """Ask for the card's module and providers as the Base CSP and the KSP do."""
        card = self._found.card_name
        if not card:
            return
        stage = "provider"
        csp, ksp, name = (self._provider_name(card, which) for which in (CSP, KSP, CARD_MODULE))
        self._found = self._found._replace(csp=csp, ksp=ksp)
        for label, value, who in (
            ("Crypto Provider", csp, "programs that use CAPI"),
            ("Smart Card Key Storage Provider", ksp, "programs that use CNG"),
        ):
            text = f"{label}: {value!r}" if value else f"no {label}: {who} do not see the card"
            if value and value not in self._found.ways:
                text += ", which loads no card modules"
            self._tell(stage, text, value=value)
        if not name:
            self._tell(stage, "no card module (value 80000001): nothing can be loaded")
            return
        module = self._module(name)
        self._found = self._found._replace(module=module)
        if module.path.lower().rpartition("\\")[2] == MSCLMD and self._found.loaded:
            self._class_minidriver()

    def _module(self, name: str) -> Module:
        """Find the file that is loaded for a card module's name."""
        machine, bits = self._machine, self._found.bits
        path = machine.windows.module_path(name, bits)
        there: bool | None = path.lower() in machine.files
        if not there and self._found.card_name.lower() not in machine.entries:
            there = None
        how = {True: "", False: ", which is not there", None: "; whether it is there is not known"}
        self._tell(
            "provider",
            f"a {bits}-bit program loads {name!r}: {path}{how[there]}",
            module=name, path=path, found=there,
        )  # fmt: skip
        return Module(name, path, there)

    def _class_minidriver(self) -> None:
        """Have the class minidriver ask the card, in CardAcquireContext."""
        machine, stage = self._machine, "class minidriver"
        asked: list[Asked] = []
        try:
            with Talk(machine.api, machine.reader) as talk:
                verdict = talk.ask(class_minidriver(machine.policy.not_found, asked)).verdict
        finally:
            self._tell_asked(stage, asked)
        self._tell(stage, f"it takes the card for {verdict}")
        self._found = self._found._replace(class_verdict=str(verdict))

    def _provider_name(self, card: str, which: int) -> str:
        api = self._machine.api
        context = api.SCardEstablishContext()
        try:
            return api.SCardGetCardTypeProviderName(context, card, which)
        except ScardError:
            return ""
        finally:
            api.SCardReleaseContext(context)


def _not_looked_at(names: Sequence[str]) -> str:
    shown = list(names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        shown.append(f"{len(names) - _MOST_NAMES} more")
    return f"; not looked at: {', '.join(shown)}" if names else ""
