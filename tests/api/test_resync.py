"""What a client may see when it comes back: nothing behind the retention window without saying so,
nothing of a chat that it has left."""

import time

from parleytest import PollReader
from parleytest.case import ApiCase

TRANSPORTS = ("ws", "sse", "poll")


class PastTheWindow(ApiCase):
    settings = {"events.retention_bytes": "1m"}

    def test_one_resync_then_live(self):
        anna, ben = self.server.users(2)
        chat = anna.direct(ben)["id"]
        old = ben.reader("ws")
        pos = old.pos
        old.close()
        sender = anna.ws()
        for i in range(10000):
            sender.send_json({"id": i + 1, "op": "chat.send", "data": {
                "chat_id": chat, "text": "x" * 1000, "client_id": str(i)}})
            if i % 20 == 19:
                sender.answer(i + 1)
                sender.events.clear()
        end = time.monotonic() + 90
        while True:  # the log is trimmed by a job, now and then
            probe = ben.reader("ws", pos)
            first = probe.event()
            probe.close()
            if first["event"] == "resync" or time.monotonic() > end:
                break
            time.sleep(1)
            anna.send(chat, "a commit to trim with")
        self.assertEqual(first["event"], "resync", "the window was never passed")
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                reader = ben.reader(transport, pos)
                self.assertEqual(reader.event()["event"], "resync")
                sent = anna.send(chat, f"live on {transport}")
                event = reader.event("message.sent")
                while event["data"]["seq"] < sent["seq"]:  # what is still kept may come first
                    event = reader.event()
                    self.assertNotEqual(event["event"], "resync", "a second resync")
                self.assertEqual(event["data"]["id"], sent["id"])
                pos_now = event["pos"]
                reader.close()
                again = ben.reader(transport, pos_now)
                after = anna.send(chat, f"again on {transport}")
                self.assertEqual(again.event()["data"]["id"], after["id"])
                again.close()


class AfterLeaving(ApiCase):
    def setUp(self):
        super().setUp()
        self.anna, self.ben, self.carl = self.server.users(3)
        self.chat = self.anna.group([self.ben, self.carl])["id"]

    def texts_until(self, reader, last):
        """The texts of the messages that come, up to this one: whatever was sent before it and is
        to come has come by then."""
        texts = []
        while not texts or texts[-1] != last:
            texts.append(reader.event("message.sent")["data"]["text"])
        return texts

    def test_a_resume_shows_nothing_of_a_chat_that_one_may_not_see_any_more(self):
        other = self.anna.direct(self.carl)["id"]
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                reader = self.carl.reader("ws")
                pos = reader.pos
                reader.close()
                self.anna.send(self.chat, "while a member")
                again = self.carl.reader(transport, pos)
                self.assertEqual(self.texts_until(again, "while a member"), ["while a member"])
                again.close()
                self.anna.delete(f"/chats/{self.chat}/members/{self.carl.id}")
                self.anna.send(self.chat, "behind the back")
                self.anna.send(other, f"after it, {transport}")
                again = self.carl.reader(transport, pos)
                self.assertEqual(self.texts_until(again, f"after it, {transport}"),
                                 [f"after it, {transport}"])
                again.close()
                self.anna.post(f"/chats/{self.chat}/members", {"user_ids": [self.carl.id]})

    def test_what_was_said_in_between_does_not_come_back_as_an_event(self):
        reader = self.carl.reader("ws")
        pos = reader.pos
        reader.close()
        self.anna.delete(f"/chats/{self.chat}/members/{self.carl.id}")
        self.anna.send(self.chat, "behind the back")
        self.anna.post(f"/chats/{self.chat}/members", {"user_ids": [self.carl.id]})
        self.anna.send(self.chat, "welcome back")
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                again = self.carl.reader(transport, pos)
                self.assertNotIn("behind the back", self.texts_until(again, "welcome back"))
                again.close()

    def test_leaving_and_joining_while_connected(self):
        socket_ = self.carl.ws()
        for i in range(5):
            self.anna.delete(f"/chats/{self.chat}/members/{self.carl.id}")
            self.anna.send(self.chat, f"out {i}")
            self.anna.post(f"/chats/{self.chat}/members", {"user_ids": [self.carl.id]})
            self.anna.send(self.chat, f"in {i}")
        seen = []
        while not seen or seen[-1] != "in 4":
            seen.append(socket_.event("message.sent")["data"]["text"])
        self.assertEqual(seen, [f"in {i}" for i in range(5)])
        socket_.close()


class Polls(ApiCase):
    def test_two_polls_of_one_person(self):
        anna, ben = self.server.users(2)
        chat = anna.direct(ben)["id"]
        readers = [PollReader(self.server.address, ben.token) for _ in range(4)]
        anna.send(chat, "to all of them")
        for reader in readers:
            self.assertEqual(reader.event("message.sent")["data"]["text"], "to all of them")
            reader.close()


class WhatIsGone(ApiCase):
    """The log keeps what was deleted, hidden or has run out since; who was away is not told it."""

    def test_bug_what_was_deleted_or_hidden_was_told_to_who_came_back(self):
        anna, ben = self.server.users(2)
        self.ok(ben.put(f"/users/{anna.id}/follow"))
        before = ben.reader("ws")
        pos = before.pos
        before.close()

        def post(text):
            return self.ok(anna.post("/posts", {"text": text, "visibility": "followers"}), 201)["id"]

        def event(title):
            return self.ok(anna.post("/events", {
                "title": title, "starts_at": "2037-06-01T10:00:00Z",
                "ends_at": "2037-06-01T12:00:00Z", "time_zone": "Europe/Berlin",
                "visibility": "followers"}), 201)["id"]

        def story(text):
            return self.ok(anna.post("/stories", {"text": text, "visibility": "followers"}), 201)["id"]

        self.ok(anna.delete(f"/posts/{post('deleted post')}"), 204)
        self.ok(anna.delete(f"/stories/{story('deleted story')}"), 204)
        self.ok(anna.patch(f"/posts/{post('hidden post')}", {"visibility": "private"}))
        self.ok(anna.delete(f"/events/{event('deleted event')}"), 204)
        story("kept story")
        event("kept event")
        post("kept post")
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                reader = ben.reader(transport, pos)
                told = []
                while not told or told[-1] != "kept post":
                    data = reader.event()["data"]
                    told.append(data.get("text") or data.get("title"))
                reader.close()
                self.assertEqual([text for text in told if text],
                                 ["deleted event", "kept story", "kept event", "kept post"])
