"""What a great many people cost: bench/run people.

1,000,000 people, 10,000,000 follows, 5,000,000 posts, filled once by people-fill and kept. Tokens are
made here with the shared secret that the server is given, so nobody has to sign in.
"""

import base64
import hashlib
import hmac
import json
import random
import sqlite3
import subprocess
import threading
import time
import urllib.request
import uuid

USERS, EDGES, POSTS, SEED = 1_000_000, 10_000_000, 5_000_000, 1
READERS = 200  # of the accounts that follow 1,000
SECRET = "a secret of the benchmark, 32 bytes and more"
EXPIRED_STORIES = 1_000_000


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(user, role="user"):
    now = int(time.time())
    parts = [b64(json.dumps(part).encode()) for part in (
        {"alg": "HS256", "typ": "at+jwt"},
        {"iss": "parley", "aud": "parley", "sub": user, "sid": str(uuid.uuid4()), "role": role,
         "iat": now, "exp": now + 3600, "jti": str(uuid.uuid4())})]
    text = ".".join(parts)
    return text + "." + b64(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest())


def text_id(blob):
    return str(uuid.UUID(bytes=bytes(blob)))


class People:
    def __init__(self, bench, results):
        self.bench, self.folder = bench, results / "data" / "people"
        self.random = random.Random(SEED)
        self.fill()
        with self.database("main.db") as db:
            rows = db.execute("SELECT user_id FROM profile WHERE username >= 'person0000000'"
                              " ORDER BY username LIMIT 1000").fetchall()
            self.first = [text_id(row[0]) for row in rows]
            rows = db.execute("SELECT user_id FROM profile WHERE username >= 'person0500000'"
                              " ORDER BY username LIMIT 10000").fetchall()
            self.some = [text_id(row[0]) for row in rows]
            self.names = [row[0] for row in db.execute(
                "SELECT full_name FROM profile WHERE username >= 'person0700000'"
                " ORDER BY username LIMIT 3000")]

    def database(self, name):
        return sqlite3.connect(self.folder / name, timeout=60)

    def fill(self):
        done = self.folder / "filled"
        if done.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        print("filling a data folder; this takes some minutes once", flush=True)
        subprocess.run([self.bench.parley, "migrate", "--data", self.folder], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([self.bench.build / "bench" / "people" / "people-fill", self.folder,
                        *map(str, (USERS, EDGES, POSTS, SEED))], check=True)
        done.touch()

    def serve(self, *settings):
        return self.bench.serve("people", cpu=None, settings=[
            "auth.algorithm=hs256", f"auth.secret={SECRET}", *settings])

    def mix(self, server, label, requests, **options):
        """requests: (method, path, token, body or None); the result of parley-bench mix."""
        path = self.bench.temp / f"{label}.tsv"
        path.write_text("".join("\t".join([m, p, t or "", b or ""]) + "\n" if b else
                                "\t".join([m, p, t or ""]) + "\n" for m, p, t, b in requests))
        arguments = ["--requests", path]
        for name, value in options.items():
            arguments += ["--" + name.replace("_", "-"), value]
        return self.bench.load("mix", server, *arguments, label=label, cpu=None)

    # --- reading ------------------------------------------------------------------------------
    def profiles(self, server):
        reader = token(self.first[0])
        requests = [("GET", f"/api/v1/users/{user}", reader, None) for user in self.some]
        result = self.mix(server, "profiles", requests, connections=64, warm_up=3,
                          seconds=self.bench.args.seconds)
        if result:
            self.bench.row("profile from cache: server CPU", result["server_cpu_us"], "us", 12,
                           note=f"{result['rate']:,.0f}/s")

    def typed(self):
        """What is sent while names are typed: every beginning of them, from one letter on."""
        for name in self.names:
            for length in range(1, len(name) + 1):
                yield name[:length].strip()

    def search(self, server):
        reader = token(self.first[0])
        queries = sorted(set(self.typed()))
        requests = [("GET", "/api/v1/users?limit=20&q=" + urllib.request.quote(q), reader, None)
                    for q in queries]
        result = self.mix(server, "search", requests, connections=2, warm_up=1,
                          seconds=self.bench.args.seconds)
        if result:
            self.bench.row("search as one types: p99", result["latency"]["p99_us"] / 1000, "ms", 5,
                           note=f"{len(queries):,} beginnings, p50 "
                                f"{result['latency']['p50_us'] / 1000:.2f} ms, server CPU "
                                f"{result['server_cpu_us']:.0f} us")

    def feed(self, server):
        tokens = [token(user) for user in self.first[1:READERS + 1]]
        first = [("GET", "/api/v1/feed", t, None) for t in tokens]
        cold = self.mix(server, "feed-cold", first, connections=1, warm_up=0, seconds=2)
        if cold:
            self.bench.row("feed of 1,000 authors, first visits: p99",
                           cold["latency"]["p99_us"] / 1000, "ms",
                           note="nothing in memory, no index yet")
        for label, what in (("page", first), ("deep", self.deeper(server, tokens))):
            result = self.mix(server, f"feed-{label}", what, connections=2, warm_up=2,
                              seconds=self.bench.args.seconds)
            if result:
                self.bench.row(f"feed of 1,000 authors, {label}: p99",
                               result["latency"]["p99_us"] / 1000, "ms", 10,
                               note=f"p50 {result['latency']['p50_us'] / 1000:.2f} ms, server CPU "
                                    f"{result['server_cpu_us']:.0f} us, "
                                    f"{result['body_bytes'] / 1000:.0f} KB")

    def deeper(self, server, tokens):
        """Third pages: cursors as a client follows them."""
        requests = []
        for t in tokens[:50]:
            cursor = ""
            for _ in range(2):
                page = self.call(server, "GET", "/api/v1/feed" + cursor, t)
                cursor = "?cursor=" + urllib.request.quote(page["next_cursor"])
            requests.append(("GET", "/api/v1/feed" + cursor, t, None))
        return requests

    @staticmethod
    def call(server, method, path, t, body=None):
        request = urllib.request.Request(
            f"http://{server.address}{path}", method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {t}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    # --- a post to 100,000 followers -----------------------------------------------------------
    def everybody_reads(self):
        """As if each follower of person 0 had opened the feed lately: an index from now on."""
        with self.database("main.db") as db:
            author = db.execute("SELECT user_id FROM profile WHERE username = 'person0000000'"
                                ).fetchone()[0]
            followers = db.execute("SELECT follower_id FROM follower WHERE target_id = ?",
                                   (author,)).fetchall()
            newest = db.execute("SELECT max(id) FROM post").fetchone()[0]
        with self.database("feed.db") as db:
            now = int(time.time() * 1000)
            db.executemany("INSERT OR IGNORE INTO feed_user (user_id, floor, read_at)"
                           " VALUES (?, ?, ?)", [(f[0], newest, now) for f in followers])
        return len(followers)

    def fan_out(self):
        followers = self.everybody_reads()
        server = self.serve("post.fanout_max=1000000")
        reader = token(self.first[1])
        requests = [("GET", f"/api/v1/users/{user}", reader, None) for user in self.some[:2000]]
        requests += [("GET", "/api/v1/feed", token(user), None) for user in self.first[1:60]]
        common = dict(connections=16, rate=400, seconds=max(4, self.bench.args.seconds))
        quiet = self.mix(server, "quiet", requests, warm_up=2, **common)
        posted, stop = [], threading.Event()
        author = token(self.first[0])

        def post():
            while not stop.is_set():
                posted.append(self.call(server, "POST", "/api/v1/posts", author,
                                        {"text": f"To everybody, number {len(posted)}"})["id"])
                stop.wait(3)

        writer = threading.Thread(target=post)
        writer.start()
        busy = self.mix(server, "busy", requests, warm_up=0.2, **common)
        stop.set()
        writer.join()
        reached, took = self.wait_for_entries(posted[-1], followers)
        server.stop()
        if quiet and busy:
            before, during = quiet["latency"]["p99_us"], busy["latency"]["p99_us"]
            self.bench.row("post to 100,000 followers: others' p99 rises by",
                           (during - before) / 1000, "ms", 2,
                           note=f"from {before / 1000:.2f} to {during / 1000:.2f} ms")
        self.bench.row("followers whose index has it", reached, "", followers,
                       less_is_better=False, note=f"the last of {len(posted)} posts, "
                                                  f"{took:.1f} s after the load ended")

    def wait_for_entries(self, post, followers):
        began = time.time()
        reached = 0
        while reached < followers and time.time() - began < 120:
            with self.database("feed.db") as db:
                reached = db.execute("SELECT count(*) FROM feed_entry WHERE post_id = ?",
                                     (uuid.UUID(post).bytes,)).fetchone()[0]
            if reached < followers:
                time.sleep(1)
        return reached, time.time() - began

    # --- a million expired stories ---------------------------------------------------------------
    def expire_stories(self):
        with self.database("main.db") as db:
            have = db.execute("SELECT count(*) FROM story").fetchone()[0]
            if have >= EXPIRED_STORIES:
                return
            at = int(time.time() * 1000) - 3 * 86400000
            authors = [uuid.UUID(user).bytes for user in self.some]

            def rows():
                for i in range(EXPIRED_STORIES - have):
                    created = at + i // 100
                    head = created.to_bytes(6, "big") + bytes([0x70 | (i >> 8 & 15), i & 255])
                    tail = bytes([0x80]) + (i * 0x9e3779b97f4a7c15 & (1 << 56) - 1).to_bytes(7, "big")
                    yield (head + tail, authors[i % len(authors)], created, created + 86400000)
            db.execute("PRAGMA synchronous = OFF")
            db.executemany("INSERT OR IGNORE INTO story (story_id, user_id, text, visibility,"
                           " created_at, expires_at) VALUES (?, ?, 'Gone by now', 0, ?, ?)", rows())
            db.execute("INSERT OR IGNORE INTO story_by_author (user_id, expires_at, story_id)"
                       " SELECT user_id, expires_at, story_id FROM story ORDER BY 1, 2, 3")

    def clean_up(self):
        self.expire_stories()
        writers = [token(user) for user in self.some[:500]]
        requests = [("POST", "/api/v1/posts", t, json.dumps({"text": "Written meanwhile"}))
                    for t in writers]
        common = dict(connections=16, rate=200, seconds=max(5, self.bench.args.seconds))
        server = self.serve("post.posts_per_day=1000000")
        quiet = self.mix(server, "writes", requests, warm_up=1, **common)
        server.stop()
        server = self.serve("post.posts_per_day=1000000", "story.clean_every=1s")
        before = self.stories()
        busy = self.mix(server, "writes-cleaning", requests, warm_up=2, **common)
        server.stop()
        gone = before - self.stories()
        if quiet and busy:
            self.bench.row("clean-up of 1,000,000 stories: write p99",
                           busy["latency"]["p99_us"] / 1000, "ms", 20,
                           note=f"{quiet['latency']['p99_us'] / 1000:.2f} ms without; "
                                f"{gone:,} removed meanwhile")

    def stories(self):
        with self.database("main.db") as db:
            return db.execute("SELECT count(*) FROM story").fetchone()[0]


def run(bench, results):
    people = People(bench, results)
    server = people.serve()
    people.profiles(server)
    people.search(server)
    people.feed(server)
    server.stop()
    people.fan_out()
    people.clean_up()
