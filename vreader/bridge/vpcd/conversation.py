# SPDX-License-Identifier: Apache-2.0
"""One connection to the driver, from its first byte to its last: the hot path of the vpcd door.

Debian's driver sends length and body in two calls, so its body waits for the acknowledgement of the
length, which the kernel likes to delay by 40 ms. ``TCP_QUICKACK`` forbids that, but the kernel
drops the wish as soon as it pleases: it is renewed before each receive. Answers leave in one call.
"""

import socket
from collections.abc import Callable

from vreader.bridge.vpcd.frame import FrameDecoder, encode
from vreader.bridge.vpcd.session import CardSession

RECEIVE_SIZE = 4096

# Linux only; elsewhere the driver's two sends cost a delayed ACK.
TCP_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


def converse(
    sock: socket.socket,
    session: CardSession,
    *,
    taken_s: float,
    silence_s: float,
    spoken: Callable[[], None],
    kept_waiting: Callable[[], None],
) -> str:
    """Answer the driver on ``sock`` until it leaves; return why the conversation ended.

    Args:
        sock: connected, in blocking mode; shutting it down ends the conversation.
        session: the card that answers.
        taken_s: seconds of first silence after which ``kept_waiting`` is called, once.
        silence_s: seconds of silence after a control code that end the conversation: the driver
            waits for the answer to a one-byte C-APDU that reads like a control code.
        spoken: called when the first bytes have come.
        kept_waiting: see ``taken_s``.

    Raises:
        Unserved: the card cannot answer; nothing was sent, the connection is to be closed.
        OSError: the connection broke.
    """
    quick_ack = _prepare(sock)
    feed = (decoder := FrameDecoder()).feed
    receive, send, answer = sock.recv, sock.sendall, session.answer
    silent = True
    timed = True
    sock.settimeout(taken_s)
    while True:
        if quick_ack is not None:
            sock.setsockopt(socket.IPPROTO_TCP, quick_ack, 1)
        try:
            data = receive(RECEIVE_SIZE)
        except TimeoutError:
            if not silent:
                return "the driver stopped asking (a one-byte command that reads like a control?)"
            sock.settimeout(None)
            timed = False
            kept_waiting()
            continue
        if not data:
            return "the driver left in the middle of a frame" if decoder.partial else "it left"
        if timed:
            sock.settimeout(None)
            timed = False
        if silent:
            silent = False
            spoken()
        for payload in feed(data):
            reply = answer(payload)
            if reply is not None:
                send(encode(reply))
            else:
                timed = True
        if timed:
            sock.settimeout(silence_s)


def _prepare(sock: socket.socket) -> int | None:
    """Set what lasts; return the option to renew before each receive, or None."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return TCP_QUICKACK
