"""A random story told by several people at once. One person only watches, on every transport and on
one that hops between them and drops its connection all the time. All of them must see the same
events with the same positions, and what follows from the events must be what HTTP tells."""

import os
import random
import threading
import time
import unittest
import urllib.parse
import uuid

from parleytest import Server
from parleytest.ws import Closed, Refused

SECONDS = float(os.environ.get("STORY_SECONDS") or (60 if os.environ.get("FULL") else 6))
EMOJI = ["\u2764", "\U0001f44d", "\U0001f600"]


class Actor(threading.Thread):
    """Does random things in random chats, over HTTP and a socket in turn."""

    def __init__(self, user, chats, others, seed, until):
        super().__init__(daemon=True)
        self.user, self.chats, self.others, self.until = user, chats, others, until
        self.chance = random.Random(seed)
        user.own_connection()
        self.socket = self.user.ws()
        self.wrong, self.done = [], 0

    def run(self):
        try:
            while time.monotonic() < self.until:
                answer = self.act(self.chance.choice(self.chats))
                self.done += 1
                status = answer if isinstance(answer, int) else answer.status
                if status >= 500:
                    self.wrong.append(answer)
                self.socket.events.clear()
        except Exception as error:  # told by the test
            self.wrong.append(repr(error))

    def call(self, op, data):
        frame = self.socket.call(op, data)
        return frame["error"]["status"] if "error" in frame else 200

    def act(self, chat):
        seq = self.chance.randint(1, 30)
        path = f"/chats/{chat}/messages/{seq}"
        kind = self.chance.randrange(12)
        if kind < 3:
            return self.call("chat.send", {"chat_id": chat, "text": uuid.uuid4().hex,
                                           "client_id": uuid.uuid4().hex})
        if kind < 5:
            return self.user.post(f"/chats/{chat}/messages", {
                "text": uuid.uuid4().hex, "client_id": uuid.uuid4().hex})
        if kind == 5:
            return self.user.patch(path, {"text": "edited " + uuid.uuid4().hex})
        if kind == 6:
            return self.user.delete(path) if self.chance.random() < 0.3 else 200
        if kind == 7:
            emoji = urllib.parse.quote(self.chance.choice(EMOJI))
            method = self.chance.choice([self.user.put, self.user.delete])
            return method(f"{path}/reactions/{emoji}")
        if kind == 8:
            return self.call("chat.react", {"chat_id": chat, "seq": seq,
                                            "emoji": self.chance.choice(EMOJI)})
        if kind == 9:
            return self.call("chat.read", {"chat_id": chat, "seq": seq})
        other = self.chance.choice(self.others)
        if kind == 10:
            return self.user.delete(f"/chats/{chat}/members/{other.id}")
        return self.user.post(f"/chats/{chat}/members", {"user_ids": [other.id]})


class Watcher(threading.Thread):
    def __init__(self, user, transport, story, seed):
        super().__init__(daemon=True)
        self.user, self.transport, self.story = user, transport, story
        self.chance = random.Random(seed)
        self.events, self.connects = [], 0
        self.pos = story["pos"]

    def run(self):
        while not self.story["over"]:
            try:
                self.connects += 1
                reader = self.user.reader(self.transport or ("ws", "sse", "poll")[
                    self.connects % 3], self.pos)
                try:
                    self.follow(reader)
                finally:
                    reader.close()
            except (TimeoutError, Closed, Refused, ConnectionError):
                pass

    def follow(self, reader):
        left = self.chance.randint(1, 60) if self.transport is None else 10**9
        while left and not self.story["over"]:
            event = reader.event(timeout=1)
            if "pos" in event and event["event"] != "ready":
                self.events.append(event)
                self.pos = event["pos"]
                left -= 1


class Story(unittest.TestCase):
    longMessage = True

    def test_everybody_sees_the_same(self):
        with Server() as server:
            olga, *people = server.users(6)
            chats = [olga.group(people, f"chat {i}")["id"] for i in range(3)]
            for chat in chats:
                for person in people[:3]:
                    olga.patch(f"/chats/{chat}/members/{person.id}", {"role": "admin"})
            story = {"over": False, "pos": olga.get("/updates").json["pos"]}
            watchers = [Watcher(olga, t, story, 7) for t in ("ws", "sse", "poll", None, None)]
            for watcher in watchers:
                watcher.start()
            until = time.monotonic() + SECONDS
            actors = [Actor(p, chats, people[3:], i, until) for i, p in enumerate(people)]
            for actor in actors:
                actor.start()
            for actor in actors:
                actor.join(SECONDS + 60)
                self.assertEqual(actor.wrong, [])
            self.compare(watchers, story)
            for chat in chats:
                self.judge(olga, chat, watchers[0].events)
            print(f"# {sum(a.done for a in actors)} acts, {len(watchers[0].events)} events, "
                  f"hoppers connected {watchers[3].connects} times", flush=True)

    def compare(self, watchers, story):
        last, quiet = -1, 0
        while quiet < 8:  # until nothing more comes anywhere
            now = sum(len(w.events) for w in watchers)
            quiet = quiet + 1 if now == last else 0
            last = now
            time.sleep(0.25)
        story["over"] = True
        for watcher in watchers:
            watcher.join(40)
        first = [(e["pos"], e["event"], e["data"]) for e in watchers[0].events]
        self.assertEqual(len(first), len({p for p, _, _ in first}), "a position twice")
        for watcher in watchers[1:]:
            mine = [(e["pos"], e["event"], e["data"]) for e in watcher.events]
            self.assertEqual(len(mine), len(first), watcher.transport)
            for a, b in zip(mine, first):
                self.assertEqual(a, b, watcher.transport)

    def judge(self, olga, chat, events):
        messages, members = {}, None
        for event in events:
            data = event["data"]
            if data.get("chat_id") != chat:
                continue
            if event["event"] == "message.sent":
                self.assertEqual(data["seq"], len(messages) + 1, "a gap in the events")
                messages[data["seq"]] = data
            elif event["event"] in ("message.updated", "message.deleted"):
                messages[data["seq"]] = data
            elif event["event"] == "reaction.changed":
                messages[data["seq"]] = data["message"]
            elif event["event"] == "member.changed":
                members = data["member_count"]
        kept = olga.all_messages(chat)
        self.assertEqual([m["seq"] for m in kept], sorted(messages))
        for message in kept:
            self.assertEqual(message, messages[message["seq"]])
        state = olga.get(f"/chats/{chat}").json
        self.assertEqual(state["last_seq"], len(kept))
        if members is not None:
            self.assertEqual(state["member_count"], members)
