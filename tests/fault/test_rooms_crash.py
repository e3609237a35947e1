"""SIGKILL at random moments while people follow, block, publish, answer to invitations, trade and
leave for good. After each start what was acknowledged is there once, every count is what a recount
says, and memory, feeds and waiting lines say what the tables say (rooms_judge.py)."""

import os
import random
import re
import subprocess
import threading
import time
import unittest
import uuid

from parleytest import PASSWORD, Server
from parleytest.server import binary, clean_environment
from rooms_judge import Judge, copied, hexed

CRASHES = int(os.environ.get("CRASHES") or (30 if os.environ.get("FULL") else 3))
PEOPLE, PLACES = 6, 2
LOSSES = (ConnectionError, OSError, AssertionError, ValueError, EOFError)
SETTINGS = {"post.feed_direct_max": "0", "post.fanout_max": "2", "story.clean_every": "1s"}


class Actor(threading.Thread):
    """Does random things; knows of each what must be there afterwards. Only the first four change
    how they stand to each other, so nobody else's block gets in between."""

    def __init__(self, world, number, seed):
        super().__init__(daemon=True)
        self.world, self.number, self.user = world, number, world.users[number]
        self.chance, self.wrong, self.acknowledged = random.Random(seed), [], 0
        self.state = {}  # (what, about) -> what was acknowledged last; None while it is not known
        self.user.own_connection()

    def run(self):
        kinds = (self.follow, self.block, self.publish, self.like, self.answer, self.story,
                 self.signal, self.decide, self.leave)
        weights = (4, 2, 5, 4, 4, 1, 2, 2, 1)
        try:
            while not self.world.stop.is_set():
                self.chance.choices(kinds, weights)[0]()
        except LOSSES as loss:
            if not self.world.stop.is_set() and not self.world.killing:
                self.wrong.append(repr(loss))

    def change(self, key, value, method, path, body=None, refusals=()):
        """One change; its key is unknown until the answer is there."""
        before = self.state.get(key)
        self.state[key] = None
        answer = self.user.request(method, path, body)
        if answer.status < 300:
            self.state[key] = value
            self.acknowledged += 1
        elif answer.status in refusals:
            self.state[key] = before
        elif answer.status != 503:
            self.wrong.append(f"{method} {path}: {answer}")
        return answer

    def another(self, among):
        return self.chance.choice([u for u in among if u is not self.user])

    def follow(self):
        if self.number >= 4:  # the others are in the way of blocks
            self.user.put(f"/users/{self.another(self.world.users[:4]).id}/follow")
            return
        other, on = self.another(self.world.users[:4]).id, self.chance.random() < 0.6
        self.change(("follow", other), on, "PUT" if on else "DELETE", f"/users/{other}/follow")

    def block(self):
        if self.number < 4:
            other, on = self.chance.choice(self.world.users[4:]).id, self.chance.random() < 0.5
            self.change(("block", other), on, "PUT" if on else "DELETE", f"/users/{other}/block")

    def publish(self):
        text = uuid.uuid4().hex
        post = self.change(("post", text), True, "POST", "/posts", {"text": text})
        if post.status == 201:
            self.world.posts.append((self.user, post.json["id"]))
            if self.chance.random() < 0.2:
                self.change(("post", text), False, "DELETE", f"/posts/{post.json['id']}")

    def like(self):
        near = [p for p in self.world.posts[-20:]
                if self.number < 4 and p[0] in self.world.users[:4]]
        if near:
            post, on = self.chance.choice(near)[1], self.chance.random() < 0.7
            self.change(("like", post), on, "PUT" if on else "DELETE", f"/posts/{post}/like",
                        refusals=(404,))
            text = uuid.uuid4().hex
            self.change(("comment", text), post, "POST", f"/posts/{post}/comments", {"text": text},
                        refusals=(404,))

    def answer(self):
        status = self.chance.choice(["yes", "yes", "no", "maybe"])
        event = self.chance.choice(self.world.events)
        self.change(("rsvp", event), status, "PUT", f"/events/{event}/rsvp", {"status": status})

    def story(self):
        text = uuid.uuid4().hex
        self.change(("story", text), True, "POST", "/stories", {"text": text}, refusals=(429,))

    def signal(self):
        note = uuid.uuid4().hex
        made = self.change(("signal", note), True, "POST", "/trade-signals", {
            "symbol": "AAPL", "side": "buy", "entry_price": "1.5", "note": note},
                           refusals=(409, 429))
        if made.status == 201:
            self.world.signals.append(made.json["id"])

    def decide(self):
        if self.number == 0 and self.world.signals:
            signal = self.world.signals.pop()
            path = f"/admin/trade-signals/{signal}/status"
            self.change(("decision", signal), "approved", "PUT", path, {"status": "approved"},
                        refusals=(404, 409))

    def leave(self):
        """Somebody comes, takes part in everything, and goes."""
        guest = self.world.server.user("guest").own_connection()
        for method, path, body in (
                ("PUT", f"/users/{self.user.id}/follow", None),
                ("PUT", f"/users/{self.world.users[5].id}/block", None),
                ("POST", "/posts", {"text": f"@{self.user.username} #gone"}),
                ("PUT", f"/events/{self.world.events[0]}/rsvp", {"status": "yes"}),
                ("POST", "/stories", {"text": "gone"})):
            guest.request(method, path, body)
        if self.user.put(f"/users/{guest.id}/follow").status == 200:
            self.acknowledged += 1
        if guest.delete("/users/me", body={"password": PASSWORD}).status == 204:
            self.world.gone.append(guest.id)


class World:
    def __init__(self, server):
        self.server, self.users, self.host = server, server.users(PEOPLE), server.user("host")
        self.stop, self.killing = threading.Event(), False
        self.posts, self.signals, self.gone, self.events = [], [], [], []


class RoomsCrash(unittest.TestCase):
    longMessage = True
    more = {}

    def setUp(self):
        self.server = Server({**SETTINGS, **self.more})
        self.addCleanup(self.server.remove)
        self.world = World(self.server)
        done = subprocess.run([binary(), "user", "promote", self.world.users[0].username,
                               "admin", "--data", str(self.server.data)], capture_output=True,
                              text=True, env=clean_environment(), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        for i in range(2):
            event = self.world.host.post("/events", {
                "title": f"scarce {i}", "starts_at": "2099-01-01T10:00:00", "capacity": PLACES,
                "ends_at": "2099-01-01T12:00:00", "time_zone": "Europe/Vienna"})
            self.assertEqual(event.status, 201, event)
            self.world.events.append(event.json["id"])

    def sign_in_again(self):
        for user in self.world.users + [self.world.host]:
            user.token = user.login().token

    def test_kill(self):
        seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
        chance = random.Random(seed)
        actors, acknowledged = None, 0
        with self.subTest(seed=seed):
            for _ in range(CRASHES):
                self.sign_in_again()
                old = actors
                self.world.stop, self.world.killing = threading.Event(), False
                actors = [Actor(self.world, i, chance.random()) for i in range(PEOPLE)]
                for i, actor in enumerate(old or []):
                    actors[i].state = actor.state
                self.one_life(actors, chance.uniform(0.4, 1.5))
                acknowledged += sum(a.acknowledged for a in actors)
                self.judge(actors)
        print(f"# {CRASHES} crashes, {acknowledged} acknowledged changes, "
              f"{len(self.world.gone)} people left", flush=True)

    def one_life(self, actors, seconds):
        for actor in actors:
            actor.start()
        time.sleep(seconds)
        self.world.killing = True
        self.server.kill()
        self.world.stop.set()
        for actor in actors:
            actor.join(30)
            self.assertFalse(actor.is_alive(), "an actor hangs")
            self.assertEqual(actor.wrong, [])
        self.server.start()

    # --- afterwards ---------------------------------------------------------------------------
    def judge(self, actors):
        self.come_to_rest()
        for actor in actors:
            self.assertEqual(actor.user.own_connection().get("/users/me").status, 200)
        self.blocks_in_memory(actors)
        self.waiting_lines()
        feeds = {u.id: self.feed(u) for u in self.world.users}
        self.server.kill()
        with copied(self.server.data) as db:
            judge = Judge(self, db)
            judge.all()
            for ident in self.world.gone:
                judge.gone(ident)
            for actor in actors:
                self.acknowledged(judge, actor)
            for user in self.world.users:
                self.assertEqual(feeds[user.id], self.feed_by_hand(judge, user), "a feed")
        self.server.start()
        done = subprocess.run([binary(), "audit", "verify", "--data", str(self.server.data)],
                              capture_output=True, text=True, env=clean_environment(), check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def come_to_rest(self):
        """Until consumers and jobs have nothing left to do."""
        end = time.monotonic() + 30
        quiet = 0
        while quiet < 2:
            self.assertLess(time.monotonic(), end, "it does not come to rest")
            time.sleep(0.2)
            text = self.server.get("/metrics").body.decode()
            lags = re.findall(r"^parley_consumer_lag_events\{.*\} (\d+)$", text, re.M)
            lags += re.findall(r"^parley_outbox_rows\{.*\} (\d+)$", text, re.M)
            quiet = quiet + 1 if set(lags) == {"0"} and not self.duties() else 0

    def duties(self):
        with copied(self.server.data) as db:
            return any(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in (
                "social_duty", "post_erasure", "chat_leaver", "saga WHERE state = 0",
                "story WHERE expires_at < unixepoch() * 1000"))

    def blocks_in_memory(self, actors):
        for actor in actors[:4]:
            for (kind, other), on in actor.state.items():
                if kind == "block" and on is not None:
                    them = next(u for u in self.world.users if u.id == other)
                    self.assertEqual(them.get(f"/users/{actor.user.id}").status, 404 if on else 200)

    def waiting_lines(self):
        host = self.world.host
        for event in self.world.events:
            line = host.get(f"/events/{event}/attendees", query={"status": "waiting", "limit": 100})
            self.assertEqual(line.status, 200, line)
            self.assertEqual([r["position"] for r in line.json["items"]],
                             list(range(1, len(line.json["items"]) + 1)))

    def feed(self, user):
        items, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = user.get("/feed", query={"limit": 100, **more})
            self.assertEqual(answer.status, 200, answer)
            items += [hexed(p["id"]).upper() for p in answer.json["items"]]
            cursor = answer.json["next_cursor"]
            if cursor is None:
                return items

    def feed_by_hand(self, judge, user):
        return [r[0] for r in judge.rows(
            "SELECT hex(id) FROM post WHERE deleted_at = 0 AND (user_id = ?1 OR user_id IN"
            " (SELECT target_id FROM following WHERE follower_id = ?1 AND muted = 0))"
            " ORDER BY id DESC", bytes.fromhex(hexed(user.id)))]

    def acknowledged(self, judge, actor):
        me = hexed(actor.user.id).upper()
        there = lambda table, where, *args: judge.rows(
            f"SELECT count(*) FROM {table} WHERE {where}", *args)[0][0]
        wheres = {
            "follow": ("following", "hex(follower_id) = ?1 AND hex(target_id) = upper(?2)"),
            "block": ("block", "hex(blocker_id) = ?1 AND hex(blocked_id) = upper(?2)"),
            "post": ("post", "hex(user_id) = ?1 AND text = ?2 AND deleted_at = 0"),
            "like": ("post_like", "hex(user_id) = ?1 AND hex(post_id) = upper(?2)"),
            "comment": ("comment", "hex(user_id) = ?1 AND text = ?2"),
            "story": ("story", "hex(user_id) = ?1 AND text = ?2 AND deleted_at = 0"),
            "signal": ("trade_signal", "hex(user_id) = ?1 AND note = ?2"),
        }
        for (kind, about), value in actor.state.items():
            about = hexed(about)
            if kind in wheres:
                count = there(*wheres[kind], me, about)
                self.assertLessEqual(count, 1, (kind, about))
                if value is not None:
                    self.assertEqual(count, 1 if value else 0, (kind, about, value))
            elif value is not None and kind == "rsvp":
                wanted = {"yes": (0, 3), "maybe": (1, 1), "no": (2, 2)}[value]
                self.assertEqual(there("rsvp", "hex(user_id) = ?1 AND hex(gathering_id) = upper(?2)"
                                       " AND status IN (?3, ?4)", me, about, *wanted), 1)
            elif value is not None and kind == "decision":
                self.assertEqual(there("trade_signal", "hex(signal_id) = upper(?1) AND status = 1",
                                       about), 1)


class RoomsApartCrash(RoomsCrash):
    """The same where the rooms live in two databases of their own: what was acknowledged is there,
    and the log tells of it once, in order."""

    more = {"database.rooms": "social=graph,signal=graph,post=content,story=content,"
                              "calendar=content"}
