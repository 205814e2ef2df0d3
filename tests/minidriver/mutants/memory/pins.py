# SPDX-License-Identifier: Apache-2.0
"""PINs, sessions, challenges."""

import os

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from memory.base import Base, invalid
from memory.card import TRIES
from vreader.minidriver.abi.pins import AuthenticateFlag, ChangeFlag, Role, UnblockFlag, pins_of
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.winscard.codes import SCARD

ROLES = {"user": Role.USER, "admin": Role.ADMIN}
CHANGE = {Role.USER: {Role.USER}, Role.ADMIN: {Role.ADMIN}, 3: {3}}
UNBLOCK = {Role.USER: {Role.ADMIN}, Role.ADMIN: set(), 3: {Role.ADMIN}}


def due(card, role):
    """Return what has to be presented for a role."""
    if role != Role.ADMIN:
        return card.pins[role].value
    if card.challenge is None:
        return None
    encryptor = Cipher(TripleDES(card.pins[role].value), CBC(bytes(8))).encryptor()
    return encryptor.update(card.challenge) + encryptor.finalize()


def verify(card, role, presented):
    """Compare; count."""
    pin = card.pins[role]
    if not pin.tries:
        raise MinidriverError(SCARD.W_CHV_BLOCKED, attempts=0)
    right = presented == due(card, role)
    if role == Role.ADMIN:
        card.challenge = None
    if not right:
        pin.tries -= 1
        code = SCARD.W_WRONG_CHV if pin.tries else SCARD.W_CHV_BLOCKED
        raise MinidriverError(code, attempts=pin.tries)
    pin.tries = TRIES


def change(card, role, value):
    """Give a role another secret."""
    card.pins[role].value = value
    card.pins[role].tries = TRIES
    card.sessions.pop(role, None)


class Pins(Base):
    """The functions for PINs."""

    def CardAuthenticatePin(self, user, pin):
        card = self.open()
        verify(card, ROLES[user], pin)
        card.authenticated.add(ROLES[user])

    def CardGetChallenge(self):
        card = self.open()
        card.challenge = os.urandom(8)
        return card.challenge

    def CardGetChallengeEx(self, pin_id, flags):
        invalid(pin_id != Role.ADMIN)
        return self.CardGetChallenge()

    def CardAuthenticateChallenge(self, response):
        card = self.open()
        verify(card, Role.ADMIN, response)
        card.authenticated.add(Role.ADMIN)

    def CardUnblockPin(self, user, authentication, new_pin, retry_count, flags):
        card = self.open()
        if flags != UnblockFlag.CHALLENGE_RESPONSE:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        verify(card, Role.ADMIN, authentication)
        change(card, ROLES[user], new_pin)

    def CardChangeAuthenticator(self, user, current, new, retry_count, flags):
        card = self.open()
        verify(card, ROLES[user], current)
        change(card, ROLES[user], new)

    def CardDeauthenticate(self, user, flags):
        self.open().authenticated.discard(ROLES[user])

    def CardDeauthenticateEx(self, pins, flags):
        self.open().authenticated -= set(pins_of(pins))

    def CardAuthenticateEx(self, pin_id, flags, pin):
        card = self.open()
        invalid(pin_id not in card.pins or pin is None)
        if flags & AuthenticateFlag.SESSION_PIN:
            return self._use_session(card, pin_id, pin)
        if flags & AuthenticateFlag.GENERATE_SESSION_PIN:
            if not card.session:
                raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
            verify(card, pin_id, pin)
            card.sessions[pin_id] = [os.urandom(8), TRIES]
            return card.sessions[pin_id][0]
        verify(card, pin_id, pin)
        card.authenticated.add(pin_id)
        return None

    def _use_session(self, card, pin_id, presented):
        session = card.sessions.get(pin_id)
        if session is None or not session[1]:
            raise MinidriverError(SCARD.W_CHV_BLOCKED, attempts=0)
        if presented != session[0]:
            session[1] -= 1
            raise MinidriverError(SCARD.W_WRONG_CHV, attempts=session[1])
        card.authenticated.add(pin_id)

    def CardChangeAuthenticatorEx(self, flags, by, authentication, target, new, retry_count):
        card = self.open()
        invalid(target not in card.pins or by not in card.pins or not new)
        allowed = UNBLOCK if flags & ChangeFlag.UNBLOCK else CHANGE
        if by not in allowed[target]:
            raise MinidriverError(SCARD.W_SECURITY_VIOLATION)
        verify(card, by, authentication)
        change(card, target, new)
