# SPDX-License-Identifier: Apache-2.0
"""The vpcd door: our readers behind somebody else's resource manager, and a private pcscd to use.

``vpcd`` is the reader driver of the vsmartcard project, loaded by pcscd; it listens on a TCP port
and a card dials it. Nothing is imported here: each module is imported where it is needed.
"""
