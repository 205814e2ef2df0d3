# SPDX-License-Identifier: Apache-2.0
"""What a card vendor looks at first: ``certutil -scinfo``, and more of it.

Readers, cards, containers, keys and certificates as the providers of Windows find them, whether the
keys work, what certificate propagation would do with the certificates, and which of them Windows
would offer for a logon. Nobody is logged on: there is no domain controller and no Kerberos here.
"""
