# SPDX-License-Identifier: Apache-2.0
"""The least a Python card can be, for ``vreader serve --card echo.py:EchoCard``."""


class EchoCard:
    """Answers every command with 9000."""

    def __init__(self, atr: str = "3B80800101") -> None:
        self.atr = bytes.fromhex(atr)

    def power_on(self) -> bytes:
        return self.atr

    def reset(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        pass

    def transmit(self, c_apdu: bytes) -> bytes:
        return b"\x90\x00"
