# SPDX-License-Identifier: Apache-2.0
"""The functions of a minidriver DLL that use keys."""

from vreader.minidriver.abi.codes import BUFFER_SIZE_ONLY, RETURN_KEY_HANDLE
from vreader.minidriver.abi.structs import (
    CARD_DERIVE_KEY,
    CARD_DH_AGREEMENT_INFO,
    CARD_KEY_SIZES,
    CARD_RSA_DECRYPT_INFO,
    CARD_SIGNING_INFO,
    BCryptBuffer,
    BCryptBufferDesc,
)
from vreader.minidriver.dll.calling import Calling
from vreader.minidriver.dll.frame import Frame, Place
from vreader.minidriver.values import DecryptInfo, DeriveKeyInfo, DhAgreementInfo, SigningInfo


class DllKeys(Calling):
    """Calls them in the other process."""

    def CardQueryKeySizes(
        self, key_spec: int, flags: int, info: CARD_KEY_SIZES | None
    ) -> CARD_KEY_SIZES:
        """See Minidriver."""
        frame = Frame()
        frame.number(key_spec, flags)
        return self._fill("CardQueryKeySizes", frame, info, CARD_KEY_SIZES)

    def CardSignData(self, info: SigningInfo | None) -> bytes | int:
        """See Minidriver."""
        frame = Frame()
        if info is None:
            frame.number(0)
            self._call("CardSignData", frame)
            return b""
        struct = CARD_SIGNING_INFO(
            dwVersion=info.version,
            bContainerIndex=info.container,
            dwKeySpec=info.key_spec,
            dwSigningFlags=info.flags,
            aiHashAlg=info.hash_alg,
            cbData=len(info.data or b""),
            dwPaddingType=info.padding_type,
        )
        place = frame.struct(
            struct, pbData=frame.given(info.data), pPaddingInfo=frame.padding(info.padding)
        )
        frame.address(place)
        frame.read_member(place, struct, "pbSignedData", "cbSignedData")
        result = self._call("CardSignData", frame)
        if info.flags & BUFFER_SIZE_ONLY:
            return CARD_SIGNING_INFO.decode(result.data(place)).cbSignedData
        return result.read() or b""

    def CardRSADecrypt(self, info: DecryptInfo | None) -> bytes:
        """See Minidriver."""
        frame = Frame()
        if info is None:
            frame.number(0)
            self._call("CardRSADecrypt", frame)
            return b""
        struct = CARD_RSA_DECRYPT_INFO(
            dwVersion=info.version,
            bContainerIndex=info.container,
            dwKeySpec=info.key_spec,
            cbData=len(info.data or b""),
            dwPaddingType=info.padding_type,
        )
        data = frame.maybe(info.data)
        place = frame.struct(struct, pbData=data, pPaddingInfo=frame.padding(info.padding))
        frame.address(place)
        result = self._call("CardRSADecrypt", frame)
        length = CARD_RSA_DECRYPT_INFO.decode(result.data(place)).cbData
        return b"" if data is None else result.data(data)[:length]

    def CardConstructDHAgreement(self, info: DhAgreementInfo | None) -> int:
        """See Minidriver."""
        frame = Frame()
        if info is None:
            frame.number(0)
            self._call("CardConstructDHAgreement", frame)
            return 0
        struct = CARD_DH_AGREEMENT_INFO(
            dwVersion=info.version,
            bContainerIndex=info.container,
            dwFlags=info.flags,
            dwPublicKey=len(info.public_key or b""),
        )
        place = frame.struct(struct, pbPublicKey=frame.given(info.public_key))
        frame.address(place)
        result = self._call("CardConstructDHAgreement", frame)
        return CARD_DH_AGREEMENT_INFO.decode(result.data(place)).bSecretAgreementIndex

    def CardDeriveKey(self, info: DeriveKeyInfo | None) -> bytes | int:
        """See Minidriver."""
        frame = Frame()
        if info is None:
            frame.number(0)
            self._call("CardDeriveKey", frame)
            return b""
        struct = CARD_DERIVE_KEY(
            dwVersion=info.version,
            dwFlags=info.flags,
            bSecretAgreementIndex=info.secret,
            dwKeyLen=info.key_length,
        )
        place = frame.struct(
            struct,
            pwszKDF=frame.wide(info.kdf),
            pParameterList=_parameters(frame, info),
            pwszAlgId=frame.wide(info.algorithm),
        )
        frame.address(place)
        frame.read_member(place, struct, "pbDerivedKey", "cbDerivedKey")
        result = self._call("CardDeriveKey", frame)
        told = CARD_DERIVE_KEY.decode(result.data(place))
        if info.flags & RETURN_KEY_HANDLE:
            return told.hKey
        return told.cbDerivedKey if info.flags & BUFFER_SIZE_ONLY else result.read() or b""

    def CardDestroyDHAgreement(self, secret: int, flags: int) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.number(secret, flags)
        self._call("CardDestroyDHAgreement", frame)


def _parameters(frame: Frame, info: DeriveKeyInfo) -> Place | None:
    if not info.parameters:
        return None
    step = BCryptBuffer.layout().size
    at = BCryptBuffer.layout().offsets["pvBuffer"]
    heads = b"".join(
        BCryptBuffer(cbBuffer=len(one.value), BufferType=one.kind).encode()
        for one in info.parameters
    )
    array = frame.buffer(heads)
    for number, one in enumerate(info.parameters):
        frame.point(array, number * step + at, frame.given(one.value))
    struct = BCryptBufferDesc(cBuffers=len(info.parameters))
    return frame.struct(struct, pBuffers=array)
