"""The three transports behind one face: `events(n)` gives the next n durable events, `pos` is where
to go on. Tests read the same story on each and compare."""

import json
import socket
import time
import urllib.parse

from .http import Http, RawConnection
from .ws import WebSocket


class SseReader:
    """GET /api/v1/stream as text/event-stream."""

    def __init__(self, address, token=None, pos=None, last_event_id=None, ticket=None,
                 timeout=10.0):
        self.raw = RawConnection(address, timeout)
        query = {k: v for k, v in (("pos", pos), ("ticket", ticket)) if v is not None}
        path = "/api/v1/stream" + ("?" + urllib.parse.urlencode(query) if query else "")
        lines = [f"GET {path} HTTP/1.1", f"Host: {address}", "Accept: text/event-stream"]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        if last_event_id is not None:
            lines.append(f"Last-Event-ID: {last_event_id}")
        self.raw.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.head = self.raw.read_head()
        self.chunked = (self.head.header("transfer-encoding") or "").lower() == "chunked"
        self.text, self.comments, self.pos = b"", [], pos
        if self.head.status != 200:
            self.head.body = self.raw.read_exactly(int(self.head.header("content-length") or 0))

    def _more(self):
        if self.chunked:
            size = int(self.raw.read_until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                raise ConnectionError("the stream ended")
            self.text += self.raw.read_exactly(size)
            self.raw.read_exactly(2)
        else:
            if not self.raw.buffer and not self.raw.fill():
                raise ConnectionError("the stream ended")
            self.text, self.raw.buffer = self.text + self.raw.buffer, b""

    def event(self, name=None, timeout=10.0):
        """The next event as {"event", "pos"?, "data"} (of that name; others are dropped)."""
        end = time.monotonic() + timeout
        while True:
            while b"\n\n" not in self.text:
                left = end - time.monotonic()
                if left <= 0:
                    raise socket.timeout("no event in time")
                self.raw.timeout(left)
                self._more()
            block, self.text = self.text.split(b"\n\n", 1)
            event = self._parse(block.decode("utf-8"))
            if event and name in (None, event["event"]):
                return event

    def _parse(self, block):
        event, data = {}, []
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if field == "":
                self.comments.append(value)
            elif field == "event":
                event["event"] = value
            elif field == "id":
                event["pos"] = self.pos = value
            elif field == "data":
                data.append(value)
        if not event and not data:
            return None
        event["data"] = json.loads("\n".join(data)) if data else None
        return event

    def events(self, count, timeout=10.0):
        end = time.monotonic() + timeout
        return [self.event(timeout=max(0.01, end - time.monotonic())) for _ in range(count)]

    def close(self):
        self.raw.close()


class PollReader:
    """GET /api/v1/updates, again and again."""

    def __init__(self, address, token, pos=None):
        self.http = Http(address, timeout=40)
        self.token, self.pos, self.queue = token, pos, []
        if pos is None:
            self.poll(0)

    def poll(self, timeout=25):
        query = {"timeout": timeout}
        if self.pos is not None:
            query["pos"] = self.pos
        answer = self.http.request("GET", "/api/v1/updates", query=query, token=self.token)
        if answer.status != 200:
            raise AssertionError(f"updates: {answer}")
        body = answer.json
        self.queue += body["items"]
        self.pos = body["pos"]
        return body["items"]

    def event(self, name=None, timeout=10.0):
        end = time.monotonic() + timeout
        while True:
            while self.queue:
                event = self.queue.pop(0)
                if name in (None, event["event"]):
                    return event
            left = end - time.monotonic()
            if left <= 0:
                raise socket.timeout("no event in time")
            self.poll(max(1, min(25, int(left + 0.999))))

    def events(self, count, timeout=10.0):
        end = time.monotonic() + timeout
        return [self.event(timeout=max(0.01, end - time.monotonic())) for _ in range(count)]

    def close(self):
        self.http.close()


class WsReader:
    """GET /ws, behind its ready event."""

    def __init__(self, address, token, pos=None):
        self.ws = WebSocket(address, token=token, pos=pos)
        self.pos = self.ws.ready()["pos"]

    def event(self, name=None, timeout=10.0):
        event = self.ws.event(name, timeout)
        self.pos = event.get("pos", self.pos)
        return event

    def events(self, count, timeout=10.0):
        end = time.monotonic() + timeout
        return [self.event(timeout=max(0.01, end - time.monotonic())) for _ in range(count)]

    def close(self):
        self.ws.close()
