"""The conformance listener (API.md): the same parsers without accounts."""

import os
import struct

from parleytest import Closed, Http, Server, WebSocket, free_port
from parleytest.case import ApiCase
from parleytest.server import StartError
from parleytest.ws import BINARY, CLOSE, PING, PONG, TEXT


class Conformance(ApiCase):
    own_server = True

    @classmethod
    def setUpClass(cls):
        cls.address = f"127.0.0.1:{free_port()}"
        cls.server = Server({"conformance.listen": cls.address})

    def open(self, **more):
        socket = WebSocket(self.address, **more)
        self.addCleanup(socket.close)
        return socket

    def fails(self, socket, *codes):
        self.assertIn(socket.closed(5).code, codes)


class HttpSide(Conformance):
    def test_get(self):
        http = Http(self.address)
        for path in ("/", "/hello"):
            answer = http.request("GET", path)
            self.assertEqual(answer.status, 200)
            self.assertTrue(answer.body)

    def test_echo(self):
        http = Http(self.address)
        for body, kind in ((b"hello", "text/plain"), (b"", "text/plain"),
                           (bytes(range(256)), "application/octet-stream"),
                           (os.urandom(60000), "application/octet-stream")):
            answer = http.request("POST", "/echo", raw_body=body, headers={"Content-Type": kind})
            self.assertEqual((answer.status, answer.body), (200, body))
            self.assertEqual(answer.header("content-type"), kind)

    def test_no_data(self):
        http = Http(self.address)
        for path in ("/api/v1/users/me", "/api/v1/openapi.json", "/metrics"):
            self.assertEqual(http.request("GET", path).status, 404)

    def test_not_in_production(self):
        with self.assertRaises(StartError) as caught:
            Server({"conformance.listen": f"127.0.0.1:{free_port()}",
                    "environment": "production"}).remove()
        self.assertIn("conformance", caught.exception.log)

    def test_off_by_default(self):
        with Server() as server:
            self.assertEqual(server.post("/echo", {}).status, 404)


class WebSocketSide(Conformance):
    def test_echo(self):
        socket = self.open()
        for opcode, data in ((TEXT, b"hello"), (TEXT, "Grüße \U0001f600".encode()), (TEXT, b""),
                             (BINARY, b""), (BINARY, bytes(range(256))), (BINARY, b"x" * 125),
                             (BINARY, b"x" * 126), (BINARY, b"x" * 65535), (BINARY, b"x" * 65536),
                             (TEXT, b"y" * 1000000)):
            socket.send_frame(opcode, data)
            self.assertEqual(socket.recv(20), (opcode, data))

    def test_largest(self):
        socket = self.open()
        data = os.urandom(1 << 20) * 16
        socket.send_frame(BINARY, data)
        self.assertEqual(socket.recv(60), (BINARY, data))
        socket.send_frame(BINARY, data + b"x")
        self.fails(socket, 1009)

    def test_fragments(self):
        socket = self.open()
        socket.send_frame(TEXT, b"a", fin=False)
        socket.send_frame(PING, b"between")
        socket.send_frame(0, b"b", fin=False)
        socket.send_frame(0, b"", fin=False)
        socket.send_frame(0, b"c")
        self.assertEqual(socket.recv(), (TEXT, b"abc"))
        self.assertEqual(socket.pongs, [b"between"])

    def test_a_character_across_fragments(self):
        socket = self.open()
        for byte in "\U0001f600".encode():
            socket.send_frame(TEXT if byte == 0xf0 else 0, bytes([byte]), fin=byte == 0x80)
        self.assertEqual(socket.recv(), (TEXT, "\U0001f600".encode()))

    def test_protocol_errors(self):
        cases = {
            "reserved bits": lambda s: s.send_frame(TEXT, b"x", rsv=1),
            "reserved opcode 3": lambda s: s.send_frame(3, b"x"),
            "reserved opcode 11": lambda s: s.send_frame(11, b""),
            "unmasked": lambda s: s.send_frame(TEXT, b"x", masked=False),
            "continuation of nothing": lambda s: s.send_frame(0, b"x"),
            "long ping": lambda s: s.send_frame(PING, b"x" * 126),
            "fragmented ping": lambda s: s.send_frame(PING, b"x", fin=False),
            "close of one byte": lambda s: s.send_frame(CLOSE, b"x"),
            "length not minimal": lambda s: s.raw.send(b"\x82\xfe\x00\x01\0\0\0\0x"),
            "length with the top bit": lambda s: s.raw.send(
                b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0"),
        }
        for name, send in cases.items():
            with self.subTest(name=name):
                socket = self.open()
                send(socket)
                self.fails(socket, 1002, 1009)

    def test_new_message_inside_a_message(self):
        socket = self.open()
        socket.send_frame(TEXT, b"a", fin=False)
        socket.send_frame(TEXT, b"b")
        self.fails(socket, 1002)

    def test_invalid_utf8(self):
        for data in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82",
                     b"ok\x80"):
            with self.subTest(data=data):
                socket = self.open()
                socket.send_frame(TEXT, data)
                self.fails(socket, 1007)

    def test_invalid_utf8_is_refused_early(self):
        socket = self.open()
        socket.send_frame(TEXT, b"\xf4\x90", fin=False)
        try:
            socket.send_frame(0, b"\x80\x80")
        except OSError:
            pass
        self.fails(socket, 1007)

    def test_close_codes(self):
        for code in (1000, 1001, 1003, 1007, 1011, 3000, 4999):
            with self.subTest(code=code):
                socket = self.open()
                socket.send_frame(CLOSE, struct.pack(">H", code) + b"reason")
                socket.close_sent = True
                self.assertEqual(socket.closed(5).code, code)
        for code in (0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 65535):
            with self.subTest(code=code):
                socket = self.open()
                socket.send_frame(CLOSE, struct.pack(">H", code))
                self.fails(socket, 1002)

    def test_close_reason_must_be_utf8(self):
        socket = self.open()
        socket.send_frame(CLOSE, struct.pack(">H", 1000) + b"\xff")
        self.fails(socket, 1002, 1007)

    def test_nothing_after_close(self):
        socket = self.open()
        socket.send_frame(CLOSE, struct.pack(">H", 1000))
        socket.close_sent = True
        try:
            socket.send_frame(TEXT, b"late")
        except OSError:
            pass
        with self.assertRaises(Closed):
            socket.recv(5)

    def test_ping(self):
        socket = self.open()
        for data in (b"", b"x", bytes(125)):
            socket.send_frame(PING, data)
            opcode, _, _, back = socket.recv_frame()
            self.assertEqual((opcode, back), (PONG, data))

    def test_many_in_one_write(self):
        socket = self.open()
        frames = b"".join(bytes([0x82, 0x81, 0, 0, 0, 0, i % 256]) for i in range(2000))
        socket.raw.send(frames)
        for i in range(2000):
            self.assertEqual(socket.recv(), (BINARY, bytes([i % 256])))

    def test_compression(self):
        import zlib
        socket = self.open(headers={
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"})
        agreed = socket.handshake.header("sec-websocket-extensions")
        if not agreed:
            self.skipTest("permessage-deflate was not agreed")
        self.assertIn("permessage-deflate", agreed)
        for text in (b"hello hello hello hello " * 100, b"", b"x"):
            packer = zlib.compressobj(wbits=-15)
            packed = packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
            socket.send_frame(TEXT, packed[:-4] or b"\0", rsv=4)
            opcode, fin, rsv, data = socket.recv_frame()
            self.assertTrue(fin)
            if rsv & 4:
                data = zlib.decompressobj(wbits=-15).decompress(data + b"\0\0\xff\xff")
            self.assertEqual((opcode, data), (TEXT, text))

    def test_a_decompression_bomb(self):
        import zlib
        socket = self.open(headers={"Sec-WebSocket-Extensions": "permessage-deflate"})
        if not socket.handshake.header("sec-websocket-extensions"):
            self.skipTest("permessage-deflate was not agreed")
        packer = zlib.compressobj(9, wbits=-15)
        bomb = packer.compress(bytes(1 << 26)) + packer.flush(zlib.Z_SYNC_FLUSH)
        socket.send_frame(BINARY, bomb[:-4], rsv=4)
        self.fails(socket, 1009)
