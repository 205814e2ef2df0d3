# SPDX-License-Identifier: Apache-2.0
"""A minidriver whose functions are called only with parameters that keep the rules."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from vreader.minidriver.interface import Minidriver
from vreader.minidriver.rules import files, keys, pins, properties

RULES: dict[str, Callable[..., None]] = {
    "CardQueryCapabilities": files.query_capabilities,
    "CardDeleteContainer": keys.delete_container,
    "CardCreateContainer": keys.create_container,
    "CardGetContainerInfo": keys.get_container_info,
    "CardAuthenticatePin": pins.authenticate_pin,
    "CardAuthenticateChallenge": pins.authenticate_challenge,
    "CardUnblockPin": pins.unblock_pin,
    "CardChangeAuthenticator": pins.change_authenticator,
    "CardDeauthenticate": pins.deauthenticate,
    "CardCreateDirectory": files.create_directory,
    "CardDeleteDirectory": files.delete_directory,
    "CardCreateFile": files.create_file,
    "CardReadFile": files.read_file,
    "CardWriteFile": files.write_file,
    "CardDeleteFile": files.read_file,
    "CardEnumFiles": files.enum_files,
    "CardGetFileInfo": files.get_file_info,
    "CardQueryFreeSpace": files.query_free_space,
    "CardQueryKeySizes": files.query_key_sizes,
    "CardSignData": keys.sign_data,
    "CardRSADecrypt": keys.rsa_decrypt,
    "CardConstructDHAgreement": keys.construct_dh_agreement,
    "CardDeriveKey": keys.derive_key,
    "CardDestroyDHAgreement": keys.destroy_dh_agreement,
    "CardGetChallengeEx": pins.get_challenge_ex,
    "CardAuthenticateEx": pins.authenticate_ex,
    "CardChangeAuthenticatorEx": pins.change_authenticator_ex,
    "CardDeauthenticateEx": pins.deauthenticate_ex,
    "CardGetContainerProperty": properties.get_container_property,
    "CardSetContainerProperty": properties.set_container_property,
    "CardGetProperty": properties.get_property,
    "CardSetProperty": properties.set_property,
    "CardCreateContainerEx": keys.create_container_ex,
}
"""Function → its rule. CardDeleteContext and CardGetChallenge have no parameters; the rules of key
injection depend on what a minidriver can do."""


class Checked(Minidriver):
    """A base class: whatever Card* function a subclass defines is preceded by its rule."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in RULES.keys() & vars(cls).keys():
            setattr(cls, name, _checked(RULES[name], vars(cls)[name]))


def _checked(rule: Callable[..., None], function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(self: Minidriver, *parameters: Any) -> Any:  # noqa: ANN401 - the function's own
        rule(self.version, *parameters)
        return function(self, *parameters)

    return call
