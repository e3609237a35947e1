"""Chats, members, roles, and what outsiders see (C02)."""

import time

from parleytest.case import ApiCase

NOBODY = "0190b3c4-0000-7000-8000-000000000000"


class Chats(ApiCase):
    def setUp(self):
        super().setUp()
        self.anna, self.ben, self.carl = self.server.users(3)

    def test_direct_is_the_same_chat_from_both_sides(self):
        first = self.anna.direct(self.ben)
        self.assertEqual(first["kind"], "direct")
        self.assertEqual(first["member_count"], 2)
        self.assertEqual(self.anna.direct(self.ben)["id"], first["id"])
        self.assertEqual(self.ben.direct(self.anna)["id"], first["id"])
        self.assertNotEqual(self.carl.direct(self.anna)["id"], first["id"])

    def test_direct_with_whom(self):
        post = lambda ids: self.anna.post("/chats", {"kind": "direct", "member_ids": ids})
        self.refused(post([]), 422)
        self.refused(post([self.ben.id, self.carl.id]), 422)
        self.refused(post([NOBODY]), 422)
        self.refused(post([self.anna.id]), 422)
        self.refused(post(["x"]), 422)

    def test_group(self):
        chat = self.anna.group([self.ben, self.carl], "Wanderung")
        self.assertEqual((chat["kind"], chat["title"], chat["member_count"], chat["my_role"]),
                         ("group", "Wanderung", 3, "owner"))
        self.assertEqual((chat["last_seq"], chat["unread_count"], chat["last_message"]),
                         (0, 0, None))
        seen = self.ok(self.ben.get(f"/chats/{chat['id']}"))
        self.assertEqual((seen["my_role"], seen["title"]), ("member", "Wanderung"))

    def test_shape(self):
        chat = self.anna.direct(self.ben)
        self.assertLessEqual({
            "id", "kind", "title", "my_role", "member_count", "last_seq", "last_message",
            "read_seq", "unread_count", "settings", "archived", "muted_until", "created_at"},
            set(chat))

    def test_bad_kinds(self):
        for body in ({}, {"kind": "party"}, {"kind": 4}, {"kind": "group", "member_ids": "x"},
                     {"kind": "group", "title": "x" * 10000, "member_ids": []}):
            with self.subTest(body=str(body)[:40]):
                self.refused(self.anna.post("/chats", body), 422)

    def test_list_is_newest_first_and_pages(self):
        people = self.server.users(5)
        chats = [self.anna.direct(p)["id"] for p in people]
        for chat in chats:
            self.anna.send(chat, "hello")
        time.sleep(0.005)  # times have milliseconds
        self.anna.send(chats[1], "again")
        seen, cursor = [], None
        while True:
            query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = self.ok(self.anna.get("/chats", query=query))
            self.assertLessEqual(len(page["items"]), 2)
            seen += [c["id"] for c in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        self.assertEqual(sorted(seen), sorted(chats))
        self.assertEqual(seen[0], chats[1])

    def test_bad_paging(self):
        for query, status in (({"limit": 0}, 422), ({"limit": 101}, 422), ({"limit": "x"}, 422),
                              ({"limit": -1}, 422), ({"cursor": "nonsense"}, 400),
                              ({"cursor": "AAAA"}, 400), ({"surprise": 1}, 400),
                              ({"limit": "99999999999999999999"}, 422)):
            with self.subTest(query=query):
                self.refused(self.anna.get("/chats", query=query), status)

    def test_outsiders_get_404(self):
        chat = self.anna.group([self.ben])
        path = f"/chats/{chat['id']}"
        self.anna.send(chat["id"], "secret")
        out = self.carl
        for answer in (out.get(path), out.patch(path, {"title": "x"}), out.delete(path),
                       out.get(path + "/members"), out.post(path + "/members",
                                                            {"user_ids": [out.id]}),
                       out.patch(f"{path}/members/{out.id}", {"role": "owner"}),
                       out.delete(f"{path}/members/{self.ben.id}"),
                       out.get(path + "/messages"), out.get(path + "/messages/1"),
                       out.post(path + "/messages", {"text": "x", "client_id": "1"}),
                       out.patch(path + "/messages/1", {"text": "x"}),
                       out.delete(path + "/messages/1"), out.put(path + "/read", {"seq": 1}),
                       out.put(path + "/messages/1/reactions/%F0%9F%91%8D")):
            self.refused(answer, 404)
            self.assertNotIn(b"secret", answer.body)
        self.assertEqual(self.ok(out.get("/chats"))["items"], [])

    def test_a_chat_that_is_not_there_looks_the_same(self):
        chat = self.anna.group([self.ben])
        hidden = self.refused(self.carl.get(f"/chats/{chat['id']}"), 404).json
        absent = self.refused(self.carl.get(f"/chats/{NOBODY}"), 404).json
        self.assertEqual((hidden["code"], hidden["detail"], hidden["title"]),
                         (absent["code"], absent["detail"], absent["title"]))

    def test_edit_title(self):
        chat = self.anna.group([self.ben])
        tag = self.anna.get(f"/chats/{chat['id']}").header("etag")
        changed = self.ok(self.anna.patch(f"/chats/{chat['id']}", {"title": "Neu"}))
        self.assertEqual(changed["title"], "Neu")
        if tag:
            self.refused(self.anna.patch(f"/chats/{chat['id']}", {"title": "Alt"},
                                         headers={"If-Match": tag}), 412)
        self.refused(self.ben.patch(f"/chats/{chat['id']}", {"title": "Ben"}), 403)


class Members(ApiCase):
    def setUp(self):
        super().setUp()
        self.anna, self.ben, self.carl, self.dora = self.server.users(4)
        self.chat = self.anna.group([self.ben])
        self.path = f"/chats/{self.chat['id']}"

    def roles(self, user=None):
        items = self.ok((user or self.anna).get(self.path + "/members"))["items"]
        find = lambda m: m.get("user_id") or m.get("id") or m["user"]["id"]
        return {find(m): m["role"] for m in items}

    def test_list(self):
        self.assertEqual(self.roles(), {self.anna.id: "owner", self.ben.id: "member"})

    def test_add(self):
        self.ok(self.anna.post(self.path + "/members",
                               {"user_ids": [self.carl.id, self.dora.id]}), 201)
        self.assertEqual(len(self.roles()), 4)
        self.assertEqual(self.ok(self.carl.get(self.path))["member_count"], 4)
        self.ok(self.anna.post(self.path + "/members", {"user_ids": [self.carl.id]}), 201)
        self.assertEqual(len(self.roles()), 4)

    def test_new_members_can_read_and_write(self):
        self.anna.send(self.chat["id"], "before")
        self.anna.post(self.path + "/members", {"user_ids": [self.carl.id]})
        self.carl.send(self.chat["id"], "hello")
        self.assertEqual(self.carl.history(self.chat["id"])[0]["text"], "hello")

    def test_roles(self):
        self.refused(self.ben.patch(f"{self.path}/members/{self.ben.id}", {"role": "admin"}), 403)
        self.ok(self.anna.patch(f"{self.path}/members/{self.ben.id}", {"role": "admin"}))
        self.assertEqual(self.roles()[self.ben.id], "admin")
        self.ok(self.ben.post(self.path + "/members", {"user_ids": [self.carl.id]}), 201)
        self.refused(self.ben.patch(f"{self.path}/members/{self.anna.id}", {"role": "member"}), 403)
        self.refused(self.ben.delete(f"{self.path}/members/{self.anna.id}"), 403)
        self.refused(self.anna.patch(f"{self.path}/members/{self.ben.id}", {"role": "king"}), 422)
        self.refused(self.anna.patch(f"{self.path}/members/{self.dora.id}", {"role": "admin"}), 404)

    def test_remove(self):
        self.anna.post(self.path + "/members", {"user_ids": [self.carl.id]})
        self.refused(self.ben.delete(f"{self.path}/members/{self.carl.id}"), 403)
        self.assertEqual(self.anna.delete(f"{self.path}/members/{self.carl.id}").status, 204)
        self.refused(self.carl.get(self.path), 404)
        self.refused(self.carl.post(self.path + "/messages", {"text": "x", "client_id": "1"}), 404)

    def test_leave(self):
        self.assertEqual(self.ben.delete(f"{self.path}/members/{self.ben.id}").status, 204)
        self.refused(self.ben.get(self.path), 404)
        self.assertEqual(self.ok(self.anna.get(self.path))["member_count"], 1)

    def test_direct_chats_cannot_grow(self):
        direct = self.anna.direct(self.ben)
        answer = self.anna.post(f"/chats/{direct['id']}/members", {"user_ids": [self.carl.id]})
        self.refused(answer, 403, "direct_chat")

    def test_channel_members_may_only_read(self):
        chat = self.anna.chat("channel", [self.ben], title="News")
        self.anna.send(chat["id"], "first")
        self.assertEqual(self.ben.history(chat["id"])[0]["text"], "first")
        self.refused(self.ben.post(f"/chats/{chat['id']}/messages",
                                   {"text": "x", "client_id": "1"}), 403)

    def test_live(self):
        socket = self.carl.ws()
        self.anna.post(self.path + "/members", {"user_ids": [self.carl.id]})
        event = socket.event()
        self.assertIn(event["event"], ("chat.created", "member.changed"))
        self.anna.send(self.chat["id"], "welcome")
        self.assertEqual(socket.event("message.sent")["data"]["text"], "welcome")
        self.anna.delete(f"{self.path}/members/{self.carl.id}")
        socket.event("member.changed")
        self.anna.send(self.chat["id"], "behind the back")
        self.anna.send(self.anna.direct(self.carl)["id"], "after it")
        self.assertEqual(socket.event("message.sent")["data"]["text"], "after it")
        socket.close()

    def test_members_hear_of_the_end_also_later(self):
        away = self.ben.reader("ws")
        away.close()
        readers = [self.ben.reader(transport) for transport in ("ws", "sse", "poll")]
        self.anna.delete(self.path)
        readers += [self.ben.reader(transport, away.pos) for transport in ("ws", "sse", "poll")]
        for reader in readers:
            gone, ended = reader.event("member.changed"), reader.event("chat.updated")
            self.assertEqual((gone["data"]["user_id"], gone["data"]["role"]), (self.ben.id, None))
            self.assertEqual(ended["data"]["id"], self.chat["id"])
            self.assertIsNotNone(ended["data"]["deleted_at"])
            self.assertEqual(ended["data"]["members"], [])
            reader.close()
