# SPDX-License-Identifier: Apache-2.0
"""``vreader minidriver call``: one function of a minidriver, called for a card."""

from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar

from vreader.cli.machine import (
    add_card_options,
    add_dll_option,
    add_machine_options,
    add_pin_option,
    add_pinpad_option,
    inserted,
    minidriver_of,
    one_pin,
    specs,
)
from vreader.cli.parser import Parser, say
from vreader.errors import VreaderError

if TYPE_CHECKING:
    from vreader.minidriver.host import BaseCsp
    from vreader.minidriver.scinfo.pin import OnePin

T = TypeVar("T")

FAILED = 1


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Call one function of the minidriver for a card, in a transaction, and tell what
    it returns. Parameters are those of the documentation without PCARD_DATA and
    without places for results: numbers, texts, bytes in hexadecimal, NULL. A
    structure is member=value,member=value or -, its defaults; flags, structures
    and buffers at the end may be left out. The text NULL is the pointer.

      vreader minidriver call CardReadFile mscp cmapfile --card gids
      vreader minidriver call CardGetContainerInfo 0 --card piv
      vreader minidriver call CardGetProperty "PIN Information" - 1 --card piv
      vreader minidriver call CardSignData \\
          container=0,key_spec=1,data=0102,padding=pkcs1 --card piv --pin 123456
      vreader minidriver call CardAuthenticateEx 1 0 NULL --card piv --pinpad 123456

    With --pin the user's PIN is verified before. Ends with exit code 1 where the
    function fails.
    """)
    parser.usage = "vreader minidriver call FUNCTION [PARAMETER]... [--OPTION]..."
    add = parser.add_argument
    add("function", metavar="FUNCTION", help="its name, CardReadFile for example")
    add("words", metavar="PARAMETER", nargs="*", help="its parameters")
    add_card_options(parser)
    add_dll_option(parser)
    add_pin_option(parser)
    add_pinpad_option(parser)
    add_machine_options(parser)
    add("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Call it."""
    from vreader.minidriver.abi.pins import Role
    from vreader.minidriver.abi.returncodes import MinidriverError
    from vreader.minidriver.calling import read_arguments
    from vreader.minidriver.calltold import told
    from vreader.minidriver.host import BaseCsp

    arguments = read_arguments(options.function, options.words)
    (spec,) = specs(options)
    pin = one_pin(options.pin, ask=False)

    def work(csp: BaseCsp) -> object:
        if options.pin is not None:
            csp.pins.require(Role.USER)
        try:
            return csp.session.call(options.function, *arguments)
        except MinidriverError as error:
            return error

    result = in_context(options, spec, pin, work)
    failed = result if isinstance(result, MinidriverError) else None
    lines = [] if failed else list(told(options.function, arguments, result))
    if failed is not None and failed.attempts is not None:
        lines.append(f"attempts left: {failed.attempts}")
    if failed is not None and failed.length is not None:
        lines.append(f"length: {failed.length}")
    code = str(failed) if failed else "SCARD_S_SUCCESS (0x00000000)"
    if options.json:
        import json

        record: dict[str, object] = {"function": options.function, "code": code, "told": lines}
        if isinstance(result, bytes):
            record["bytes"] = result.hex().upper()
        say(json.dumps(record, indent=2))
    else:
        from vreader.registry.show import printable

        say(f"{options.function} -> {code}")
        for line in lines:
            say(printable(f"  {line}"))
    return FAILED if failed else 0


def in_context(
    options: Namespace, spec: str | None, pin: "OnePin", work: "Callable[[BaseCsp], T]"
) -> T:
    """Do something in a minidriver's context for a card, in a transaction.

    Raises:
        VreaderError: there is no such card or minidriver, or it does not take the card.
    """
    from vreader.minidriver.abi.returncodes import MinidriverError
    from vreader.minidriver.host import BaseCsp

    with inserted(options, spec) as (machine, pairing), ExitStack() as closers:
        pairing, module = minidriver_of(options, machine, pairing, closers)
        if module is None:
            raise VreaderError(
                pairing.answer, hint="name a minidriver with --dll", exit_code=FAILED
            )
        csp = closers.enter_context(
            BaseCsp(
                machine.api,
                machine.reader,
                module,
                pairing.card_name,
                clock=machine.host.clock,
                prompt=pin,
                view=machine.view,
            )
        )
        try:
            return csp.run(lambda: work(csp))
        except MinidriverError as error:
            raise VreaderError(
                f"no function was called: {pin.why(error)}",
                hint="--trace - shows what led there",
                exit_code=FAILED,
            ) from None
