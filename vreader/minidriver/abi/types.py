# SPDX-License-Identifier: Apache-2.0
"""The C types of Windows that the minidriver interface is made of, as annotations for members.

The sizes are those of Windows on x64 and x86: an ``enum`` and a ``long`` have four bytes on both.
"""

from typing import Annotated

from vreader.minidriver.abi.ctype import Scalar, Tail, Truth, Wide

BYTE = Annotated[int, Scalar("BYTE", 1)]
WORD = Annotated[int, Scalar("WORD", 2)]
DWORD = Annotated[int, Scalar("DWORD", 4)]
ULONG = Annotated[int, Scalar("ULONG", 4)]
ALG_ID = Annotated[int, Scalar("ALG_ID", 4)]
PIN_ID = Annotated[int, Scalar("PIN_ID", 4)]
PIN_SET = Annotated[int, Scalar("PIN_SET", 4)]
ENUM = Annotated[int, Scalar("ENUM", 4)]
BOOL = Annotated[bool, Truth("BOOL", 4)]

# As wide as a pointer; the name tells a reader of the C declaration what it points to.
PVOID = Annotated[int, Scalar("PVOID")]
PBYTE = Annotated[int, Scalar("PBYTE")]
LPWSTR = Annotated[int, Scalar("LPWSTR")]
PFN = Annotated[int, Scalar("PFN")]
SCARDCONTEXT = Annotated[int, Scalar("SCARDCONTEXT")]
SCARDHANDLE = Annotated[int, Scalar("SCARDHANDLE")]
CARD_KEY_HANDLE = Annotated[int, Scalar("CARD_KEY_HANDLE")]

CONTAINER_NAME = Annotated[str, Wide(40)]
INPUT_TAIL = Annotated[bytes, Tail(("cbInput",))]
AUTHENTICATOR_TAIL = Annotated[bytes, Tail(("cbAuthenticatingPinData", "cbTargetData"))]
PIN_TAIL = Annotated[bytes, Tail(("cbPinData",))]
SESSION_PIN_TAIL = Annotated[bytes, Tail(("cbSessionPin",))]
KEY_DATA_TAIL = Annotated[bytes, Tail(("cbKeyData",))]
