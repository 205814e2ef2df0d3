# SPDX-License-Identifier: Apache-2.0
"""Driver packages for tests of ranking and of the store."""

from vreader.setupapi.package import Signature, make_package

HARDWARE = r"SCFILTER\CID_51FF0800"
PIV = r"SCFILTER\CID_2777BE07-6993-4513-BD80-C184FCB0AB2D"


def package(name, ids, signature=Signature.WHQL, ver="10/03/2020,1.0.0.0", section="I.NT", more=""):
    """A package with one model for amd64."""
    text = (
        "[Version]\nClassGuid={990A2BD7-E738-46C7-B26F-1CF8FB9F1391}\n"
        f"DriverVer={ver}\n[Manufacturer]\nm=M,NTamd64\n"
        f"[M.NTamd64]\nd=I,{ids}\n[{section}]\n{more}\n"
    )
    return make_package(text.encode(), name, signature)
