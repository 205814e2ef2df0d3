# SPDX-License-Identifier: Apache-2.0
"""Answers as the lab gives them, for tests of what is done with them."""

from vreader.pairing.plan import Cell, Column
from vreader.pairing.question import Question
from vreader.pairing.result import Device, Driver, Module, Pairing, PairingStep
from vreader.pairing.sweep import Answered

CSP = "Microsoft Base Smart Card Crypto Provider"
KSP = "Microsoft Smart Card Key Storage Provider"
SYSTEM32 = "C:\\Windows\\System32"


def driver(package="fabrikam.inf", rank=0x00FF0000, source="store") -> Driver:
    return Driver(
        package=package,
        published="oem0.inf",
        source=source,
        description="Fabrikam smart card",
        section="Fabrikam_Install.NT",
        matching_id="SCFILTER\\CID_51FF0800",
        rank=rank,
        signer="trusted",
        date="2026-01-02",
        version="2.0.0.0",
    )


def pairing(card="piv", module="msclmd.dll", *, os="10.0-amd64", bits=64, **other) -> Pairing:
    """A card that is answered by ``module``; by none where that is empty."""
    drivers = (driver(), driver("msclmd.inf", 0x00FF2000, "inbox"))
    steps = (
        PairingStep("insertion", f"{card} answers 3B 04 51 FF 08 00", (("atr", "3B0451FF0800"),)),
        PairingStep(
            "plug and play",
            "SELECT the PIV application: no (6A82)",
            (("command", "00A4040009A0000003080000100000"), ("sw", "6A82"), ("data", "")),
        ),
        PairingStep("driver search", "best: fabrikam.inf", (("rank", "00FF0000"),)),
        PairingStep("winscard", "entry 'Fabrikam': equal", (("entry", {"name": "Fabrikam"}),)),
    )
    found = Pairing(
        card,
        bytes.fromhex("3B0451FF0800"),
        os,
        bits,
        device=Device("SCFILTER\\CID_51FF0800\\1", ["SCFILTER\\CID_51FF0800"], []),
        candidates=drivers if module else (),
        driver=drivers[0] if module else None,
        card_name="Fabrikam" if module else "",
        name_source="registry" if module else "",
        module=Module(module, f"{SYSTEM32}\\{module}", True) if module else None,
        csp=CSP if module else "",
        ksp=KSP if module else "",
        steps=steps,
    )
    return found._replace(**other)


def answered(card="piv", module="msclmd.dll", packages="ours", policy="default",
             os="10.0-amd64", bits=64, **other) -> Answered:  # fmt: skip
    """The same as a cell of a sweep."""
    found = pairing(card, module, os=os, bits=bits, **other)
    cell = Cell(card, Column(packages, policy, os, bits), Question("piv"))
    return Answered(cell, found.record())
