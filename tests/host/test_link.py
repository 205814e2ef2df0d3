# SPDX-License-Identifier: Apache-2.0
"""Readers with a link, reached through the resource manager."""

import pytest

from vreader.errors import UsageError
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.reader.linkspec import LinkSettings
from vreader.smclib.ioctl import Protocol

ATR = bytes.fromhex("3B80800101")  # T=0 and T=1
SHARED, LEAVE = 2, 0


class Echo:
    """A card that answers with what it is sent."""

    def power_on(self):
        return ATR

    reset = power_on

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        return c_apdu + b"\x90\x00"


def connect(host):
    api = ScardApi(host)
    context = api.SCardEstablishContext()
    return api, *api.SCardConnect(context, "Linked 00 00", SHARED, Protocol.T0 | Protocol.T1)


@pytest.mark.parametrize("link", ["t1", "t1,spoil=4,seed=6,crc", LinkSettings("t1", ifsd=7)])
def test_an_application_notices_nothing_of_t1(link):
    with Host() as host:
        host.add_reader("Linked 00 00", link=link).insert(Echo())
        api, handle, protocol = connect(host)
        assert protocol == Protocol.T1
        for length in (4, 200, 3000):
            command = bytes(length)
            assert api.SCardTransmit(handle, protocol, command) == command + b"\x90\x00"


def test_an_application_hears_what_t0_says():
    with Host() as host:
        host.add_reader("Linked 00 00", link="t0").insert(Echo())
        api, handle, protocol = connect(host)
        assert protocol == Protocol.T0
        select = bytes.fromhex("00A4040002") + b"ab"
        assert api.SCardTransmit(handle, protocol, select) == b"\x61\x08"
        rest = api.SCardTransmit(handle, protocol, bytes.fromhex("00C0000008"))
        assert rest == select + b"\0\x90\x00"


@pytest.mark.parametrize("link", ["t2", "t1,what"])
def test_a_link_that_cannot_be(link):
    with Host() as host, pytest.raises(UsageError):
        host.add_reader(link=link)
