# SPDX-License-Identifier: Apache-2.0
"""SmartcardT1Request and SmartcardT1Reply against the card's end of T=1."""

import pytest

from vreader.iso7816.t1 import OTHER_ERROR, Block
from vreader.iso7816.t1card import T1Card
from vreader.smclib import t1
from vreader.smclib.ioctl import Attr
from vreader.smclib.structs import T1_DATA
from vreader.smclib.t1 import SmartcardT1Reply, SmartcardT1Request
from vreader.wdm import NTSTATUS, IoAllocateIrp

MORE = NTSTATUS.MORE_PROCESSING_REQUIRED
PCI = bytes.fromhex("0200000008000000")


class Driver:
    """What a driver does in RDF_TRANSMIT, with a card of its own."""

    def __init__(self, bench, answer=b"\x90\x00", crc=False, ifsc=32, **card):
        self.ext = bench.ext
        caps = self.ext.CardCapabilities.T1
        caps.EDC, caps.IFSC = int(crc), ifsc
        self.commands = []
        self.answer = answer
        self.card = T1Card(self.execute, crc=crc, ifsc=ifsc, **card)
        self.waits = []
        self.blocks = []
        self.spoil = set()  # which of the card's blocks arrive spoilt

    def execute(self, command):
        self.commands.append(command)
        return self.answer

    def request(self, command=b"\0\xa4\0\0", out=266):
        io = self.ext.IoRequest
        data = PCI + command
        io.RequestBuffer = io.ReplyBuffer = bytearray(max(out, len(data)))
        io.RequestBuffer[: len(data)] = data
        io.RequestBufferLength, io.ReplyBufferLength, io.Information = len(data), out, 0

    def step(self):
        """Once through the loop."""
        request, reply = self.ext.SmartcardRequest, self.ext.SmartcardReply
        request.BufferLength = 0
        status = SmartcardT1Request(self.ext)
        if status is not NTSTATUS.SUCCESS:
            return status
        self.waits.append(self.ext.T1.Wtx)
        block = bytes(request.Buffer[: request.BufferLength])
        self.blocks.append(block)
        answer = self.card.receive(block) or b""
        if len(self.blocks) in self.spoil:
            answer = answer[:-1] + bytes((answer[-1] ^ 1,))
        reply.Buffer[: len(answer)] = answer
        reply.BufferLength = len(answer)
        return SmartcardT1Reply(self.ext)

    def transmit(self, command=b"\0\xa4\0\0", out=266):
        self.request(command, out)
        while (status := self.step()) is MORE:
            pass
        io = self.ext.IoRequest
        return status, bytes(io.ReplyBuffer[: io.Information])


@pytest.fixture
def make_driver(bench):
    return lambda *args, **kwargs: Driver(bench, *args, **kwargs)


@pytest.mark.wdk("helper.t1-request", "helper.t1-reply", "helper.t1-reply.more")
@pytest.mark.parametrize("crc", [False, True], ids=["lrc", "crc"])
def test_the_loop_of_a_driver(make_driver, crc):
    driver = make_driver(bytes(300) + b"\x90\x00", crc=crc)
    command = bytes(100)
    for _ in range(2):
        status, reply = driver.transmit(command, 8 + 302)
        assert (status, reply) == (NTSTATUS.SUCCESS, PCI + bytes(300) + b"\x90\x00")
    assert driver.commands == [command] * 2
    blocks = [str(Block.parse(raw, crc=crc)) for raw in driver.blocks]
    assert blocks[:3] == ["S(IFS request 254)", "I(0,1)", "I(1,1)"]
    assert blocks.count("S(IFS request 254)") == 1


@pytest.mark.wdk("attribute.supress-t1-ifs-request")
def test_the_ifs_request_can_be_suppressed(make_driver):
    driver = make_driver(bytes(40))
    driver.ext.VendorAttributes[Attr.SUPRESS_T1_IFS_REQUEST] = bytes((1, 0, 0, 0))
    driver.transmit()
    assert [str(Block.parse(raw)) for raw in driver.blocks] == ["I(0,0)", "R(1)"]


@pytest.mark.wdk("helper.t1-request.nad")
def test_the_driver_may_choose_the_node(make_driver):
    driver = make_driver()
    driver.ext.T1.NAD = 0x21
    assert driver.transmit()[0] is NTSTATUS.SUCCESS
    assert {raw[0] for raw in driver.blocks} == {0x21}


@pytest.mark.wdk("helper.t1-request.resources")
def test_a_block_that_does_not_fit(make_driver):
    driver = make_driver()
    driver.request()
    driver.ext.SmartcardRequest.BufferLength = 284
    assert SmartcardT1Request(driver.ext) is NTSTATUS.INSUFFICIENT_RESOURCES
    assert driver.transmit()[0] is NTSTATUS.SUCCESS  # with more room


@pytest.mark.wdk("helper.t1-request", "t1.resynchronisation")
@pytest.mark.parametrize("steps", range(5))
def test_a_command_left_in_the_middle_is_not_answered_to_the_next_one(make_driver, steps):
    driver = make_driver(bytes(600) + b"\x90\x00", ifsc=3)
    driver.ext.OsData.CurrentIrp = IoAllocateIrp(1)
    driver.request(b"\0\xa4\0\0\1a")
    for _ in range(steps):
        assert driver.step() is MORE
    driver.answer = b"new\x90\x00"
    driver.ext.OsData.CurrentIrp = IoAllocateIrp(1)
    assert driver.transmit(b"\0\xb0\0\0") == (NTSTATUS.SUCCESS, PCI + b"new\x90\x00")
    assert driver.commands[-1] == b"\0\xb0\0\0"
    assert driver.commands.count(b"\0\xb0\0\0") == 1
    names = [str(Block.parse(raw)) for raw in driver.blocks]
    assert ("S(RESYNCH request)" in names) is (steps > 0)


def test_the_driver_may_keep_room_in_front(make_driver):
    driver = make_driver()
    driver.request()
    driver.ext.SmartcardRequest.BufferLength = 10
    assert SmartcardT1Request(driver.ext) is NTSTATUS.SUCCESS
    request = driver.ext.SmartcardRequest
    assert str(Block.parse(bytes(request.Buffer[10 : request.BufferLength]))) == (
        "S(IFS request 254)"
    )


@pytest.mark.wdk("helper.t1-reply.wtx")
def test_the_driver_waits_longer_where_the_card_asks_for_it(make_driver):
    driver = make_driver(wtx=(2, 30))
    assert driver.transmit()[0] is NTSTATUS.SUCCESS
    assert driver.waits == [0, 0, 2, 30]


@pytest.mark.wdk("helper.t1-reply.too-small")
def test_a_response_that_does_not_fit(make_driver):
    driver = make_driver(bytes(20))
    assert driver.transmit(out=8 + 19) == (NTSTATUS.BUFFER_TOO_SMALL, b"")
    assert driver.transmit(out=8 + 20)[0] is NTSTATUS.SUCCESS


def test_spoilt_blocks_are_asked_for_again(make_driver):
    driver = make_driver()
    driver.spoil = {2, 3}
    driver.request()
    assert driver.step() is MORE
    assert driver.step() is MORE
    assert driver.ext.T1.LastError == t1.T1_ERROR_CHKSUM
    assert driver.step() is MORE
    assert driver.ext.T1.Resend == 2
    assert driver.step() is NTSTATUS.SUCCESS
    assert driver.ext.T1.LastError == 0
    assert driver.commands == [b"\0\xa4\0\0"]


@pytest.mark.wdk("helper.t1-reply.protocol-error", "struct.t1-ifsd")
def test_too_many_errors_are_a_protocol_error(make_driver):
    assert (t1.T1_IFSD, t1.T1_IFSD_DEFAULT, t1.T1_MAX_RETRIES) == (254, 32, 2)
    driver = make_driver()
    driver.spoil = {2, 3, 4}
    assert driver.transmit() == (NTSTATUS.DEVICE_PROTOCOL_ERROR, b"")
    sent = [str(Block.parse(raw)) for raw in driver.blocks]
    assert sent[1:] == ["I(0,0)", "R(0) EDC error", "R(0) EDC error", "S(RESYNCH request)"]
    assert driver.commands == [b"\0\xa4\0\0"]
    assert driver.transmit()[0] is NTSTATUS.SUCCESS  # both ends are in step again


def test_a_silent_card_is_a_protocol_error(make_driver):
    driver = make_driver()
    driver.card.receive = lambda raw: None
    assert driver.transmit() == (NTSTATUS.DEVICE_PROTOCOL_ERROR, b"")
    assert driver.ext.T1.State == t1.T1_INIT
    assert driver.ext.T1.LastError == t1.T1_ERROR_OTHER


def test_a_reply_nobody_waits_for(make_driver):
    driver = make_driver()
    assert SmartcardT1Reply(driver.ext) is NTSTATUS.DEVICE_PROTOCOL_ERROR
    driver.transmit()
    assert SmartcardT1Reply(driver.ext) is NTSTATUS.DEVICE_PROTOCOL_ERROR


@pytest.mark.wdk("t1.states", "struct.t1-data")
def test_the_state_can_be_read(make_driver):
    driver = make_driver(bytes(300), ifsc=3)
    driver.spoil = {4, 5, 6}
    driver.request(b"\0\xa4\0\0")
    seen = []
    while driver.step() is MORE:
        data = driver.ext.T1
        seen.append((data.State, data.SSN, data.RSN, data.MoreData, data.BytesSent))
    assert seen == [
        (t1.T1_I_BLOCK, 0, 0, True, 3),  # IFS is agreed, the first piece is next
        (t1.T1_I_BLOCK, 1, 0, False, 4),
        (t1.T1_R_BLOCK, 0, 1, False, 4),  # the first piece of the response has come
        (t1.T1_R_BLOCK, 0, 1, False, 4),
        (t1.T1_R_BLOCK, 0, 1, False, 4),
        (t1.T1_RESTART, 0, 1, False, 4),
    ]
    data = driver.ext.T1
    assert (data.OriginalState, data.Resynch) == (t1.T1_R_BLOCK, 1)
    assert (data.BytesToSend, data.BytesReceived, data.InfBytesSent) == (4, 254, 1)
    assert (data.IFSC, data.IFSD, data.WaitForReply) == (3, 254, False)


def test_the_states_have_their_numbers():
    states = (t1.T1_INIT, t1.T1_START, t1.T1_I_BLOCK, t1.T1_R_BLOCK, t1.T1_RESTART)
    assert states == (0, 1, 2, 3, 4)


@pytest.mark.wdk("struct.t1-data")
def test_members_of_t1_data():
    assert set(T1_DATA.__annotations__) - {"Engine"} == {
        "IFSC", "IFSD", "BytesReceived", "BytesSent", "BytesToSend", "LastError", "MoreData",
        "NAD", "OriginalState", "Resend", "Resynch", "RSN", "SSN", "State", "Wtx", "ReplyData",
        "WaitForReply", "InfBytesSent",
    }  # fmt: skip


@pytest.mark.wdk("struct.t1-lengths")
def test_lengths_of_winsmcrd():
    assert t1.SCARD_T1_PROLOGUE_LENGTH == 3
    assert t1.SCARD_T1_EPILOGUE_LENGTH_LRC == t1.SCARD_T1_EPILOGUE_LENGTH == 1
    assert t1.SCARD_T1_EPILOGUE_LENGTH_CRC == 2
    assert t1.SCARD_T1_MAX_IFS == 254


def test_an_old_vpp_error_is_answered_like_any_noise(make_driver):
    driver = make_driver()
    driver.card.receive = lambda raw: bytes((0, t1.T1_VPP_ERROR, 0, t1.T1_VPP_ERROR))
    driver.ext.VendorAttributes[Attr.SUPRESS_T1_IFS_REQUEST] = b"\1\0\0\0"
    driver.request()
    driver.step()
    driver.step()
    assert Block.parse(driver.blocks[1]) == Block.r(0, OTHER_ERROR)
