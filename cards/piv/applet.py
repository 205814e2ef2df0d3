# SPDX-License-Identifier: Apache-2.0
"""The PIV card application (SP 800-73-5 part 2): rights, and the way of each command to its code.

Parsing is in :mod:`cards.piv.commands` and :mod:`cards.piv.yubico_commands`, execution in
:mod:`cards.piv.standard`, :mod:`cards.piv.authenticate` and :mod:`cards.piv.yubico`; this module
decides who may do what, and nothing else.
"""

import os
import time
from collections.abc import Callable

from cards.piv import authenticate, pins, standard, yubico
from cards.piv import commands as std
from cards.piv import yubico_commands as yk
from cards.piv.profile import Profile
from cards.piv.state import PivState, Security
from cards.piv.tables import (
    ATTESTATION,
    CARD_AUTHENTICATION,
    OBJECTS,
    PIV_AID,
    PinPolicy,
    Read,
)
from cards.platform import Applet, Area, CardStatus, Refuse, Template
from cards.platform.parsing import require
from vreader.iso7816 import SW, CommandApdu

PivCommand = std.StandardCommand | yk.YubicoCommand

# Commands that need the management key authenticated (SP 800-73-5 part 2 table 2).
_ADMIN = (
    std.PutData,
    std.GenerateKey,
    yk.SetManagementKey,
    yk.ImportKey,
    yk.MoveKey,
    yk.SetPinRetries,
)
# Commands after which a PIN verified for one signature is still fresh: clients send these between
# VERIFY and the signature, to see whether the card is still the one they know. Any other one ends
# it, even refused.
_READING = (std.GetData, std.VerifyStatus, yk.GetMetadata, yk.GetVersion, yk.GetSerial)
_WITH_REFERENCE = (std.VerifyStatus, std.VerifyPin, std.Logout, std.ChangeReferenceData)
_VERIFY, _CHANGE = 0x20, 0x24
# What SP 800-73-5 part 2 table 2 has over the contact interface alone.
_CONTACT_ONLY = (std.PutData, std.GenerateKey, std.ResetRetryCounter)


class PivApplet(Applet[PivCommand]):
    """The PIV application of one card, over an initialised area of its memory.

    Args:
        area: its part of the memory; ``state.initialise`` fills it on a new card.
        profile: what the card was made as.
        random: source of witnesses and challenges.
        clock: returns seconds that only ever grow, for the touches that are remembered.
        shared: the card's part of the memory with the global PIN.
        card: the security status that all applications of the card share.
    """

    aid = PIV_AID

    def __init__(
        self,
        area: Area,
        profile: Profile,
        random: Callable[[int], bytes] = os.urandom,
        clock: Callable[[], float] = time.monotonic,
        *,
        shared: Area | None = None,
        card: CardStatus | None = None,
    ) -> None:
        self.state = PivState(area, profile, random, clock, shared=shared, card=card)

    def select(self, wanted: Template) -> bytes:
        """Return the application property template; 6A82 when the device has PIV turned off."""
        require(self.state.device.piv_enabled, SW.FILE_NOT_FOUND)
        return self.state.profile.application

    def reset(self) -> None:
        """Drop the security status."""
        self.state.security = Security()

    def parse(self, apdu: CommandApdu) -> PivCommand:
        """Read a command of the profile; others get 6D00."""
        parser: Callable[[CommandApdu], PivCommand] | None = std.PARSERS.get(apdu.ins)
        if parser is None and (version := self.state.profile.version) is not None:
            parser = yk.find_parser(apdu.ins, version)
        if parser is None:
            raise Refuse(SW.INS_NOT_SUPPORTED)
        if apdu.ins in (_VERIFY, _CHANGE) and apdu.p2 in tuple(std.PinRef):
            # Nothing can be said of the length of what does not exist.
            require(pins.has_reference(self.state, apdu.p2), SW.REFERENCE_NOT_FOUND)
        return parser(apdu)

    def gate(self, command: PivCommand) -> None:
        """Check the right to do it: management key, PIN, PIN policy of a key, blocked PINs."""
        state = self.state
        if state.contactless_rules:
            _gate_contactless(command)
        security = state.security
        fresh, security.pin_fresh = security.pin_fresh, False
        if isinstance(command, std.UsePrivateKey):
            self._gate_key(command, fresh=fresh)
            return
        if isinstance(command, _READING):
            security.pin_fresh = fresh
        if isinstance(command, _ADMIN):
            require(state.security.admin, SW.SECURITY_STATUS_NOT_SATISFIED)
        match command:
            case std.GetData(tag):
                self._gate_read(tag)
            case std.GenerateKey(slot) if slot == ATTESTATION:
                require(state.profile.yubico, SW.INCORRECT_P1P2)
            case yk.SetPinRetries():
                require(state.security.pin, SW.SECURITY_STATUS_NOT_SATISFIED)
            case yk.ResetCard():
                require(state.pin.blocked and state.puk.blocked, SW.CONDITIONS_NOT_SATISFIED)

    def execute(self, command: PivCommand) -> bytes:
        """Carry out a permitted command."""
        if isinstance(command, std.UsePrivateKey):
            return authenticate.use_private_key(self.state, command)
        match command:
            case std.AuthenticateManagement(algorithm, step):
                return authenticate.authenticate_management(self.state, algorithm, step)
            case (
                std.GetData()
                | std.PutData()
                | std.VerifyStatus()
                | std.VerifyPin()
                | std.Logout()
                | std.ChangeReferenceData()
                | std.ResetRetryCounter()
                | std.GenerateKey()
            ):
                return standard.execute(self.state, command)
            case _:
                return yubico.execute(self.state, command)

    def _gate_read(self, tag: int) -> None:
        known = OBJECTS.get(tag)
        if known is not None and known.read is not Read.ALWAYS:
            require(self.state.user_verified, SW.SECURITY_STATUS_NOT_SATISFIED)

    def _gate_key(self, command: std.UsePrivateKey, *, fresh: bool) -> None:
        record = self.state.key(command.slot)
        if record is None or record.algorithm is not command.algorithm:
            raise Refuse(SW.WRONG_DATA)
        policy = record.policies.pin
        if policy is not PinPolicy.NEVER:
            fresh = fresh or policy is not PinPolicy.ALWAYS
            require(fresh and self.state.user_verified, SW.SECURITY_STATUS_NOT_SATISFIED)
        # A key that nobody touches in time refuses like one without PIN.
        touched = self.state.touched(record.policies.touch)
        require(touched, SW.SECURITY_STATUS_NOT_SATISFIED)


def _gate_contactless(command: PivCommand) -> None:
    """Hold the rules of the contactless interface (part 1 table 2, §5.1; part 2 table 2).

    There is no secure messaging, hence no virtual contact interface: whatever needs one is refused
    with 6982, and what is never there with 6A81.
    """
    require(not isinstance(command, _CONTACT_ONLY), SW.FUNCTION_NOT_SUPPORTED)
    match command:
        case std.GetData(tag):
            known = OBJECTS.get(tag)
            allowed = known is None or known.contactless
        case std.UsePrivateKey(_, slot):
            allowed = slot == CARD_AUTHENTICATION
        case _:
            allowed = not isinstance(command, (*_WITH_REFERENCE, std.AuthenticateManagement))
    require(allowed, SW.SECURITY_STATUS_NOT_SATISFIED)
