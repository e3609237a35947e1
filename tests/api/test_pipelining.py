"""Clients that send far ahead: everything is answered, in order, and nobody else is kept waiting."""

import pathlib
import socket
import struct
import threading
import uuid

from parleytest import RawConnection
from parleytest.case import ApiCase
from parleytest.ws import TEXT

MANY = 100_000


def masked(text):
    """A short text frame, masked with zeros: Python is slow enough."""
    data = text.encode()
    if len(data) < 126:
        return struct.pack(">BBI", 0x80 | TEXT, 0x80 | len(data), 0) + data
    return struct.pack(">BBHI", 0x80 | TEXT, 0x80 | 126, len(data), 0) + data


class Pipelining(ApiCase):
    own_server = True

    def in_background(self, connection, data):
        def send():
            try:
                connection.send(data)
            except OSError as error:
                thread.failure = error
        thread = threading.Thread(target=send, daemon=True)
        thread.failure = None
        thread.start()
        return thread

    def memory_bytes(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def read_times(self, connection, mark, times):
        """Reads until `mark` has come at least so many times; how many times it has."""
        count = 0
        while count < times:
            self.assertTrue(connection.fill(), f"closed after {count}")
            count += connection.buffer.count(mark)
            if mark in connection.buffer:
                connection.buffer = connection.buffer[connection.buffer.rfind(mark) + len(mark):]
        return count

    def test_http(self):
        other = self.server.user()
        connection = RawConnection(self.server.address, 60)
        self.addCleanup(connection.close)
        request = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
        sender = self.in_background(connection, request * MANY)
        half = self.read_times(connection, b"HTTP/1.1 200 OK\r\n", MANY // 2)
        self.ok(other.get("/users/me"))
        self.assertEqual(half + self.read_times(connection, b"HTTP/1.1 200 OK\r\n", MANY - half),
                         MANY)
        sender.join()
        self.assertIsNone(sender.failure)

    def answers(self, ws, count):
        """The ids of the next answers; events are left out."""
        ids = []
        while len(ids) < count:
            answer = ws.recv_json(timeout=60)
            if "event" not in answer:
                self.assertIn("data", answer)
                ids.append(answer["id"])
        return ids

    def test_socket(self):
        other = self.server.user()
        ws = self.server.user().ws()
        self.addCleanup(ws.close)
        frames = b"".join(masked(f'{{"id":{i},"op":"ping"}}') for i in range(MANY))
        sender = self.in_background(ws.raw, frames)
        self.assertEqual(self.answers(ws, MANY // 2), list(range(MANY // 2)))
        self.ok(other.get("/users/me"))
        self.assertEqual(self.answers(ws, MANY // 2), list(range(MANY // 2, MANY)))
        sender.join()
        self.assertIsNone(sender.failure)

    def test_durable_ops_beyond_what_may_be_under_way(self):
        anna, ben = self.server.users(2)
        chat, count = anna.direct(ben)["id"], 5000
        ws = anna.ws()
        self.addCleanup(ws.close)
        frames = b"".join(masked(
            f'{{"id":{i},"op":"chat.send","data":{{"chat_id":"{chat}",'
            f'"client_id":"{uuid.uuid4()}","text":"number {i}"}}}}') for i in range(count))
        sender = self.in_background(ws.raw, frames)
        self.assertEqual(sorted(self.answers(ws, count)), list(range(count)))
        sender.join()
        self.assertIsNone(sender.failure)
        texts = [m["text"] for m in anna.all_messages(chat)]
        self.assertEqual(sorted(texts), sorted(f"number {i}" for i in range(count)))

    def test_who_never_reads_is_held_back(self):
        other = self.server.user()
        sockets = [self.server.user().ws() for _ in range(10)]
        for ws in sockets:
            self.addCleanup(ws.close)
            ws.raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        before = self.memory_bytes()
        frames = b"".join(masked(f'{{"id":{i},"op":"ping"}}') for i in range(MANY)) * 8
        for ws in sockets:
            ws.raw.socket.settimeout(1)
        senders = [self.in_background(ws.raw, frames) for ws in sockets]
        for _ in range(20):
            self.ok(other.get("/users/me"))
        for sender in senders:
            sender.join()
            self.assertIsInstance(sender.failure, TimeoutError)  # the socket took no more
        self.ok(other.get("/users/me"))
        self.assertLess(self.memory_bytes() - before, 10 * (2 << 20))
        # Nothing was refused, nothing is lost: what it was answered until then is there, in order.
        self.assertEqual(self.answers(sockets[0], MANY), list(range(MANY)))
