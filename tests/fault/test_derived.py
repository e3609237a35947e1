"""feed.db and search.db hold nothing of their own. Without them (a restored backup has no feed.db),
with another's, or with damaged ones, feeds and searches are right, or the server says what to do.
And a backup that is made while people write is whole."""

import pathlib
import re
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

from parleytest import Server
from parleytest.server import StartError, binary, clean_environment
from rooms_judge import Judge, copied

# Everybody has an index, and Ben is big.
SETTINGS = {"post.feed_direct_max": "0", "post.fanout_max": "1"}


class Derived(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.server = Server(SETTINGS)
        self.addCleanup(self.server.remove)
        self.anna, self.ben, self.carl, self.dora = self.people = self.server.users(4)
        for person, name in zip(self.people, ("Anna Quill", "Ben Quill", "Carl Reed", "Dora Reed")):
            self.good(person.patch("/users/me", {"full_name": name}))
        for follower, author in ((0, 1), (0, 2), (3, 1)):
            path = f"/users/{self.people[author].id}/follow"
            self.good(self.people[follower].put(path))
        self.feed(self.anna)
        self.written = [self.publish(p, f"{n}") for n in range(10) for p in (self.ben, self.carl)]
        self.good(self.anna.put(f"/users/{self.carl.id}/mute"))
        self.good(self.anna.delete(f"/users/{self.carl.id}/mute"))
        self.assertEqual(self.feed(self.anna), self.written[::-1])

    def good(self, answer, *statuses):
        self.assertIn(answer.status, statuses or (200, 201, 204), answer)
        return answer.json if answer.body else None

    def publish(self, user, text):
        return self.good(user.post("/posts", {"text": text}))["id"]

    def feed(self, user):
        items, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self.good(user.get("/feed", query={"limit": 7, **more}))
            items += [p["id"] for p in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    def search(self, words):
        items = self.good(self.dora.get("/users", query={"q": words}))["items"]
        return sorted(u["full_name"] for u in items)

    def all_is_right(self):
        self.assertEqual(self.feed(self.anna), self.written[::-1])
        self.written.append(self.publish(self.ben, "again"))
        self.written.append(self.publish(self.carl, "again"))
        for _ in range(2):  # from the authors, then from an index that is being built
            self.assertEqual(self.feed(self.anna), self.written[::-1])
            self.at_rest()
        self.assertEqual(self.search("quill"), ["Anna Quill", "Ben Quill"])
        self.good(self.dora.patch("/users/me", {"full_name": "Dora Quill"}))
        self.at_rest()
        self.assertEqual(self.search("quill"), ["Anna Quill", "Ben Quill", "Dora Quill"])
        self.good(self.dora.patch("/users/me", {"full_name": "Dora Reed"}))
        self.at_rest()

    def at_rest(self):
        end = time.monotonic() + 20
        while True:
            text = self.server.get("/metrics").body.decode()
            lags = re.findall(r"^parley_consumer_lag_events\{.*\} (\d+)$", text, re.M)
            if set(lags) == {"0"}:
                return
            self.assertLess(time.monotonic(), end, "the consumers lag behind")
            time.sleep(0.05)

    def remove(self, *names):
        for name in names:
            for path in self.server.data.glob(f"{name}*"):
                if not path.name.endswith(".lock"):
                    path.unlink()

    def forget(self):
        """What retention does in time: nothing of the log is left."""
        with sqlite3.connect(self.server.data / "main.db") as db:
            db.executescript("DELETE FROM log; DELETE FROM log_stream;"
                             "UPDATE log_state SET first = head + 1, folded = head")
        db.close()

    # --- gone ---------------------------------------------------------------------------------
    def test_removed(self):
        for names in (("feed.db",), ("search.db",), ("feed.db", "search.db")):
            with self.subTest(names=names):
                self.server.kill()
                self.remove(*names)
                self.server.start()
                self.all_is_right()

    def test_removed_and_the_log_forgotten(self):
        self.server.stop()
        self.forget()
        self.remove("feed.db", "search.db")
        self.server.start()
        self.all_is_right()

    def test_only_the_file_is_removed_after_a_crash(self):
        """The write-ahead log of what is gone lies there still."""
        self.server.kill()
        for name in ("feed.db", "search.db"):
            (self.server.data / name).unlink()
        self.server.start()
        self.all_is_right()

    # --- damaged ------------------------------------------------------------------------------
    def test_damaged(self):
        for name in ("feed.db", "search.db"):
            with self.subTest(name=name):
                self.server.kill()
                path = self.server.data / name
                path.write_bytes(b"This is a poem, not a database.\n" * 600)
                with self.assertRaises(StartError) as refused:
                    self.server.start()
                self.assertIn(name, refused.exception.log)
                self.assertIn("remove this file", refused.exception.log)
                self.remove(name)
                self.server.start()
                self.all_is_right()

    def test_damaged_inside(self):
        """What a look at the head does not show: feeds are right without the index."""
        self.server.stop()
        path = self.server.data / "feed.db"
        with sqlite3.connect(path) as db:
            pages = [r[0] for r in db.execute(
                "SELECT rootpage FROM sqlite_master WHERE name IN ('feed_entry', 'feed_task')")]
            size = db.execute("PRAGMA page_size").fetchone()[0]
        db.close()
        data = bytearray(path.read_bytes())
        for page in pages:
            data[(page - 1) * size:page * size] = b"\xa5" * size
        path.write_bytes(data)
        self.server.start()
        self.assertEqual(self.feed(self.anna), self.written[::-1])
        self.written.append(self.publish(self.ben, "while it is damaged"))
        self.assertEqual(self.feed(self.anna), self.written[::-1])
        end = time.monotonic() + 10
        while "remove this file" not in self.server.log():
            self.assertLess(time.monotonic(), end, self.server.log()[-2000:])
            time.sleep(0.05)
        self.server.kill()
        self.remove("feed.db")
        self.server.start()
        self.all_is_right()

    # --- backups ------------------------------------------------------------------------------
    def parley(self, *words):
        done = subprocess.run([binary(), *map(str, words)], capture_output=True, text=True,
                              env=clean_environment(), check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def write_until(self, stop, counts):
        """New posts, likes and follows, all the time."""
        ben, dora = self.ben.own_connection(), self.dora
        while not stop.is_set():
            post = self.publish(ben, "under way")
            counts.append(post)
            self.good(ben.put(f"/posts/{post}/like"))
            for change in (dora.put, dora.delete):
                self.good(change(f"/users/{self.carl.id}/follow"))

    def test_backup_while_people_write(self):
        stop, counts = threading.Event(), []
        self.dora.own_connection()
        thread = threading.Thread(target=self.write_until, args=(stop, counts))
        thread.start()
        with tempfile.TemporaryDirectory(prefix="parley-derived-") as folder:
            kept, back = pathlib.Path(folder) / "backup", pathlib.Path(folder) / "back"
            time.sleep(0.2)
            before = list(counts)
            self.parley("backup", "--data", self.server.data, kept)
            stop.set()
            thread.join(30)
            self.server.stop()
            self.parley("restore", "--data", back, kept)
            with copied(back) as db:
                judge = Judge(self, db)
                judge.all()
                ids = [r[0].lower() for r in judge.rows("SELECT hex(id) FROM post ORDER BY id")]
            ids = [f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}" for i in ids]
            self.assertGreater(len(before), 0)
            self.assertEqual(ids[:len(self.written + before)], self.written + before)
            self.written = ids
            self.server.data = back
            self.server.start()
            for person in self.people:
                person.token = person.login().token
            self.all_is_right()
            self.server.stop()
