# SPDX-License-Identifier: Apache-2.0
"""Plans: what a grid comes to, and where a complaint says it stands."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.pairing.plan import Column, Plan
from vreader.pairing.policy import Policy


@pytest.fixture
def load(tmp_path):
    """Read a plan from its text, in a folder with some files."""
    (tmp_path / "ours.inf").write_text("[Version]\n")
    (tmp_path / "calais.reg").write_text("REGEDIT4\n")
    (tmp_path / "wu").mkdir()
    (tmp_path / "talk.toml").write_text("")
    (tmp_path / "list.txt").write_text(
        "3B 04 51 FF 08 00\tFabrikam\n# more\n3B00\n3B01\tFabrikam\n"
    )

    def load(text):
        path = tmp_path / "plan.toml"
        path.write_text(text)
        return Plan.load(str(path))

    return load


def test_one_line_is_enough(load):
    plan = load('cards = "piv"')
    (cell,) = plan.cells
    assert (plan.name, plan.jobs, plan.backend) == ("plan", 0, "")
    assert (cell.card, cell.column) == ("piv", Column("inbox only", "default", "10.0-amd64", 64))
    assert cell.question.card == "piv"
    assert cell.question.bits == 64


def test_the_whole_grid(load, tmp_path):
    plan = load("""
        name = "Fabrikam 2.0"
        cards = ["piv", {label = "ours", card = "atr:3B0451FF0800"}]
        os = ["10.0-amd64", "6.1-x86"]
        bits = [32, 64]
        [packages]
        none = {}
        ours = {store = ["ours.inf,unsigned"], updates = "wu/", registry = "calais.reg"}
        [policy]
        default = {}
        "no update" = {update = "never", not-found = ["6A82", "6A88"]}
        [options]
        jobs = 3
        backend = "threading"
        """)
    assert (plan.name, plan.jobs, plan.backend) == ("Fabrikam 2.0", 3, "threading")
    assert len(plan.cells) == 2 * 2 * 2 * 3  # three of four are possible
    assert plan.skipped == 2 * 2 * 2
    assert [cell.card for cell in plan.cells] == ["piv"] * 12 + ["ours"] * 12
    last = plan.cells[-1]
    assert last.column == Column("ours", "no update", "6.1-x86", 32)
    assert last.question._replace(policy=Policy()) == (
        "atr:3B0451FF0800",
        (f"{tmp_path}/ours.inf,unsigned",),
        (),
        (f"{tmp_path}/wu",),
        (f"{tmp_path}/calais.reg",),
        "6.1-x86",
        32,
        Policy(),
    )
    assert last.question.policy.update == "never"
    assert last.question.policy.not_found == (0x6A82, 0x6A88)


def test_a_list_of_packages_is_a_store(load, tmp_path):
    plan = load('cards = "piv"\npackages.ours = ["ours.inf"]')
    assert plan.cells[0].question.store == (f"{tmp_path}/ours.inf",)


def test_without_bits_programs_are_the_systems_own(load):
    plan = load('cards = "piv"\nos = ["10.0-amd64", "6.1-x86", "10.0-arm64"]')
    assert [cell.column.bits for cell in plan.cells] == [64, 32, 64]
    assert plan.skipped == 0


def test_cards_are_found_beside_the_plan(load, tmp_path):
    plan = load('cards = ["scripted,file=talk.toml", "card.py:Echo,atr=3B00"]')
    assert [cell.question.card for cell in plan.cells] == [
        f"scripted,file={tmp_path}/talk.toml",
        f"{tmp_path}/card.py:Echo,atr=3B00",
    ]
    assert [cell.card for cell in plan.cells] == ["scripted", "card.py:Echo"]


def test_a_list_of_atrs(load):
    plan = load('cards = "atr:3B00"\natrs = "list.txt"')
    assert [(cell.card, cell.question.card) for cell in plan.cells] == [
        ("atr:3B00", "atr:3B00"),
        ("Fabrikam", "atr:3B0451FF0800"),
        ("Fabrikam (3B01)", "atr:3B01"),
    ]


def test_excluding(load):
    plan = load("""
        cards = ["piv", "gids"]
        os = ["10.0-amd64", "6.1-amd64"]
        [[exclude]]
        card = "piv"
        os = "6.1-amd64"
        [[exclude]]
        card = ["gids"]
        bits = 64
        os = ["10.0-amd64"]
        """)
    assert [(cell.card, cell.column.os) for cell in plan.cells] == [
        ("piv", "10.0-amd64"),
        ("gids", "6.1-amd64"),
    ]
    assert plan.excluded == 2


PIV = 'cards = "piv"\n'


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("cards = [", "plan.toml: Invalid value (at end of document)", "TOML"),
        ("cards = \n", "plan.toml: Invalid value (at line 1, column 9)", "TOML"),
        ("", "plan.toml: there is no card in it", 'cards = ["piv"]'),
        ("crads = 1", "plan.toml: unknown key 'crads'", "did you mean cards?"),
        ("cards = 1", "cards, entry 1 is not the text that a card is", '"piv"'),
        ('cards = ["piv", "pvi"]', "plan.toml: cards, entry 2: unknown card kind 'pvi'", "piv?"),
        ('cards = ["none"]', "cards, entry 1: an empty reader", "piv"),
        ('cards = ["piv,state=a"]', "cards, entry 1: a card with a state file", "state="),
        ('cards = ["piv", "piv,pin=1"]', "cards, entry 2: two cards are called 'piv'", "label"),
        ('cards = [{crad = "piv"}]', "unknown key 'crad' in [cards, entry 1]", "card?"),
        ('cards = [{label = "piv"}]', "cards, entry 1 is not the text that", '"piv"'),
        ('cards = [{card = "piv", label = "a\\nb"}]', "entry 1, label cannot be 'a\\nb'", "text"),
        ('atrs = "none.txt"', "plan.toml: atrs: there is no file 'none.txt'", "relative"),
        (f'atrs = "{"x" * 5000}"', "atrs: there is no file 'xxx", "relative"),
        ('atrs = "ours.inf"', "ours.inf, line 1, column 1: '[Version]' is no", "3B"),
        (PIV + "os = []", "plan.toml: os is empty", "leave os out"),
        (PIV + 'os = "11"', "plan.toml: os: '11' is no Windows", "10.0-amd64"),
        (PIV + "os = 10.0", "plan.toml: os cannot be 10.0", '"10.0-amd64"'),
        (PIV + "bits = [32, 32]", "plan.toml: bits has 32 twice", "leave one out"),
        (PIV + "bits = true", "plan.toml: bits cannot be True", "32, 64"),
        (PIV + 'bits = "64"', "plan.toml: bits cannot be '64'", "32, 64"),
        (PIV + "packages = {}", "plan.toml: [packages] is empty", "leave [packages] out"),
        (PIV + "packages = 1", "plan.toml: packages cannot be 1", "[packages]"),
        (PIV + "packages.a = {stroe = []}", "unknown key 'stroe' in [packages.a]", "store?"),
        (PIV + 'packages.a = "no.inf"', "packages.a.store: there is no file 'no.inf'", "relative"),
        (PIV + "packages.a.store = [1]", "packages.a.store cannot be 1", "text"),
        (PIV + 'policy.a = {updat = "no"}', "policy.a: there is no policy 'updat'", "update?"),
        (PIV + 'policy.a = {update = "no"}', "policy.a: policy update cannot be 'no'", "never"),
        (PIV + "policy.a = {ef-atr = false}", "policy.a.ef-atr cannot be False", "text"),
        (PIV + "exclude = 1", "exclude, entry 1 cannot be 1", "table"),
        (PIV + "exclude = {}", "exclude, entry 1 excludes all", "card"),
        (PIV + 'exclude = {crad = "piv"}', "unknown key 'crad' in [exclude, entry 1]", "card?"),
        (PIV + 'exclude = {card = "pvi"}', "exclude, entry 1: there is no card 'pvi'", "are: piv"),
        (PIV + 'exclude = {card = "piv"}', "plan.toml: it leaves nothing to ask", "exclude"),
        (PIV + 'os = "6.1-x86"\nbits = 64', "plan.toml: it leaves nothing to ask", "bits"),
        (PIV + "options.job = 1", "unknown key 'job' in [options]", "jobs?"),
        (PIV + "options.jobs = -1", "options.jobs cannot be -1", "processes"),
        (PIV + "options.patience = 1.5", "options.patience cannot be 1.5", "for ever"),
        (PIV + f'bits = "{"x" * 5000}"', "xxx…", "32, 64"),
        (PIV + "name = 1", "plan.toml: name cannot be 1", "text"),
    ],
)
def test_a_complaint_says_where(load, text, problem, hint):
    with pytest.raises(UsageError) as raised:
        load(text)
    assert problem in str(raised.value)
    assert hint in raised.value.hint


def toml(value) -> str:
    """Write a value; JSON's texts and numbers are TOML's."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=True)


WORDS = ["piv", "32", "10.0-amd64", "card", "os", "store", "update", "never", "ours.inf", "jobs"]
LEAVES = st.sampled_from(WORDS) | st.integers(-1, 64) | st.booleans() | st.floats(0, 9)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = ["cards", "atrs", "os", "bits", "packages", "policy", "exclude", "options", "name"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5))
def test_whatever_it_says(load, tables):
    text = "".join(f"{key} = {toml(value)}\n" for key, value in tables.items())
    try:
        cells, complaint = load(text).cells, ""
    except UsageError as error:
        cells, complaint = [], str(error)
    assert cells or "plan.toml" in complaint or "ours.inf" in complaint


@pytest.mark.parametrize(
    "text",
    [
        'cards = ["piv,pin=31415926,\\u0000"]',
        'cards = [["piv,pin=31415926"]]',
        'cards = {card = ["piv,pin=31415926"]}',
        PIV + 'exclude.card = "piv,pin=31415926"',
    ],
)
def test_no_complaint_repeats_a_pin(load, text):
    with pytest.raises(UsageError) as raised:
        load(text)
    assert "31415926" not in f"{raised.value}{raised.value.hint}"


def test_a_plan_that_is_not_there():
    with pytest.raises(UsageError, match=r"no/plan.toml: No such file"):
        Plan.load("no/plan.toml")


def test_a_folder_with_a_comma(tmp_path):
    path = tmp_path / "a,b" / "plan.toml"
    path.parent.mkdir()
    path.write_text(PIV)
    with pytest.raises(UsageError, match="comma"):
        Plan.load(str(path))


def test_too_many_cells(load):
    systems = ", ".join(f'"10.{n}-amd64"' for n in range(1001))
    sets = "\n".join(f"p{n} = {{}}" for n in range(1001))
    with pytest.raises(UsageError, match="1,002,001 cells"):
        load(f"{PIV}os = [{systems}]\n[packages]\n{sets}")
