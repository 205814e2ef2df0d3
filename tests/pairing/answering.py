# SPDX-License-Identifier: Apache-2.0
"""A card that is a table: an ATR, and answers by the beginning of a command."""

PIV_SELECT = "00A4040009A00000030800001000"
GIDS_SELECT = "00A4040009A00000039742544659"
GET_CARD_ID = "00CA7F68"
FABRIKAM_ATR = bytes.fromhex("3B0451FF0800")
FABRIKAM_ID = r"SCFILTER\CID_51ff0800"


class Answering:
    """Answers the longest beginning that fits, else ``other``; remembers what it heard."""

    def __init__(self, atr=FABRIKAM_ATR, answers=(), other="6A82"):
        self.atr = bytes(atr)
        self.answers = dict(answers)
        self.other = other
        self.heard = []

    def power_on(self):
        return self.atr

    def reset(self):
        return self.atr

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        command = c_apdu.hex().upper()
        self.heard.append(command)
        fitting = [start for start in self.answers if command.startswith(start)]
        return bytes.fromhex(self.answers[max(fitting, key=len)] if fitting else self.other)
