# SPDX-License-Identifier: Apache-2.0
"""A host without abilities and a minidriver of which every function succeeds."""

from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
)
from vreader.minidriver.callbacks import CardData, HostCallbacks
from vreader.minidriver.rules.checked import Checked
from vreader.minidriver.values import ContainerInfo


class NoHost(HostCallbacks):
    def CspCacheAddFile(self, tag, flags, data): ...

    def CspCacheLookupFile(self, tag, flags): ...

    def CspCacheDeleteFile(self, tag, flags): ...

    def CspPadData(self, info, width): ...

    def CspGetDHAgreement(self, secret, flags): ...

    def CspUnpadData(self, info): ...


DATA = CardData(7, bytes.fromhex("3B8D0180FBA000000397425446590401CF"), "card", 1, 2, NoHost())


class Yes(Checked):
    def CardDeleteContext(self): ...

    def CardQueryCapabilities(self, info):
        return CARD_CAPABILITIES(1, True, True)

    def CardCreateContainer(self, container, flags, key_spec, key_size, key_data): ...

    def CardDeleteContainer(self, container, reserved): ...

    def CardGetContainerInfo(self, container, flags, info):
        return ContainerInfo(1, b"key")

    def CardAuthenticatePin(self, user, pin): ...

    def CardCreateDirectory(self, name, access): ...

    def CardDeleteDirectory(self, name): ...

    def CardCreateFile(self, directory, name, size, access): ...

    def CardReadFile(self, directory, name, flags):
        return b"content"

    def CardWriteFile(self, directory, name, flags, data): ...

    def CardDeleteFile(self, directory, name, flags): ...

    def CardEnumFiles(self, directory, flags):
        return ["cardid"]

    def CardGetFileInfo(self, directory, name, info):
        return CARD_FILE_INFO(1, 7, 1)

    def CardQueryFreeSpace(self, flags, info):
        return CARD_FREE_SPACE_INFO(1, 1, 1, 1)

    def CardQueryKeySizes(self, key_spec, flags, info):
        return CARD_KEY_SIZES(1, 1024, 2048, 4096, 1024)

    def CardSignData(self, info):
        return b"signature"

    def CardDeriveKey(self, info):
        return b"key"

    def MDEncryptData(self, key, function, data, flags):
        return [b"data"]


def context(version=7, **options):
    return Yes(DATA, version, **options)
