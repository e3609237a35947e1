"""HTTP strictness over real sockets: what RFC 9110 and 9112 forbid is refused (Z08)."""

import time

from parleytest import RawConnection
from parleytest.case import ApiCase
from parleytest.server import check_problem

HEALTH = "/livez"


class Raw(ApiCase):
    def open(self):
        connection = RawConnection(self.server.address, 5)
        self.addCleanup(connection.close)
        return connection

    def exchange(self, data):
        connection = self.open()
        connection.send(data)
        return connection, connection.read_answer()

    def refused_and_closed(self, data, status=400):
        connection, answer = self.exchange(data)
        self.assertEqual(answer.status, status, (data[:80], answer))
        check_problem(answer)
        self.assertTrue(connection.is_closed(), f"still open after {data[:80]}")


class Smuggling(Raw):
    """A request on whose end two readers could disagree is refused and the connection closed."""

    tail = b"\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

    def head(self, *lines):
        return b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n" + b"\r\n".join(lines) + self.tail

    def test_lengths(self):
        for lines in ((b"Content-Length: 5", b"Transfer-Encoding: chunked"),
                      (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
                      (b"Content-Length: 5", b"Content-Length: 6"),
                      (b"Content-Length: 5, 6",), (b"Content-Length: +5",),
                      (b"Content-Length: -1",), (b"Content-Length: 0x5",),
                      (b"Content-Length: 5 5",), (b"Content-Length: ",),
                      (b"Content-Length: 99999999999999999999",),
                      (b"Content-Length : 5",), (b" Content-Length: 5",),
                      (b"Content-Length: 5", b" folded: yes"),
                      (b"X: 1\r\n\tfolded",), (b"X:1\nContent-Length: 5",),
                      (b"X: a\x00b",), (b"X: a\rb",), (b"X\x00: a",), (b"X(: a",), (b": a",),
                      (b"no colon",)):
            with self.subTest(lines=lines):
                self.refused_and_closed(self.head(*lines))

    def test_transfer_codings(self):
        for value, status in ((b"identity", 400), (b"gzip, chunked", 501),
                              (b"chunked, chunked", 400), (b"chunked, identity", 400),
                              (b"xchunked", 400), (b"\x0bchunked", 400), (b"chunked;q=1", 400),
                              (b"'chunked'", 400), (b"", 400)):
            with self.subTest(value=value):
                self.refused_and_closed(self.head(b"Transfer-Encoding: " + value), status)

    def test_transfer_encoding_in_http_1_0(self):
        self.refused_and_closed(b"POST /api/v1/auth/login HTTP/1.0\r\nHost: x\r\n"
                                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")

    def test_bad_chunks(self):
        head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n" \
               b"Content-Type: application/json\r\n" \
               b"Transfer-Encoding: chunked\r\n\r\n"
        for body in (b"0x5\r\nhello\r\n0\r\n\r\n", b"-1\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
                     b"5\nhello\n0\n\n", b"5\r\nhelloXX0\r\n\r\n", b"fffffffffffffffff\r\n",
                     b"\r\nhello", b"5;" + b"x" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
                     b"5\r\nhello\r\n0\r\nX: a\x00\r\n\r\n"):
            with self.subTest(body=body[:30]):
                self.refused_and_closed(head + body)

    def test_good_chunks(self):
        body = b'{"login":"nobody","password":"Wrong-Password-11"}'
        chunks = b"".join(b"%x\r\n%c\r\n" % (1, byte) for byte in body) + b"0\r\nX: y\r\n\r\n"
        connection, answer = self.exchange(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: Chunked\r\n\r\n" + chunks +
            b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(answer.status, 401, answer)
        self.assertEqual(connection.read_answer().status, 200)


class RequestLine(Raw):
    def test_malformed(self):
        for line in (b"GET / HTTP/1.1\n", b"GET  / HTTP/1.1\r\n", b"GET / HTTP/1.1 \r\n",
                     b"GET /\r\n", b"GET / HTTP/11\r\n", b"GET / http/1.1\r\n",
                     b"GE(T / HTTP/1.1\r\n",
                     b"GET\t/ HTTP/1.1\r\n", b" GET / HTTP/1.1\r\n", b"GET /\x00 HTTP/1.1\r\n",
                     b"GET livez HTTP/1.1\r\n", b"GET /a b HTTP/1.1\r\n",
                     b"\x16\x03\x01\x02\x00\r\n",
                     b"GET /#x HTTP/1.1\r\n", b"GET /api/v1/users/%zz HTTP/1.1\r\n"):
            with self.subTest(line=line):
                self.refused_and_closed(line + b"Host: x\r\n\r\n")

    def test_versions(self):
        for version in (b"HTTP/2.0", b"HTTP/3.1", b"HTTP/0.9"):
            with self.subTest(version=version):
                self.refused_and_closed(b"GET / " + version + b"\r\nHost: x\r\n\r\n", 505)

    def test_too_long(self):
        self.refused_and_closed(b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414)
        self.refused_and_closed(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
                                431)
        self.refused_and_closed(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 5000 + b"\r\n",
                                431)

    def test_host(self):
        self.refused_and_closed(b"GET /livez HTTP/1.1\r\n\r\n")
        self.refused_and_closed(b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        self.refused_and_closed(b"GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n")
        _, answer = self.exchange(b"GET /livez HTTP/1.0\r\n\r\n")
        self.assertEqual(answer.status, 200)

    def test_absolute_form(self):
        _, answer = self.exchange(b"GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(answer.status, 200)

    def test_one_empty_line_before_is_passed_over(self):
        _, answer = self.exchange(b"\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(answer.status, 200)
        self.refused_and_closed(b"\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n")

    def test_methods(self):
        _, answer = self.exchange(b"BREW /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(answer.status, 405)
        _, answer = self.exchange(b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(answer.status, 501)
        _, answer = self.exchange(b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(answer.status, 405)


    def test_pages_are_only_read(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            for path in ("/", "/docs", "/assets/none.js"):
                with self.subTest(method=method, path=path):
                    readable = self.server.get(path).status == 200
                    answer = self.server.http.request(method, path)
                    self.refused(answer, 405 if readable else 404)
                    self.assertEqual(answer.header("allow"), "GET, HEAD" if readable else None)

    def test_options_of_the_whole_server(self):
        connection, answer = self.exchange(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"
                                           b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(answer.status, 204)
        self.assertLess({"GET", "POST", "PATCH"}, set(answer.header("allow").split(", ")))
        self.assertEqual(connection.read_answer().status, 200)


class Connections(Raw):
    def test_pipelining_keeps_the_order(self):
        connection = self.open()
        user = self.server.user()
        auth = f"Authorization: Bearer {user.token}\r\n"
        paths = ["/livez", "/api/v1/users/me", "/api/v1/nothing", "/api/v1/chats", "/livez"] * 8
        requests = (f"GET {p} HTTP/1.1\r\nHost: x\r\n{auth}\r\n" for p in paths)
        connection.send("".join(requests).encode())
        statuses = [connection.read_answer().status for _ in paths]
        want = {"/livez": 200, "/api/v1/users/me": 200, "/api/v1/nothing": 404,
                "/api/v1/chats": 200}
        self.assertEqual(statuses, [want[p] for p in paths])

    def test_byte_by_byte(self):
        connection = self.open()
        for byte in b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n":
            connection.send(bytes([byte]))
        self.assertEqual(connection.read_answer().status, 200)

    def test_connection_close(self):
        connection, answer = self.exchange(
            b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertEqual((answer.status, answer.header("connection").lower()), (200, "close"))
        self.assertTrue(connection.is_closed())

    def test_http_1_0_closes(self):
        connection, answer = self.exchange(b"GET /livez HTTP/1.0\r\nHost: x\r\n\r\n")
        self.assertEqual(answer.status, 200)
        self.assertTrue(connection.is_closed())

    def test_head(self):
        connection = self.open()
        connection.send(b"HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n"
                        b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        head = connection.read_answer(head_only=True)
        get = connection.read_answer()
        self.assertEqual((head.status, get.status), (200, 200))
        self.assertEqual(head.header("content-length"), get.header("content-length"))

    def test_expect_continue(self):
        body = b'{"login":"nobody","password":"Wrong-Password-11"}'
        connection = self.open()
        connection.send(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
        self.assertEqual(connection.read_head().status, 100)
        connection.send(body)
        self.assertEqual(connection.read_answer().status, 401)

    def test_expect_and_refused(self):
        connection = self.open()
        connection.send(b"POST /api/v1/chats HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                        b"Content-Type: application/json\r\nContent-Length: 999999999\r\n\r\n")
        self.assertEqual(connection.read_answer().status, 413)
        _, answer = self.exchange(b"GET /livez HTTP/1.1\r\nHost: x\r\nExpect: something\r\n\r\n")
        self.assertEqual(answer.status, 417)

    def test_too_large_a_body(self):
        user = self.server.user()
        connection = self.open()
        connection.send(b"POST /api/v1/chats HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                        + user.token.encode() + b"\r\nContent-Type: application/json\r\n"
                        b"Content-Length: 50000000\r\n\r\n")
        answer = connection.read_answer()
        self.assertEqual(answer.status, 413)
        check_problem(answer)

    def test_too_large_in_chunks(self):
        user = self.server.user()
        connection = self.open()
        connection.send(b"POST /api/v1/chats HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                        + user.token.encode() + b"\r\nContent-Type: application/json\r\n"
                        b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(64):
                connection.send(b"10000\r\n" + b" " * 65536 + b"\r\n")
        except OSError:
            pass
        try:
            self.assertEqual(connection.read_answer().status, 413)
        except ConnectionResetError:
            pass  # the refusal was thrown away with what we had sent on

    def test_a_deep_pipeline_of_errors(self):
        connection = self.open()
        connection.send(b"GET /api/v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        self.assertEqual([connection.read_answer().status for _ in range(200)], [404] * 200)

    def test_bad_websocket_handshakes(self):
        good = {"Host": "x", "Connection": "Upgrade", "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        for change, status in (({"Sec-WebSocket-Version": "12"}, 426),
                               ({"Sec-WebSocket-Version": None}, 400),
                               ({"Sec-WebSocket-Key": "short"}, 400),
                               ({"Sec-WebSocket-Key": None}, 400),
                               ({"Upgrade": "h2c"}, 426), ({"Upgrade": None}, 426),
                               ({"Connection": "close"}, 426)):
            with self.subTest(change=change):
                lines = {k: v for k, v in {**good, **change}.items() if v is not None}
                _, answer = self.exchange(("GET /ws HTTP/1.1\r\n" + "".join(
                    f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n").encode())
                self.assertEqual(answer.status, status)
                if answer.status == 426:
                    self.assertIn("websocket", (answer.header("upgrade") or "").lower() or
                                  (answer.header("sec-websocket-version") and "websocket"))


class SlowClients(ApiCase):
    def test_a_slow_head_is_cut(self):
        connection = RawConnection(self.server.address, 20)
        connection.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        began = time.monotonic()
        self.assertTrue(connection.is_closed(20))
        self.assertLess(time.monotonic() - began, 15)
        connection.close()
