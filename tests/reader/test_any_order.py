# SPDX-License-Identifier: Apache-2.0
"""Anything in any order: whatever happens, each request ends once and nothing is left behind.

A seed draws the reader (profile, link, pinpad, time limit, drivers below and above it) and what
happens to it; who is answered does the next thing inside the answer.
"""

import logging
import random

import pytest

from vreader.card import CardGone, CardMute
from vreader.iso7816 import Atr
from vreader.reader.finger import Key
from vreader.reader.linkspec import LinkSettings, Lottery
from vreader.reader.scfilter import SmartCardFilter
from vreader.smclib.ioctl import Ioctl
from vreader.smclib.profile import CONTACT, NFC
from vreader.wdm import (
    IRP_MJ,
    NTSTATUS,
    IoCallDriver,
    IoCancelIrp,
    IoCompleteRequest,
    IoCopyCurrentIrpStackLocationToNext,
    IoMarkIrpPending,
    IoSetCompletionRoutine,
)

TIMEOUT_S = 2.0
VERIFY = 0x42330006
COMMANDS = (b"\0\xca\0\0", b"\0\xa4\4\0\2ab", b"\0\xda\0\0\0\1\x2c" + bytes(300), b"\0")


class Moody:
    """A card that mostly echoes, and sometimes is gone, mute or at fault."""

    def __init__(self, draw):
        self.draw = draw
        good = (Atr.build(protocols=(0, 1), ta1=0x95).raw, Atr.build(protocols=(1,)).raw)
        self.atr = draw.choice((*good * 3, b"\x3b\x00", b"\x3b"))

    def mostly(self, answer):
        mood = self.draw.randrange(30)
        if mood < 3:
            raise (CardGone, CardMute, ValueError)[mood]
        return answer

    def power_on(self):
        return self.mostly(self.atr)

    reset = power_on

    def power_off(self):
        self.mostly(b"")

    def transmit(self, c_apdu):
        return self.mostly(c_apdu[: self.draw.randrange(300)] + b"\x90\x00")


class Above(SmartCardFilter):
    """A filter that sends refused requests down again, and keeps others on their way up."""

    def __init__(self, draw):
        super().__init__()
        self.draw, self.kept = draw, []

    def Dispatch(self, device, irp):
        location = irp.stack[irp.current]
        if location.MajorFunction != IRP_MJ.DEVICE_CONTROL or self.draw.random() < 0.7:
            return super().Dispatch(device, irp)
        IoMarkIrpPending(irp)
        self.send(device, irp, self.draw.randrange(3))
        return NTSTATUS.PENDING

    def send(self, device, irp, tries):
        def routine(_device, irp, _context):
            if tries and irp.IoStatus.Status is NTSTATUS.DEVICE_BUSY:
                self.send(device, irp, tries - 1)
            elif self.draw.random() < 0.3:
                self.kept.append(irp)
            else:
                return NTSTATUS.SUCCESS
            return NTSTATUS.MORE_PROCESSING_REQUIRED

        IoCopyCurrentIrpStackLocationToNext(irp)
        IoSetCompletionRoutine(irp, routine, None)
        IoCallDriver(device.AttachedTo, irp)

    def let_go(self):
        if self.kept:
            IoCompleteRequest(self.kept.pop(self.draw.randrange(len(self.kept))))


class Happenings:
    def __init__(self, seed, make_rig, make_below):
        self.draw = draw = random.Random(seed)
        self.below, self.above = make_below(), Above(draw)
        options = {}
        if draw.random() < 0.5:
            odds = {harm: draw.choice((0, 7)) for harm in ("spoil", "lose", "cut")}
            pps = draw.choice(("echo", "slow", "mute", "garbled"))
            options["link"] = LinkSettings(
                draw.choice(("t0", "t1")), Lottery(**odds, seed=seed), pps=pps
            )
        if draw.random() < 0.5:
            options["pinpad"] = lambda prompt: draw.choice(("123456", None, Key.CANCEL, "9"))
        profile = draw.choice((CONTACT, NFC))._replace(
            asleep_waits=draw.random() < 0.5,
            library_completes=draw.random() < 0.5,
            vanished_reset=draw.choice((NTSTATUS.NO_MEDIA, NTSTATUS.SUCCESS)),
        )
        filters = [SmartCardFilter().DriverEntry, self.above.DriverEntry]
        self.rig = make_rig(
            profile,
            traced=draw.random() < 0.3,
            timeout_s=draw.choice((None, TIMEOUT_S)),
            filters=tuple(draw.sample(filters, draw.randrange(3))),
            lower_filters=(self.below.entry,),
            **options,
        )
        self.rig.pdo.exclusive = draw.random() < 0.5
        self.handles, self.irps, self.work = [self.rig.handle], [], []
        self.out = self.depth = 0

    def answered(self):
        answers = []
        self.out += 1

        def done(status, output):
            answers.append(status)
            assert len(answers) == 1, "answered twice"
            self.out -= 1
            if self.draw.random() < 0.3 and self.depth < 3:
                self.depth += 1
                self.happen()
                self.depth -= 1

        return done

    def ask(self, code, data=b"", out=64):
        if self.handles:
            handle = self.draw.choice(self.handles)
            done = self.answered()
            self.irps.append(self.rig.io.device_io_control(handle, code, data, out, done))

    def happen(self):
        """Do one thing out of all there are."""
        self.draw.choice(
            (
                self.open, self.close, self.move, self.move, self.reset, self.reset, self.protocol,
                self.apdu, self.apdu, self.apdu, self.ask_anything, self.type_a_pin, self.cancel,
                self.power, self.pnp, self.let_go, self.pull_out, self.get_ready, self.get_ready,
            )
        )()  # fmt: skip

    def get_ready(self):
        """Go to where most is possible; chance alone seldom arrives there."""
        if self.depth:
            return
        pnp, pdo = self.rig.pnp, self.rig.pdo
        for change in (pnp.cancel_stop, pnp.start, lambda pdo: pnp.set_power(pdo, 0)):
            change(pdo)
            self.let_go()
        self.rig.hardware.insert(Moody(self.draw))
        self.open()
        self.do_work(1.0)
        self.ask(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)
        self.do_work(1.0)
        self.ask(Ioctl.SMARTCARD_SET_PROTOCOL, b"\3\0\0\0")
        self.do_work(1.0)

    def open(self):
        _status, handle = self.rig.io.create_file(r"\\.\SCReader0")
        self.handles += [handle] * (handle is not None)

    def close(self):
        if self.handles:
            self.rig.io.close_handle(self.handles.pop(self.draw.randrange(len(self.handles))))

    def move(self):
        if not self.rig.hardware.insert(Moody(self.draw)) and self.draw.random() < 0.3:
            self.rig.hardware.remove()

    def reset(self):
        minor = self.draw.choice((0, 1, 1, 2, 3)).to_bytes(4, "little")
        self.ask(Ioctl.SMARTCARD_POWER, minor, self.draw.choice((33, 33, 3)))

    def protocol(self):
        mask = self.draw.choice((1, 2, 3, 0, 1 << 31)).to_bytes(4, "little")
        self.ask(Ioctl.SMARTCARD_SET_PROTOCOL, mask)

    def apdu(self):
        selected = int(self.rig.ext.CardCapabilities.Protocol.Selected).to_bytes(4, "little")
        command = selected + b"\x08\0\0\0" + self.draw.choice(COMMANDS)
        self.ask(Ioctl.SMARTCARD_TRANSMIT, command, self.draw.choice((65546, 10)))

    def ask_anything(self):
        code = self.draw.choice((*Ioctl, Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT))
        self.ask(code, self.draw.choice((b"", b"\3\3\x09\0")), self.draw.choice((0, 64)))

    def type_a_pin(self):
        pinpad = self.rig.slot.pinpad
        if pinpad is not None and self.draw.random() < 0.5:
            pinpad.press(self.draw.choice(("123456", "1", Key.CANCEL)))
        template = bytes.fromhex("0020008008" + "FF" * 8)
        head = bytes.fromhex("1E05 82 08 00 0806 02 FF 0904 00 000000")
        self.ask(VERIFY, head + len(template).to_bytes(4, "little") + template)

    def cancel(self):
        if self.irps:
            IoCancelIrp(self.draw.choice(self.irps[-20:]))

    def power(self):
        rig = self.rig
        self.below.keeps = self.below.kept is None and self.draw.random() < 0.3
        self.draw.choice((rig.pnp.set_power, rig.pnp.set_system_power))(
            rig.pdo, self.draw.choice((0, 3))
        )

    def pnp(self):
        pnp, pdo = self.rig.pnp, self.rig.pdo
        self.below.keeps = self.below.kept is None and self.draw.random() < 0.3
        what = self.draw.randrange(5)
        if what == 0 and pnp.query_stop(pdo):
            pnp.stop(pdo)
        elif what == 1 and pnp.query_remove(pdo):
            pnp.cancel_remove(pdo)
        elif what == 2:
            pnp.start(pdo)
        elif what == 3:
            pnp.cancel_stop(pdo)

    def let_go(self):
        if self.below.kept is not None:
            self.below.let_go()
        self.above.let_go()
        if not self.depth:
            self.rig.clock.advance(self.draw.choice((0.01, 0.5, 3)))

    def pull_out(self):
        if self.draw.random() < 0.02:
            self.rig.pnp.surprise_removal(self.rig.pdo)
        if self.draw.random() < 0.02:
            self.rig.pnp.remove(self.rig.pdo)

    def do_work(self, share):
        self.work += self.rig.held()
        while self.work and self.draw.random() < share:
            item = self.work.pop(self.draw.randrange(len(self.work)))
            answer = item.run() if self.draw.random() < 0.97 else None  # interrupted
            if self.draw.random() < 0.3:
                self.happen()
            item.finish(answer)
            self.work += self.rig.held()

    def end(self):
        gone = []
        self.rig.pnp.surprise_removal(self.rig.pdo)
        self.rig.pnp.remove(self.rig.pdo, lambda: gone.append(True))
        busy = True
        while busy:
            while self.handles:
                self.close()
            self.below.keeps = False
            self.let_go()
            self.do_work(1.0)
            busy = self.work or self.handles or self.above.kept or self.below.kept or not gone
        assert gone == [True]


@pytest.mark.wdk("lock.every-request", "pnp.surprise.outstanding", "callback.one-at-a-time")
@pytest.mark.parametrize("seed", range(100))
def test_each_request_ends_once_and_nothing_is_left_behind(seed, make_rig, make_below, caplog):
    caplog.set_level(logging.CRITICAL)
    world = Happenings(seed, make_rig, make_below)
    for _ in range(100):
        world.happen()
        world.do_work(0.4)
    world.end()
    world.rig.clock.advance(1000)
    assert world.rig.held() == []
    assert world.out == 0
    assert world.rig.slot._working == []
    world.rig.io.unload_all()
    assert world.rig.io.drivers == {}
