# SPDX-License-Identifier: Apache-2.0
"""Containers."""

from memory.base import Base, invalid, may
from memory.card import Container
from memory.keys import generate
from memory.properties import MAX_CONTAINERS
from vreader.minidriver.abi.blobs import BlobError, decode_private, encode_public
from vreader.minidriver.abi.codes import CreateContainer, KeySpec
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD


class Containers(Base):
    """The functions for containers."""

    def container(self, card, index):
        """Return a container that is there."""
        if index not in card.containers:
            raise MinidriverError(SCARD.E_NO_KEY_CONTAINER)
        return card.containers[index]

    def CardGetContainerInfo(self, container, flags, info):
        keys = self.container(self.open(), container).keys
        blobs = {
            exchange: encode_public(key.public_key(), spec)
            for exchange, (spec, key) in keys.items()
        }
        return ContainerInfo(1, blobs.get(False), blobs.get(True))

    def CardCreateContainer(self, container, flags, key_spec, key_size, key_data):
        self.make(container, flags, key_spec, key_size, key_data, Role.USER)

    def CardCreateContainerEx(self, container, flags, key_spec, key_size, key_data, pin_id):
        card = self.writable()
        if pin_id == Role.ADMIN:
            raise MinidriverError(SCARD.W_SECURITY_VIOLATION)
        invalid(pin_id not in card.pins)
        self.make(container, flags, key_spec, key_size, key_data, pin_id)

    def make(self, index, flags, key_spec, size, data, pin):
        """Generate or import a key."""
        card, spec = self.writable(), KeySpec(key_spec)
        may(card, {Role.USER})
        invalid(index >= MAX_CONTAINERS)
        if flags == CreateContainer.KEY_IMPORT:
            key = self._read(data, spec)
        else:
            invalid(spec.is_rsa and size not in (1024, 1536, 2048))
            key = generate(spec, size)
        container = card.containers.setdefault(index, Container(pin))
        container.keys[spec.is_exchange] = (spec, key)

    def _read(self, data, spec):
        try:
            key, of = decode_private(data)
        except BlobError:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER) from None
        invalid(of is not spec)
        return key

    def CardDeleteContainer(self, container, reserved):
        card = self.writable()
        self.container(card, container)
        may(card, {Role.USER})
        del card.containers[container]
