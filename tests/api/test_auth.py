"""Sign-up, sign-in, sessions, refresh, passwords (API.md, A01 to A06, A13)."""

import time
import unittest
import uuid

from parleytest import PASSWORD, Http, Server
from parleytest.case import ApiCase


def name():
    return "n" + uuid.uuid4().hex[:12]


class SignUp(ApiCase):
    def signup(self, **body):
        return self.server.post("/api/v1/auth/signup", body)

    def test_gives_a_token_answer(self):
        username = name()
        body = self.ok(self.signup(username=username, password=PASSWORD), 201)
        self.assertEqual(body["token_type"], "Bearer")
        self.assertEqual(body["expires_in"], 900)
        self.assertEqual(body["user"]["username"], username)
        self.assertNotIn("password", str(body["user"]))
        self.ok(self.server.get("/api/v1/users/me", token=body["access_token"]))

    def test_optional_fields(self):
        email = name() + "@example.com"
        body = self.ok(self.signup(username=name(), password=PASSWORD, email=email,
                                   full_name="Zoë Ångström"), 201)
        self.assertEqual(body["user"]["full_name"], "Zoë Ångström")
        self.ok(self.server.post("/api/v1/auth/login", {"login": email, "password": PASSWORD}))

    def test_a_taken_name_is_refused_in_any_case(self):
        username = name()
        self.ok(self.signup(username=username, password=PASSWORD), 201)
        self.refused(self.signup(username=username, password=PASSWORD), 409)
        self.refused(self.signup(username=username.upper(), password=PASSWORD), 409)

    def test_a_taken_email_is_refused_in_any_case(self):
        email = name() + "@example.com"
        self.ok(self.signup(username=name(), password=PASSWORD, email=email), 201)
        self.refused(self.signup(username=name(), password=PASSWORD, email=email.upper()), 409)

    def test_bad_fields_are_named(self):
        for field, value in (("username", ""), ("username", "a b"), ("username", "x" * 300),
                             ("password", "short"), ("password", "é" * 37), ("email", "nobody"),
                             ("phone", "call me"), ("full_name", "x" * 5000), ("username", 7),
                             ("password", None), ("username", ["x"])):
            with self.subTest(field=field, value=str(value)[:20]):
                body = {"username": name(), "password": PASSWORD, field: value}
                answer = self.refused(self.signup(**body), 422, "invalid_fields")
                self.assertIn(field, [e["field"].split("/")[-1].split(".")[-1]
                                      for e in answer.json["errors"]])

    def test_a_password_of_72_bytes_is_taken_whole(self):
        username, password = name(), "P4-" + "x" * 69
        self.ok(self.signup(username=username, password=password), 201)
        self.refused(self.server.post("/api/v1/auth/login",
                                      {"login": username, "password": password[:-1] + "y"}), 401)
        self.refused(self.signup(username=name(), password=password + "z"), 422)

    def test_missing_fields(self):
        answer = self.refused(self.signup(), 422, "invalid_fields")
        self.assertEqual({e["field"].split(".")[-1] for e in answer.json["errors"]},
                         {"username", "password"})

    def test_unknown_field(self):
        self.refused(self.signup(username=name(), password=PASSWORD, role="admin"), 400,
                     "unknown_field")

    def test_role_cannot_be_chosen(self):
        body = self.ok(self.signup(username=name(), password=PASSWORD), 201)
        self.assertEqual(body["user"].get("role", "user"), "user")


class SignIn(ApiCase):
    def login(self, login, password=PASSWORD, **more):
        return self.server.post("/api/v1/auth/login",
                                {"login": login, "password": password, **more})

    def test_token_answer(self):
        user = self.server.user()
        body = self.ok(self.login(user.username))
        self.assertEqual(body["user"]["id"], user.id)
        self.assertEqual((body["token_type"], body["expires_in"]), ("Bearer", 900))
        self.assertNotEqual(body["refresh_token"], user.refresh_token)

    def test_the_name_in_another_case(self):
        user = self.server.user()
        self.ok(self.login(user.username.upper()))

    def test_wrong_password_and_unknown_name_look_the_same(self):
        user = self.server.user()
        wrong = self.refused(self.login(user.username, "Wrong-Password-11"), 401)
        unknown = self.refused(self.login(name(), "Wrong-Password-11"), 401)
        for member in ("type", "title", "detail", "code"):
            self.assertEqual(wrong.json[member], unknown.json[member])

    def test_five_attempts_per_account(self):
        user, other = self.server.users(2)
        for _ in range(5):
            self.refused(self.login(user.username, "Wrong-Password-11"), 401)
        answer = self.refused(self.login(user.username, "Wrong-Password-11"), 429)
        self.assertGreater(int(answer.header("retry-after")), 0)
        self.refused(self.login(user.username), 429)
        self.ok(self.login(other.username))
        self.ok(user.get("/users/me"))

    def test_garbage_bodies(self):
        for raw, status in ((b"", 400), (b"{", 400), (b"[]", 422), (b"null", 422),
                            (b'{"login":"a","login":"b","password":"c"}', 400),
                            (b'{"login":"\xff","password":"c"}', 400),
                            (b'{"login":"a","password":"c"} x', 400),
                            (b"[" * 5000, 400)):
            with self.subTest(raw=raw[:30]):
                answer = self.server.http.request(
                    "POST", "/api/v1/auth/login", raw_body=raw,
                    headers={"Content-Type": "application/json"})
                self.assertEqual(answer.status, status, answer)

    def test_another_content_type(self):
        answer = self.server.http.request(
            "POST", "/api/v1/auth/login", raw_body=b"login=a&password=b",
            headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.refused(answer, 415)


class AddressLimits(ApiCase):
    settings = {"limits.per_address": None}

    def test_attempts_per_address(self):
        users = []
        here = Http(self.server.address, self.server.check)
        for i in range(7):
            users.append(here.request("POST", "/api/v1/auth/signup", {
                "username": name(), "password": PASSWORD}))
        answers = [here.request("POST", "/api/v1/auth/login", {
            "login": name(), "password": "Wrong-Password-11"}) for _ in range(6)]
        self.assertEqual([a.status for a in answers[:5]], [401] * 5)
        limited = self.refused(answers[5], 429)
        self.assertGreater(int(limited.header("retry-after")), 0)

    def test_sign_ups_per_address(self):
        with Server({"limits.per_address": None}) as server:
            statuses = [server.post("/api/v1/auth/signup", {
                "username": name(), "password": PASSWORD}).status for _ in range(11)]
            self.assertEqual(statuses[:10], [201] * 10)
            self.assertEqual(statuses[10], 429)


class Refresh(ApiCase):
    def refresh(self, token):
        return self.server.post("/api/v1/auth/refresh", {"refresh_token": token})

    def test_rotates(self):
        user = self.server.user()
        first = self.ok(self.refresh(user.refresh_token))
        self.assertNotEqual(first["refresh_token"], user.refresh_token)
        self.assertEqual(first["user"]["id"], user.id)
        second = self.ok(self.refresh(first["refresh_token"]))
        self.ok(self.server.get("/api/v1/users/me", token=second["access_token"]))

    def test_repeat_within_grace_gives_the_same(self):
        user = self.server.user()
        first = self.ok(self.refresh(user.refresh_token))
        again = self.ok(self.refresh(user.refresh_token))
        self.assertEqual(first["refresh_token"], again["refresh_token"])
        self.ok(self.refresh(first["refresh_token"]))

    def test_later_reuse_ends_the_session(self):
        user = self.server.user()
        other = user.login()
        stolen = user.refresh_token
        fresh = self.ok(self.refresh(stolen))
        time.sleep(10.6)
        self.refused(self.refresh(stolen), 401)
        self.refused(self.refresh(fresh["refresh_token"]), 401)
        deadline = time.monotonic() + 2
        while self.server.get("/api/v1/users/me", token=fresh["access_token"]).status == 200:
            self.assertLess(time.monotonic(), deadline, "the access token lives on")
            time.sleep(0.05)
        self.ok(other.get("/users/me"))
        self.ok(self.refresh(other.refresh_token))

    def test_nonsense(self):
        user = self.server.user()
        for token, status in (("", 422), ("x", 401), ("é" * 30, 401), (user.token, 401),
                              (user.refresh_token + "x", 401), (user.refresh_token[:-1], 401),
                              ("A" * 20000, 422)):
            with self.subTest(token=token[:20]):
                self.refused(self.refresh(token), status)
        self.ok(self.refresh(user.refresh_token))

    def test_an_access_token_is_no_refresh_token_and_back(self):
        user = self.server.user()
        self.refused(self.refresh(user.token), 401)
        self.refused(self.server.get("/api/v1/users/me", token=user.refresh_token), 401)

    def test_survives_a_restart(self):
        with Server() as server:
            user = server.user()
            server.restart()
            body = self.ok(server.post("/api/v1/auth/refresh",
                                       {"refresh_token": user.refresh_token}))
            self.ok(server.get("/api/v1/users/me", token=body["access_token"]))
            self.ok(server.get("/api/v1/users/me", token=user.token))


class Sessions(ApiCase):
    def gone(self, user, within=1.5):
        """The token stops working within a second (A03)."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            answer = user.get("/users/me")
            if answer.status == 401:
                return answer
            time.sleep(0.02)
        self.fail("the token still works")

    def test_list(self):
        user = self.server.user()
        other = user.login(device_name="a telephone")
        items = self.ok(user.get("/auth/sessions"))["items"]
        self.assertEqual(len(items), 2)
        self.assertEqual([s["current"] for s in items].count(True), 1)
        self.assertIn("a telephone", [s["device_name"] for s in items])
        self.assertEqual([s["device_name"] for s in self.ok(other.get("/auth/sessions"))["items"]
                          if s["current"]], ["a telephone"])
        for session in items:
            self.assertEqual(set(session), {"id", "device_name", "created_at", "last_used_at",
                                            "current"})

    def test_end_one(self):
        user = self.server.user()
        other = user.login(device_name="lost")
        socket = other.ws()
        lost = [s for s in self.ok(user.get("/auth/sessions"))["items"] if not s["current"]][0]
        self.assertEqual(user.delete(f"/auth/sessions/{lost['id']}").status, 204)
        self.assertEqual(socket.closed(3).code, 4003)
        self.gone(other)
        self.refused(self.server.post("/api/v1/auth/refresh",
                                      {"refresh_token": other.refresh_token}), 401)
        self.ok(user.get("/users/me"))

    def test_not_another_persons(self):
        user, thief = self.server.users(2)
        session = self.ok(user.get("/auth/sessions"))["items"][0]
        self.refused(thief.delete(f"/auth/sessions/{session['id']}"), 404)
        self.ok(user.get("/users/me"))

    def test_logout(self):
        user = self.server.user()
        other = user.login()
        socket, staying = user.ws(), other.ws()
        self.assertEqual(user.post("/auth/logout").status, 204)
        self.assertEqual(socket.closed(3).code, 4003)
        self.gone(user)
        self.refused(self.server.post("/api/v1/auth/refresh",
                                      {"refresh_token": user.refresh_token}), 401)
        self.ok(other.get("/users/me"))
        self.assertIn("data", staying.call("ping"))

    def test_logout_all(self):
        user = self.server.user()
        devices = [user] + [user.login() for _ in range(3)]
        sockets = [d.ws() for d in devices]
        stream = user.reader("sse")
        self.assertEqual(user.post("/auth/logout-all").status, 204)
        for socket in sockets:
            self.assertEqual(socket.closed(3).code, 4003)
        for device in devices:
            self.gone(device)
        with self.assertRaises((ConnectionError, OSError)):
            while True:
                stream.event(timeout=3)
        self.ok(self.server.post("/api/v1/auth/login",
                                 {"login": user.username, "password": PASSWORD}))

    def test_revocation_survives_a_crash(self):
        with Server() as server:
            user = server.user()
            self.assertEqual(user.post("/auth/logout").status, 204)
            server.kill()
            server.start()
            self.refused(user.get("/users/me"), 401)


class Passwords(ApiCase):
    def change(self, user, current, new):
        return user.post("/auth/password/change",
                         {"current_password": current, "new_password": new})

    def test_change(self):
        user = self.server.user()
        new = "Another-Bridge-42"
        self.ok(self.change(user, PASSWORD, new), 204)
        login = lambda password: self.server.post(
            "/api/v1/auth/login", {"login": user.username, "password": password}).status
        self.assertEqual(login(PASSWORD), 401)
        self.assertEqual(login(new), 200)

    def test_other_sessions_end(self):
        user = self.server.user()
        other = user.login()
        self.ok(self.change(user, PASSWORD, "Another-Bridge-42"), 204)
        time.sleep(1)
        self.refused(other.get("/users/me"), 401)

    def test_needs_the_current_one(self):
        user = self.server.user()
        answer = self.change(user, "Wrong-Password-11", "Another-Bridge-42")
        self.refused(answer, 403, "wrong_password")
        self.refused(self.change(user, PASSWORD, "short"), 422)
        self.ok(self.server.post("/api/v1/auth/login",
                                 {"login": user.username, "password": PASSWORD}))


if __name__ == "__main__":
    unittest.main()
