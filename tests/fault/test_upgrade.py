"""A folder of before the rooms for people and content were there (upgrade/): everything is there
afterwards, and its people are full citizens of the new rooms, whatever the log still says of the day
on which they came."""

import pathlib
import re
import sqlite3
import subprocess
import time
import unittest
import uuid

from parleytest import PASSWORD, Server
from parleytest.server import binary, clean_environment

FOLDER = pathlib.Path(__file__).resolve().parent / "upgrade"
NAMES = ("anna", "ben", "carl", "dora")


def database(path, sql=None):
    """Runs a script, or a statement; returns the rows of the statement."""
    db = sqlite3.connect(path)
    with db:
        if sql is None:
            db.executescript((FOLDER / path.with_suffix(".sql").name).read_text(encoding="utf-8"))
            rows = None
        else:
            rows = db.execute(sql).fetchall()
    db.close()
    return rows


class Upgrade(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.server = Server(start=False)
        self.addCleanup(self.server.remove)
        self.data = self.server.data
        self.data.mkdir()
        for name in ("main.db", "search.db"):
            database(self.data / name)

    def forget(self):
        """What retention does in time: nothing of the log is left."""
        for table in ("log", "log_stream"):
            database(self.data / "main.db", f"DELETE FROM {table}")
        database(self.data / "main.db", "UPDATE log_state SET first = head + 1, folded = head")

    def sign_in(self):
        self.ids, self.tokens = {}, {}
        for name in NAMES:
            answer = self.server.post("/api/v1/auth/login", {"login": name, "password": PASSWORD})
            self.assertEqual(answer.status, 200, (name, answer))
            self.ids[name] = answer.json["user"]["id"]
            self.tokens[name] = answer.json["access_token"]

    def call(self, name, method, path, body=None, status=200, **more):
        answer = self.server.http.request(method, "/api/v1" + path, body,
                                          token=self.tokens[name], **more)
        self.assertEqual(answer.status, status, (name, method, path, answer))
        return answer.json if answer.body else None

    def items(self, name, path, **query):
        return self.call(name, "GET", path, query=query)["items"]

    # --- what was there -----------------------------------------------------------------------
    def judge_old(self):
        eve = self.server.post("/api/v1/auth/login", {"login": "eve", "password": PASSWORD})
        self.assertEqual(eve.status, 403, eve)
        me = self.call("anna", "GET", "/users/me")
        self.assertEqual((me["full_name"], me["bio"], me["email"], me["is_private"]),
                         ("Anna Maria Old", "hello", "anna@example.org", False))
        chats = {c["kind"]: c for c in self.items("anna", "/chats")}
        self.assertEqual((chats["direct"]["last_seq"], chats["group"]["last_seq"]), (12, 3))
        page = self.items("anna", f"/chats/{chats['direct']['id']}/messages", after=0)
        self.assertEqual([m["seq"] for m in page], list(range(1, 13)))
        self.assertEqual(page[0]["text"], "edited")
        self.assertIsNotNone(page[1]["deleted_at"])
        self.assertEqual(len(page[2]["reactions"]), 1)
        sent = self.call("anna", "POST", f"/chats/{chats['direct']['id']}/messages",
                         {"text": "after", "client_id": "after"}, 201)
        self.assertEqual(sent["seq"], 13)

    # --- what is new --------------------------------------------------------------------------
    def judge_new(self):
        anna, ben, carl = (self.ids[n] for n in ("anna", "ben", "carl"))
        for name in NAMES:
            for other in set(NAMES) - {name}:
                how = self.call(name, "GET", f"/users/{self.ids[other]}/relationship")
                self.assertFalse(how["following"] or how["blocking"])
        self.call("anna", "GET", f"/users/{uuid.uuid4()}/relationship", status=404)
        post = self.call("ben", "POST", "/posts", {"text": "hello @anna"}, 201)
        self.assertEqual(post["mentions"], [anna])
        how = self.call("anna", "PUT", f"/users/{ben}/follow")
        self.assertTrue(how["following"] and how["follower_count"] == 1)
        self.assertEqual([p["id"] for p in self.items("anna", "/feed")], [post["id"]])
        self.call("carl", "PATCH", "/users/me", {"is_private": True, "discoverable_by_email": True})
        self.assertTrue(self.wait_private("anna", carl))
        self.assertTrue(self.call("anna", "PUT", f"/users/{carl}/follow")["follow_requested"])
        self.assertEqual([u["username"] for u in self.items("carl", "/follow-requests")], ["anna"])
        self.call("dora", "PUT", f"/users/{ben}/block")
        self.call("ben", "GET", f"/users/{self.ids['dora']}", status=404)
        self.found("anna", "anna", "anna")
        self.found("carl@example.org", "carl", "ben")
        self.assertEqual(self.items("ben", "/users", q="eve"), [])
        self.call("ben", "POST", "/stories", {"text": "a day"}, 201)
        self.assertEqual(len(self.items("anna", "/stories")), 1)
        event = self.call("ben", "POST", "/events", {
            "title": "reunion", "starts_at": "2099-01-01T10:00:00", "time_zone": "Europe/Vienna",
            "ends_at": "2099-01-01T12:00:00", "capacity": 1}, 201)
        answer = self.call("anna", "PUT", f"/events/{event['id']}/rsvp", {"status": "yes"})
        self.assertEqual(answer["status"], "yes")
        self.call("carl", "POST", "/trade-signals",
                  {"symbol": "AAPL", "side": "buy", "entry_price": "1.50"}, 201)
        for name in NAMES:
            self.call(name, "GET", "/users/me/export")

    def found(self, words, name, by):
        self.assertEqual([u["username"] for u in self.items(by, "/users", q=words)], [name])

    def wait_private(self, name, user):
        end = time.monotonic() + 5
        while time.monotonic() < end:
            if self.call(name, "GET", f"/users/{user}/relationship")["is_private"]:
                return True
            time.sleep(0.02)
        return False

    def judge_gone(self):
        """Somebody of before leaves: nothing of them stays."""
        self.call("dora", "DELETE", "/users/me", {"password": PASSWORD}, 204)
        self.wait_for_consumers()
        self.call("anna", "GET", f"/users/{self.ids['dora']}", status=404)
        self.assertEqual(self.items("anna", "/users", q="dora"), [])

    def wait_for_consumers(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            text = self.server.get("/metrics").body.decode()
            lags = re.findall(r"^parley_consumer_lag_events\{.*\} (\d+)$", text, re.M)
            if lags and all(lag == "0" for lag in lags):
                return
            time.sleep(0.05)
        self.fail("the consumers do not come to the head of the log")

    def judge_tables(self, people):
        self.assertEqual(self.server.stop(), 0)
        rows = {t: {r[0] for r in database(self.data / "main.db", f"SELECT user_id FROM {t}")}
                for t in ("account", "profile", "chat_profile", "social_person")}
        self.assertEqual(len(rows["account"]), people)
        for table, found in rows.items():
            self.assertEqual(found, rows["account"], table)
        found = database(self.data / "search.db", "SELECT user_id FROM user_document")
        self.assertEqual({r[0] for r in found}, rows["account"])
        for table in ("dead_letter", "user_introduction", "chat_acquaintance"):
            self.assertEqual(database(self.data / "main.db", f"SELECT count(*) FROM {table}"),
                             [(0,)], table)

    def judge(self):
        self.sign_in()
        self.judge_old()
        self.judge_new()
        self.judge_gone()
        self.judge_tables(4)
        self.server.start()  # once more, with nothing left to do
        self.assertNotIn("people introduced", self.server.log().split('"msg":"ready"')[-1])
        self.sign_in_without("dora")

    def sign_in_without(self, name):
        answer = self.server.post("/api/v1/auth/login", {"login": name, "password": PASSWORD})
        self.assertEqual(answer.status, 401, answer)
        self.assertEqual(self.server.stop(), 0)

    # --- the ways there -----------------------------------------------------------------------
    def test_with_the_log(self):
        self.server.start()
        self.judge()

    def test_without_the_log(self):
        self.forget()
        self.server.start()
        self.judge()

    def test_without_log_and_search_index(self):
        self.forget()
        (self.data / "search.db").unlink()
        self.server.start()
        self.judge()

    def test_as_a_step_of_its_own(self):
        self.server.settings["db.migrate"] = "off"
        with self.assertRaises(Exception) as refused:
            self.server.start()
        self.assertIn("migrate", str(refused.exception))
        done = subprocess.run([binary(), "migrate", "--data", str(self.data)], text=True,
                              capture_output=True, env=clean_environment(), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^[1-9]\d* migrations applied")
        self.server.start()
        self.judge()

    def test_interrupted(self):
        """The introduction stops after some people and goes on at the next start."""
        self.forget()
        subprocess.run([binary(), "migrate", "--data", str(self.data)], check=True,
                       capture_output=True, env=clean_environment())
        first, second = [row[0] for row in database(
            self.data / "main.db", "SELECT user_id FROM profile ORDER BY user_id LIMIT 2")]
        main = sqlite3.connect(self.data / "main.db")
        with main:
            for user in (first, second):  # the second piece was given, and not recorded
                main.execute("INSERT INTO social_person (user_id) VALUES (?)", (user,))
            main.execute("UPDATE user_introduction SET after = ?", (first,))
            main.execute("INSERT INTO chat_profile VALUES (?, 1)", (first,))
            main.execute("UPDATE chat_acquaintance SET after = ?", (first,))
        main.close()
        self.server.start()
        self.judge()
