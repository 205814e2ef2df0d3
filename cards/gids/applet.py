# SPDX-License-Identifier: Apache-2.0
"""The GIDS application: life cycle, rights, and the way of each command to its code.

Parsing is in :mod:`cards.gids.parse`, execution in :mod:`cards.gids.execute` and
:mod:`cards.gids.authenticate`; this module decides who may do what, and nothing else.
"""

import os
from collections.abc import Callable

from cards.gids import access, authenticate, execute, key_commands
from cards.gids import commands as cmd
from cards.gids.parse import PARSERS
from cards.gids.state import GidsState, Security
from cards.gids.tables import (
    AID,
    DF,
    DF_ACCESS,
    EF_ATR,
    LifeCycle,
    PinRef,
    Right,
    Template,
)  # fmt: skip
from cards.platform import Applet, Area, Refuse
from cards.platform import Template as Wanted
from cards.platform.parsing import require
from vreader.iso7816 import SW, CommandApdu

_AUTHENTICATION = (
    cmd.RequestChallenge, cmd.AnswerChallenge, cmd.StartMutual, cmd.FinishMutual,
)  # fmt: skip
# Commands that have no sense where nobody has to authenticate.
_OPERATIONAL_ONLY = (*_AUTHENTICATION, cmd.UnblockByAdmin, cmd.UnblockByPuk)


class GidsApplet(Applet[cmd.GidsCommand]):
    """The GIDS application of one card, over an initialised area of its memory.

    Args:
        area: its part of the memory.
        pin_sizes: shortest and longest PIN and PUK.
        random: source of challenges.
    """

    aid = AID

    def __init__(
        self,
        area: Area,
        pin_sizes: tuple[int, int],
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.state = GidsState(area, pin_sizes, random)

    def select(self, wanted: Wanted) -> bytes:
        """Make the application the current file and return the template of it."""
        self.state.security.current = DF
        return execute.df_template(wanted)

    def reset(self) -> None:
        """Drop the security status."""
        self.state.security = Security()

    def parse(self, apdu: CommandApdu) -> cmd.GidsCommand:
        """Read a command; others get 6D00."""
        parser = PARSERS.get(apdu.ins)
        if parser is None:
            raise Refuse(SW.INS_NOT_SUPPORTED)
        return parser(apdu)

    def gate(self, command: cmd.GidsCommand) -> None:
        """Check the right to do it: nobody after termination, anybody before activation.

        Before activation there is no authentication with the admin key and no unblocking, 6986.
        """
        life = self.state.life_cycle
        require(life is not LifeCycle.TERMINATED, SW.CONDITIONS_NOT_SATISFIED)
        if life is LifeCycle.OPERATIONAL:
            self._gate_operational(command)
        else:
            require(not isinstance(command, _OPERATIONAL_ONLY), SW.NO_CURRENT_EF)

    def execute(self, command: cmd.GidsCommand) -> bytes:
        """Carry out a permitted command."""
        if isinstance(command, _AUTHENTICATION):
            return authenticate.authenticate(self.state, command)
        return execute.execute(self.state, command)

    def _gate_operational(self, command: cmd.GidsCommand) -> None:
        security = self.state.security
        match command:
            case cmd.GetData(file_id) if file_id not in (DF, EF_ATR):
                self._demand(execute.existing_file(self.state, file_id).rules, Right.GET_DATA)
            case cmd.PutData(file_id) if file_id != EF_ATR:
                self._demand(execute.existing_file(self.state, file_id).rules, Right.PUT_DATA)
            case cmd.PutAdminKey(reference) | cmd.ImportKey(reference):
                self._demand_key(reference, Right.PUT_KEY)
            case cmd.GetPublicKey(reference):
                self._demand_key(reference, Right.GET_PUBLIC_KEY)
            case cmd.GenerateKey(_, reference):
                self._demand_key(reference, Right.GENERATE_KEY)
            case cmd.SetEnvironment(_, _, reference):
                self._demand_key(reference, Right.USE_KEY)
            case cmd.Sign():
                self._demand_chosen(Template.SIGNATURE)
            case cmd.Decipher():
                self._demand_chosen(Template.CONFIDENTIALITY)
            case cmd.CreateFile() | cmd.ActivateFile():
                self._demand(DF_ACCESS, Right.CREATE_CHILD)
            case cmd.DeleteFile():
                self._demand(DF_ACCESS, Right.DELETE_CHILD)
            case cmd.SetPin(reference):
                # A verified PIN may be replaced; the PUK is set once, before activation.
                allowed = security.user and reference is PinRef.PIN
                require(allowed, SW.SECURITY_STATUS_NOT_SATISFIED)
            case cmd.UnblockByAdmin() | cmd.Terminate():
                require(security.admin, SW.SECURITY_STATUS_NOT_SATISFIED)

    def _demand(self, rules: bytes, right: Right) -> None:
        access.demand(rules, right, self.state.security)

    def _demand_key(self, reference: int, right: Right) -> None:
        self._demand(key_commands.existing_key_file(self.state, reference).rules, right)

    def _demand_chosen(self, template: Template) -> None:
        """Check the chosen key again: who was there when it was chosen may have left."""
        environment = self.state.security.environment.get(template)
        if environment is not None:
            self._demand_key(environment.reference, Right.USE_KEY)
