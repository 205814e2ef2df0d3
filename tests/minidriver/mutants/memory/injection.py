# SPDX-License-Identifier: Apache-2.0
"""Secure key injection."""

import hmac
from itertools import count

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from memory.base import Base, invalid
from memory.properties import fit, number
from vreader.minidriver.abi.blobs import BlobError, decode_key_data
from vreader.minidriver.abi.codes import CreateContainer, KeyProperty, Padding, SecureFunction
from vreader.minidriver.abi.injection import (
    CARD_AUTHENTICATE,
    CARD_AUTHENTICATE_RESPONSE,
    CARD_CHANGE_AUTHENTICATOR,
    CARD_CHANGE_AUTHENTICATOR_RESPONSE,
    CARD_IMPORT_KEYPAIR,
)
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.values import DecryptInfo
from vreader.winscard.codes import SCARD

_handles = count(0x1000)
MAC = 32


class Injection(Base):
    """The functions of key injection."""

    def _keep(self, data):
        try:
            key = decode_key_data(data or b"")
        except BlobError:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER) from None
        handle = next(_handles)
        self.key_handles[handle] = {"key": key, KeyProperty.BLOCK_LENGTH: number(16)}
        return handle

    def _key(self, handle):
        invalid(handle not in self.key_handles)
        return self.key_handles[handle]

    def MDImportSessionKey(self, blob_type, algorithm, data):
        return self._keep(data)

    def CardImportSessionKey(self, container, padding, blob_type, algorithm, data, flags):
        return self._keep(
            self.CardRSADecrypt(DecryptInfo(container, 1, data, padding, Padding.PKCS1))
        )

    def CardGetSharedKeyHandle(self, data):
        raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)

    def CardGetKeyProperty(self, key, name, buffer, flags):
        found = self._key(key)
        invalid(name not in found)
        return fit(found[name], buffer)

    def CardSetKeyProperty(self, key, name, data, flags):
        self._key(key)[name] = data

    def CardDestroyKey(self, key):
        invalid(key not in self.key_handles)
        del self.key_handles[key]

    def _cipher(self, key):
        return Cipher(AES(key["key"]), CBC(key[KeyProperty.INITIALIZATION_VECTOR]))

    def MDEncryptData(self, key, function, data, flags):
        found = self._key(key)
        invalid(function not in tuple(SecureFunction))
        plain = hmac.digest(found["key"], function.encode() + data, "sha256") + data
        encryptor = self._cipher(found).encryptor()
        pad = 16 - len(plain) % 16
        return [encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()]

    def CardProcessEncryptedData(self, key, function, data, size, flags):
        found = self._key(key)
        decryptor = self._cipher(found).decryptor()
        padded = decryptor.update(b"".join(data)) + decryptor.finalize()
        mac, plain = padded[:MAC], padded[MAC : -padded[-1]]
        right = hmac.digest(found["key"], function.encode() + plain, "sha256")
        invalid(mac != right)
        return self._do(function, plain)

    def _do(self, function, data):
        if function == SecureFunction.IMPORT_KEYPAIR:
            info = CARD_IMPORT_KEYPAIR.decode(data)
            flags = CreateContainer.KEY_IMPORT
            blob = (info.dwKeySpec, info.dwKeySize, info.pbInput, info.PinId)
            self.CardCreateContainerEx(info.bContainerIndex, flags, *blob)
            return b""
        if function == SecureFunction.AUTHENTICATE:
            info = CARD_AUTHENTICATE.decode(data)
            session = self.CardAuthenticateEx(info.PinId, info.dwFlags, info.pbPinData) or b""
            return CARD_AUTHENTICATE_RESPONSE(7, len(session), 3, session).encode()
        info = CARD_CHANGE_AUTHENTICATOR.decode(data)
        cut = info.cbAuthenticatingPinData
        by = (info.dwAuthenticatingPinId, info.pbData[:cut])
        to = (info.dwTargetPinId, info.pbData[cut:])
        self.CardChangeAuthenticatorEx(info.dwFlags, *by, *to, info.cRetryCount)
        return CARD_CHANGE_AUTHENTICATOR_RESPONSE(7, 3).encode()
