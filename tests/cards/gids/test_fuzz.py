# SPDX-License-Identifier: Apache-2.0
"""Whatever a client sends, the card answers, and goes on working."""

from functools import partial

from card_fuzz import Bench, mutated, play, steps
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cards.gids import KIND
from vreader.card import MemoryStore

SELECT = bytes.fromhex("00A4040009A0000003974254465900")
VALID = [
    bytes.fromhex(text)
    for text in (
        "00A4040009A0000003974254465900", "00A4000C023FFF", "00A4000402A01000", "00A4000C02B081",
        "00CBA000045C02DF1F00", "00CBA010045C02DF2200", "00CBA010025C0000", "00CB2F01025C0000",
        "00CB3FFF045C027F7100", "00CB3FFF0A7008840181A5037F498000", "00DBA01009DF2206000000000100",
        "00DBA01003DF2300", "00DBA01204DF200155", "00E000000E620C8201398302A0508C03033000",
        "00E000002862268201188302B0818C058F10101000A516B609800117830181950140B60980015C830181950140",
        "00E000001C621A8201188302B0808C04870020FFA50BA4098001028301809501C0",
        "0044000000", "00440000", "00E40000", "0020008000", "0020008006313233343536",
        "0020008006393939393939", "00200082", "002400800C313233343536363534333231",
        "0024018006313233343536", "00240181083132333435363738", "002C028006313233343536",
        "002C00800E3132333435363738313233343536", "0022C1A403830180", "002281A403830180",
        "002241B606800157840181", "002241B60680015C840181", "002241B806800147840181",
        "002A9E9A0411223344", "002A80860411223344", "0047000008AC0680010C83018100",
        "00870000047C02810000", "008700000C7C0A82081122334455667788", "0084000008",
        "00870000147C128110" + "11" * 16 + "00", "008700002C7C2A8228" + "22" * 40 + "00",
        "00DB3FFF267024840180A51F8718" + "0102030405060708" * 3 + "8803B073DC",
        "00DB3FFF11700F840181A50A83010284010087023000", "00C0000000",
    )
]  # fmt: skip


def make(profile):
    return KIND.create(profile, {}, MemoryStore(), b"seed")


def works(card):
    assert card.transmit(SELECT)[-2:] == b"\x90\x00"
    status = card.transmit(bytes.fromhex("00CB3FFF045C027F7100"))[-2:]
    # Absent on a blank card, refused after termination.
    assert status in (b"\x90\x00", b"\x6a\x88", b"\x69\x85")
    assert KIND.facts(card)


def tries(card):
    area = card.nvm.area("gids")
    return [(area.get(f"{name}.tries") or b"\xff")[0] for name in ("pin", "puk")]


def rights(card):
    security = card.applications[0].state.security
    security.user = security.admin = True


def bench(profile):
    return Bench(partial(make, profile), SELECT, VALID, works, tries, rights)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(KIND.profiles())), steps(bench("windows")))
@example("windows", [bytes.fromhex("10A404000100"), "select"])  # a SELECT in a chain cut short
@example("blank", [bytes.fromhex("00440000"), "rights", bytes.fromhex("00E60000")])
def test_a_card_survives_everything(profile, given):
    play(bench(profile), given)


@settings(max_examples=300, deadline=None)
@given(mutated(VALID))
def test_one_mutated_command_of_an_authenticated_client(raw):
    play(bench("windows"), ["rights", raw])
