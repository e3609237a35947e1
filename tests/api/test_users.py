"""Profiles (U01, U02) and the conventions for things that can be edited."""

import re
import uuid

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
                             ({"full_name": 5}, 422), ({"bio": "x" * 100000}, (413, 422)),
                             ({"id": self.user.id}, 400)):
            with self.subTest(body=str(body)[:30]):
                answer = self.user.patch("/users/me", body)
                self.assertIn(answer.status, status if isinstance(status, tuple) else (status,))

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
        for bad in ("x", "0190b3c4", "%00", "..%2fme", "%ff",
                    "0190B3C4-0000-7000-8000-00000000000"):
            with self.subTest(bad=bad):
                self.assertIn(self.user.get(f"/users/{bad}").status, (400, 404, 422))

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

    def test_bad_keys(self):
        self.assertIn(self.group("k" * 5000).status, (400, 422))

    def test_a_refused_request_may_be_mended(self):
        key = uuid.uuid4().hex
        answer = self.user.post("/chats", {"kind": "nonsense"}, headers={"Idempotency-Key": key})
        self.refused(answer, 422)
        self.assertIn(self.group(key).status, (201, 422))
