# SPDX-License-Identifier: Apache-2.0
"""The marker: which world a test gets, and what is said of one that makes no sense."""

import pytest

INSIDE = """
import pytest

def told(world):
    return [(place.name, place.spec.text) for place in world.places]
"""


def test_the_nearest_marker_decides_about_each_keyword(pytester):
    pytester.makepyfile(
        INSIDE
        + """
pytestmark = pytest.mark.vreader(card="atr:3B80800101", reader="Module")

def test_module(vreader):
    assert told(vreader) == [("Module 00 00", "atr:3B80800101")]

@pytest.mark.vreader(reader="Class")
class TestClass:
    def test_class(self, vreader):
        assert told(vreader) == [("Class 00 00", "atr:3B80800101")]

    @pytest.mark.vreader(card=["none", "piv,serial=7"], reader=["A", "B"])
    def test_own(self, vreader):
        assert told(vreader) == [("A 00 00", "none"), ("B 00 00", "piv,serial=7")]

@pytest.mark.vreader("none", "none")
def test_cards_without_the_word(vreader):
    assert told(vreader) == [("Module 00 00", "none"), ("Virtual Reader 00 00", "none")]

@pytest.mark.vreader(["none"])
def test_a_list_without_the_word(vreader):
    assert len(vreader.places) == 1

@pytest.mark.parametrize(
    "count", [pytest.param(n, marks=pytest.mark.vreader(card=["none"] * n)) for n in (1, 3)]
)
def test_parameters(vreader, count):
    assert len(vreader.places) == count

@pytest.mark.vreader(profile=None, pinpad=None, link=None)
def test_nothing_said(vreader):
    assert vreader.places[0].name == "Module 00 00"

@pytest.mark.vreader(profile="windows", pinpad=["1234", "cancel"], link="t1")
def test_the_others(vreader):
    assert vreader.places[0].name == "Module 0"
"""
    )
    pytester.runpytest().assert_outcomes(passed=9)


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ('crad="piv"', ["unknown keyword 'crad'", "did you mean card?*keywords: card, reader, *"]),
        ('card="pvi"', ["unknown card kind 'pvi'", "did you mean piv?*"]),
        ('card="piv:9"', ["card kind piv has no profile '9'", "profiles: *"]),
        ('card="piv,pn=1"', ["card kind piv has no option 'pn'", "options of this kind: pin, *"]),
        ("card=7", ["card is of type int, not text", "for example card=*"]),
        ('"piv", card="piv"', ["the marker has cards twice", "*"]),
        ("reader=[1]", ["reader is of type int, not text", "*"]),
        ('profile="linux"', ["unknown profile 'linux'", "profiles: pcsclite, *"]),
        ('pinpad="12x"', ["a keypad has digits alone", "*"]),
        ("pinpad=[7]", ["a keypad has digits alone", "*"]),
        ('link="t2"', ["unknown link 't2'", "links: t0, t1"]),
        ('faults="explode"', ["*explode*", "*mute*"]),
        ("faults=[7]", ["faults is of type int, not text", "*"]),
    ],
)
def test_what_makes_no_sense_ends_the_run_with_the_choices(pytester, marker, said):
    pytester.makepyfile(f"""
        import pytest
        @pytest.mark.vreader({marker})
        def test_it(vreader):
            pass
    """)
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    message, hint = said
    result.stderr.fnmatch_lines([f"ERROR: *test_it: vreader marker: {message}", f"hint: {hint}"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_a_class_for_a_profile_is_not_refused(pytester):
    """A card kind may take one; what it is is seen when the card is made."""
    pytester.makepyfile("""
        import pytest
        @pytest.mark.vreader("vpicc:nothing.py:Os")
        def test_it(vreader): pass
    """)
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)


def test_a_wrong_marker_is_said_once(pytester):
    pytester.makepyfile("""
        import pytest
        pytestmark = pytest.mark.vreader(x=1)
        def test_one(): pass
        def test_two(): pass
    """)
    result = pytester.runpytest()
    assert result.stderr.str().count("unknown keyword") == 1


def test_a_world_that_cannot_be_made_fails_the_test_plainly(pytester):
    pytester.makepyfile("""
        import pytest
        @pytest.mark.vreader(reader=["A", "B"])
        def test_it(vreader):
            pass
    """)
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["vreader: 2 reader names for 1 card", "hint: give a card for each reader*"]
    )
    for word in ("spec.py", "During handling"):
        assert word not in result.stdout.str()


def test_the_marker_is_known(pytester):
    result = pytester.runpytest("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.vreader(card=…, reader=…, *): *"])
