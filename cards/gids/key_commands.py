# SPDX-License-Identifier: Apache-2.0
"""What the commands of GIDS do with keys: put, generate, choose, sign, decipher.

The rights to do it were checked by :mod:`cards.gids.applet`; how a key works is in
:mod:`cards.gids.keys`.
"""

from cards.gids import commands as cmd
from cards.gids import keys
from cards.gids.authenticate import tdes_cbc
from cards.gids.files import File
from cards.gids.state import Environment, GidsState
from cards.gids.tables import Template
from cards.platform import Refuse
from cards.platform.parsing import require
from vreader.iso7816 import SW

# OpenSC's tools send the check value of the sample key in Microsoft's documentation with every key.
_SAMPLE_CHECK_VALUE = bytes.fromhex("B073DC")


def existing_key_file(state: GidsState, reference: int) -> File:
    """Return the EF of a key reference; raises Refuse(6A88)."""
    file = state.key_file(reference)
    if file is None:
        raise Refuse(SW.REFERENCE_NOT_FOUND)
    return file


def existing_key(state: GidsState, file: File) -> keys.KeyRecord:
    """Return the key in an EF; raises Refuse(6A88) before there is one."""
    record = state.key(file)
    if record is None:
        raise Refuse(SW.REFERENCE_NOT_FOUND)
    return record


def put_admin_key(state: GidsState, command: cmd.PutAdminKey) -> None:
    """Replace the admin key; raises Refuse(6A80) for a wrong check value."""
    file = existing_key_file(state, command.reference)
    require(any(use.template == Template.AUTHENTICATION for use in file.uses), SW.WRONG_DATA)
    if command.check not in (b"", _SAMPLE_CHECK_VALUE):
        wanted = tdes_cbc(command.key, bytes(8))[: len(command.check)]
        require(command.check == wanted, SW.WRONG_DATA)
    state.put_admin_key(file, command.key)


def _algorithms(file: File) -> set[int]:
    """Return the kinds of key an EF may hold: the lower halves of its algorithm references."""
    templates = (Template.SIGNATURE, Template.CONFIDENTIALITY)
    return {use.algorithm & 0x0F for use in file.uses if use.template in templates}


def import_key(state: GidsState, command: cmd.ImportKey) -> None:
    """Put a key made elsewhere into its EF; raises Refuse(6A80) when it is none of that kind."""
    file = existing_key_file(state, command.reference)
    algorithms = _algorithms(file)
    require(len(algorithms) == 1, SW.WRONG_DATA)
    try:
        record = keys.import_der(algorithms.pop(), command.der)
    except ValueError:
        raise Refuse(SW.WRONG_DATA) from None
    state.put_key(file, record)
    require(state.fits, SW.NOT_ENOUGH_MEMORY)


def generate(state: GidsState, command: cmd.GenerateKey) -> bytes:
    """Generate a key pair and return the public key, if it is wanted; raises Refuse."""
    file = existing_key_file(state, command.reference)
    require(command.algorithm in _algorithms(file), SW.WRONG_DATA)
    try:
        record = keys.generate(command.algorithm)
    except ValueError:
        raise Refuse(SW.FUNCTION_NOT_SUPPORTED) from None
    state.put_key(file, record)
    require(state.fits, SW.NOT_ENOUGH_MEMORY)
    return record.public if command.answer else b""


def set_environment(state: GidsState, command: cmd.SetEnvironment) -> None:
    """Choose a key; raises Refuse(6A88, 6A80) when there is none, or it is not for that."""
    template, algorithm, reference = command
    file = existing_key_file(state, reference)
    if template is Template.AUTHENTICATION:
        allowed = any(use.template == template for use in file.uses)
    else:
        allowed = file.allows(template, algorithm)
    require(allowed, SW.WRONG_DATA)
    state.security.environment[template] = Environment(algorithm, reference)


def _chosen(state: GidsState, template: Template) -> tuple[keys.KeyRecord, int]:
    """Return the key that is chosen in a template, and the padding."""
    environment = state.security.environment.get(template)
    if environment is None:
        raise Refuse(SW.CONDITIONS_NOT_SATISFIED)
    record = existing_key(state, existing_key_file(state, environment.reference))
    require(record.algorithm == environment.algorithm & 0x0F, SW.CONDITIONS_NOT_SATISFIED)
    return record, environment.algorithm & 0xF0


def sign(state: GidsState, data: bytes) -> bytes:
    """Sign with the chosen key; raises Refuse(6985, 6A88, 6A80)."""
    record, padding = _chosen(state, Template.SIGNATURE)
    try:
        return keys.sign(record, padding, data)
    except ValueError:
        raise Refuse(SW.WRONG_DATA) from None


def decipher(state: GidsState, cryptogram: bytes) -> bytes:
    """Decipher with the chosen key; raises Refuse(6985, 6A88, 6A80)."""
    record, padding = _chosen(state, Template.CONFIDENTIALITY)
    try:
        return keys.decipher(record, padding, cryptogram)
    except ValueError:
        raise Refuse(SW.WRONG_DATA) from None
