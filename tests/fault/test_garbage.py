"""Random and mutated bytes on every entrance. The server must answer or close, and live on."""

import json
import os
import random
import socket
import unittest

from parleytest import RawConnection, Server
from parleytest.ws import BINARY, CLOSE, Closed, Refused, TEXT

COUNT = 2000 if os.environ.get("FULL") else 300


class Garbage(unittest.TestCase):
    longMessage = True

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.anna, cls.ben = cls.server.users(2)
        cls.chat = cls.anna.direct(cls.ben)["id"]
        cls.chance = random.Random(int(os.environ.get("SEED") or 1))

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), "the server has died:\n" +
                          self.server.log()[-3000:])
        self.assertEqual(self.anna.get("/users/me").status, 200)

    def mutate(self, data):
        data = bytearray(data)
        for _ in range(self.chance.randint(1, 4)):
            at = self.chance.randrange(len(data))
            kind = self.chance.randrange(4)
            if kind == 0:
                data[at] = self.chance.randrange(256)
            elif kind == 1:
                del data[at:at + self.chance.randint(1, 8)]
            elif kind == 2:
                data[at:at] = bytes(self.chance.randrange(256)
                                    for _ in range(self.chance.randint(1, 8)))
            else:
                data[at:at] = data[max(0, at - 20):at]
            if not data:
                data = bytearray(b"x")
        return bytes(data)

    def push(self, data):
        connection = RawConnection(self.server.address, 0.05)
        try:
            connection.send(data)
            connection.fill()
        except (OSError, socket.timeout):
            pass
        finally:
            connection.close()
        return connection.buffer

    def test_random_bytes(self):
        for _ in range(COUNT):
            self.push(os.urandom(self.chance.randint(1, 2000)))

    def test_mutated_requests(self):
        body = b'{"kind":"group","title":"x","member_ids":[]}'
        request = (f"POST /api/v1/chats HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                   f"{self.anna.token}\r\nContent-Type: application/json\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        for _ in range(COUNT):
            answer = self.push(self.mutate(request))
            self.assertNotIn(b"HTTP/1.1 500", answer)

    def test_mutated_handshakes(self):
        request = (f"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                   f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   f"Sec-WebSocket-Protocol: parley.v1, bearer.{self.anna.token}\r\n\r\n").encode()
        for _ in range(COUNT):
            self.assertNotIn(b"HTTP/1.1 500", self.push(self.mutate(request)))

    def test_mutated_frames(self):
        good = json.dumps({"id": 1, "op": "chat.send", "data": {
            "chat_id": self.chat, "text": "Grüße", "client_id": "c"}}).encode()
        user_socket = None
        for _ in range(COUNT):
            if user_socket is None:
                user_socket = self.anna.ws()
            try:
                user_socket.send_frame(TEXT, self.mutate(good))
                frame = user_socket.recv_json(2)
                self.assertNotEqual(frame.get("error", {}).get("status"), 500, frame)
            except (Closed, OSError, socket.timeout):
                user_socket.raw.close()
                user_socket = None

    def test_random_frames(self):
        for _ in range(COUNT // 4):
            user_socket = self.anna.ws()
            try:
                user_socket.raw.send(os.urandom(self.chance.randint(2, 500)))
                user_socket.recv(0.05)
            except (Closed, Refused, OSError, socket.timeout, ValueError, AssertionError):
                pass
            user_socket.raw.close()

    def test_garbage_behind_an_end(self):
        """What follows the frame by which a socket is being closed is thrown away, and the loop
        goes on: each of the server's loops still answers."""
        refused = bytes([0x80 | BINARY, 0x80, 1, 2, 3, 4])  # masked, empty; the server closes: 1003
        ended = bytes([0x80 | CLOSE, 0x82, 0, 0, 0, 0, 3, 0xE8])
        for end in (refused, ended, refused + ended):
            for behind in (b"\xff" * 40, b"\x81\x05hello", ended + b"\x00" * 9, refused * 3):
                for pieces in ([end + behind], [end, behind]):
                    with self.subTest(end=end, behind=behind, pieces=len(pieces)):
                        user_socket = self.anna.ws()
                        try:
                            for piece in pieces:
                                user_socket.raw.send(piece)
                            while True:
                                user_socket.recv(5)
                        except (Closed, OSError) as closed:
                            self.assertNotIsInstance(closed, socket.timeout)
                        user_socket.raw.close()
        for _ in range(20):  # whichever loop takes the connection
            self.assertEqual(self.anna.get("/users/me").status, 200)

    def test_query_strings(self):
        pieces = ["limit", "cursor", "=", "&", "%", "%41", "%ff", "+", "50", "-1", "after",
                  "before",
                  "\u00e9", "%00", "?", "#", "[", "]"]
        for _ in range(COUNT):
            query = "".join(self.chance.choice(pieces) for _ in range(self.chance.randint(1, 8)))
            data = f"GET /api/v1/chats/{self.chat}/messages?{query} HTTP/1.1\r\nHost: x\r\n" \
                   f"Authorization: Bearer {self.anna.token}\r\n\r\n".encode()
            self.assertNotIn(b"HTTP/1.1 500", self.push(data))
