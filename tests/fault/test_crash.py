"""SIGKILL under load. Senders repeat what was not acknowledged with the same client id; readers on
each transport come back with the last position they saw. At the end every acknowledged message
must be in the history once, with the seq that was acknowledged, and every reader must have seen
exactly the history, in order."""

import os
import random
import threading
import time
import unittest

from parleytest import Server
from parleytest.ws import Closed, Refused

CRASHES = int(os.environ.get("CRASHES") or (50 if os.environ.get("FULL") else 5))
LOSSES = (Closed, Refused, ConnectionError, OSError, AssertionError, ValueError)


class Sender(threading.Thread):
    """Sends numbered messages to its chats in turn, several in flight."""

    def __init__(self, user, chats, story):
        super().__init__(daemon=True)
        self.user, self.chats, self.story = user, chats, story
        self.acknowledged = {}  # (chat, client id) -> (seq, id)
        self.wrong = []

    def run(self):
        number, waiting = 0, []
        while True:
            try:
                socket = self.user.ws()
                while True:
                    while len(waiting) < 4 and not self.story.over:
                        chat = self.chats[number % len(self.chats)]
                        waiting.append((chat, f"{self.user.username}-{number}"))
                        number += 1
                    if not waiting:
                        socket.close()
                        return
                    self.send(socket, waiting)
            except LOSSES:
                time.sleep(0.02)

    def send(self, socket, waiting):
        ids = {}
        for chat, client_id in waiting:
            ids[socket.next_id] = (chat, client_id)
            socket.send_json({"id": socket.next_id, "op": "chat.send", "data": {
                "chat_id": chat, "text": client_id, "client_id": client_id}})
            socket.next_id += 1
        for frame_id, key in ids.items():
            frame = socket.answer(frame_id)
            if "data" not in frame:
                if frame["error"]["status"] not in (500, 503):
                    self.wrong.append(frame)
                continue
            mine = (frame["data"]["seq"], frame["data"]["id"])
            if self.acknowledged.setdefault(key, mine) != mine:
                self.wrong.append((key, self.acknowledged[key], mine))
            waiting.remove(key)
        socket.events.clear()


class Reader(threading.Thread):
    """Follows the stream of a user on one transport (None: another one each time)."""

    def __init__(self, user, transport, story):
        super().__init__(daemon=True)
        self.user, self.transport, self.story = user, transport, story
        self.seen = []  # (chat, seq, id)
        self.pos, self.wrong, self.connects = None, [], 0
        first = user.reader("poll")
        self.pos = first.pos
        first.close()

    def run(self):
        while not self.story.closing:
            try:
                self.connects += 1
                transport = self.transport or ("ws", "sse", "poll")[self.connects % 3]
                reader = self.user.reader(transport, self.pos)
                try:
                    self.follow(reader)
                finally:
                    reader.close()
            except TimeoutError:
                continue
            except LOSSES:
                time.sleep(0.02)

    def follow(self, reader):
        while not self.story.closing:
            event = reader.event(timeout=2)
            if event["event"] == "resync":
                self.wrong.append(event)
            if event["event"] == "message.sent":
                data = event["data"]
                self.seen.append((data["chat_id"], data["seq"], data["id"]))
            self.pos = event.get("pos", self.pos)


class Story:
    over = closing = False


class Crash(unittest.TestCase):
    longMessage = True

    def test_kill(self):
        with Server() as server:
            users = server.users(6)
            chats = {}
            for a, b in ((0, 1), (2, 3), (4, 5)):
                chats[users[a].direct(users[b])["id"]] = (a, b)
            group = users[0].group(users[1:])["id"]
            chats[group] = range(6)
            story = Story()
            mine = lambda i: [c for c, members in chats.items() if i in members]
            senders = [Sender(users[i], mine(i), story) for i in range(6)]
            readers = [Reader(users[i], t, story) for i, t in enumerate(
                ("ws", "sse", "poll", None, "ws", "sse"))]
            for thread in senders + readers:
                thread.start()
            chance = random.Random(4711)
            for _ in range(CRASHES):
                time.sleep(chance.uniform(0.1, 1.0))
                server.kill()
                server.start()
            time.sleep(0.5)
            story.over = True
            for thread in senders:
                thread.join(60)
                self.assertFalse(thread.is_alive(), "a sender hangs")
                self.assertEqual(thread.wrong, [])
            self.judge(users, chats, senders, readers, story)

    def judge(self, users, chats, senders, readers, story):
        history = {}
        for chat, members in chats.items():
            messages = users[members[0]].all_messages(chat)
            self.assertEqual([m["seq"] for m in messages], list(range(1, len(messages) + 1)))
            keys = [m["client_id"] for m in messages]
            self.assertEqual(len(keys), len(set(keys)), "a message is there twice")
            history[chat] = messages
        acknowledged = 0
        for sender in senders:
            for (chat, client_id), (seq, message_id) in sender.acknowledged.items():
                kept = history[chat][seq - 1]
                self.assertEqual((kept["client_id"], kept["id"]), (client_id, message_id))
                acknowledged += 1
            for chat in sender.chats:  # each sender's own order
                numbers = [int(m["client_id"].split("-")[1]) for m in history[chat]
                           if m["sender_id"] == sender.user.id]
                self.assertEqual(sorted(numbers), sorted(set(numbers)))
        self.assertGreater(acknowledged, 0)
        for reader in readers:
            self.judge_reader(reader, history, chats, users)
        story.closing = True
        for reader in readers:
            reader.join(40)
        print(f"# {CRASHES} crashes, {acknowledged} acknowledged messages, readers connected "
              f"{sum(r.connects for r in readers)} times", flush=True)

    def judge_reader(self, reader, history, chats, users):
        mine = [c for c, members in chats.items() if users.index(reader.user) in members]
        wanted = sum(len(history[c]) for c in mine)
        end = time.monotonic() + 30
        while len(reader.seen) < wanted and time.monotonic() < end:
            time.sleep(0.1)
        where = f"reader {reader.transport}"
        self.assertEqual(reader.wrong, [], where)
        for chat in mine:
            seen = [(seq, mid) for c, seq, mid in reader.seen if c == chat]
            kept = [(m["seq"], m["id"]) for m in history[chat]]
            self.assertEqual(len(seen), len(kept), where)
            self.assertEqual(seen, kept, where)
