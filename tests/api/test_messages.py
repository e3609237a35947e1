"""Messages over HTTP and WebSocket: sequence, repeated sends, history, edits, reactions, reads."""

import threading
import urllib.parse
import uuid

from parleytest.case import ApiCase

FIELDS = {"id", "chat_id", "seq", "sender_id", "client_id", "text", "reply_to", "thread_id",
          "attachments", "reactions", "created_at", "edited_at", "deleted_at"}


class Base(ApiCase):
    def setUp(self):
        super().setUp()
        self.anna, self.ben = self.server.users(2)
        self.chat = self.anna.direct(self.ben)["id"]
        self.path = f"/chats/{self.chat}/messages"


class Sending(Base):
    def test_shape(self):
        message = self.anna.send(self.chat, "Grüße \U0001f600", "c-1")
        self.assertLessEqual(FIELDS, set(message))
        self.assertEqual((message["seq"], message["text"], message["client_id"]),
                         (1, "Grüße \U0001f600", "c-1"))
        self.assertEqual((message["sender_id"], message["chat_id"]), (self.anna.id, self.chat))
        self.assertEqual((message["edited_at"], message["deleted_at"], message["reply_to"]),
                         (None, None, None))

    def test_seq_is_gapless(self):
        seqs = [(self.anna, self.ben)[i % 2].send(self.chat, f"m{i}")["seq"] for i in range(20)]
        self.assertEqual(seqs, list(range(1, 21)))

    def test_seq_is_gapless_under_concurrency(self):
        def send_forty(socket):
            for i in range(40):
                socket.call("chat.send", {"chat_id": self.chat, "text": f"m{i}",
                                          "client_id": uuid.uuid4().hex})
        sockets = [u.ws() for u in (self.anna, self.ben, self.anna, self.ben)]
        threads = [threading.Thread(target=send_forty, args=(s,)) for s in sockets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual([m["seq"] for m in self.anna.all_messages(self.chat)],
                         list(range(1, 161)))

    def test_refused_sends_leave_no_gap(self):
        self.anna.send(self.chat, "one")
        for body in ({"text": "", "client_id": "e"}, {"text": "x" * 16385, "client_id": "l"},
                     {"text": "x", "client_id": ""}, {"text": "x", "client_id": "y" * 65},
                     {"text": "x"}, {"client_id": "z"}, {"text": 5, "client_id": "n"}):
            with self.subTest(body=str(body)[:30]):
                self.refused(self.anna.post(self.path, body), 422)
        self.assertEqual(self.anna.send(self.chat, "two")["seq"], 2)

    def test_longest_text(self):
        text = "ä" * 8192
        self.assertEqual(self.anna.send(self.chat, text)["text"], text)
        self.refused(self.anna.post(self.path, {"text": text + "a", "client_id": "1"}), 422)
        self.assertEqual(self.anna.history(self.chat)[0]["text"], text)

    def test_bug_the_longest_text_in_json_was_too_long_for_sockets_and_pages(self):
        text = "\x01" * 16384
        socket = self.anna.ws()
        for i in range(100):
            frame = socket.call("chat.send", {"chat_id": self.chat, "text": text, "client_id": str(i)})
            socket.events.clear()
        self.assertEqual(frame["data"]["text"], text)
        socket.close()
        page = self.anna.history(self.chat, limit=100)
        self.assertEqual([message["text"] for message in page], [text] * 100)

    def test_texts_come_back_as_they_were(self):
        for text in ('"\\/\b\f\n\r\t', "a\u2028\u2029\ufeffb", "a\u0301",
                     "\U0001f468\u200d\U0001f469",
                     "</script>", "\u202eabc", " x ", "0"):
            with self.subTest(text=repr(text)):
                self.assertEqual(self.anna.send(self.chat, text)["text"], text)
        raw = self.server.http.request(
            "POST", "/api/v1" + self.path, token=self.anna.token,
            raw_body=b'{"text":"\\ud800","client_id":"s"}',
            headers={"Content-Type": "application/json"})
        self.refused(raw, 400)


class ClientIds(Base):
    def ws_send(self, user, text, client_id, chat=None):
        socket = user.ws()
        try:
            return socket.call("chat.send", {"chat_id": chat or self.chat, "text": text,
                                             "client_id": client_id})
        finally:
            socket.close()

    def test_repeat_on_each_transport(self):
        first = self.anna.send(self.chat, "once", "k1")
        self.assertEqual(self.anna.post(self.path, {"text": "once", "client_id": "k1"}).json["id"],
                         first["id"])
        self.assertEqual(self.ws_send(self.anna, "once", "k1")["data"]["id"], first["id"])
        second = self.ws_send(self.anna, "two", "k2")["data"]
        answer = self.anna.post(self.path, {"text": "two", "client_id": "k2"})
        self.assertEqual(answer.status, 201)
        self.assertEqual((answer.json["id"], answer.json["seq"]), (second["id"], second["seq"]))
        self.assertEqual(len(self.anna.all_messages(self.chat)), 2)

    def test_another_text_is_a_conflict(self):
        self.anna.send(self.chat, "once", "k1")
        self.refused(self.anna.post(self.path, {"text": "else", "client_id": "k1"}), 409)
        frame = self.ws_send(self.anna, "else", "k1")
        self.assertEqual(frame["error"]["status"], 409)

    def test_unique_per_sender_and_chat(self):
        other = self.anna.group([self.ben])["id"]
        ids = {self.anna.send(self.chat, "t", "k")["id"], self.ben.send(self.chat, "t", "k")["id"],
               self.anna.send(other, "t", "k")["id"]}
        self.assertEqual(len(ids), 3)

    def test_repeat_sends_no_second_event(self):
        socket = self.ben.ws()
        for _ in range(3):
            self.anna.post(self.path, {"text": "once", "client_id": "k"})
        self.anna.send(self.chat, "next")
        self.assertEqual([socket.event("message.sent")["data"]["text"] for _ in range(2)],
                         ["once", "next"])
        socket.close()

    def test_racing_repeats_make_one_message(self):
        sockets = [self.anna.ws() for _ in range(4)]
        for i in range(20):
            for socket in sockets:
                socket.send_json({"id": i + 1, "op": "chat.send", "data": {
                    "chat_id": self.chat, "text": f"m{i}", "client_id": f"r{i}"}})
            ids = {s.answer(i + 1)["data"]["id"] for s in sockets}
            self.assertEqual(len(ids), 1)
        self.assertEqual(len(self.anna.all_messages(self.chat)), 20)


class History(Base):
    def setUp(self):
        super().setUp()
        socket = self.anna.ws()
        for i in range(130):
            socket.call("chat.send", {"chat_id": self.chat, "text": f"m{i + 1}",
                                      "client_id": str(i)})
        socket.close()

    def seqs(self, **query):
        return [m["seq"] for m in self.ben.history(self.chat, **query)]

    def test_pages(self):
        self.assertEqual(self.seqs(), list(range(130, 80, -1)))
        self.assertEqual(self.seqs(limit=3), [130, 129, 128])
        self.assertEqual(self.seqs(before=81, limit=100), list(range(80, 0, -1)))
        self.assertEqual(self.seqs(before=1), [])
        self.assertEqual(self.seqs(after=0, limit=100), list(range(1, 101)))
        self.assertEqual(self.seqs(after=128), [129, 130])
        self.assertEqual(self.seqs(after=130), [])
        self.assertEqual(self.seqs(before=4, limit=2), [3, 2])
        self.assertEqual(self.seqs(before=10**9, limit=1), [130])

    def test_texts_match(self):
        for message in self.ben.history(self.chat, after=60, limit=10):
            self.assertEqual(message["text"], f"m{message['seq']}")

    def test_bad_queries(self):
        for query, status in (({"limit": 0}, 422), ({"limit": 101}, 422), ({"before": "x"}, 422),
                              ({"after": -1}, 422), ({"before": 5, "after": 2}, 422),
                              ({"beofre": 5}, 400), ({"before": 2**70}, 422)):
            with self.subTest(query=query):
                self.refused(self.ben.get(self.path, query=query), status)

    def test_one(self):
        self.assertEqual(self.ok(self.ben.get(f"{self.path}/77"))["text"], "m77")
        for seq in ("131", "99999999"):
            self.refused(self.ben.get(f"{self.path}/{seq}"), 404, "message_not_found")
        for seq in ("0", "x", "-1", "1.5", "9" * 30):
            self.refused(self.ben.get(f"{self.path}/{seq}"), 422, "invalid_fields")


class Changing(Base):
    def test_edit(self):
        seq = self.anna.send(self.chat, "teh")["seq"]
        socket = self.ben.ws()
        edited = self.ok(self.anna.patch(f"{self.path}/{seq}", {"text": "the"}))
        self.assertEqual((edited["text"], edited["seq"]), ("the", seq))
        self.assertIsNotNone(edited["edited_at"])
        event = socket.event("message.updated")
        self.assertEqual((event["data"]["text"], event["data"]["chat_id"]), ("the", self.chat))
        self.assertEqual(self.ben.history(self.chat)[0]["text"], "the")
        self.refused(self.ben.patch(f"{self.path}/{seq}", {"text": "mine"}), 403)
        self.refused(self.anna.patch(f"{self.path}/{seq}", {"text": ""}), 422)
        socket.close()

    def test_edit_over_the_socket(self):
        seq = self.anna.send(self.chat, "teh")["seq"]
        socket = self.anna.ws()
        frame = socket.call("chat.edit", {"chat_id": self.chat, "seq": seq, "text": "the"})
        self.assertEqual(frame["data"]["text"], "the")
        socket.close()

    def test_delete_leaves_a_tombstone(self):
        self.anna.send(self.chat, "one")
        seq = self.anna.send(self.chat, "secret")["seq"]
        self.anna.send(self.chat, "three")
        socket = self.ben.ws()
        self.refused(self.ben.delete(f"{self.path}/{seq}"), 403)
        self.ok(self.anna.delete(f"{self.path}/{seq}"), 204)
        self.assertEqual(socket.event("message.deleted")["data"]["seq"], seq)
        messages = self.ben.all_messages(self.chat)
        self.assertEqual([m["seq"] for m in messages], [1, 2, 3])
        self.assertIsNotNone(messages[1]["deleted_at"])
        self.assertIn(messages[1]["text"], (None, ""))
        self.refused(self.anna.patch(f"{self.path}/{seq}", {"text": "back"}), 410,
                     "message_deleted")
        self.assertEqual(self.anna.send(self.chat, "four")["seq"], 4)
        socket.close()

    def test_reply(self):
        first = self.anna.send(self.chat, "question")
        reply = self.ben.send(self.chat, "answer", reply_to=first["seq"])
        self.assertEqual(reply["reply_to"], first["seq"])
        self.assertIsNotNone(reply["thread_id"])
        self.refused(self.ben.post(self.path, {"text": "x", "client_id": "n", "reply_to": 999}),
                     422, "invalid_fields")

    def test_reactions(self):
        seq = self.anna.send(self.chat, "nice?")["seq"]
        socket = self.anna.ws()
        path = f"{self.path}/{seq}/reactions/{urllib.parse.quote(chr(0x1f44d))}"
        self.ok(self.ben.put(path))
        self.ok(self.ben.put(path))
        event = socket.event("reaction.changed")
        self.assertEqual(event["data"]["chat_id"], self.chat)
        text = str(self.ben.history(self.chat)[0]["reactions"])
        self.assertIn(chr(0x1f44d), text)
        self.ok(self.ben.delete(path))
        self.assertNotIn(chr(0x1f44d), str(self.ben.history(self.chat)[0]["reactions"]))
        self.refused(self.ben.put(f"{self.path}/{seq}/reactions/{'x' * 200}"), 422)
        self.refused(self.ben.put(f"{self.path}/999/reactions/x"), 404)
        socket.close()

    def test_react_and_delete_over_the_socket(self):
        seq = self.anna.send(self.chat, "nice?")["seq"]
        socket = self.anna.ws()
        frame = socket.call("chat.react", {"chat_id": self.chat, "seq": seq, "emoji": "\u2764"})
        self.assertIn("data", frame, frame)
        frame = socket.call("chat.delete", {"chat_id": self.chat, "seq": seq})
        self.assertIn("data", frame, frame)
        self.assertIsNotNone(self.anna.history(self.chat)[0]["deleted_at"])
        socket.close()


class Reading(Base):
    def state(self, user):
        chat = self.ok(user.get(f"/chats/{self.chat}"))
        return chat["read_seq"], chat["unread_count"], chat["last_seq"]

    def read(self, user, seq):
        return user.put(f"/chats/{self.chat}/read", {"seq": seq})

    def test_unread_counts(self):
        for i in range(5):
            self.anna.send(self.chat, str(i))
        self.assertEqual(self.state(self.ben), (0, 5, 5))
        self.assertEqual(self.state(self.anna)[1], 0)
        self.ok(self.read(self.ben, 3), 204)
        self.assertEqual(self.state(self.ben), (3, 2, 5))
        self.ok(self.read(self.ben, 1), 204)
        self.assertEqual(self.state(self.ben)[0], 3)
        self.ok(self.read(self.ben, 5), 204)
        self.assertEqual(self.state(self.ben), (5, 0, 5))

    def test_own_messages_do_not_count(self):
        self.anna.send(self.chat, "a")
        self.ben.send(self.chat, "b")
        self.anna.send(self.chat, "c")
        self.assertEqual(self.state(self.anna)[1], 1 if self.state(self.anna)[0] < 2 else 0)

    def test_beyond_the_end(self):
        self.anna.send(self.chat, "a")
        self.refused(self.read(self.ben, 10**6), 422, "invalid_fields")
        self.anna.send(self.chat, "b")
        self.assertEqual(self.state(self.ben)[1], 2)

    def test_live_on_all_sockets(self):
        for i in range(2):
            self.anna.send(self.chat, str(i))
        sender, own = self.anna.ws(), self.ben.ws()
        socket = self.ben.ws()
        self.assertIn("data", socket.call("chat.read", {"chat_id": self.chat, "seq": 2}))
        for one in (sender, own):
            data = one.event("read.changed")["data"]
            self.assertEqual((data["chat_id"], data["user_id"]), (self.chat, self.ben.id))
        for one in (sender, own, socket):
            one.close()

    def test_last_message_in_the_list(self):
        self.anna.send(self.chat, "latest")
        chat = self.ok(self.ben.get("/chats"))["items"][0]
        self.assertEqual(chat["last_message"]["text"], "latest")
        self.assertEqual(chat["last_seq"], 1)
