# SPDX-License-Identifier: Apache-2.0
"""Reads the commands of GIDS from C-APDUs: the only place that knows their P1, P2 and Lc.

Who may do what, and whether a file or a key exists, is not asked here.
"""

from collections.abc import Callable

from cards.gids.commands import (
    ActivateFile,
    AnswerChallenge,
    ChangePin,
    CreateFile,
    Deauthenticate,
    Decipher,
    DeleteFile,
    FinishMutual,
    GenerateKey,
    GetChallenge,
    GetData,
    GetPublicKey,
    GidsCommand,
    ImportKey,
    PinStatus,
    PutAdminKey,
    PutData,
    RequestChallenge,
    SelectFile,
    SetEnvironment,
    SetPin,
    Sign,
    StartMutual,
    Terminate,
    UnblockByAdmin,
    UnblockByPuk,
    VerifyPin,
)  # fmt: skip
from cards.gids.files import File
from cards.gids.tables import DF, Padding, PinRef, Template
from cards.platform import Refuse
from cards.platform import Template as Wanted
from cards.platform.parsing import read_template, read_tlvs, require
from vreader.iso7816 import SW, CommandApdu, Tlv, TlvError

DEAUTHENTICATE = 0x82
TDES_KEY_SIZE = 24


def _no_parameters(apdu: CommandApdu) -> None:
    require(not apdu.p1 and not apdu.p2, SW.INCORRECT_P1P2)


def _select(apdu: CommandApdu) -> SelectFile:
    require(apdu.p1 == 0 and not apdu.p2 & 0xF3, SW.INCORRECT_P1P2)
    require(len(apdu.data) == 2, SW.WRONG_LENGTH)
    return SelectFile(int.from_bytes(apdu.data, "big"), Wanted(apdu.p2))


def _get_data(apdu: CommandApdu) -> GetData | GetPublicKey:
    file_id = apdu.p1 << 8 | apdu.p2
    if file_id == DF and apdu.data[:1] == b"\x70":
        found = read_template(apdu.data, 0x70)
        # An extended header list: 80 in place of a length asks for the whole object.
        require(set(found) == {0x84, 0xA5}, SW.WRONG_DATA)
        require(found[0xA5] in (b"\x7f\x49\x80", b"\x7f\x49\x00"), SW.WRONG_DATA)
        return GetPublicKey(_one_byte(found, 0x84))
    found = read_tlvs(apdu.data)
    require(list(found) == [0x5C], SW.WRONG_DATA)
    return GetData(file_id, tuple(_tag_list(found[0x5C])))


def _tag_list(raw: bytes) -> list[int]:
    """Read the tags that fill a tag list."""
    tags, at = [], 0
    while at < len(raw):
        end = at + 1
        if raw[at] & 0x1F == 0x1F:
            while end < len(raw) and raw[end] & 0x80:
                end += 1
            end += 1
        require(end <= len(raw) and end - at <= 4, SW.WRONG_DATA)
        tags.append(int.from_bytes(raw[at:end], "big"))
        at = end
    return tags


def _put_data(apdu: CommandApdu) -> PutData | PutAdminKey | ImportKey:
    file_id = apdu.p1 << 8 | apdu.p2
    try:
        tlv = Tlv.parse(apdu.data)
    except TlvError:
        raise Refuse(SW.WRONG_DATA) from None
    if file_id != DF:
        return PutData(file_id, tlv.tag, tlv.value)
    require(tlv.tag == 0x70, SW.REFERENCE_DATA_NOT_USABLE)
    outer = read_tlvs(tlv.value)
    require(set(outer) == {0x84, 0xA5}, SW.WRONG_DATA)
    reference, inner = _one_byte(outer, 0x84), read_tlvs(outer[0xA5])
    value = inner.get(0x87, b"")
    if value[:1] == b"\x30" and len(value) != TDES_KEY_SIZE:
        return ImportKey(reference, value)
    require(len(value) == TDES_KEY_SIZE and set(inner) <= {0x87, 0x88}, SW.WRONG_DATA)
    return PutAdminKey(reference, value, inner.get(0x88, b""))


def _create(apdu: CommandApdu) -> CreateFile:
    _no_parameters(apdu)
    try:
        outer = Tlv.parse(apdu.data)
        require(outer.tag == 0x62, SW.WRONG_DATA)
        return CreateFile(File.read(outer.value))
    except ValueError:
        raise Refuse(SW.WRONG_DATA) from None


def _bare(
    command: type[ActivateFile | DeleteFile | Terminate],
) -> Callable[[CommandApdu], ActivateFile | DeleteFile | Terminate]:
    """Return the parser of a command that is nothing but its header."""

    def parse(apdu: CommandApdu) -> ActivateFile | DeleteFile | Terminate:
        _no_parameters(apdu)
        require(not apdu.data, SW.WRONG_LENGTH)
        return command()

    return parse


def _verify(apdu: CommandApdu) -> PinStatus | VerifyPin | Deauthenticate:
    require(apdu.p1 == 0, SW.INCORRECT_P1P2)
    if apdu.p2 == DEAUTHENTICATE:
        require(not apdu.data, SW.WRONG_LENGTH)
        return Deauthenticate()
    require(apdu.p2 in (0x00, PinRef.PIN), SW.REFERENCE_NOT_FOUND)
    return VerifyPin(apdu.data) if apdu.data else PinStatus()


def _change(apdu: CommandApdu) -> SetPin | ChangePin:
    require(apdu.p1 in (0, 1), SW.INCORRECT_P1P2)
    require(apdu.p2 in (PinRef.PIN, PinRef.PUK), SW.REFERENCE_NOT_FOUND)
    require(bool(apdu.data), SW.WRONG_LENGTH)
    reference = PinRef(apdu.p2)
    return SetPin(reference, apdu.data) if apdu.p1 else ChangePin(reference, apdu.data)


def _reset_retry(apdu: CommandApdu) -> UnblockByAdmin | UnblockByPuk:
    # P2 = 81 is no reference that could be unblocked: the PUK has nobody above it.
    require(apdu.p1 in (0, 2) and apdu.p2 == PinRef.PIN, SW.INCORRECT_P1P2)
    require(bool(apdu.data), SW.WRONG_LENGTH)
    return UnblockByAdmin(apdu.data) if apdu.p1 else UnblockByPuk(apdu.data)


def _environment(apdu: CommandApdu) -> SetEnvironment:
    try:
        template = Template(apdu.p2)
    except ValueError:
        raise Refuse(SW.INCORRECT_P1P2) from None
    found = read_tlvs(apdu.data)
    if template is Template.AUTHENTICATION:
        # Microsoft sets it for verification (81), OpenSC for computation as well (C1).
        require(apdu.p1 in (0x81, 0xC1), SW.INCORRECT_P1P2)
        return SetEnvironment(template, Padding.NONE, _one_byte(found, 0x83))
    require(apdu.p1 in (0x41, 0xC1), SW.INCORRECT_P1P2)
    return SetEnvironment(template, _one_byte(found, 0x80), _one_byte(found, 0x84))


def _security_operation(apdu: CommandApdu) -> Sign | Decipher:
    match apdu.p1, apdu.p2:
        case 0x9E, 0x9A:
            return Sign(apdu.data)
        case 0x80, 0x86:
            return Decipher(apdu.data)
    raise Refuse(SW.INCORRECT_P1P2)


def _generate(apdu: CommandApdu) -> GenerateKey:
    _no_parameters(apdu)
    found = read_template(apdu.data, 0xAC)
    return GenerateKey(_one_byte(found, 0x80), _one_byte(found, 0x83), apdu.ne > 0)


def _authenticate(
    apdu: CommandApdu,
) -> RequestChallenge | AnswerChallenge | StartMutual | FinishMutual:
    _no_parameters(apdu)
    bad = SW.REFERENCE_DATA_NOT_USABLE
    found = read_template(apdu.data, 0x7C, bad)
    require(len(found) == 1, bad)
    match found.popitem():
        case 0x81, b"":
            return RequestChallenge()
        case 0x81, bytes(challenge) if len(challenge) == 16:
            return StartMutual(challenge)
        case 0x82, bytes(response) if len(response) == 8:
            return AnswerChallenge(response)
        case 0x82, bytes(token) if len(token) == 40:
            return FinishMutual(token)
    raise Refuse(bad)


def _get_challenge(apdu: CommandApdu) -> GetChallenge:
    _no_parameters(apdu)
    require(not apdu.data and 0 < apdu.ne <= 256, SW.WRONG_LENGTH)
    return GetChallenge(apdu.ne)


def _one_byte(found: dict[int, bytes], tag: int) -> int:
    value = found.get(tag, b"")
    require(len(value) == 1, SW.WRONG_DATA)
    return value[0]


PARSERS: dict[int, Callable[[CommandApdu], GidsCommand]] = {
    0x20: _verify,
    0x22: _environment,
    0x24: _change,
    0x2A: _security_operation,
    0x2C: _reset_retry,
    0x44: _bare(ActivateFile),
    0x47: _generate,
    0x84: _get_challenge,
    0x87: _authenticate,
    0xA4: _select,
    0xCB: _get_data,
    0xDB: _put_data,
    0xE0: _create,
    0xE4: _bare(DeleteFile),
    0xE6: _bare(Terminate),
}
