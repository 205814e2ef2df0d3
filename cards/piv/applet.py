# SPDX-License-Identifier: Apache-2.0
"""The PIV card application (SP 800-73-5 part 2): rights, and the way of each command to its code.

Parsing is in :mod:`cards.piv.commands` and :mod:`cards.piv.yubico_commands`, execution in
:mod:`cards.piv.standard`, :mod:`cards.piv.authenticate` and :mod:`cards.piv.yubico`; this module
decides who may do what, and nothing else.
"""

import os
from collections.abc import Callable

from cards.piv import authenticate, standard, yubico
from cards.piv import commands as std
from cards.piv import yubico_commands as yk
from cards.piv.profile import Profile
from cards.piv.state import PivState, Security
from cards.piv.tables import OBJECTS, PIV_AID, PinPolicy, Read
from cards.platform import Applet, Area, Refuse, Template
from vreader.iso7816 import SW, CommandApdu

PivCommand = std.StandardCommand | yk.YubicoCommand

# Commands that need the management key authenticated (SP 800-73-5 part 2 table 2).
_ADMIN = (std.PutData, std.GenerateKey, yk.SetManagementKey, yk.ImportKey, yk.SetPinRetries)
# Commands after which a PIN verified for one signature is still fresh: clients send these between
# VERIFY and the signature, to see whether the card is still the one they know.
_READING = (std.GetData, std.VerifyStatus, yk.GetMetadata, yk.GetVersion, yk.GetSerial)


class PivApplet(Applet[PivCommand]):
    """The PIV application of one card, over an initialised area of its memory.

    Args:
        area: its part of the memory; ``state.initialise`` fills it on a new card.
        profile: what the card was made as.
        random: source of witnesses and challenges.
    """

    aid = PIV_AID

    def __init__(
        self, area: Area, profile: Profile, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self.state = PivState(area, profile, random)

    def select(self, wanted: Template) -> bytes:
        """Return the application property template."""
        return self.state.profile.application

    def reset(self) -> None:
        """Drop the security status."""
        self.state.security = Security()

    def parse(self, apdu: CommandApdu) -> PivCommand:
        """Read a command of the profile; others get 6D00."""
        parser: Callable[[CommandApdu], PivCommand] | None = std.PARSERS.get(apdu.ins)
        if parser is None and self.state.profile.yubico:
            parser = yk.PARSERS.get(apdu.ins)
        if parser is None:
            raise Refuse(SW.INS_NOT_SUPPORTED)
        return parser(apdu)

    def gate(self, command: PivCommand) -> None:
        """Check the right to do it: management key, PIN, PIN policy of a key, blocked PINs."""
        state = self.state
        if isinstance(command, _ADMIN):
            std.require(state.security.admin, SW.SECURITY_STATUS_NOT_SATISFIED)
        match command:
            case std.GetData(tag):
                self._gate_read(tag)
            case std.UsePrivateKey():
                self._gate_key(command)
            case yk.SetPinRetries():
                std.require(state.security.pin, SW.SECURITY_STATUS_NOT_SATISFIED)
            case yk.ResetCard():
                std.require(state.pin.blocked and state.puk.blocked, SW.CONDITIONS_NOT_SATISFIED)

    def execute(self, command: PivCommand) -> bytes:
        """Carry out a permitted command."""
        if not isinstance(command, _READING):
            self.state.security.pin_fresh = False
        match command:
            case std.UsePrivateKey():
                return authenticate.use_private_key(self.state, command)
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
            allowed = known.read is Read.PIN and self.state.security.pin
            std.require(allowed, SW.SECURITY_STATUS_NOT_SATISFIED)

    def _gate_key(self, command: std.UsePrivateKey) -> None:
        record, security = self.state.key(command.slot), self.state.security
        if record is None or record.algorithm is not command.algorithm:
            raise Refuse(SW.WRONG_DATA)
        allowed = {
            PinPolicy.NEVER: True,
            PinPolicy.ALWAYS: security.pin_fresh,
        }.get(record.policies.pin, security.pin)
        std.require(allowed, SW.SECURITY_STATUS_NOT_SATISFIED)
