"""A WebSocket client with control over every frame (RFC 6455)."""

import base64
import collections
import hashlib
import json
import os
import socket
import struct
import time

from .http import RawConnection

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Closed(Exception):
    """The server closed: code (1006 without a close frame, 1005 with an empty one) and reason."""

    def __init__(self, code, reason):
        super().__init__(f"closed with {code} {reason!r}")
        self.code, self.reason = code, reason


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, answer):
        super().__init__(repr(answer))
        self.answer = answer


class WebSocket:
    def __init__(self, address, path="/ws", token=None, via="header", pos=None, headers=None,
                 protocols=None, timeout=10.0, source=None):
        self.raw = RawConnection(address, timeout, source)
        self.next_id = 1
        self.events = collections.deque()  # read while waiting for something else
        self.pongs = []
        self.answer_pings = True
        self.close_sent = False
        query = f"?pos={pos}" if pos is not None and via != "frame" else ""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = {"Host": address, "Connection": "Upgrade", "Upgrade": "websocket",
                 "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
        if token and via == "header":
            lines["Authorization"] = f"Bearer {token}"
        if token and via == "protocol":
            protocols = ["parley.v1", f"bearer.{token}"]
        if protocols:
            lines["Sec-WebSocket-Protocol"] = ", ".join(protocols)
        lines.update(headers or {})
        self.raw.send((f"GET {path}{query} HTTP/1.1\r\n" + "".join(
            f"{n}: {v}\r\n" for n, v in lines.items() if v is not None) + "\r\n").encode())
        self.handshake = self.raw.read_head()
        if self.handshake.status != 101:
            length = int(self.handshake.header("content-length") or 0)
            self.handshake.body = self.raw.read_exactly(length)
            self.raw.close()
            raise Refused(self.handshake)
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        if self.handshake.header("sec-websocket-accept") != base64.b64encode(digest).decode():
            raise AssertionError("wrong Sec-WebSocket-Accept")
        if token and via == "frame":
            data = {"access_token": token}
            if pos is not None:
                data["pos"] = pos
            self.send_json({"op": "auth", "data": data})

    # --- frames -------------------------------------------------------------------------------
    def send_frame(self, opcode, data=b"", fin=True, rsv=0, masked=True):
        if isinstance(data, str):
            data = data.encode()
        head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
        bit = 0x80 if masked else 0
        if len(data) < 126:
            head += bytes([bit | len(data)])
        elif len(data) < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", len(data))
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", len(data))
        if masked:
            key = os.urandom(4)
            stream = (key * (len(data) // 4 + 1))[:len(data)]
            data = (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(
                len(data), "big") if data else b""
            head += key
        self.raw.send(head + data)

    def send_json(self, value):
        self.send_frame(TEXT, json.dumps(value))

    def recv_frame(self, timeout=10.0):
        """(opcode, fin, rsv, data) of the next frame, control frames included."""
        self.raw.timeout(timeout)
        try:
            head = self.raw.read_exactly(2)
            length = head[1] & 0x7F
            if head[1] & 0x80:
                raise AssertionError("the server masks its frames")
            if length == 126:
                length = struct.unpack(">H", self.raw.read_exactly(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.raw.read_exactly(8))[0]
            return head[0] & 15, bool(head[0] & 0x80), head[0] >> 4 & 7, \
                self.raw.read_exactly(length)
        except ConnectionError:
            raise Closed(1006, "") from None

    def recv(self, timeout=10.0):
        """The next whole message as (opcode, data); answers pings; raises Closed."""
        end, message, first = time.monotonic() + timeout, b"", None
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise socket.timeout("no message in time")
            opcode, fin, _, data = self.recv_frame(left)
            if opcode == PING:
                if self.answer_pings:
                    self.send_frame(PONG, data)
            elif opcode == PONG:
                self.pongs.append(data)
            elif opcode == CLOSE:
                code = struct.unpack(">H", data[:2])[0] if len(data) >= 2 else 1005
                if not self.close_sent:
                    self.close_sent = True
                    try:
                        self.send_frame(CLOSE, data[:2])
                    except OSError:
                        pass
                raise Closed(code, data[2:].decode("utf-8"))
            else:
                first = opcode if opcode else first
                message += data
                if fin:
                    return first, message

    def recv_json(self, timeout=10.0):
        opcode, data = self.recv(timeout)
        if opcode != TEXT:
            raise AssertionError("a binary message")
        return json.loads(data.decode("utf-8"))

    # --- envelopes ----------------------------------------------------------------------------
    def ready(self, timeout=10.0):
        """The ready event; it must be the first frame."""
        first = self.recv_json(timeout)
        if first.get("event") != "ready":
            raise AssertionError(f"the first frame is not ready: {first}")
        return first

    def call(self, op, data=None, timeout=10.0):
        """Sends an op and returns its answer frame; events that come first are kept."""
        number = self.next_id
        self.next_id += 1
        frame = {"id": number, "op": op}
        if data is not None:
            frame["data"] = data
        self.send_json(frame)
        return self.answer(number, timeout)

    def answer(self, number, timeout=10.0):
        end = time.monotonic() + timeout
        while True:
            frame = self.recv_json(max(0.01, end - time.monotonic()))
            if frame.get("id") == number and "event" not in frame:
                return frame
            self.events.append(frame)

    def event(self, name=None, timeout=10.0):
        """The next event (of that name; others are dropped)."""
        end = time.monotonic() + timeout
        while True:
            frame = self.events.popleft() if self.events else \
                self.recv_json(max(0.01, end - time.monotonic()))
            if "event" in frame and name in (None, frame["event"]):
                return frame

    def no_event(self, name=None, within=0.5):
        """True when no such event comes in the time."""
        try:
            self.event(name, within)
            return False
        except socket.timeout:
            return True

    def closed(self, timeout=15.0):
        """Reads until the server closes; returns the Closed."""
        end = time.monotonic() + timeout
        try:
            while True:
                self.recv(max(0.01, end - time.monotonic()))
        except Closed as closed:
            return closed

    def close(self, code=1000):
        try:
            if not self.close_sent:
                self.close_sent = True
                self.send_frame(CLOSE, struct.pack(">H", code))
        except OSError:
            pass
        self.raw.close()
