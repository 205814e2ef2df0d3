# SPDX-License-Identifier: Apache-2.0
"""Where a card program connects, in one string."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.cardspec import CardSpec
from vreader.errors import UsageError
from vreader.listenspec import ListenSpec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vpcd-listen", ListenSpec()),
        ("vpcd-listen:1", ListenSpec(port=1)),
        ("vpcd-listen:0", ListenSpec(port=0)),
        ("vpcd-listen:0.0.0.0:7", ListenSpec("0.0.0.0", 7)),
        ("vpcd-listen:[::1]:7", ListenSpec("::1", 7)),
        ("vpcd-listen:7,wait=2.5", ListenSpec(port=7, wait_s=2.5)),
        ("vpcd-listen:7,patience=3", ListenSpec(port=7, patience_s=3)),
        ("vpcd-listen,command=a b", ListenSpec(wait_s=10, command="a b")),
        ("vpcd-listen:0,wait=0,command=a", ListenSpec(port=0, wait_s=0, command="a")),
        ("vpcd-listen:0,command=a,b=c,d", ListenSpec(port=0, wait_s=10, command="a,b=c,d")),
    ],
)
def test_forms(text, expected):
    assert ListenSpec.parse(text) == expected
    spec = CardSpec.parse(text)
    assert spec.listening == expected
    assert spec.make() is None
    assert "command" not in spec.label


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("vpcd-listen:", "no port"),
        ("vpcd-listen:x", "no port"),
        ("vpcd-listen:65536", "no port"),
        ("vpcd-listen:٣", "no port"),
        ("vpcd-listen:localhost", "no port"),
        ("vpcd-listen::1", "no port"),
        ("vpcd-listen:1,", "not key=value"),
        ("vpcd-listen:1,wait", "not key=value"),
        ("vpcd-listen:1,wiat=1", "no option 'wiat'"),
        ("vpcd-listen:1,wait=1,wait=2", "wait twice"),
        ("vpcd-listen:1,wait=soon", "no number of seconds"),
        ("vpcd-listen:1,wait=nan", "no number of seconds"),
        ("vpcd-listen:1,patience=0", "no number of seconds"),
        ("vpcd-listen:1,command= ", "names no program"),
        ("vpcd-listen:0,wait=1", "free port"),
        ("vpcd-listen:1,state=a", "no option 'state'"),
    ],
)
def test_what_it_cannot_be(text, problem):
    with pytest.raises(UsageError, match=problem) as raised:
        CardSpec.parse(text)
    assert raised.value.hint


def test_a_mistyped_option_is_told_what_was_meant():
    with pytest.raises(UsageError) as raised:
        ListenSpec.parse("vpcd-listen:1,comand=x")
    assert "did you mean command?" in raised.value.hint


@given(st.text(st.sampled_from("wait=command,:.01x[]é "), max_size=30))
def test_any_text_is_one_or_said_not_to_be(text):
    try:
        spec = ListenSpec.parse("vpcd-listen" + text)
    except UsageError:
        return
    assert 0 <= spec.port <= 0xFFFF
    assert spec.wait_s >= 0
