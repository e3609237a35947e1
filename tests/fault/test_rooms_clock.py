"""The wall clock of people and content: reminders, codes and registrations while it is set forward
and back. Nothing comes late, nothing twice."""

import json
import re
import sqlite3
import time
import uuid

from faketime import ClockCase
from parleytest import PASSWORD, Http

HOUR, DAY = 3600, 86400


class Reminders(ClockCase):
    settings = {"calendar.remind_every": "200ms"}

    def told(self):
        """The reminders in the log: to whom, and how long before."""
        with sqlite3.connect(f"file:{self.server.data}/main.db?mode=ro", uri=True) as db:
            rows = db.execute("SELECT data FROM log JOIN event_type t ON t.number = log.type"
                              " WHERE t.name = 'event.reminder' ORDER BY pos").fetchall()
        db.close()
        return [(e["user_id"], e["before_s"]) for e in (json.loads(row[0]) for row in rows)]

    def at(self, seconds):
        """The server is killed, the clock set, and the duties begin anew."""
        self.server.kill()
        self.jump(seconds)
        self.server.start()

    def comes_to(self, expected):
        self.eventually(lambda: self.told() == expected)
        time.sleep(0.5)
        self.assertEqual(self.told(), expected)

    def event(self, host, start):
        when = lambda s: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + s))
        answer = host.post("/events", {"title": "soon", "starts_at": when(start),
                                       "ends_at": when(start + HOUR), "time_zone": "UTC"})
        self.assertEqual(answer.status, 201, answer)
        return answer.json["id"]

    def test_each_once_and_never_late(self):
        host, guest = self.server.users(2)
        event = self.event(host, 2 * DAY)
        for person in (host, guest):
            answer = person.put(f"/events/{event}/rsvp", {"status": "yes"})
            self.assertEqual(answer.status, 200, answer)
        both = sorted([host.id, guest.id])
        first = [(user, DAY) for user in both]
        self.at(DAY - HOUR)
        self.comes_to([])
        self.at(DAY + HOUR)
        self.comes_to(first)
        for back_and_forth in (-2 * DAY, DAY - HOUR, DAY + 2 * HOUR):
            self.at(back_and_forth)
            self.comes_to(first)
        self.at(3 * DAY)  # it has begun long ago: the second one would be late
        self.comes_to(first)


class Codes(ClockCase):
    def code(self, user):
        folder = self.server.data / "spool"
        found = []
        self.eventually(lambda: found.extend(
            p.read_text() for p in folder.glob("*") if not p.name.startswith(".")) or found)
        body = found[-1].replace("\r\n", "\n").split("\n\n", 1)[1]
        return re.search(r"\b(\d{6})\b", body).group(1)

    def test_a_code_lives_by_the_clock(self):
        user = self.server.user(email=f"{uuid.uuid4().hex}@example.org")
        self.assertEqual(user.post("/auth/verify", {"channel": "email"}).status, 202)
        code = self.code(user)
        for moved, status in ((11 * 60, 403), (-DAY, 403), (0, 204)):
            self.jump(moved)
            time.sleep(0.2)
            self.sign_in_again(user)
            answer = user.post("/auth/verify", {"channel": "email", "code": code})
            self.assertEqual(answer.status, status, (moved, answer))


class Registrations(ClockCase):
    settings = {"auth.registration_timeout": "30s"}

    def state(self, name):
        answer = self.server.post("/api/v1/auth/login", {"login": name, "password": PASSWORD})
        return answer.status

    def test_a_deadline_by_the_clock(self):
        self.server.kill()
        self.server.environment["PARLEY_FAULTS"] = (
            "saga.chat_profile=error,saga.chat_profile_failed=error")
        self.server.start()
        body = {"username": "stuck", "email": "stuck@example.org", "password": PASSWORD}
        answer = Http(self.server.address).request("POST", "/api/v1/auth/signup", body)
        self.assertEqual(answer.status, 202, answer)
        self.jump(-HOUR)  # set back: it goes on waiting, and is nobody
        time.sleep(1.5)
        self.assertEqual(self.state("stuck"), 403)
        self.jump(60)
        self.eventually(lambda: self.state("stuck") == 401, 20)
        self.server.kill()
        del self.server.environment["PARLEY_FAULTS"]
        for moved in (-HOUR, 60):  # the end is the end
            self.jump(moved)
            self.server.start()
            time.sleep(0.5)
            self.assertEqual(self.state("stuck"), 401)
            if moved < 0:
                self.server.kill()
        answer = self.server.post("/api/v1/auth/signup", body)
        self.assertEqual(answer.status, 201, answer)
