# SPDX-License-Identifier: Apache-2.0
"""What Windows does when a card is inserted, and when a program asks for it, step by step.

The order: the card's ATR; Plug and Play, unless a Calais entry or a policy keeps it away; a search
for a driver, and its installation; the card's name; its card module and provider. Everything a card
is asked goes through the resource manager, and its device through the Plug and Play manager.
"""

import datetime
from typing import TYPE_CHECKING

from vreader.pairing import matching
from vreader.pairing.discovery import Identity, class_minidriver, plug_and_play
from vreader.pairing.drivers import DriverSearch
from vreader.pairing.events import PairingStep
from vreader.pairing.nearest import nearest
from vreader.pairing.result import Device, Module, Pairing
from vreader.pairing.talk import Talk
from vreader.wdm.rootbus import BusQueryId
from vreader.winscard.cardtypes import CardTypes, Order
from vreader.winscard.codes import Disposition, ScardError
from vreader.winscard.locate import discover
from vreader.winscard.probing import MSCLMD, Asked

if TYPE_CHECKING:
    from vreader.pairing.machine import Machine

BASE_CSP = "Microsoft Base Smart Card Crypto Provider"
_CSP, _KSP, _CARD_MODULE = 2, 3, 0x80000001
FAILED_INSTALL = "code 28: the drivers for this device are not installed"


class Insertion:
    """One card's way.

    Args:
        machine: the card is in its reader.
        label: what to call the card.
    """

    def __init__(self, machine: "Machine", label: str) -> None:
        self._machine = machine
        self._label = label
        self._steps: list[PairingStep] = []
        self._atr = b""

    def run(self) -> Pairing:
        """Do it all; a card that does not answer, or leaves, is the answer's ``problem``."""
        machine = self._machine
        found = Pairing(self._label, b"", str(machine.windows.target), machine.bits)
        try:
            found = self._plug_and_play(self._read_atr(found))
            found = self._name(found)
            found = self._provider(found)
        except ScardError as error:
            problem = f"the card cannot be asked: {error}"
            self._tell("insertion", problem)
            found = found._replace(problem=problem)
        return found._replace(steps=tuple(self._steps))

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

    def _read_atr(self, found: Pairing) -> Pairing:
        with Talk(self._machine.api, self._machine.reader, Disposition.LEAVE) as talk:
            self._atr = talk.atr
        text = f"the card in {self._machine.reader!r} answers {self._atr.hex(' ').upper()}"
        self._tell("insertion", text, atr=self._atr.hex().upper())
        return found._replace(atr=self._atr)

    def _plug_and_play(self, found: Pairing) -> Pairing:
        machine, stage = self._machine, "plug and play"
        if not machine.windows.card_pnp:
            self._tell(stage, f"Windows {found.os} gives cards no device: that came with 6.1")
            return found
        if not machine.policy.card_pnp(machine.registry):
            self._tell(stage, "group policy has turned it off (EnableScPnP)")
            return found
        kept_away = self._suppressed_by()
        if kept_away:
            return found._replace(suppressed_by=kept_away)
        with Talk(machine.api, machine.reader) as talk:
            identity = talk.ask(
                plug_and_play(
                    self._atr,
                    ef_atr=machine.policy.ef_atr == "yes",
                    guid_order="raw" if machine.policy.guid_order == "raw" else "windows",
                )
            )
        self._tell_asked(stage, identity.asked)
        if not identity.hardware_ids:
            self._tell(stage, "nothing to tell the card by: SCARD_E_UNEXPECTED, no device")
            return found
        return self._drive(found, self._make_device(identity))

    def _suppressed_by(self) -> str:
        """Return the Calais entry that keeps the card's device away, or nothing."""
        machine, stage = self._machine, "plug and play"
        how = machine.policy.suppress
        if how == "never":
            self._tell(stage, "policy suppress=never: no Calais entry keeps the device away")
            return ""
        entries = CardTypes(machine.services).list(self._order)
        matching_entry = matching.walk(entries, self._atr).winner
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

    def _make_device(self, identity: Identity) -> Device:
        """Let the filter make the card's device, and read its ids as the PnP manager does."""
        host, pnp = self._machine.host, self._machine.host.pnp
        own = identity.hardware_ids[0].replace("\\", "_")
        instance = f"{self._machine.reader} {own}".replace(" ", "_").upper()

        def identify() -> tuple[str, list[str], list[str]]:
            self._machine.filter.identify(
                identity.hardware_ids, tuple(identity.compatible_ids), instance
            )
            pdo = self._machine.filter.card
            if pdo is None:
                return "", [], []
            device, number = (
                "".join(pnp.query_ids(pdo, kind))
                for kind in (BusQueryId.DeviceID, BusQueryId.InstanceID)
            )
            hardware, compatible = (
                pnp.query_ids(pdo, kind)
                for kind in (BusQueryId.HardwareIDs, BusQueryId.CompatibleIDs)
            )
            return rf"{device.upper()}\{number}", hardware, compatible

        device = Device(*host.run(identify))
        self._tell(
            "plug and play",
            f"device {device.instance}, by {identity.source}",
            instance=device.instance,
            hardware_ids=device.hardware_ids,
            compatible_ids=device.compatible_ids,
        )
        return device

    def _drive(self, found: Pairing, device: Device) -> Pairing:
        """Find the device's driver and install it."""
        search = DriverSearch(self._machine, device, self._tell)
        came = search.run(datetime.datetime.now())
        if came.driver is None:
            device = device._replace(problem=FAILED_INSTALL)
        return found._replace(
            device=device,
            candidates=tuple(came.candidates),
            driver=came.driver,
            devlog=tuple(came.log),
        )

    # ------------------------------------------------------------------ the card's name

    def _name(self, found: Pairing) -> Pairing:
        """Ask for the card's name as a program does: SCardListCards with its ATR."""
        machine, stage = self._machine, "winscard"
        entries = CardTypes(machine.view).list(self._order)
        walk = matching.walk(entries, self._atr)
        for step in walk.steps:
            self._tell(stage, f"entry {step.name!r}: {step.text}", entry=step.record())
        if walk.winner is not None:
            behind = f"; not looked at: {', '.join(walk.unreached)}" if walk.unreached else ""
            self._tell(stage, f"the card is called {walk.winner.name!r}{behind}")
            return found._replace(card_name=walk.winner.name, name_source="registry")
        close = nearest(entries, self._atr)
        if close is not None:
            self._tell(stage, f"nearest is {close.entry.name!r}: {close.text}",
                       nearest=close.record())  # fmt: skip
        return self._discover(found)

    def _discover(self, found: Pairing) -> Pairing:
        """Let the resource manager look into its caches, and ask the card."""
        machine, stage = self._machine, "winscard"
        rm = machine.host.rm
        assert rm is not None  # a machine has one
        order = machine.policy.winscard if machine.windows.card_pnp else "off"
        types = CardTypes(machine.view)
        name = machine.host.call(discover(rm, types, self._atr, [machine.reader], order))
        asked = {each.text: each for each in name.asked}
        for text in name.steps[1:]:  # the first is the walk above
            if text in asked:
                self._tell_asked(stage, [asked[text]])
            else:
                self._tell(stage, text)
        called = f"the card is called {name.name!r}, by its {name.source}" if name.name else ""
        self._tell(stage, called or "the card has no name")
        return found._replace(card_name=name.name, name_source=name.source)

    # ------------------------------------------------------------------ what is loaded

    def _provider(self, found: Pairing) -> Pairing:
        """Ask for the card's module and providers as the Base CSP and the KSP do."""
        if not found.card_name:
            return found
        machine, stage = self._machine, "provider"
        csp, ksp, name = (self._provider_name(found.card_name, which)
                          for which in (_CSP, _KSP, _CARD_MODULE))  # fmt: skip
        found = found._replace(csp=csp, ksp=ksp)
        for label, value, who in (
            ("Crypto Provider", csp, "programs that use CAPI"),
            ("Smart Card Key Storage Provider", ksp, "programs that use CNG"),
        ):
            text = f"{label}: {value!r}" if value else f"no {label}: {who} do not see the card"
            self._tell(stage, text, value=value)
        if not name:
            self._tell(stage, "no card module (value 80000001): nothing can be loaded")
            return found
        path = machine.windows.module_path(name, found.bits)
        there: bool | None = path.lower() in machine.files
        if not there and found.card_name.lower() not in machine.entries:
            there = None
        how = {True: "", False: ", which is not there", None: "; whether it is there is not known"}
        self._tell(
            stage,
            f"a {found.bits}-bit program loads {name!r}: {path}{how[there]}",
            module=name, path=path, found=there,
        )  # fmt: skip
        found = found._replace(module=Module(name, path, there))
        if path.lower().rpartition("\\")[2] != MSCLMD:
            return found
        with Talk(machine.api, machine.reader) as talk:
            verdict = talk.ask(class_minidriver(machine.policy.not_found))
        self._tell_asked("class minidriver", verdict.asked)
        self._tell("class minidriver", f"it takes the card for {verdict.verdict}")
        return found._replace(class_verdict=str(verdict.verdict))

    def _provider_name(self, card: str, which: int) -> str:
        api = self._machine.api
        context = api.SCardEstablishContext()
        try:
            return api.SCardGetCardTypeProviderName(context, card, which)
        except ScardError:
            return ""
        finally:
            api.SCardReleaseContext(context)
