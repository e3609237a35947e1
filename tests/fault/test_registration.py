"""Registration is a saga (docs/design/saga.md). The server is killed before and after the commit of
each step, with several people signing up at once; after a restart every one of them must be in one
of two states: active, with profile and chat profile, or entirely gone, and the name free. The same
when a step fails for good, and when time is up."""

import os
import sqlite3
import threading
import time
import unittest

from parleytest import PASSWORD, Http, Server

PEOPLE = 6
STEPS = ("account", "profile", "chat_profile", "active")
UNDOING = ("profile_failed", "account_removed", "chat_profile_removed")
TABLES = {"account": "user_id", "profile": "user_id", "chat_profile": "user_id",
          "session": "user_id", "saga": "subject_id"}


class SignUp(threading.Thread):
    """One person's attempt; what came back, or None when the connection ended."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.server, self.name, self.answer = server, name, None

    def run(self):
        try:
            self.answer = Http(self.server.address).request(
                "POST", "/api/v1/auth/signup",
                {"username": self.name, "email": f"{self.name}@example.org", "password": PASSWORD})
        except (OSError, ValueError, AssertionError):
            pass


class Registration(unittest.TestCase):
    longMessage = True

    def with_faults(self, server, faults):
        server.environment["PARLEY_FAULTS"] = faults
        return server.start()

    def without_faults(self, server):
        server.environment.pop("PARLEY_FAULTS", None)
        return server.start()

    def sign_up(self, server, prefix, count=PEOPLE):
        attempts = [SignUp(server, f"{prefix}{i}") for i in range(count)]
        for attempt in attempts:
            attempt.start()
        for attempt in attempts:
            attempt.join(30)
            self.assertFalse(attempt.is_alive(), "a sign-up hangs")
        return attempts

    def sign_in(self, server, name):
        """What signing in says once it is decided."""
        end = time.monotonic() + 20
        while True:
            answer = server.post("/api/v1/auth/login", {"login": name, "password": PASSWORD})
            if answer.status != 403 or time.monotonic() > end:
                return answer
            self.assertEqual(answer.json["code"], "account_pending")
            time.sleep(0.1)

    def judge(self, server, attempts):
        """The server runs without faults; ends with it stopped. Returns how many are active."""
        active, gone = {}, []
        for attempt in attempts:
            answer = self.sign_in(server, attempt.name)
            self.assertIn(answer.status, (200, 401), answer)
            if answer.status == 200:
                active[attempt.name] = answer.json["user"]["id"]
                me = server.get("/api/v1/users/me", token=answer.json["access_token"])
                self.assertEqual((me.status, me.json["username"]), (200, attempt.name))
            else:
                gone.append(attempt.name)
            if attempt.answer is not None and attempt.answer.status == 201:
                self.assertIn(attempt.name, active, "acknowledged, and not there")
        self.wait_for_consumers(server)
        for name in gone:
            self.assertFalse(self.found(server, name), f"{name} is found, and gone")
            again = self.sign_up(server, name, 1)[0]  # the name with a digit behind it
            self.assertEqual(again.answer.status, 201, again.answer)
            again = SignUp(server, name)
            again.run()
            self.assertEqual(again.answer.status, 201, "the name is not free")
            active[name] = again.answer.json["user"]["id"]
            active[name + "0"] = None
        self.assertEqual(server.stop(), 0)
        self.judge_tables(server, {k: v for k, v in active.items() if v})
        return len(active) - 2 * len(gone)

    def found(self, server, name):
        items = server.user("looks").get("/users", query={"q": name}).json["items"]
        return name in [user["username"] for user in items]

    def wait_for_consumers(self, server):
        """Until what the undoing leaves to the other rooms has been done."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            lags = [line for line in server.get("/metrics").body.decode().splitlines()
                    if line.startswith("parley_consumer_lag_events{")]
            if lags and all(line.endswith(" 0") for line in lags):
                return
            time.sleep(0.05)
        self.fail("the consumers do not come to the head of the log")

    def judge_tables(self, server, active):
        """Nobody else than those who are active, and the people who looked, is in any table."""
        with sqlite3.connect(f"file:{server.data}/main.db?mode=ro", uri=True) as db:
            rows = {t: {row[0] for row in db.execute(f"SELECT {c} FROM {t}")}
                    for t, c in TABLES.items()}
            states = dict(db.execute("SELECT subject_id, state FROM saga"))
            dead = db.execute("SELECT count(*) FROM dead_letter").fetchone()[0]
        db.close()
        self.assertEqual(rows["profile"], rows["account"])
        self.assertEqual(rows["chat_profile"], rows["account"])
        self.assertLessEqual(rows["session"], rows["account"])
        for name, user in active.items():
            self.assertIn(bytes.fromhex(user.replace("-", "")), rows["account"], name)
        self.assertNotIn(0, states.values(), "a saga still runs")
        for subject, state in states.items():
            self.assertEqual(state, 1 if subject in rows["account"] else 2)
        self.assertEqual(dead, 0)
        with sqlite3.connect(f"file:{server.data}/search.db?mode=ro", uri=True) as db:
            self.assertEqual({row[0] for row in db.execute("SELECT user_id FROM user_document")},
                             rows["account"])
        db.close()

    def kill_at(self, faults, settings=None):
        """The fault ends the process while people sign up; returns what the restart made of it."""
        with Server(settings, start=False) as server:
            self.with_faults(server, faults)
            attempts = self.sign_up(server, "kill")
            status = server.process.wait(20)
            self.assertEqual(status, 137, server.log()[-2000:])
            server.kill()
            self.without_faults(server)
            return self.judge(server, attempts)

    def test_killed_at_each_step(self):
        for step in STEPS:
            for point in (f"saga.{step}", f"saga.{step}.committed"):
                for at in (1, 3) if os.environ.get("FULL") else (1,):
                    with self.subTest(point=point, at=at):
                        active = self.kill_at(f"{point}=exit@{at}")
                        if point == "saga.account":
                            self.assertLess(active, PEOPLE)
                        if step == "active" and at == 1:
                            self.assertGreater(active, 0)

    def test_killed_while_it_is_undone(self):
        for step in UNDOING:
            for point in (f"saga.{step}", f"saga.{step}.committed"):
                with self.subTest(point=point):
                    self.kill_at(f"saga.profile=error,{point}=exit@1")

    def test_killed_when_time_is_up(self):
        for point in ("saga.account_removed", "saga.account_removed.committed"):
            with self.subTest(point=point):
                self.kill_at("saga.chat_profile=error,saga.chat_profile_failed=error,"
                             f"{point}=exit@1", {"auth.registration_timeout": "1s"})

    def test_a_step_that_fails_for_good(self):
        for step in ("profile", "chat_profile"):
            with self.subTest(step=step), Server(start=False) as server:
                self.with_faults(server, f"saga.{step}=error")
                for _ in range(2):  # the name is free at once
                    attempts = self.sign_up(server, "good", 1)
                    self.assertEqual(attempts[0].answer.status, 503, attempts[0].answer)
                    self.assertEqual(attempts[0].answer.json["code"], "registration_failed")
                attempts = self.sign_up(server, "good")  # one after the other: some wait longer
                for attempt in attempts:
                    self.assertIn(attempt.answer.status, (202, 503), attempt.answer)
                    self.assertEqual(self.sign_in(server, attempt.name).status, 401)
                server.stop()
                self.without_faults(server)
                self.assertEqual(self.judge(server, attempts), 0)

    def test_time_is_up(self):
        with Server({"auth.registration_timeout": "3s"}, start=False) as server:
            # The chat room can neither do its part nor say so.
            self.with_faults(server, "saga.chat_profile=error,saga.chat_profile_failed=error")
            attempts = self.sign_up(server, "late")
            for attempt in attempts:
                self.assertEqual(attempt.answer.status, 202, attempt.answer)
                self.assertEqual(attempt.answer.json, {"status": "pending"})
            answer = server.post("/api/v1/auth/login",
                                 {"login": attempts[0].name, "password": PASSWORD})
            if answer.status == 403:
                self.assertEqual(answer.json["code"], "account_pending")
            self.assertEqual(self.sign_in(server, attempts[0].name).status, 401)
            server.stop()
            self.without_faults(server)
            self.assertEqual(self.judge(server, attempts), 0)
