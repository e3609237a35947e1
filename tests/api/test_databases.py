"""Rooms in databases of their own: which configurations are refused, moving a room there and back,
backup and restore, and what shows of it. That everything else works there as in main.db is shown by
the other tests, run with API_SETTINGS=database.rooms=... (tests/run_all, stage rooms)."""

import contextlib
import pathlib
import sqlite3
import subprocess
import tempfile

from parleytest.case import ApiCase
from parleytest.server import Server, StartError, binary, clean_environment

ROOMS = ("social", "post", "story", "calendar", "signal")


def run(*words, rooms=None, faults=None, data=None):
    command = [binary(), *map(str, words)]
    if data:
        command += ["--data", str(data)]
    if rooms is not None:
        command += ["--set", f"database.rooms={rooms}"]
    env = clean_environment(**({"PARLEY_FAULTS": faults} if faults else {}))
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)


def tables(file):
    """Name and rows of every table that is no part of an index or of the house."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        names = [r[0] for r in db.execute("SELECT name FROM pragma_table_list WHERE schema = 'main'"
                                          " AND type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {name: sorted(map(repr, db.execute(f"SELECT * FROM {name}"))) for name in names}


class Refusals(ApiCase):
    def test_the_configuration(self):
        for rooms, words in (("chat=x", ("chat stays in main.db", "messages are the log", "social")),
                             ("auth=x", ("auth stays in main.db", "Movable")),
                             ("user=x", ("user stays in main.db", "saga")),
                             ("admin=x", ("no tables of its own",)),
                             ("nothing=x", ('no room "nothing"', "social, post, story")),
                             ("social", ("room=database",)), ("social=", ("name of a database",)),
                             ("social=a/b", ("name of a database",)),
                             ("social=" + "a" * 33, ("name of a database",)),
                             ("social=search", ("search.db", "name another")),
                             ("post=Feed", ("feed.db", "name another")),
                             ("social=a,social=b", ("social is there twice",))):
            with self.subTest(rooms):
                done = run("config", "check", rooms=rooms)
                self.assertEqual(done.returncode, 1, done)
                self.assertIn("database.rooms", done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)
        for rooms in ("", "social=main", ",".join(f"{room}=own-1_X" for room in ROOMS)):
            self.assertEqual(run("config", "check", rooms=rooms).returncode, 0, rooms)

    def test_a_room_does_not_begin_empty(self):
        with Server({"database.rooms": "social=graph"}) as server:
            server.stop()
            for rooms in ("", "social=other"):
                server.settings["database.rooms"] = rooms
                with self.assertRaises(StartError) as refused:
                    server.start()
                self.assertIn("--move social=", refused.exception.log)
            server.settings["database.rooms"] = "social=graph"
            graph = server.data / "graph.db"
            graph.rename(server.data / "away")
            with self.assertRaises(StartError) as refused:
                server.start()
            self.assertIn("graph.db has no tables of social", refused.exception.log)
            (server.data / "away").rename(graph)
            server.start()


class Life(ApiCase):
    """A little of every room, and what there is to see of it afterwards."""

    def begin(self, server):
        self.ada, self.bob = server.users(2)
        self.ok(self.ada.put(f"/users/{self.bob.id}/follow"))
        self.more(server)

    def more(self, server):
        for user in (self.ada, self.bob):
            user.own_connection()
        self.ok(self.bob.post("/posts", {"text": "a post #tag", "visibility": "public"}), 201)
        self.ok(self.bob.post("/stories", {"text": "a story", "visibility": "public"}), 201)
        self.ok(self.bob.post("/events", {
            "title": "Orchestra", "starts_at": "2027-03-01T18:00:00Z", "visibility": "public",
            "ends_at": "2027-03-01T20:00:00Z", "time_zone": "UTC"}), 201)

    def seen(self):
        look = {}
        for path in ("/feed", f"/users/{self.bob.id}/posts", f"/users/{self.bob.id}/stories",
                     f"/users/{self.bob.id}/followers", "/events?q=orchestra"):
            self.ada.own_connection()
            items = self.ok(self.ada.get(path))["items"]
            look[path] = sorted(item.get("id") or item["user"]["id"] for item in items)
        return look

    def events_of(self, server):
        with contextlib.closing(sqlite3.connect(server.data / "main.db")) as db:
            return [tuple(row) for row in db.execute(
                "SELECT t.name, hex(stream), data FROM log JOIN event_type t ON t.number = type "
                "WHERE t.name IN ('post.created', 'story.posted', 'event.created') ORDER BY pos")]


class Move(Life):
    def test_there_and_back_with_a_crash_at_every_step(self):
        with Server({"database.rooms": None}) as server:
            server.settings.pop("database.rooms")
            self.begin(server)
            seen = self.seen()
            self.assertEqual(server.stop(), 0)
            before = tables(server.data / "main.db")
            for room, name in (("social", "graph"), ("post", "content"), ("story", "content"),
                               ("calendar", "content"), ("signal", "graph")):
                steps = ("made", "copied", "recorded") if room in ("social", "calendar") else ()
                for step in steps:
                    done = run("migrate", "--move", f"{room}={name}", data=server.data,
                               faults=f"move.{step}=exit")
                    self.assertNotEqual(done.returncode, 0, (room, step))
                done = run("migrate", "--move", f"{room}={name}", data=server.data)
                self.assertEqual(done.returncode, 0, done)
                refused = run("migrate", data=server.data)
                self.assertIn("--move", refused.stderr)
            server.settings["database.rooms"] = ("social=graph,post=content,story=content,"
                                                 "calendar=content,signal=graph")
            # No table of the rooms is left in main.db, and every row is where it went.
            here = tables(server.data / "main.db")
            moved = {**tables(server.data / "graph.db"), **tables(server.data / "content.db")}
            for name, rows in before.items():
                if name in ("schema_migration", "consumer_position", "room_place"):
                    continue
                self.assertEqual((here if name in here else moved)[name], rows, name)
            for name in ("following", "post", "story", "gathering", "trade_signal"):
                self.assertNotIn(name, here)
            positions = [row for part in ("main", "graph", "content") for row in
                         tables(server.data / f"{part}.db")["consumer_position"]]
            self.assertEqual(sorted(positions), before["consumer_position"])
            server.start()
            self.assertEqual(self.seen(), seen)
            self.more(server)
            self.back(server, self.seen())

    def back(self, server, seen):
        self.assertEqual(server.stop(), 0)
        for room in ROOMS:
            done = run("migrate", "--move", f"{room}=main", data=server.data)
            self.assertEqual(done.returncode, 0, done)
        again = run("migrate", "--move", "social=main", data=server.data)
        self.assertEqual(again.returncode, 0, again)
        self.assertIn("nothing of it is left elsewhere", again.stdout)
        server.settings["database.rooms"] = ""
        server.start()
        self.assertEqual(self.seen(), seen)
        self.more(server)
        self.assertEqual(server.stop(), 0)
        told = self.events_of(server)
        self.assertEqual(len(told), 9)
        self.assertEqual(len(set(told)), 9)

    def test_what_waits_is_relayed_first(self):
        """The outbox of a database that no room is left in would be read by nobody."""
        with Server({"database.rooms": "social=graph,post=own"}) as server:
            self.begin(server)
            server.stop()
            # The relay dies in its first transaction of the next run.
            server.environment["PARLEY_FAULTS"] = "outbox.relay=exit@1"
            server.start()
            with contextlib.suppress(OSError):
                self.bob.own_connection()
                self.bob.post("/posts", {"text": "the last words", "visibility": "public"})
            server.process.wait(20)
            server.kill()
            with contextlib.closing(sqlite3.connect(server.data / "own.db")) as db:
                self.assertEqual(db.execute("SELECT count(*) FROM outbox").fetchone(), (1,))
            done = run("migrate", "--move", "post=main", data=server.data)
            self.assertEqual(done.returncode, 0, done)
            told = [data for name, _, data in self.events_of(server) if name == "post.created"]
            self.assertEqual(sum("the last words" in data for data in told), 1)

    def test_while_a_server_runs(self):
        with Server() as server:
            done = run("migrate", "--move", "post=elsewhere", data=server.data)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(str(server.process.pid), done.stderr)


class Backup(Life):
    settings = {"database.rooms": "social=graph,post=content,story=content,calendar=content"}

    def test_of_a_running_server_and_restore(self):
        self.begin(self.server)
        seen = self.seen()
        with tempfile.TemporaryDirectory(prefix="parley-test-") as folder:
            kept, data = pathlib.Path(folder) / "kept", pathlib.Path(folder) / "data"
            done = run("backup", kept, data=self.server.data)
            self.assertEqual(done.returncode, 0, done)
            names = subprocess.run(["tar", "tf", kept], capture_output=True, text=True, check=True)
            self.assertEqual(sorted(names.stdout.split()),
                             ["SHA256SUMS", "content.db", "graph.db", "main.db", "search.db"])
            self.more(self.server)  # not in the copy
            done = run("restore", kept, data=data)
            self.assertEqual(done.returncode, 0, done)
            with Server(self.settings, data=data) as other:
                self.ada.server, self.bob.server = other, other
                self.ada.login(), self.bob.login()
                self.assertEqual(self.seen(), seen)
                self.more(other)
                other.stop()
                told = self.events_of(other)
                self.assertEqual((len(told), len(set(told))), (6, 6))
                for name in ("graph", "content"):
                    self.assertEqual(tables(data / f"{name}.db")["outbox"], [])


class Metrics(ApiCase):
    settings = Backup.settings

    def test_each_database_has_its_own(self):
        user = self.server.user()
        self.ok(user.post("/posts", {"text": "x", "visibility": "public"}), 201)
        text = self.server.get("/metrics").body.decode()
        for database in ("graph", "content"):
            for name in ("parley_outbox_rows", "parley_outbox_relayed_total",
                         "parley_db_commits_total"):
                self.assertEqual(text.count(f'\n{name}{{database="{database}"}} '), 1, name)

    def test_a_relay_that_fails_is_tried_again(self):
        with Server(self.settings, environment={"PARLEY_FAULTS": "outbox.relay=error@1"}) as server:
            user = server.user()
            reader = user.reader("ws")
            texts = [f"{i}" for i in range(5)]
            for text in texts:
                self.ok(user.post("/posts", {"text": text, "visibility": "public"}), 201)
            told = [reader.event("post.created")["data"]["text"] for _ in texts]
            self.assertEqual(told, texts)
            lines = server.get("/metrics").body.decode().splitlines()
            failures = [line for line in lines if line.startswith("parley_outbox_failures_total{")]
            self.assertEqual(sum(float(line.split()[1]) for line in failures), 1, failures)
            self.assertEqual(server.stop(), 0)
