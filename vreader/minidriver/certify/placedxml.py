# SPDX-License-Identifier: Apache-2.0
"""XML whose elements know their line and column, without what makes XML dangerous.

A document type is refused before anything in it is read: with it go entities, those that grow and
those that name files.
"""

from typing import TYPE_CHECKING
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType


class XmlError(Exception):
    """It is no XML that is taken here; ``line`` and ``column`` count from 1."""

    def __init__(self, told: str, line: int, column: int) -> None:
        super().__init__(told)
        self.line = line
        self.column = column


class Node:
    """An element; attributes are not kept.

    Attributes:
        tag: its name.
        line, column: where it begins; both count from 1.
        text: characters directly in it, without blanks around them.
        children: the elements in it.
    """

    def __init__(self, tag: str, line: int, column: int) -> None:
        self.tag = tag
        self.line = line
        self.column = column
        self.text = ""
        self.children: list[Node] = []

    def find_all(self, path: str) -> list["Node"]:
        """Return the elements at a path of names with slashes between."""
        found = [self]
        for name in path.split("/"):
            found = [child for node in found for child in node.children if child.tag == name]
        return found

    def find(self, path: str) -> "Node | None":
        """Return the first element at a path."""
        return next(iter(self.find_all(path)), None)


def parse(data: bytes) -> Node:
    """Return the root of a document.

    Raises:
        XmlError: it is no XML, has an unknown encoding, or declares a document type.
    """
    parser = ParserCreate()
    tree = _Tree(parser)
    try:
        parser.Parse(data, True)
    except ExpatError as error:
        told = f"it is no XML: {ErrorString(error.code)}"
        raise XmlError(told, error.lineno, error.offset + 1) from None
    except (LookupError, ValueError) as error:
        raise XmlError(f"its encoding is not known: {error}", 1, 1) from None
    return tree.root


class _Tree:
    def __init__(self, parser: "XMLParserType") -> None:
        self._parser = parser
        self._open: list[Node] = []
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype

    def _place(self) -> tuple[int, int]:
        return self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        node = Node(tag, *self._place())
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def _end(self, tag: str) -> None:
        node = self._open.pop()
        node.text = node.text.strip()

    def _characters(self, text: str) -> None:
        self._open[-1].text += text

    def _doctype(self, *_: object) -> None:
        raise XmlError("it declares a document type, and such a file has none", *self._place())
