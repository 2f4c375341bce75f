"""Who is at the other end of a Unix socket. The system says so, and cannot be lied to."""

from __future__ import annotations

import socket
import struct
import sys

_LINUX = struct.Struct("3i")  # struct ucred: process, user, group (unix(7))
_MACOS = struct.Struct("2Ih16I")  # struct xucred: version, user, count, groups (unix(4))
_MACOS_LEVEL, _MACOS_OPTION = 0, 1  # SOL_LOCAL, LOCAL_PEERCRED


def account_of(connection: socket.socket) -> int | None:
    """The user id of whoever has connected; None where the system does not tell."""
    try:
        if sys.platform == "linux":
            option = socket.SO_PEERCRED
            told = connection.getsockopt(socket.SOL_SOCKET, option, _LINUX.size)
            return int(_LINUX.unpack(told)[1])
        if sys.platform == "darwin":
            told = connection.getsockopt(_MACOS_LEVEL, _MACOS_OPTION, _MACOS.size)
            return int(_MACOS.unpack(told.ljust(_MACOS.size, b"\0"))[1])
    except (OSError, struct.error):
        pass
    return None
