# SPDX-License-Identifier: Apache-2.0
"""What the commands of GIDS do, authentication with the admin key excepted.

The rights to do it were checked by :mod:`cards.gids.applet`.
"""

from cards.gids import commands as cmd
from cards.gids import key_commands
from cards.gids.files import File
from cards.gids.state import MAX_FILES, GidsState
from cards.gids.tables import (
    DF,
    DF_FCI,
    DF_FCP,
    DF_FMD,
    EF_ATR,
    EF_ATR_FCP,
    EF_ATR_OBJECTS,
    PIN_STATUS,
    LifeCycle,
    PinRef,
)
from cards.platform import Pin, Refuse
from cards.platform import Template as Wanted
from cards.platform.parsing import require
from cards.platform.template import file_template
from vreader.iso7816 import SW, Tlv


def execute(state: GidsState, command: cmd.GidsCommand) -> bytes:
    """Carry out one command and return its response data; raises Refuse."""
    match command:
        case cmd.SelectFile(file_id, wanted):
            return _select(state, file_id, wanted)
        case cmd.GetData(file_id, tags):
            return _get_data(state, file_id, tags)
        case cmd.GetPublicKey(reference):
            file = key_commands.existing_key_file(state, reference)
            return key_commands.existing_key(state, file).public
        case cmd.PutData():
            _put_data(state, command)
        case cmd.PutAdminKey():
            key_commands.put_admin_key(state, command)
        case cmd.ImportKey():
            key_commands.import_key(state, command)
        case cmd.GenerateKey():
            return key_commands.generate(state, command)
        case cmd.SetEnvironment():
            key_commands.set_environment(state, command)
        case cmd.Sign(data):
            return key_commands.sign(state, data)
        case cmd.Decipher(cryptogram):
            return key_commands.decipher(state, cryptogram)
        case cmd.CreateFile(file):
            _create(state, file)
        case cmd.ActivateFile():
            _activate(state)
        case cmd.DeleteFile():
            _delete(state)
        case cmd.Terminate():
            state.life_cycle = LifeCycle.TERMINATED
            state.security.deauthenticate()
        case cmd.GetChallenge(length):
            return state.random(length)
        case _:
            _reference_data(state, command)
    return b""


def existing_file(state: GidsState, file_id: int) -> File:
    """Return an EF with data objects; raises Refuse(6A82), or 6981 for one with a key."""
    file = state.file(file_id)
    if file is None:
        raise Refuse(SW.FILE_NOT_FOUND)
    require(not file.has_key, SW.INCOMPATIBLE_FILE_STRUCTURE)
    return file


# ---------------------------------------------------------------------- files and data objects


def df_template(wanted: Wanted) -> bytes:
    """Return what SELECT tells of the application itself."""
    return {Wanted.FCI: DF_FCI, Wanted.FCP: DF_FCP, Wanted.FMD: DF_FMD}.get(wanted, b"")


def _select(state: GidsState, file_id: int, wanted: Wanted) -> bytes:
    file = state.file(file_id)
    require(file is not None or file_id in (DF, EF_ATR), SW.FILE_NOT_FOUND)
    state.security.current = file_id
    if file_id == DF:
        return df_template(wanted)
    return file_template(wanted, Tlv.parse_all(EF_ATR_FCP if file is None else file.fcp))


def _get_data(state: GidsState, file_id: int, tags: tuple[int, ...]) -> bytes:
    match file_id:
        case 0x3FFF:
            there = {tag: _pin_status(state, tag) for tag in PIN_STATUS}
            # Recorded cards tell an object that the application never has from an absent one.
            require(not tags or set(tags) <= set(there), SW.REFERENCE_DATA_NOT_USABLE)
        case 0x2F01:
            there = dict(EF_ATR_OBJECTS)
        case _:
            existing_file(state, file_id)
            there = {tag: state.object(file_id, tag) for tag in state.objects(file_id)}
    found = [Tlv(tag, value) for tag in tags or there if (value := there.get(tag)) is not None]
    require(bool(found) or not tags, SW.REFERENCE_NOT_FOUND)
    return b"".join(map(bytes, found))


def _pin_status(state: GidsState, tag: int) -> bytes | None:
    """Return the tries left (97) and their limit (93) of PIN or PUK; None when it is not set."""
    pin = state.pin(PIN_STATUS[tag])
    if pin is None:
        return None
    return bytes(Tlv(0x97, bytes((pin.tries_left,)))) + bytes(Tlv(0x93, bytes((pin.tries_max,))))


def _put_data(state: GidsState, command: cmd.PutData) -> None:
    file_id, tag, value = command
    require(file_id != EF_ATR, SW.SECURITY_STATUS_NOT_SATISFIED)
    existing_file(state, file_id)
    # An empty value empties the object; one that is empty already goes.
    gone = not value and state.object(file_id, tag) == b""
    state.put_object(file_id, tag, None if gone else value)
    require(gone or state.fits, SW.NOT_ENOUGH_MEMORY)


def _create(state: GidsState, file: File) -> None:
    require(state.file(file.file_id) is None, SW.FILE_EXISTS)
    others = state.files()
    taken = file.reference is not None and any(o.reference == file.reference for o in others)
    require(not taken, SW.FILE_EXISTS)
    require(len(others) < MAX_FILES, SW.NOT_ENOUGH_MEMORY)
    state.create_file(file)
    require(state.fits, SW.NOT_ENOUGH_MEMORY)
    state.security.current = file.file_id


def _activate(state: GidsState) -> None:
    """Activate the current file; with the application, everybody has to authenticate."""
    if state.security.current != DF:
        require(state.file(state.security.current) is not None, SW.FILE_NOT_FOUND)
    elif state.life_cycle is LifeCycle.CREATION:
        state.life_cycle = LifeCycle.OPERATIONAL
        state.security.deauthenticate()


def _delete(state: GidsState) -> None:
    file = state.file(state.security.current)
    if file is None:
        raise Refuse(SW.FILE_NOT_FOUND)
    state.delete_file(file)
    state.security.current = DF


# ---------------------------------------------------------------------- PIN and PUK


def _reference_data(state: GidsState, command: cmd.GidsCommand) -> None:
    security = state.security
    match command:
        case cmd.Deauthenticate():
            security.deauthenticate()
        case cmd.PinStatus():
            raise Refuse(_tries(_existing_pin(state, PinRef.PIN)))
        case cmd.VerifyPin(pin):
            reference = _existing_pin(state, PinRef.PIN)
            # A value that cannot be the PIN costs no try.
            require(state.acceptable(pin), _tries(reference))
            security.user = False
            reference.check(pin)
            security.user = True
        case cmd.SetPin(ref, new):
            require(state.acceptable(new), SW.WRONG_DATA)
            state.set_pin(ref, new)
        case cmd.ChangePin(ref, joined):
            if ref is PinRef.PIN:
                security.user = False
            new = _check_first_part(state, ref, joined)
            _existing_pin(state, ref).change(new)
            if ref is PinRef.PIN:
                security.user = True
        case cmd.UnblockByAdmin(new):
            require(state.acceptable(new), SW.WRONG_DATA)
            _existing_pin(state, PinRef.PIN).change(new)
            security.deauthenticate()
        case cmd.UnblockByPuk(joined):
            new = _check_first_part(state, PinRef.PUK, joined)
            _existing_pin(state, PinRef.PIN).change(new)
            security.deauthenticate()


def _existing_pin(state: GidsState, reference: PinRef) -> Pin:
    pin = state.pin(reference)
    if pin is None:
        raise Refuse(SW.REFERENCE_NOT_FOUND)
    return pin


def _tries(pin: Pin) -> SW:
    return SW.AUTHENTICATION_BLOCKED if pin.blocked else SW.retries(min(pin.tries_left, 15))


def _check_first_part(state: GidsState, reference: PinRef, joined: bytes) -> bytes:
    """Compare the present PIN or PUK with how ``joined`` begins, and return the rest, a new PIN.

    Neither part is padded; the present value's length says where to cut, and nobody may learn it
    without the risk of a try.
    """
    pin = _existing_pin(state, reference)
    least, most = state.pin_sizes
    require(2 * least <= len(joined) <= 2 * most, _tries(pin))
    length, left = state.pin_length(reference), state.tries(reference)
    pin.check(joined[:length])
    new = joined[length:]
    if not state.acceptable(new):
        # The comparison was right: it neither costs a try nor, as nothing changes, gives any back.
        state.put_tries(reference, left)
        state.area.commit()
        raise Refuse(SW.WRONG_LENGTH)
    return new
