"""What happens to an account: addresses are verified, passwords replaced, people leave (A13)."""

import re
import time
import uuid

from parleytest.case import ApiCase
from parleytest.server import PASSWORD

NEW_PASSWORD = "Another-Harbour-23-Lamp"


def letters(server):
    """The spool, oldest first, as text."""
    folder = server.data / "spool"
    return [p.read_text() for p in sorted(folder.glob("*")) if not p.name.startswith(".")]


class AccountCase(ApiCase):
    settings = {}

    def person(self, **more):
        name = uuid.uuid4().hex[:10]
        more.setdefault("email", f"{name}@example.com")
        person = self.server.user(**more)
        person.email = more["email"]
        return person

    def letter(self, to, after=0, seconds=5.0):
        """The next letter to that address beyond the first `after`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = [text for text in letters(self.server) if f"<{to}>" in text
                     or f"To: {to}\n" in text]
            if len(found) > after:
                return found[after]
            time.sleep(0.05)
        raise AssertionError(f"no letter {after + 1} to {to}")

    def code(self, to, after=0):
        return re.search(r"\b(\d{6})\b", self.letter(to, after).split("\n\n", 1)[-1].replace(
            "\r\n\r\n", "\n\n").split("\n\n", 1)[-1]).group(1)

    def sign_in(self, login, password=PASSWORD):
        return self.server.post("/api/v1/auth/login", {"login": login, "password": password})


def other_code(code):
    return f"{(int(code) + 1) % 1000000:06d}"


class Verification(AccountCase):
    def ask(self, person, channel="email", code=None):
        return person.post("/auth/verify", {"channel": channel, "code": code} if code
                           else {"channel": channel})

    def test_email(self):
        ada = self.person()
        self.assertFalse(self.ok(ada.get("/users/me"))["is_verified"])
        self.ok(self.ask(ada), 202)
        code = self.code(ada.email)
        self.ok(self.ask(ada, code=code), 204)
        self.assertTrue(self.ok(ada.get("/users/me"))["is_verified"])
        self.assertTrue(self.ok(self.server.user().get(f"/users/{ada.id}"))["is_verified"])
        self.refused(self.ask(ada), 409, "already_verified")
        self.refused(self.ask(ada, code=code), 409, "already_verified")

    def test_phone(self):
        phone = f"+4915{uuid.uuid4().int % 10**9:09d}"
        ada = self.person(phone=phone)
        self.ok(self.ask(ada, "phone"), 202)
        code = self.code(phone)
        self.refused(self.ask(ada, "email", code), 403, "invalid_code")  # the other channel's
        self.ok(self.ask(ada, "phone", code), 204)
        self.ok(self.ask(ada, "email"), 202)  # each channel for itself

    def test_nothing_to_verify(self):
        ada = self.server.user()
        self.refused(self.ask(ada), 409, "no_email")
        self.refused(self.ask(ada, "phone"), 409, "no_phone")
        self.refused(self.ask(ada, "pigeon"), 422, "invalid_fields")

    def test_five_tries(self):
        ada = self.person()
        self.ok(self.ask(ada), 202)
        code = self.code(ada.email)
        for _ in range(5):
            self.refused(self.ask(ada, code=other_code(code)), 403, "invalid_code")
        self.refused(self.ask(ada, code=code), 403, "invalid_code")

    def test_a_new_code_takes_the_place_of_the_old_one(self):
        ada = self.person()
        self.ok(self.ask(ada), 202)
        first = self.code(ada.email)
        self.ok(self.ask(ada), 202)
        second = self.code(ada.email, 1)
        if first != second:
            self.refused(self.ask(ada, code=first), 403, "invalid_code")
        self.ok(self.ask(ada, code=second), 204)

    def test_a_code_is_nobody_elses(self):
        ada, eve = self.person(), self.person()
        self.ok(self.ask(ada), 202)
        self.ok(self.ask(eve), 202)
        code, eves = self.code(ada.email), self.code(eve.email)
        if code != eves:
            self.refused(self.ask(eve, code=code), 403, "invalid_code")

    def test_five_codes_in_a_while(self):
        ada = self.person()
        for _ in range(5):
            self.ok(self.ask(ada), 202)
        refused = self.refused(self.ask(ada), 429, "too_many_codes")
        self.assertGreater(int(refused.header("retry-after")), 0)

    def test_needs_sign_in(self):
        self.refused(self.server.post("/api/v1/auth/verify", {"channel": "email"}), 401)


class Contact(AccountCase):
    def move(self, person, email, password=PASSWORD):
        return person.request("PUT", "/auth/email", {"email": email, "password": password})

    def test_another_email(self):
        ada, bob = self.person(), self.person()
        self.ok(ada.patch("/users/me", {"discoverable_by_email": True}))
        self.ok(ada.post("/auth/verify", {"channel": "email"}), 202)
        code = self.code(ada.email)
        new = uuid.uuid4().hex[:10] + "@Example.com"
        self.refused(self.move(ada, new, "wrong password"), 403, "wrong_password")
        self.refused(self.move(ada, bob.email.upper()), 409, "email_taken")
        self.refused(self.move(ada, "no address"), 422, "invalid_fields")
        self.ok(self.move(ada, new), 204)
        self.assertEqual(self.ok(ada.get("/users/me"))["email"], new)
        self.refused(ada.post("/auth/verify", {"channel": "email", "code": code}), 403,
                     "invalid_code")
        self.refused(self.sign_in(ada.email), 401, "invalid_credentials")
        self.ok(self.sign_in(new.lower()))
        find = lambda q: [u["id"] for u in self.ok(bob.get("/users", query={"q": q}))["items"]]
        self.assertEqual((find(new), find(ada.email)), ([ada.id], []))
        self.ok(ada.post("/auth/verify", {"channel": "email"}), 202)
        self.ok(ada.post("/auth/verify", {"channel": "email", "code": self.code(new)}), 204)
        self.ok(self.move(ada, new), 204)  # the same: it stays verified
        self.assertTrue(self.ok(ada.get("/users/me"))["is_verified"])
        self.ok(self.move(ada, ada.email), 204)
        self.assertIn("no longer yours", self.letter(new, 1))
        self.ok(self.move(ada, new), 204)
        limited = self.refused(self.move(ada, ada.email), 429, "too_many_changes")
        self.assertGreater(int(limited.header("retry-after")), 0)

    def test_a_phone_and_none(self):
        ada = self.person()
        phone = f"+4915{uuid.uuid4().int % 10**9:09d}"
        body = {"phone": phone, "password": PASSWORD}
        self.ok(ada.request("PUT", "/auth/phone", body), 204)
        self.assertEqual(self.ok(ada.get("/users/me"))["phone"], phone)
        self.ok(self.sign_in(phone))
        self.ok(ada.request("PUT", "/auth/phone", {**body, "phone": None}), 204)
        self.assertIsNone(self.ok(ada.get("/users/me"))["phone"])
        self.refused(ada.request("PUT", "/auth/phone", {"password": PASSWORD}), 422,
                     "invalid_fields")


class Password(AccountCase):
    def forgot(self, login):
        return self.server.post("/api/v1/auth/password/forgot", {"login": login})

    def reset(self, login, code, password=NEW_PASSWORD):
        return self.server.post("/api/v1/auth/password/reset",
                                {"login": login, "code": code, "new_password": password})

    def test_reset(self):
        ada = self.person()
        other = ada.login()
        for login in (ada.username, ada.email.upper()):
            self.ok(self.forgot(login), 202)
        self.code(ada.email)
        code = self.code(ada.email, 1)
        live = other.ws()
        self.ok(self.reset(ada.email, code), 204)
        for session in (ada, other):
            self.refused(session.get("/users/me"), 401)
        self.assertEqual(live.closed().code, 4003)
        self.refused(self.sign_in(ada.username), 401, "invalid_credentials")
        self.ok(self.sign_in(ada.username, NEW_PASSWORD))
        self.refused(self.reset(ada.email, code), 403, "invalid_code")  # it served
        self.assertIn("Your password was changed", self.letter(ada.email, 2))

    def test_by_phone(self):
        phone = f"+4915{uuid.uuid4().int % 10**9:09d}"
        ada = self.person(phone=phone)
        self.ok(self.forgot(phone), 202)
        self.ok(self.reset(ada.username, self.code(phone)), 204)

    def test_nobody_learns_who_exists(self):
        ada = self.person()
        known, unknown = self.forgot(ada.email), self.forgot("nobody-at-all@example.com")
        self.assertEqual((known.status, known.body), (unknown.status, unknown.body))
        self.assertEqual(known.status, 202)
        self.ok(self.forgot("no login at all"), 202)
        for login in (ada.email, "nobody-at-all@example.com", "no login at all"):
            self.refused(self.reset(login, "000000" if login != ada.email else "x"), 403,
                         "invalid_code")
        self.ok(self.forgot(ada.email), 202)
        self.code(ada.email, 1)  # letters leave in order: one to nobody would be there before it
        self.assertFalse([t for t in letters(self.server) if "nobody-at-all" in t])

    def test_a_bad_password_costs_no_code(self):
        ada = self.person()
        self.ok(self.forgot(ada.email), 202)
        code = self.code(ada.email)
        self.refused(self.reset(ada.email, code, "short"), 422, "invalid_fields")
        self.ok(self.reset(ada.email, code), 204)

    def test_five_tries(self):
        ada = self.person()
        self.ok(self.forgot(ada.email), 202)
        code = self.code(ada.email)
        for _ in range(5):
            self.refused(self.reset(ada.email, other_code(code)), 403, "invalid_code")
        self.refused(self.reset(ada.email, code), 403, "invalid_code")

    def test_five_codes_in_a_while_for_anybody(self):
        for login in (self.person().email, uuid.uuid4().hex + "@example.com"):
            for _ in range(5):
                self.ok(self.forgot(login), 202)
            self.refused(self.forgot(login), 429, "too_many_codes")

    def test_a_code_outlives_a_crash_and_is_in_no_file(self):
        ada = self.person()
        self.ok(self.forgot(ada.email), 202)
        code = self.code(ada.email)
        self.server.kill()
        for path in self.server.data.glob("*.db*"):
            self.assertNotIn(f"    {code}\n".encode(), path.read_bytes(), path)
        self.server.start()
        self.ok(self.reset(ada.email, code), 204)

    def test_a_letter_outlives_a_crash(self):
        ada = self.person()
        for _ in range(3):
            self.ok(self.forgot(ada.email), 202)
        self.server.kill()  # mostly before the job has had its turn
        self.server.start()
        tried, end = set(), time.monotonic() + 20
        while time.monotonic() < end:  # they come one by one; one may come twice; the last serves
            count = sum(f"<{ada.email}>" in text for text in letters(self.server))
            codes = {self.code(ada.email, at) for at in range(count)} - tried
            if any(self.reset(ada.email, code).status == 204 for code in sorted(codes)):
                return
            tried |= codes
            time.sleep(0.05)
        self.fail(f"no code serves: {len(tried)} of 3 came")

    def test_change_tells_the_person(self):
        ada = self.person()
        self.ok(ada.post("/auth/password/change", {"current_password": PASSWORD,
                                                   "new_password": NEW_PASSWORD}), 204)
        self.assertIn("Your password was changed", self.letter(ada.email))


class Export(AccountCase):
    def document(self, person):
        answer = self.ok_answer(person.get("/users/me/export"))
        self.assertEqual(answer.header("content-type"), "application/json")
        self.assertIn("attachment", answer.header("content-disposition"))
        document = answer.json
        self.assertEqual(set(document), {"exported_at", "items"})
        kinds = {}
        for item in document["items"]:
            self.assertEqual(set(item), {"kind", "data"})
            kinds.setdefault(item["kind"], []).append(item["data"])
        return answer, kinds

    def ok_answer(self, answer, status=200):
        self.assertEqual(answer.status, status, answer)
        return answer

    def test_everything_about_oneself_and_no_secret(self):
        ada, bob = self.person(full_name="Ada \u201cQ\u201d"), self.person()
        chat, group = ada.direct(bob), ada.group([bob], title="a \"group\"")
        texts = [f"mine {i} \\ \"sender_id\":\"{bob.id}\"" for i in range(230)]
        for i, text in enumerate(texts):
            ada.send(chat["id"], text)
            if i % 20 == 0:
                bob.send(chat["id"], f"his \"sender_id\":\"{ada.id}\"")
        ada.send(group["id"], "in the group")
        bob.send(group["id"], "his in the group")
        self.ok(bob.put(f"/users/{ada.id}/follow"))
        answer, kinds = self.document(ada)
        self.assertEqual(kinds["profile"][0]["email"], ada.email)
        self.assertEqual(kinds["account"][0]["username"], ada.username)
        self.assertEqual(len(kinds["session"]), 1)
        self.assertEqual({c["chat_id"] for c in kinds["chat"]}, {chat["id"], group["id"]})
        self.assertEqual([m["text"] for m in kinds["message"] if m["chat_id"] == chat["id"]], texts)
        self.assertEqual([m["text"] for m in kinds["message"] if m["chat_id"] == group["id"]],
                         ["in the group"])
        self.assertEqual(kinds["follower"][0]["user_id"], bob.id)
        for secret in (b"$2b$", b"password", bob.email.encode(), b"his in the group"):
            self.assertNotIn(secret, answer.body)

    def test_limits(self):
        ada = self.person()
        for _ in range(5):
            self.document(ada)
        self.refused(ada.get("/users/me/export"), 429, "too_many_exports")
        self.refused(self.server.get("/api/v1/users/me/export"), 401)
        self.assertFalse([p for p in self.server.data.iterdir() if "export" in p.name])


class Deactivation(AccountCase):
    def leave(self, person, password=PASSWORD):
        return person.post("/users/me/deactivate", {"password": password})

    def test_leaving_and_coming_back(self):
        ada, bob = self.person(full_name="Zyxwvut Leaver"), self.person()
        live = ada.ws()
        self.refused(self.leave(ada, "wrong password"), 403, "wrong_password")
        self.refused(ada.post("/users/me/deactivate", {}), 422, "invalid_fields")
        self.ok(self.leave(ada), 204)
        self.refused(ada.get("/users/me"), 401)
        self.assertEqual(live.closed().code, 4003)
        self.refused(bob.get(f"/users/{ada.id}"), 404, "user_not_found")
        self.refused(bob.get(f"/users/by-username/{ada.username}"), 404, "user_not_found")
        self.assertEqual(self.found(bob), [])
        self.refused(bob.post("/chats", {"kind": "direct", "member_ids": [ada.id]}), 422,
                     "invalid_fields")
        self.refused(self.sign_in(ada.username, "wrong password"), 401, "invalid_credentials")
        back = self.ok(self.sign_in(ada.username))
        self.assertTrue(back["user"]["is_active"])
        self.assertEqual(self.ok(bob.get(f"/users/{ada.id}"))["id"], ada.id)
        until = time.monotonic() + 5
        while not self.found(bob) and time.monotonic() < until:
            time.sleep(0.05)
        self.assertEqual(self.found(bob), [ada.id])

    def found(self, who):
        return [u["id"] for u in self.ok(who.get("/users", query={"q": "Zyxwvut"}))["items"]]


class Deletion(AccountCase):
    def test_everything_goes(self):
        ada, bob = self.person(full_name="Qwzrt Vanisher"), self.person()
        chat = ada.direct(bob)
        ada.send(chat["id"], "stays with bob")
        live = ada.ws()
        self.ok(ada.delete("/users/me"), 204)
        self.assertEqual(live.closed().code, 4003)
        self.refused(ada.get("/users/me"), 401)
        self.refused(self.server.post("/api/v1/auth/refresh",
                                      {"refresh_token": ada.refresh_token}), 401)
        self.refused(bob.get(f"/users/{ada.id}"), 404, "user_not_found")
        self.refused(bob.get(f"/users/by-username/{ada.username}"), 404, "user_not_found")
        self.refused(self.sign_in(ada.username), 401, "invalid_credentials")
        self.refused(self.sign_in(ada.email), 401, "invalid_credentials")
        until = time.monotonic() + 5
        while self.ok(bob.get("/users", query={"q": "Qwzrt"}))["items"]:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        history = bob.history(chat["id"])
        self.assertEqual([(m["text"], m["sender_id"]) for m in history],
                         [("stays with bob", ada.id)])

    def test_leaves_groups_and_hands_over(self):
        ada, bob, eve = self.person(), self.person(), self.person()
        owned, joined = ada.group([bob, eve]), bob.group([ada])
        alone, direct = ada.group([]), ada.direct(bob)
        live = bob.ws()
        self.ok(ada.delete("/users/me"), 204)
        gone = live.event("member.changed", timeout=10.0)["data"]
        self.assertEqual((gone["user_id"], gone["by_user_id"]), (ada.id, ada.id))
        until = time.monotonic() + 10
        while (self.members(bob, owned) != {bob.id, eve.id}
               or self.members(bob, joined) != {bob.id}) and time.monotonic() < until:
            time.sleep(0.1)
        self.assertEqual(self.members(bob, owned), {bob.id, eve.id})
        self.assertEqual(self.members(bob, joined), {bob.id})
        roles = {m["user_id"]: m["role"] for m in self.ok(
            bob.get(f"/chats/{owned['id']}/members"))["items"]}
        self.assertIn("owner", roles.values())
        self.assertEqual(self.ok(bob.get(f"/chats/{direct['id']}"))["peer_id"], ada.id)
        self.assertTrue(alone["id"])

    def members(self, who, chat):
        return {m["user_id"] for m in self.ok(who.get(f"/chats/{chat['id']}/members"))["items"]}

    def test_the_name_is_nobody_elses_and_the_address_is_free(self):
        ada = self.person()
        self.ok(ada.delete("/users/me", body={"password": PASSWORD}), 204)
        taken = self.server.post("/api/v1/auth/signup", {"username": ada.username.upper(),
                                                         "password": PASSWORD})
        self.refused(taken, 409, "username_taken")
        self.assertEqual(self.person(email=ada.email).email, ada.email)

    def test_what_it_takes(self):
        ada = self.person()
        self.refused(ada.delete("/users/me", body={"password": "wrong password"}), 403,
                     "wrong_password")
        self.refused(ada.delete("/users/me", body={"pass": "x"}), 400, "unknown_field")
        self.ok(ada.get("/users/me"))

    def test_tokens_stay_refused_after_a_restart(self):
        ada = self.person()
        self.ok(ada.delete("/users/me"), 204)
        self.server.restart()
        self.refused(ada.get("/users/me"), 401)
