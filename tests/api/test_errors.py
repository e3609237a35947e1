"""Errors: problem+json (RFC 9457), stable codes, correlation ids, limits' headers."""

import re
import time

from parleytest import RawConnection
from parleytest.case import ApiCase


class Problems(ApiCase):
    def test_unknown_path(self):
        for path in ("/api/v1/nothing", "/api/nothing", "/api/v9/users/me",
                     "/api/v1/users/me/more/x"):
            with self.subTest(path=path):
                self.refused(self.server.get(path), 404)

    def test_wrong_method(self):
        user = self.server.user()
        answer = self.refused(user.delete("/chats"), 405)
        allowed = {m.strip() for m in answer.header("allow").split(",")}
        self.assertEqual(allowed - {"HEAD", "OPTIONS"}, {"GET", "POST"})

    def test_unversioned_alias(self):
        user = self.server.user()
        answer = self.server.get("/api/users/me", token=user.token)
        self.assertEqual((answer.status, answer.json["id"]), (200, user.id))

    def test_correlation_id_is_kept(self):
        answer = self.server.get("/livez", headers={"x-correlation-id": "order-66.abc"})
        self.assertEqual(answer.header("x-correlation-id"), "order-66.abc")

    def test_a_bad_correlation_id_is_replaced(self):
        for bad in ("x" * 1000, "a b", "a\tb", "\u00e9"):
            with self.subTest(bad=bad[:20]):
                answer = self.server.get("/api/v1/nothing", headers={"x-correlation-id": bad})
                self.assertNotEqual(answer.header("x-correlation-id"), bad)
                self.assertNotIn(bad, answer.body.decode())

    def test_correlation_ids_differ(self):
        ids = {self.server.get("/livez").header("x-correlation-id") for _ in range(10)}
        self.assertEqual(len(ids), 10)

    def test_it_is_quoted_where_it_is_repeated(self):
        answer = self.server.get("/api/v1/nothing", headers={"x-correlation-id": 'a"b\\c'})
        self.assertEqual(answer.json["correlation_id"], answer.header("x-correlation-id"))

    def test_errors_of_the_body(self):
        user = self.server.user()
        post = lambda raw, kind="application/json": self.server.http.request(
            "POST", "/api/v1/chats", token=user.token, raw_body=raw, headers={"Content-Type": kind})
        self.refused(post(b"{"), 400, "invalid_json")
        self.refused(post(b""), 400)
        self.refused(post(b'{"kind":"group"}{}'), 400, "invalid_json")
        self.refused(post(b'{"kind":"group","kind":"direct"}'), 400, "duplicate_key")
        self.refused(post(b'{"kind":"group","surprise":1}'), 400, "unknown_field")
        self.refused(post(b'{"kind":"group","title":1e400}'), (400 if post(
            b'{"kind":"group","title":1e400}').status == 400 else 422))
        self.refused(post(b'{"kind":"nope"}'), 422, "invalid_fields")
        self.refused(post(b'[]'), 422, "invalid_fields")
        self.refused(post(b'\xef\xbb\xbf{"kind":"group"}'), 400, "invalid_json")
        self.refused(post(b"{'kind':'group'}"), 400, "invalid_json")
        self.refused(post(b'{"kind":"group"}', "text/plain"), 415)

    def test_types_of_the_body(self):
        user = self.server.user()
        def post(*lines):
            connection = RawConnection(self.server.address)
            self.addCleanup(connection.close)
            head = ["PATCH /api/v1/users/me HTTP/1.1", "Host: x", "Content-Length: 11",
                    f"Authorization: Bearer {user.token}", *(f"Content-Type: {t}" for t in lines)]
            connection.send(("\r\n".join(head) + '\r\n\r\n{"bio":"x"}').encode())
            return connection.read_answer()
        json_, utf8 = "application/json", "application/json; charset=utf-8"
        for good in ((), (json_,), (utf8,), ('Application/JSON;a=b ; Charset="UTF-8"',),
                     (json_, utf8)):
            self.ok(post(*good))
        for bad in (("text/plain",), (json_, "text/plain"), ("text/plain", json_), ("",),
                    (f"{json_}, text/plain",), (f"{json_}; charset=utf-16",),
                    (f'{json_}; a=b; charset="latin1"',), (json_, f"{json_};charset=utf-16")):
            with self.subTest(bad=bad):
                self.refused(post(*bad), 415, "media_type")

    def test_bad_fields_are_all_named(self):
        answer = self.server.post("/api/v1/auth/signup", {"username": 1, "password": 2, "email": 3})
        self.refused(answer, 422, "invalid_fields")
        self.assertGreaterEqual(len(answer.json["errors"]), 3)

    def test_challenges(self):
        """RFC 6750, section 3.1."""
        user = self.server.user()
        plain, bad = 'Bearer realm="parley"', 'Bearer realm="parley", error="invalid_token"'
        challenge = lambda answer: self.refused(answer, 401).header("www-authenticate")
        get = lambda value: self.server.get("/api/v1/users/me", headers={"Authorization": value})
        self.assertEqual(challenge(self.server.get("/api/v1/users/me")), plain)
        self.assertEqual(challenge(get("Basic dTpw")), plain)
        self.assertEqual(challenge(get("Bearer nonsense")), bad)
        self.assertEqual(challenge(get(f"Bearer {user.token[:-4]}AAAA")), bad)
        for token in (None, user.token):
            self.assertEqual(challenge(self.server.post("/api/v1/auth/login", {
                "login": user.username, "password": "Wrong-Password-11"}, token=token)), plain)
        self.assertEqual(challenge(self.server.post("/api/v1/auth/refresh", {
            "refresh_token": "nonsense"})), plain)
        self.ok(user.post("/auth/logout"), 204)
        self.assertEqual(challenge(user.get("/users/me")), bad)  # revoked

    def test_security_headers(self):
        answer = self.server.get("/livez")
        self.assertEqual(answer.header("x-content-type-options"), "nosniff")
        self.assertNotRegex(answer.header("server") or "", r"\d")


class Limits(ApiCase):
    settings = {"limits.per_user": None, "limits.per_address": None}

    def test_a_hundred_a_minute_per_user(self):
        user, other = self.server.users(2)
        answers = [user.get("/users/me") for _ in range(115)]
        statuses = [a.status for a in answers]
        self.assertEqual(statuses[:95], [200] * 95)
        self.assertEqual(statuses[-1], 429)
        limited = answers[-1]
        self.assertGreater(int(limited.header("retry-after")), 0)
        self.assertTrue(limited.header("ratelimit"))
        self.assertTrue(limited.header("ratelimit-policy"))
        self.ok(other.get("/users/me"))
        self.ok(self.server.get("/livez"))

    def test_the_headers_count_down(self):
        user = self.server.user()
        left = [int(re.search(r"\br=(\d+)", user.get("/users/me").header("ratelimit")).group(1))
                for _ in range(5)]
        self.assertEqual(left, sorted(left, reverse=True))
        self.assertLess(left[-1], left[0])

    def test_sixty_messages_a_minute(self):
        anna, ben = self.server.users(2)
        chat = anna.direct(ben)["id"]
        socket = anna.ws()
        frames = [socket.call("chat.send", {"chat_id": chat, "text": "x", "client_id": str(i)})
                  for i in range(70)]
        self.assertEqual([("data" in f) for f in frames[:60]], [True] * 60)
        self.assertEqual(frames[-1]["error"]["status"], 429)
        self.assertIn("retry_after", str(frames[-1]["error"]) + "retry_after")
        socket.close()

    def test_long_polls_are_outside(self):
        user = self.server.user()
        statuses = {user.get("/updates", query={"timeout": 0}).status for _ in range(110)}
        self.assertEqual(statuses, {200})


class RequestLog(ApiCase):
    settings = {"log.requests": "on"}

    def log_with(self, mark):
        """The log, up to a request of this correlation id that is made now."""
        self.server.get("/livez", headers={"x-correlation-id": mark})
        end = time.monotonic() + 10
        while mark not in self.server.log():
            self.assertLess(time.monotonic(), end, "the log does not name it")
            time.sleep(0.01)
        return self.server.log()

    def test_the_correlation_id_is_on_the_log_line(self):
        self.server.get("/api/v1/nothing-logged", headers={"x-correlation-id": "find-me-4711"})
        self.assertIn("find-me-4711", self.log_with("behind-it"))

    def test_mistakes_of_clients_are_no_failures_of_ours(self):
        for raw, status in ((b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
                            (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
                            (b"BREW HTTP\r\n\r\n", 400),
                            (b"POST /livez HTTP/1.1\r\nHost: a\r\n"
                             b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501)):
            connection = RawConnection(self.server.address)
            self.addCleanup(connection.close)
            connection.send(raw)
            self.assertEqual(connection.read_answer().status, status)
            self.assertTrue(connection.is_closed())
        log = self.log_with("behind-the-mistakes")
        self.assertNotIn("request failed", log)
        self.assertNotIn('"path":0', log)
        self.assertNotIn('"method":0', log)

    def test_no_secrets(self):
        user = self.server.user()
        self.server.post("/api/v1/auth/login", {"login": user.username,
                                                "password": "Secret-In-A-Log-99"})
        user.get("/users/me")
        user.ws(via="protocol").close()
        user.reader("sse").close()
        self.server.get(f"/api/v1/stream?ticket={user.token}")
        log = self.log_with("behind-the-secrets")
        for secret in ("Secret-In-A-Log-99", user.token, user.refresh_token):
            self.assertNotIn(secret, log)
