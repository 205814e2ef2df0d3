# SPDX-License-Identifier: Apache-2.0
"""A card whose files, keys and PINs are Python objects, and a small complete minidriver for it.

Every function sends one command, so that the transaction, a reset and a removal are felt.
"""

import hashlib
import os
from functools import wraps

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from minidriver_rsa import raw

from vreader.minidriver.abi.blobs import decode_private, decode_public, encode_public
from vreader.minidriver.abi.codes import CacheMode, CreateContainer, KeySpec, Padding
from vreader.minidriver.abi.files import RIGHTS
from vreader.minidriver.abi.functions import FUNCTIONS
from vreader.minidriver.abi.pins import AuthenticateFlag, ChangeFlag, Role, SecretType
from vreader.minidriver.abi.properties import CardProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
    PIN_CACHE_POLICY,
    PIN_INFO,
)
from vreader.minidriver.module import DllReason, Module
from vreader.minidriver.rules.base import acquire, negotiate
from vreader.minidriver.rules.checked import Checked
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD, Win32

ATR = bytes.fromhex("3B8D0180FBA000000397425446590401CF")
PIN, PUK = b"1234", b"87654321"
CARD_ID = bytes(range(16))


def failed(code, **what):
    return MinidriverError(code, **what)


def answer(challenge):
    """What the administrator of this card answers."""
    return hashlib.sha256(b"admin" + challenge).digest()[:8]


class MemoryCard:
    """The card: one for all hosts."""

    atr = ATR

    def __init__(self):
        self.files = {
            ("", "cardid"): (3, CARD_ID),
            ("", "cardcf"): (1, bytes(6)),
            ("", "cardapps"): (3, b"mscp\0\0\0\0"),
            ("mscp", "cmapfile"): (1, b""),
        }
        self.directories = {"mscp"}
        self.keys = {}
        self.pin_of = {}
        self.pins = {Role.USER: PIN, 3: b"3333", 4: PUK}
        self.tries = {}
        self.authenticated = set()
        self.challenge = b""
        self.sessions = {}
        self.commands = 0
        self.resets = 0

    def power_on(self):
        self.authenticated.clear()
        return self.atr

    def reset(self):
        self.resets += 1
        return self.power_on()

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        self.commands += 1
        return b"\x90\x00"

    def verify(self, pin_id, value):
        left = self.tries.get(pin_id, 3)
        if not left:
            raise failed(SCARD.W_CHV_BLOCKED, attempts=0)
        if value != self.pins.get(pin_id):
            self.tries[pin_id] = left - 1
            raise failed(SCARD.W_WRONG_CHV, attempts=left - 1)
        self.tries[pin_id] = 3


class MemoryModule(Module):
    """The minidriver's module; what its cards are like is set before the context is acquired.

    Attributes:
        without: functions that are NULL.
        infos: PIN → PIN_INFO.
    """

    VERSION = 7

    def __init__(self, api, card):
        self.api, self.card = api, card
        self.reasons = []
        self.without = frozenset()
        self.cache_mode = CacheMode.GLOBAL_CACHE
        self.read_only = False
        self.compresses = False
        self.key_gen = True
        self.session_pins = False
        self.called = []
        self.infos = {
            Role.USER: pin_info(purpose=5, change=2, unblock=1 << 4 | 4),
            Role.ADMIN: pin_info(SecretType.CHALLENGE_RESPONSE, purpose=4, change=4),
            3: pin_info(purpose=1),
            4: pin_info(purpose=6),
        }
        self.typed = b""
        self.properties = []
        self.pads_itself = True
        self.before = lambda name: None

    def DllMain(self, reason):
        self.reasons.append(DllReason(reason).name)
        return True

    def CardAcquireContext(self, data, flags):
        acquire(data, flags)
        return MemoryMinidriver(self, data, negotiate(data.version, self.VERSION))


def pin_info(kind=0, *, purpose=0, cache=0, seconds=0, flags=0, change=0, unblock=0):
    return PIN_INFO(6, kind, purpose, change, unblock, PIN_CACHE_POLICY(6, cache, seconds), flags)


class MemoryMinidriver(Checked):
    def __init__(self, module, data, version):
        super().__init__(data, version)
        self.module, self.card = module, module.card
        self.secrets = {}

    def table(self):
        return super().table() - self.module.without

    def CardDeleteContext(self):
        pass

    def CardQueryCapabilities(self, info):
        return CARD_CAPABILITIES(1, self.module.compresses, self.module.key_gen)

    # files

    def _may(self, access, what):
        roles = getattr(RIGHTS[access], what)
        if not roles & ({Role.EVERYONE} | self.card.authenticated):
            raise failed(SCARD.W_SECURITY_VIOLATION)

    def _file(self, directory, name):
        directory = (directory or "").lower()
        if directory and directory not in self.card.directories:
            raise failed(SCARD.E_DIR_NOT_FOUND)
        key = (directory, name.lower())
        if key not in self.card.files:
            raise failed(SCARD.E_FILE_NOT_FOUND)
        return key, *self.card.files[key]

    def CardReadFile(self, directory, name, flags):
        _, access, content = self._file(directory, name)
        self._may(access, "read")
        return content

    def CardWriteFile(self, directory, name, flags, data):
        if self.module.read_only:
            raise failed(SCARD.E_UNSUPPORTED_FEATURE)
        key, access, _ = self._file(directory, name)
        self._may(access, "write")
        self.card.files[key] = (access, data)

    def CardCreateFile(self, directory, name, size, access):
        self._may(1, "write")
        self.card.files[(directory or "").lower(), name.lower()] = (access, bytes(size))

    def CardDeleteFile(self, directory, name, flags):
        key, access, _ = self._file(directory, name)
        self._may(access, "write")
        del self.card.files[key]

    def CardEnumFiles(self, directory, flags):
        return [name for where, name in self.card.files if where == (directory or "").lower()]

    def CardGetFileInfo(self, directory, name, info):
        _, access, content = self._file(directory, name)
        return CARD_FILE_INFO(1, len(content), access)

    def CardCreateDirectory(self, name, access):
        self.card.directories.add(name.lower())

    def CardDeleteDirectory(self, name):
        self.card.directories.discard(name.lower())

    def CardQueryFreeSpace(self, flags, info):
        return CARD_FREE_SPACE_INFO(1, 10_000, 8 - len(self.card.keys), 8)

    # keys

    def CardQueryKeySizes(self, key_spec, flags, info):
        bits = KeySpec(key_spec).bits
        return CARD_KEY_SIZES(1, bits, bits, bits, 0) if bits else CARD_KEY_SIZES(
            1, 1024, 2048, 4096, 256)  # fmt: skip

    def CardCreateContainer(self, container, flags, key_spec, key_size, key_data):
        self._create(container, flags, key_spec, key_size, key_data, Role.USER)

    def CardCreateContainerEx(self, container, flags, key_spec, key_size, key_data, pin_id):
        self._create(container, flags, key_spec, key_size, key_data, pin_id)

    def _create(self, container, flags, key_spec, key_size, key_data, pin_id):
        self._may(2, "write")
        spec = KeySpec(key_spec)
        if flags == CreateContainer.KEY_IMPORT:
            key, _ = decode_private(key_data)
        elif spec.is_rsa:
            key = rsa.generate_private_key(65537, key_size)
        else:
            curve = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}[spec.bits]
            key = ec.generate_private_key(curve())
        self.card.keys.setdefault(container, {})[spec] = key
        self.card.pin_of[container] = pin_id

    def CardDeleteContainer(self, container, reserved):
        self._may(2, "write")
        if self.card.keys.pop(container, None) is None:
            raise failed(SCARD.E_NO_KEY_CONTAINER)

    def CardGetContainerInfo(self, container, flags, info):
        if container not in self.card.keys:
            raise failed(SCARD.E_NO_KEY_CONTAINER)
        blobs = {
            spec.is_exchange: encode_public(key.public_key(), spec)
            for spec, key in self.card.keys[container].items()
        }
        return ContainerInfo(1, blobs.get(False), blobs.get(True))

    def _key(self, container, spec):
        found = self.card.keys.get(container, {}).get(spec)
        if found is None:
            raise failed(SCARD.E_NO_KEY_CONTAINER)
        if self.card.pin_of.get(container, Role.USER) not in self.card.authenticated:
            raise failed(SCARD.W_SECURITY_VIOLATION)
        return found

    def CardSignData(self, info):
        key = self._key(info.container, info.key_spec)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            by_size = {20: hashes.SHA1, 32: hashes.SHA256, 48: hashes.SHA384, 64: hashes.SHA512}
            algorithm = ec.ECDSA(Prehashed(by_size[len(info.data)]()))
            size = -(-key.key_size // 8)
            return b"".join(
                part.to_bytes(size, "big")
                for part in decode_dss_signature(key.sign(info.data, algorithm))
            )
        width = key.key_size // 8
        return raw(key, self.data.host.CspPadData(info, width)[::-1])[::-1]

    def CardRSADecrypt(self, info):
        key = self._key(info.container, info.key_spec)
        plain = raw(key, info.data[::-1])[::-1]
        if (info.version or 1) == 1 or info.padding_type == Padding.NONE:
            return plain
        return self.data.host.CspUnpadData(info._replace(data=plain))

    def CardConstructDHAgreement(self, info):
        found = self.card.keys[info.container]
        spec = next(spec for spec in found if not spec.is_rsa and spec.is_exchange)
        other, _ = decode_public(info.public_key)
        self.secrets[len(self.secrets)] = self._key(info.container, spec).exchange(ec.ECDH(), other)
        return len(self.secrets) - 1

    def CardDeriveKey(self, info):
        if info.secret not in self.secrets:
            raise failed(SCARD.E_INVALID_PARAMETER)
        return hashlib.sha256(self.secrets[info.secret]).digest()

    def CardDestroyDHAgreement(self, secret, flags):
        del self.secrets[secret]

    # PINs

    def CardAuthenticatePin(self, user, pin):
        self.card.verify(Role.USER, pin)
        self.card.authenticated.add(Role.USER)

    def CardAuthenticateEx(self, pin_id, flags, pin):
        if pin_id not in self.module.infos:
            raise failed(SCARD.E_INVALID_PARAMETER)
        if flags & AuthenticateFlag.SESSION_PIN:
            if self.card.sessions.get(pin) != pin_id:
                raise failed(SCARD.W_WRONG_CHV, attempts=2)
        elif self.module.infos[pin_id].PinType == SecretType.CHALLENGE_RESPONSE:
            if pin != answer(self.card.challenge):
                raise failed(SCARD.W_WRONG_CHV, attempts=2)
        else:
            self.card.verify(pin_id, self.module.typed if pin is None else pin)
        if flags & AuthenticateFlag.GENERATE_SESSION_PIN:
            token = os.urandom(8)
            self.card.sessions[token] = pin_id
            return token
        self.card.authenticated.add(pin_id)
        return None

    def CardGetChallenge(self):
        self.card.challenge = os.urandom(8)
        return self.card.challenge

    def CardGetChallengeEx(self, pin_id, flags):
        self.card.challenge = os.urandom(8)
        return self.card.challenge

    def CardAuthenticateChallenge(self, response):
        self._admin(response)

    def _admin(self, response):
        if response != answer(self.card.challenge):
            raise failed(SCARD.W_WRONG_CHV, attempts=2)
        self.card.authenticated.add(Role.ADMIN)

    def CardUnblockPin(self, user, authentication, new_pin, retry_count, flags):
        self._admin(authentication)
        self._new(Role.USER, new_pin)

    def CardChangeAuthenticator(self, user, current, new, retry_count, flags):
        self.card.verify(Role.USER, current)
        self._new(Role.USER, new)

    def CardChangeAuthenticatorEx(
        self, flags, authenticating_pin, authentication, target_pin, target, retry_count
    ):
        if authenticating_pin == Role.ADMIN:
            self._admin(authentication)
        else:
            self.card.verify(authenticating_pin, authentication)
        assert flags & ChangeFlag.UNBLOCK or authenticating_pin == target_pin
        self._new(target_pin, target)

    def _new(self, pin_id, value):
        self.card.pins[pin_id] = value
        self.card.tries[pin_id] = 3
        self.card.sessions.clear()

    def CardDeauthenticate(self, user, flags):
        self.card.authenticated.clear()

    def CardDeauthenticateEx(self, pins, flags):
        self.card.authenticated -= {pin for pin in range(8) if pins >> pin & 1}

    # properties

    def CardGetProperty(self, name, buffer, flags):
        module = self.module
        if name == CardProperty.PIN_INFO:
            if flags not in module.infos:
                raise failed(SCARD.E_INVALID_PARAMETER)
            return module.infos[flags].encode()
        numbers = {
            CardProperty.CACHE_MODE: module.cache_mode,
            CardProperty.READ_ONLY: module.read_only,
            CardProperty.LIST_PINS: sum(1 << pin for pin in module.infos),
            CardProperty.PIN_STRENGTH_VERIFY: 3 if module.session_pins else 1,
            CardProperty.AUTHENTICATED_STATE: sum(1 << pin for pin in self.card.authenticated),
        }
        if name not in numbers:
            raise failed(SCARD.E_INVALID_PARAMETER)
        if len(buffer) < 4:
            raise failed(Win32.INSUFFICIENT_BUFFER, length=4)
        return int(numbers[name]).to_bytes(4, "little")

    def CardSetProperty(self, name, data, flags):
        self.module.properties.append((name, data))

    def CardGetContainerProperty(self, container, name, buffer, flags):
        return self.card.pin_of.get(container, Role.USER).to_bytes(4, "little")

    def CardSetContainerProperty(self, container, name, data, flags):
        self.card.pin_of[container] = int.from_bytes(data, "little")


def sending(name, function):
    @wraps(function)
    def call(self, *parameters):
        self.module.called.append(name)
        if name != "CardDeleteContext":
            self.module.api.SCardTransmit(self.data.card, 2, b"\x00\xb0\x00\x00")
            self.module.before(name)
        return function(self, *parameters)

    return call


for function in FUNCTIONS:
    if function.name in vars(MemoryMinidriver):
        wrapped = sending(function.name, vars(MemoryMinidriver)[function.name])
        setattr(MemoryMinidriver, function.name, wrapped)
