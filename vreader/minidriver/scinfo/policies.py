# SPDX-License-Identifier: Apache-2.0
r"""What Group Policy says about certificates on cards.

From Microsoft's "Smart Card Group Policy and Registry Settings": the values are below
``HKLM\SOFTWARE\Policies\Microsoft\Windows``, in ``SmartCardCredentialProvider`` and ``CertProp``.
A value that is missing, or is no REG_DWORD, is "not configured".
"""

from typing import Final, NamedTuple

from vreader.registry import Key
from vreader.registry.view import View

POLICIES: Final = r"HKLM\SOFTWARE\Policies\Microsoft\Windows"
LOGON_KEY: Final = rf"{POLICIES}\SmartCardCredentialProvider"
PROPAGATION_KEY: Final = rf"{POLICIES}\CertProp"


class LogonPolicies(NamedTuple):
    """What the credential provider is told; off where nothing is configured.

    Attributes:
        no_eku: AllowCertificatesWithNoEKU: certificates without EKU, for any purpose, or for
            client authentication can be used too.
        curves: EnumerateECCCerts: certificates for keys on curves can be used.
        signature_keys: AllowSignatureOnlyKeys: keys that only sign can be used.
        time_invalid: AllowTimeInvalidCertificates: certificates are listed that are not valid now.
        name_hint: X509HintsNeeded: the person may type a user name, to which a certificate without
            UPN is mapped.
    """

    no_eku: bool = False
    curves: bool = False
    signature_keys: bool = False
    time_invalid: bool = False
    name_hint: bool = False

    @classmethod
    def read(cls, view: View) -> "LogonPolicies":
        """Read them."""
        key = view.find(LOGON_KEY)
        names = (
            "AllowCertificatesWithNoEKU",
            "EnumerateECCCerts",
            "AllowSignatureOnlyKeys",
            "AllowTimeInvalidCertificates",
            "X509HintsNeeded",
        )
        return cls(*(_number(key, name, 0) != 0 for name in names))


class PropagationPolicies(NamedTuple):
    """What the certificate propagation service is told; on where nothing is configured.

    Attributes:
        certificates: CertPropEnabled.
        roots: EnableRootCertificatePropagation; works only with the other one.
    """

    certificates: bool = True
    roots: bool = True

    @classmethod
    def read(cls, view: View) -> "PropagationPolicies":
        """Read them."""
        key = view.find(PROPAGATION_KEY)
        return cls(
            _number(key, "CertPropEnabled", 1) != 0,
            _number(key, "EnableRootCertificatePropagation", 1) != 0,
        )


def _number(key: Key | None, name: str, default: int) -> int:
    value = None if key is None else key.find_value(name)
    return value.decoded if value is not None and isinstance(value.decoded, int) else default
