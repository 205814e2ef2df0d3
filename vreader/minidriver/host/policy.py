# SPDX-License-Identifier: Apache-2.0
r"""What an administrator sets for smart cards in the registry (WDK "Developer Guidelines").

Each provider has a key of its own. A value that is missing, or is no REG_DWORD, is the default.
"""

from typing import Final, NamedTuple

from vreader.minidriver.abi.codes import KeySpec
from vreader.registry.values import REG_DWORD
from vreader.registry.view import View

CSP_NAME: Final = "Microsoft Base Smart Card Crypto Provider"
KSP_NAME: Final = "Microsoft Smart Card Key Storage Provider"
CSP_KEY: Final = rf"HKLM\SOFTWARE\Microsoft\Cryptography\Defaults\Provider\{CSP_NAME}"
KSP_KEY: Final = rf"HKLM\SYSTEM\CurrentControlSet\Control\Cryptography\Providers\{KSP_NAME}"


class HostPolicy(NamedTuple):
    """The policy of one provider.

    Attributes:
        key_bits: DefaultPrivateKeyLenBits, of an RSA key when nobody says how long.
        on_card_only: RequireOnCardPrivateKeyGen: where the card makes no keys, none are made.
        timeout_ms: TransactionTimeoutMilliseconds: how long a transaction stays open while idle.
        import_signature, import_exchange: AllowPrivate…KeyImport, for RSA keys.
        import_ecdhe, import_ecdsa: the same for curves, in the KSP's key alone. The page writes
            AllocPrivateECDHEKeyImport; both spellings are read.
    """

    key_bits: int = 1024
    on_card_only: bool = False
    timeout_ms: int = 1500
    import_signature: bool = False
    import_exchange: bool = False
    import_ecdhe: bool = False
    import_ecdsa: bool = False

    @classmethod
    def read(cls, view: View, *, ksp: bool = True) -> "HostPolicy":
        """Read the KSP's policy or the CSP's."""
        key = view.find(KSP_KEY if ksp else CSP_KEY)

        def number(default: int, *names: str) -> int:
            for name in names if key is not None else ():
                value = key.find_value(name) if key is not None else None
                if value is not None and value.type == REG_DWORD:
                    found = value.decoded
                    if isinstance(found, int):  # else it has not four bytes
                        return found
            return default

        return cls(
            number(cls().key_bits, "DefaultPrivateKeyLenBits"),
            bool(number(0, "RequireOnCardPrivateKeyGen")),
            number(cls().timeout_ms, "TransactionTimeoutMilliseconds"),
            bool(number(0, "AllowPrivateSignatureKeyImport")),
            bool(number(0, "AllowPrivateExchangeKeyImport")),
            ksp and bool(number(0, "AllowPrivateECDHEKeyImport", "AllocPrivateECDHEKeyImport")),
            ksp and bool(number(0, "AllowPrivateECDSAKeyImport")),
        )

    def may_import(self, spec: KeySpec) -> bool:
        """Whether a private key for a specification may be brought to a card."""
        if spec.is_rsa:
            return self.import_exchange if spec.is_exchange else self.import_signature
        return self.import_ecdhe if spec.is_exchange else self.import_ecdsa
