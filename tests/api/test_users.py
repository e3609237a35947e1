"""Profiles (U01, U02) and the conventions for things that can be edited."""

import json
import random
import re
import string
import threading
import time
import uuid

from parleytest import PASSWORD
from parleytest.case import ApiCase

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Profile(ApiCase):
    def setUp(self):
        super().setUp()
        self.user = self.server.user()

    def test_me(self):
        me = self.ok(self.user.get("/users/me"))
        self.assertEqual(me["id"], self.user.id)
        self.assertRegex(me["id"], ID)
        self.assertRegex(me["created_at"], TIME)
        self.assertEqual(me["username"], self.user.username)
        self.assertEqual(me["role"], "user")
        self.assertFalse({"password", "password_hash"} & set(me))

    def test_a_name_is_as_long_at_sign_up_as_later(self):
        for name in ("n" * 100, "é" * 100, "\U0001f600" * 100):
            user = self.server.user(full_name=name)
            self.assertEqual(self.ok(user.get("/users/me"))["full_name"], name)
            self.ok(user.patch("/users/me", {"full_name": name[1:], "bio": "é" * 500}))
            self.ok(user.patch("/users/me", {"full_name": name}))
            self.refused(user.patch("/users/me", {"full_name": name + "n"}), 422, "invalid_fields")
            self.refused(user.patch("/users/me", {"bio": "é" * 501}), 422, "invalid_fields")
            self.refused(self.server.post("/api/v1/auth/signup", {
                "username": "too_long_a_name", "password": PASSWORD, "full_name": name + "n"}),
                422, "invalid_fields")
        schemas = self.server.document.document["components"]["schemas"]
        for schema in ("SignUp", "UserPatch"):
            said = schemas[schema]["properties"]["full_name"]
            self.assertEqual((said["maxLength"], said.get("x-max-bytes")), (100, None))

    def test_edit(self):
        me = self.ok(self.user.patch("/users/me", {"full_name": "Ada Löwe",
                                                    "bio": "Öl \U0001f600"}))
        self.assertEqual((me["full_name"], me["bio"]), ("Ada Löwe", "Öl \U0001f600"))
        again = self.ok(self.user.get("/users/me"))
        self.assertEqual(again["full_name"], "Ada Löwe")
        self.assertGreaterEqual(again["updated_at"], again["created_at"])

    def test_edit_leaves_the_rest(self):
        self.ok(self.user.patch("/users/me", {"full_name": "One"}))
        self.ok(self.user.patch("/users/me", {"bio": "two"}))
        self.assertEqual(self.ok(self.user.get("/users/me"))["full_name"], "One")

    def test_a_change_is_seen_at_once_by_others(self):
        other = self.server.user()
        self.ok(other.get(f"/users/{self.user.id}"))
        self.ok(self.user.patch("/users/me", {"full_name": "Seen"}))
        self.assertEqual(self.ok(other.get(f"/users/{self.user.id}"))["full_name"], "Seen")

    def test_bad_edits(self):
        for body, status in (({"role": "admin"}, 400), ({"nothing": 1}, 400),
                             ({"full_name": 5}, 422), ({"bio": "x" * 100000}, 413),
                             ({"id": self.user.id}, 400)):
            with self.subTest(body=str(body)[:30]):
                self.refused(self.user.patch("/users/me", body), status)

    def test_others_do_not_see_private_fields(self):
        email = uuid.uuid4().hex[:10] + "@example.com"
        hidden = self.server.user(email=email)
        for path in (f"/users/{hidden.id}", f"/users/by-username/{hidden.username}"):
            answer = self.user.get(path)
            self.ok(answer)
            self.assertNotIn(email.encode(), answer.body)

    def test_privacy_is_the_persons_own_choice(self):
        me = self.ok(self.user.get("/users/me"))
        choices = ("is_private", "discoverable_by_email", "discoverable_by_phone")
        self.assertEqual([me[name] for name in choices], [False, False, False])
        other = self.server.user()
        for name in choices:
            self.assertIs(self.ok(self.user.patch("/users/me", {name: True}))[name], True)
            self.refused(self.user.patch("/users/me", {name: None}), 422)
        self.ok(self.user.patch("/users/me", {"bio": "the rest stays"}))
        self.assertEqual([self.ok(self.user.get("/users/me"))[name] for name in choices],
                         [True, True, True])
        seen = self.ok(other.get(f"/users/{self.user.id}"))
        self.assertEqual([seen[name] for name in choices], [True, False, False])

    def test_by_username(self):
        other = self.server.user()
        self.assertEqual(self.ok(self.user.get(f"/users/by-username/{other.username}"))["id"],
                         other.id)
        self.refused(self.user.get("/users/by-username/nobody-at-all"), 404)

    def test_unknown_and_malformed_ids(self):
        self.refused(self.user.get("/users/0190b3c4-0000-7000-8000-000000000000"), 404)
        for bad, status in (("x", 422), ("0190b3c4", 422), ("%00", 422), ("..%2fme", 422),
                            ("%ff", 400), ("0190B3C4-0000-7000-8000-00000000000", 422)):
            with self.subTest(bad=bad):
                self.refused(self.user.get(f"/users/{bad}"), status)

    def test_etag(self):
        first = self.user.get("/users/me")
        tag = first.header("etag")
        self.assertRegex(tag, r'^(W/)?"[^"]+"$')
        same = self.user.get("/users/me", headers={"If-None-Match": tag})
        self.assertEqual((same.status, same.body), (304, b""))
        self.ok(self.user.get("/users/me", headers={"If-None-Match": '"other"'}))
        listed = self.user.get("/users/me", headers={"If-None-Match": f'"a", {tag}'})
        self.assertEqual(listed.status, 304)

    def test_if_match(self):
        tag = self.user.get("/users/me").header("etag")
        self.ok(self.user.patch("/users/me", {"bio": "1"}, headers={"If-Match": tag}))
        self.refused(self.user.patch("/users/me", {"bio": "2"}, headers={"If-Match": tag}), 412)
        self.assertEqual(self.ok(self.user.get("/users/me"))["bio"], "1")
        self.ok(self.user.patch("/users/me", {"bio": "3"}, headers={"If-Match": "*"}))


class Privacy(ApiCase):
    """E-mail and phone leave the house for nobody but the person, whatever is asked and done."""

    def test_no_answer_and_no_event_has_them(self):
        tag = uuid.uuid4().hex[:12]
        email, phone = f"{tag}@example.com", f"+4915{uuid.uuid4().int % 10**9:09d}"
        ada, bob = self.server.user(email=email, phone=phone), self.server.user()
        chat, group = bob.direct(ada), bob.group([ada])
        readers = [bob.reader(transport) for transport in ("ws", "sse", "poll")]
        self.ok(bob.put(f"/users/{ada.id}/follow"))
        self.ok(ada.put(f"/users/{bob.id}/follow"))
        self.ok(ada.patch("/users/me", {"bio": "new", "discoverable_by_email": True,
                                        "discoverable_by_phone": True, "is_private": True}))
        self.ok(ada.post("/auth/verify", {"channel": "email"}), 202)
        ada.login()
        sent = ada.send(chat["id"], "hello")
        ada.send(group["id"], "hello all")
        for path, query in ((f"/users/{ada.id}", None), (f"/users/by-username/{ada.username}", None),
                            ("/users", {"q": email}), ("/users", {"q": phone}),
                            ("/users", {"q": ada.username}), (f"/chats/{chat['id']}", None),
                            (f"/chats/{group['id']}/members", None), ("/chats", None),
                            (f"/users/{bob.id}/followers", None), ("/users/me/export", None),
                            (f"/users/{bob.id}/following", None),
                            (f"/users/{ada.id}/relationship", None),
                            (f"/chats/{chat['id']}/messages", None)):
            with self.subTest(path=path, query=query):
                answer = bob.get(path, query=query) if query else bob.get(path)
                self.assertEqual(answer.status, 200, answer)
                self.assertNotIn(email.encode(), answer.body)
                self.assertNotIn(phone.encode(), answer.body)
        for reader in readers:
            seen = []
            while not any((e.get("data") or {}).get("text") == "hello all" for e in seen):
                seen.append(reader.event())
            self.assertNotIn(tag, json.dumps(seen))
            self.assertNotIn(phone, json.dumps(seen))
        self.assertTrue(sent["id"])


class Stampede(ApiCase):
    own_server = True

    def made(self):
        text = self.server.get("/metrics").body.decode()
        return int(re.search(r'parley_cache_made_total{cache="user.profile"} (\d+)', text).group(1))

    def test_one_reads_however_many_ask(self):
        users = self.server.users(20)
        self.server.restart()  # nothing is in memory
        before = self.made()
        start, wrong = threading.Barrier(16), []

        def ask(who):
            who.own_connection()
            for user in users:
                start.wait(10)
                answer = who.get(f"/users/{user.id}")
                if (answer.status, answer.json.get("id")) != (200, user.id):
                    wrong.append(answer)

        threads = [threading.Thread(target=ask, args=(who,)) for who in users[:16]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(self.made() - before, len(users))


class LastSeen(ApiCase):
    own_server = True

    def test_what_was_seen_is_written_at_the_end_and_moves_no_tag(self):
        ada, bob = self.server.users(2)
        quiet = self.server.user()
        before = bob.get(f"/users/{ada.id}")
        tag = ada.get("/users/me").header("etag")
        self.assertIsNone(before.json["last_seen"])
        socket = quiet.ws()
        self.server.restart()
        after = bob.get(f"/users/{ada.id}")
        self.assertRegex(after.json["last_seen"], TIME)
        self.assertGreaterEqual(after.json["last_seen"], before.json["created_at"])
        self.assertRegex(bob.get(f"/users/{quiet.id}").json["last_seen"], TIME)
        self.assertEqual(after.header("etag"), before.header("etag"))
        self.ok(ada.patch("/users/me", {"bio": "1"}, headers={"If-Match": tag}))
        self.assertIsNotNone(socket)


class Search(ApiCase):
    """Finding people (U03): by words, and by an address where its owner allows it."""

    def setUp(self):
        super().setUp()
        self.tag = "".join(random.choice(string.ascii_lowercase) for _ in range(9))
        self.me = self.server.user()

    def find(self, q, who=None, **more):
        return [u["id"] for u in self.ok((who or self.me).get(
            "/users", query={"q": q, **more}))["items"]]

    def soon(self, q, ids, who=None):
        """The index follows within moments."""
        until = time.monotonic() + 5
        while (found := self.find(q, who)) != ids and time.monotonic() < until:
            time.sleep(0.02)
        self.assertEqual(found, ids)

    def person(self, prefix, full_name=None, **more):
        return self.server.user(prefix=prefix, **({"full_name": full_name} if full_name else {}),
                                **more)

    def test_ranking(self):
        begins = self.person(self.tag, "Zed")
        word = self.person("w", f"Zoe {self.tag.title()}")
        part = self.person("p", f"{self.tag}son Zuse")
        ids = [begins.id, word.id, part.id]
        self.soon(self.tag, ids)
        self.soon(self.tag.upper(), ids)
        self.assertEqual(self.find(f"{self.tag} zo"), [word.id])
        exact = self.server.post("/api/v1/auth/signup", {
            "username": self.tag, "password": "Quiet-River-17-Stone"}).json["user"]["id"]
        self.soon(self.tag, [exact, *ids])

    def test_as_one_types(self):
        found = self.person("t", f"{self.tag.title()} Müller")
        for end in range(4, 10):
            self.soon(self.tag[:end] + " mul", [found.id])

    def test_pages(self):
        ids = {self.person(self.tag).id for _ in range(7)}
        until = time.monotonic() + 5
        while len(self.find(self.tag)) < 7 and time.monotonic() < until:
            time.sleep(0.02)
        got, cursor = [], None
        while True:
            query = {"q": self.tag, "limit": 3, **({"cursor": cursor} if cursor else {})}
            page = self.ok(self.me.get("/users", query=query))
            got += [u["id"] for u in page["items"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        self.assertEqual((len(got), set(got)), (7, ids))
        self.refused(self.me.get("/users", query={"q": "a", "cursor": "zz"}), 400,
                     "invalid_cursor")

    def test_an_address_finds_only_who_allows_it(self):
        email, phone = f"{self.tag}@example.com", f"+4915{uuid.uuid4().int % 10**9:09d}"
        ada = self.person("c", email=email, phone=phone)
        for q in (email, phone, self.tag, phone[1:]):
            self.assertEqual(self.find(q), [])
        self.ok(ada.patch("/users/me", {"discoverable_by_email": True}))
        self.assertEqual(self.find(email), [ada.id])
        self.assertEqual(self.find(f"  {email.upper()} "), [ada.id])
        for q in (phone, self.tag, email[:-1], email.split("@")[1]):
            self.assertEqual(self.find(q), [])
        self.ok(ada.patch("/users/me", {"discoverable_by_phone": True,
                                        "discoverable_by_email": False}))
        self.assertEqual((self.find(phone), self.find(email)), ([ada.id], []))
        answer = self.me.get("/users", query={"q": phone})
        self.assertNotIn(phone.encode(), answer.body)
        self.assertNotIn(email.encode(), answer.body)

    def test_blocks_work_at_once_also_on_what_is_kept(self):
        ada = self.person(self.tag)
        self.soon(self.tag, [ada.id])
        for blocker, blocked in ((ada, self.me), (self.me, ada)):
            self.assertEqual(self.find(self.tag), [ada.id])
            self.ok(blocker.put(f"/users/{blocked.id}/block"))
            self.assertEqual(self.find(self.tag), [])
            self.ok(blocker.delete(f"/users/{blocked.id}/block"))
        self.assertEqual(self.find(self.tag), [ada.id])

    def test_refusals(self):
        self.refused(self.server.get("/api/v1/users", query={"q": "x"}), 401)
        self.refused(self.me.get("/users", query={"q": "x" * 101}), 422, "invalid_fields")
        self.refused(self.me.get("/users"), 422, "invalid_fields")


class Blocked(ApiCase):
    def test_whom_somebody_blocks_gets_404(self):
        ada, eve = self.server.users(2)
        self.ok(eve.get(f"/users/{ada.id}"))
        self.ok(ada.put(f"/users/{eve.id}/block"))
        unknown = eve.get("/users/0190b3c4-0000-7000-8000-000000000000")
        for path in (f"/users/{ada.id}", f"/users/by-username/{ada.username}",
                     f"/users/{ada.id}/followers", f"/users/{ada.id}/following"):
            with self.subTest(path=path):
                refused = self.refused(eve.get(path), 404, "user_not_found")
                self.assertEqual(refused.json["detail"], unknown.json["detail"])
        self.assertEqual(self.ok(ada.get(f"/users/{eve.id}"))["id"], eve.id)  # to unblock
        self.assertEqual([u["id"] for u in self.ok(ada.get("/users/me/blocks"))["items"]],
                         [eve.id])
        self.assertEqual(self.ok(eve.get("/users/me/blocks"))["items"], [])
        self.ok(ada.delete(f"/users/{eve.id}/block"))
        self.ok(eve.get(f"/users/{ada.id}"))


class Lists(ApiCase):
    def ids(self, who, path, **query):
        return [u["id"] for u in self.ok(who.get(path, query=query))["items"]]

    def test_followers_and_following(self):
        ada, *others = self.server.users(4)
        for other in others:
            self.ok(other.put(f"/users/{ada.id}/follow"))
        newest_first = [u.id for u in reversed(others)]
        self.assertEqual(self.ids(ada, f"/users/{ada.id}/followers"), newest_first)
        self.assertEqual(self.ids(others[0], f"/users/{others[1].id}/following"), [ada.id])
        first = self.ok(ada.get(f"/users/{ada.id}/followers", query={"limit": 2}))
        rest = self.ok(ada.get(f"/users/{ada.id}/followers",
                               query={"limit": 2, "cursor": first["next_cursor"]}))
        self.assertEqual([u["id"] for u in first["items"] + rest["items"]], newest_first)
        self.assertIsNone(rest["next_cursor"])
        for user in first["items"]:
            self.assertIsNone(user["email"])
        self.ok(others[0].post("/users/me/deactivate", {"password": "Quiet-River-17-Stone"}), 204)
        self.assertEqual(self.ids(ada, f"/users/{ada.id}/followers"), newest_first[:2])

    def test_a_private_account(self):
        ada, bob, eve = self.server.users(3)
        self.ok(ada.patch("/users/me", {"is_private": True}))
        followed = self.ok(bob.put(f"/users/{ada.id}/follow"))  # at once
        self.assertEqual((followed["following"], followed["follow_requested"]), (False, True))
        self.assertEqual(self.ids(ada, "/follow-requests"), [bob.id])
        self.refused(eve.get(f"/users/{ada.id}/followers"), 403, "private_account")
        self.ok(ada.put(f"/follow-requests/{bob.id}"), 204)
        self.assertEqual(self.ids(bob, f"/users/{ada.id}/followers"), [bob.id])

    def test_mutes(self):
        ada, bob = self.server.users(2)
        self.ok(ada.put(f"/users/{bob.id}/mute"))
        self.assertEqual(self.ids(ada, "/users/me/mutes"), [bob.id])
        self.refused(ada.get("/users/0190b3c4-0000-7000-8000-000000000000/followers"), 404,
                     "user_not_found")


class Idempotency(ApiCase):
    """Idempotency-Key on POST (API.md)."""

    def setUp(self):
        super().setUp()
        self.user, self.other = self.server.users(2)

    def group(self, key, title="t", user=None):
        return (user or self.user).post("/chats", {
            "kind": "group", "member_ids": [self.other.id], "title": title},
            headers={"Idempotency-Key": key})

    def test_the_same_answer(self):
        key = uuid.uuid4().hex
        first, again = self.group(key), self.group(key)
        self.ok(first, 201)
        self.assertEqual((again.status, again.json["id"]), (201, first.json["id"]))
        titles = [c for c in self.ok(self.user.get("/chats"))["items"]]
        self.assertEqual(len(titles), 1)

    def test_the_path_without_its_version_is_the_same(self):
        key = {"Idempotency-Key": uuid.uuid4().hex}
        body = {"kind": "group", "member_ids": [], "title": "once"}
        first, again = (self.server.post(path, body, token=self.user.token, headers=key)
                        for path in ("/api/v1/chats", "/api/chats"))
        self.assertEqual(self.ok(first, 201)["id"], self.ok(again, 201)["id"])

    def test_another_body(self):
        key = uuid.uuid4().hex
        self.ok(self.group(key), 201)
        self.refused(self.group(key, "another"), 422)

    def test_keys_are_each_persons_own(self):
        key = uuid.uuid4().hex
        third = self.server.user()
        first = self.ok(self.group(key), 201)
        second = self.ok(self.group(key, user=third), 201)
        self.assertNotEqual(first["id"], second["id"])

    def test_bug_a_refresh_was_given_again_to_whoever_shared_the_address(self):
        key = {"Idempotency-Key": uuid.uuid4().hex}

        def refresh(cookie=None, **more):
            sent = dict(key, **more) if cookie is None else dict(key, Cookie=cookie, **more)
            return self.server.post("/api/v1/auth/refresh", {}, headers=sent)

        mine, theirs = (f"parley_refresh={user.refresh_token}" for user in (self.user, self.other))
        first = self.ok(refresh(mine))
        again = self.ok(refresh(mine))
        self.assertEqual(again["access_token"], first["access_token"])
        self.assertEqual(self.ok(refresh(theirs))["user"]["id"], self.other.id)
        self.assertNotIn("user", refresh().json)
        self.refused(refresh(mine, Origin="https://evil.example"), 403, "origin_not_allowed")

    def test_bug_a_sign_out_was_not_done_after_somebody_elses(self):
        key = {"Idempotency-Key": uuid.uuid4().hex}
        for user in (self.user, self.other):
            sent = dict(key, Cookie=f"parley_refresh={user.refresh_token}")
            answer = self.server.post("/api/v1/auth/logout", headers=sent)
            self.assertEqual(answer.status, 204)
            again = self.server.post("/api/v1/auth/refresh",
                                     {"refresh_token": user.refresh_token})
            self.refused(again, 401)

    def test_bug_tokens_were_kept_on_the_disk(self):
        key = uuid.uuid4().hex
        answer = self.user.post("/auth/refresh", {"refresh_token": self.user.refresh_token},
                                headers={"Idempotency-Key": key})
        token = self.ok(answer)["refresh_token"].encode()
        for name in ("main.db", "main.db-wal"):
            path = self.server.data / name
            if path.exists():
                self.assertNotIn(token, path.read_bytes())

    def test_bad_keys(self):
        self.refused(self.group("k" * 5000), 400, "invalid_idempotency_key")

    def test_a_refused_request_may_be_mended(self):
        key = uuid.uuid4().hex
        answer = self.user.post("/chats", {"kind": "nonsense"}, headers={"Idempotency-Key": key})
        self.refused(answer, 422)
        self.ok(self.group(key), 201)
