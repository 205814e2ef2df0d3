# SPDX-License-Identifier: Apache-2.0
"""A card written for vsmartcard's vpicc, as ``vpicc:vpicc_hello.py:Hello`` runs it."""

from virtualsmartcard.VirtualSmartcard import SmartcardOS


class Hello(SmartcardOS):
    """Answers a word to every command."""

    def __init__(self, word: str = "hello") -> None:
        self.word = word

    def getATR(self) -> bytes:
        return bytes.fromhex("3B80800101")

    def execute(self, msg: bytes) -> bytes:
        print("asked for", msg.hex())  # goes to stderr
        return self.word.encode() + b"\x90\x00"
