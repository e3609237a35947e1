"""Drives the real parley binary from outside: servers, clients of every transport, accounts.

Nothing here knows the server's inside. The binary comes from the environment variable PARLEY_BIN.
"""

from .http import Answer, Http, RawConnection
from .server import BASE_SETTINGS, PASSWORD, Server, User, binary, clean_environment, free_port
from .streams import PollReader, SseReader, WsReader
from .ws import Closed, WebSocket

__all__ = ["Answer", "Http", "RawConnection", "BASE_SETTINGS", "PASSWORD", "Server", "User",
           "binary", "clean_environment", "free_port", "PollReader", "SseReader", "WsReader",
           "Closed", "WebSocket"]
