# SPDX-License-Identifier: Apache-2.0
"""Draws the reader states from their table, so that the picture cannot lie.

Where a box stands is fixed here; every arrow and every cell comes from ``TRANSITIONS``. Arrows that
all states with a card share start at the frame around them; events that change nothing are named in
the box; refusals stand in the table below. Run as a script it writes ``_generated``.
"""

from collections import defaultdict
from html import escape
from pathlib import Path

from vreader.smclib.profile import CONTACT
from vreader.smclib.states import TRANSITIONS, CardState, Option, Outcome, ReaderEvent
from vreader.wdm import NTSTATUS

OUTPUT = Path(__file__).parent / "_generated" / "reader-states.svg"

Transitions = dict[CardState, dict[ReaderEvent, Outcome]]
Node = CardState | Option
Point = tuple[float, float]

WIDTH, BOX_W, BOX_H = 1120, 130, 74
ROW_Y, PILL_Y = 236, 96
FRAME = (212, 60, 896, 338)  # x, y, width, height
BOXES: dict[Node, Point] = {
    CardState.UNKNOWN: (16, PILL_Y - 8),
    CardState.ABSENT: (16, ROW_Y),
    CardState.PRESENT: (232, ROW_Y),
    CardState.SWALLOWED: (409, ROW_Y),
    CardState.POWERED: (586, ROW_Y),
    CardState.NEGOTIABLE: (763, ROW_Y),
    CardState.SPECIFIC: (944, ROW_Y),
    Option.INSERTION_STATE: (252, PILL_Y),
    Option.POWER_DOWN_STATE: (763, PILL_Y),
}
DEFAULT = {
    Option.INSERTION_STATE: CONTACT.insertion_state,
    Option.POWER_DOWN_STATE: CONTACT.power_down_state,
}
TABLE_Y, ROW_H, HEAD_H, LABEL_W = 430, 34, 44, 104

STYLE = """
text { font-family: 'DejaVu Sans', Verdana, sans-serif; font-size: 11px; fill: #1b2733; }
.name { font-size: 13px; font-weight: bold; }
.small { font-size: 9px; fill: #44535f; }
.arrow { stroke: #24527a; stroke-width: 1.4; fill: none; marker-end: url(#head); }
.label { fill: #24527a; font-size: 10.5px; paint-order: stroke; stroke: #fff; stroke-width: 4px; }
.box { fill: #e8f0f7; stroke: #24527a; stroke-width: 1.4; }
.pill { fill: #fff6df; stroke: #9a7412; stroke-width: 1.2; stroke-dasharray: 5 3; }
.frame { fill: #fafcfe; stroke: #8da3b5; stroke-width: 1.2; }
.cell { fill: #fff; stroke: #c5d0d9; }
.moves { fill: #e8f0f7; stroke: #c5d0d9; }
.option { fill: #fff6df; stroke: #c5d0d9; }
"""


def with_card(transitions: Transitions) -> list[CardState]:
    """Return the states with a card in the reader."""
    return [state for state in transitions if state > CardState.ABSENT]


def shared(transitions: Transitions) -> dict[ReaderEvent, Node]:
    """Return the events that lead every state with a card to the same place."""
    found: dict[ReaderEvent, Node] = {}
    for event in ReaderEvent:
        outcomes = {transitions[state][event] for state in with_card(transitions)}
        target = outcomes.pop()
        if not outcomes and not isinstance(target, NTSTATUS):
            found[event] = target
    return found


def arrows(transitions: Transitions) -> dict[tuple[CardState, Node], list[ReaderEvent]]:
    """Return the events of each arrow from box to box; the shared ones are not among them."""
    common = shared(transitions)
    found: dict[tuple[CardState, Node], list[ReaderEvent]] = defaultdict(list)
    for state, row in transitions.items():
        for event, outcome in row.items():
            drawn_at_frame = event in common and state > CardState.ABSENT
            if not isinstance(outcome, NTSTATUS) and outcome is not state and not drawn_at_frame:
                found[state, outcome].append(event)
    return found


def staying(transitions: Transitions, state: CardState) -> list[ReaderEvent]:
    """Return the events that leave ``state`` as it is, without being refused."""
    common = shared(transitions)
    return [e for e, o in transitions[state].items() if o is state and e not in common]


# ---------------------------------------------------------------------- drawing


def _text(x: float, y: float, content: str, css: str = "", anchor: str = "middle") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" class="{css}" text-anchor="{anchor}">{escape(content)}</text>'
    )


def _rect(x: float, y: float, w: float, h: float, css: str, radius: float, **data: str) -> str:
    extra = "".join(f' data-{key}="{escape(value)}"' for key, value in data.items())
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{radius:g}"'
        f' class="{css}"{extra}/>'
    )


def _lines(x: float, y: float, words: list[str], css: str, step: float = 11) -> list[str]:
    return [_text(x, y + number * step, word, css) for number, word in enumerate(words)]


def _wrap(text: str, width: int) -> list[str]:
    """Break at spaces and behind underscores."""
    lines = [""]
    for word in text.replace("_", "_ ").split(" "):
        joint = "" if lines[-1].endswith("_") or not lines[-1] else " "
        if lines[-1] and len(lines[-1] + joint + word) > width:
            lines.append(word)
        else:
            lines[-1] += joint + word
    return lines


def _box(transitions: Transitions, node: Node) -> list[str]:
    x, y = BOXES[node]
    if isinstance(node, Option):
        note = f"{DEFAULT[node].name} by default"
        out = [_rect(x, y, BOX_W, 44, "pill", 22, node=node.name)]
        return [*out, _text(x + 65, y + 19, node.value), _text(x + 65, y + 33, note, "small")]
    out = [_rect(x, y, BOX_W, BOX_H, "box", 7, node=node.name)]
    out.append(_text(x + 65, y + 19, f"{node.value} {node.name}", "name"))
    if stays := staying(transitions, node):
        names = [event.value for event in stays]
        out.append(_text(x + 65, y + 33, "stays on", "small"))
        out += _lines(x + 65, y + 44, _wrap(", ".join(names), 24)[:3], "small")
    return out


def _arrow(points: list[Point], label: str, at: Point, anchor: str, key: str) -> list[str]:
    path = "M" + " L".join(f"{x:g},{y:g}" for x, y in points)
    line = f'<path d="{path}" class="arrow" data-arrow="{escape(key)}"/>'
    return [line, *(_text(at[0], at[1] + 12 * i, part, "label", anchor)
                    for i, part in enumerate(label.split("\n")))]  # fmt: skip


def _between(source: CardState, target: Node, label: str) -> list[str]:
    """Draw an arrow from box to box: sideways in a row, else up or down into a pill."""
    (x1, y1), (x2, y2) = BOXES[source], BOXES[target]
    key = f"{source.name}>{target.name}"
    label = label.replace(" ", "\n")
    if y1 == y2:
        start, end = (x1 + BOX_W, y1 + 60), (x2, y2 + 60)
        return _arrow([start, end], label, ((start[0] + end[0]) / 2, y1 + 34), "middle", key)
    if x1 == x2:
        down = y1 < y2
        start, end = (x1 + 65, y1 + BOX_H if down else y1), (x2 + 65, y2 if down else y2 + 44)
        middle = (start[1] + end[1]) / 2
        return _arrow([start, end], label, (start[0] + 6, middle), "start", key)
    if source is CardState.UNKNOWN:
        height = y2 + 12
        ends = [(x1 + BOX_W, height), (x2 + 3, height)]
        return _arrow(ends, label, (x1 + BOX_W + 5, height - 18), "start", key)
    if source is CardState.ABSENT:
        height, bend = y2 + 34, x1 + BOX_W + 30
        ends = [(x1 + BOX_W, y1 + 16), (bend, y1 + 16), (bend, height), (x2 + 4, height)]
        return _arrow(ends, label, (bend + 42, height + 22), "start", key)
    start, end = (x1 + 65, y1), (x2 + (0 if x1 < x2 else BOX_W), y2 + 22)
    corner = (start[0], end[1])
    return _arrow([start, corner, end], label, (start[0] + 6, 190), "start", key)


def _from_frame(target: Node, label: str) -> list[str]:
    """Draw an arrow that every state with a card has: from the frame inwards, or out of it."""
    x, y, _, height = FRAME
    tx, ty = BOXES[target]
    key = f"*>{target.name}"
    if isinstance(target, Option):
        return _arrow([(tx + 65, y), (tx + 65, ty)], label, (tx + 72, y + 22), "start", key)
    if target <= CardState.ABSENT:
        start = (x, ty + 50)
        return _arrow([start, (tx + BOX_W, ty + 50)], label.replace(" ", "\n"),
                      ((x + tx + BOX_W) / 2, ty + 66), "middle", key)  # fmt: skip
    start = (tx + 65, y + height)
    parts = "\n".join(_wrap(label, 15))
    return _arrow([start, (tx + 65, ty + BOX_H)], parts, (tx + 72, y + height - 50), "start", key)


def _table(transitions: Transitions) -> list[str]:
    """Draw the whole table, refusals included: one cell for each state and event."""
    column = (WIDTH - 32 - LABEL_W) / len(ReaderEvent)
    out = []
    for number, event in enumerate(ReaderEvent):
        x = 16 + LABEL_W + (number + 0.5) * column
        words = _wrap(event.value, 14)
        out += _lines(x, TABLE_Y + HEAD_H - 8 - 11 * (len(words) - 1), words, "small")
    for line, (state, row) in enumerate(transitions.items()):
        y = TABLE_Y + HEAD_H + line * ROW_H
        out.append(_text(16, y + 21, state.name, "name", "start"))
        for number, event in enumerate(ReaderEvent):
            outcome = row[event]
            x = 16 + LABEL_W + number * column
            css = "option" if isinstance(outcome, Option) else "moves"
            css = "cell" if isinstance(outcome, NTSTATUS) else css
            says = outcome.value if isinstance(outcome, Option) else outcome.name
            out.append(_rect(x, y, column, ROW_H, css, 0, state=state.name, event=event.name,
                             outcome=outcome.name))  # fmt: skip
            words = _wrap(says, 14)
            first = y + 20 - 5.5 * (len(words) - 1)
            out += _lines(x + column / 2, first, words, "small" if css == "cell" else "")
    return out


def reader_states(transitions: Transitions = TRANSITIONS) -> str:
    """Return the picture as SVG text."""
    height = TABLE_Y + HEAD_H + ROW_H * len(transitions) + 16
    frame_x, frame_y, frame_w, frame_h = FRAME
    body = [_text(16, 26, "The states of a smart card reader", "name", "start")]
    body.append(_rect(frame_x, frame_y, frame_w, frame_h, "frame", 10))
    body.append(_text(frame_x + 10, frame_y - 8, "a card is in the reader", "small", "start"))
    by_target: dict[Node, list[str]] = defaultdict(list)
    for event, target in shared(transitions).items():
        by_target[target].append(event.value)
    for target, names in by_target.items():
        body += _from_frame(target, ", ".join(names))
    for (source, target), events in arrows(transitions).items():
        body += _between(source, target, ", ".join(event.value for event in events))
    for node in BOXES:
        body += _box(transitions, node)
    legend = "Every event in every state: where it leads, or the status that refuses it"
    body.append(_text(16, TABLE_Y - 6, legend, "small", "start"))
    body += _table(transitions)
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" role="img">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="#24527a"/></marker>'
        "</defs>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *body,
        "</svg>\n",
    ))  # fmt: skip


def main() -> None:
    """Write every picture."""
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(reader_states(), encoding="utf-8")


if __name__ == "__main__":
    main()
