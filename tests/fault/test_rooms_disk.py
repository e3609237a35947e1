"""A full disk while people publish, follow and answer to invitations: 507 and nothing half done;
reading goes on; when there is room again everything goes on by itself, feeds and searches too."""

import time
import unittest

from full_disk import fill
from mounts import mounted
from parleytest import Server
from rooms_judge import Judge, copied

SETTINGS = {"post.feed_direct_max": "0", "post.fanout_max": "100"}


class RoomsFullDisk(unittest.TestCase):
    longMessage = True

    def test_full_and_free_again(self):
        with mounted("-t", "tmpfs", "-o", "size=96m", "tmpfs") as disk:
            with Server(SETTINGS, data=disk / "data") as server:
                self.server = server
                self.anna, self.ben, self.carl = server.users(3)
                self.prepare()
                filler = fill(disk, 1 << 19)
                self.until_full()
                self.nothing_half_done()
                filler.unlink()
                self.recovers()
                server.kill()
                server.start()
                self.everything_is_right()

    def good(self, answer):
        self.assertIn(answer.status, (200, 201, 204), answer)
        return answer.json if answer.body else None

    def prepare(self):
        self.good(self.anna.put(f"/users/{self.ben.id}/follow"))
        self.feed()
        self.event = self.good(self.ben.post("/events", {
            "title": "one place", "starts_at": "2099-01-01T10:00:00", "capacity": 1,
            "ends_at": "2099-01-01T12:00:00", "time_zone": "Europe/Vienna"}))["id"]
        self.good(self.anna.put(f"/events/{self.event}/rsvp", {"status": "yes"}))
        self.posts = [self.good(self.ben.post("/posts", {"text": "before"}))["id"]]
        self.followed, self.answered = False, None

    def changes(self, turn):
        """Each: what is tried, and what is known when it has been acknowledged."""
        on = turn % 2 == 0
        yield (lambda: self.ben.post("/posts", {"text": "x" * 4000}),
               lambda answer: self.posts.append(answer.json["id"]))
        yield (lambda: self.carl.request("PUT" if on else "DELETE", f"/users/{self.ben.id}/follow"),
               lambda _: setattr(self, "followed", on))
        yield (lambda: self.carl.put(f"/events/{self.event}/rsvp",
                                     {"status": "yes" if on else "no"}),
               lambda _: setattr(self, "answered", "waiting" if on else "no"))

    def until_full(self):
        refused = set()
        for turn in range(20000):
            for kind, (change, note) in enumerate(self.changes(turn)):
                answer = change()
                if answer.status in (200, 201):
                    note(answer)
                else:
                    self.assertEqual((answer.status, answer.code), (507, "storage_full"), answer)
                    refused.add(kind)
            if len(refused) == 3:
                return
        self.fail(f"only {refused} were refused")

    def nothing_half_done(self):
        """Reading goes on, and tells of what was acknowledged only."""
        self.assertEqual(self.feed(), self.posts[::-1])
        how = self.good(self.carl.get(f"/users/{self.ben.id}/relationship"))
        self.assertEqual(how["following"], self.followed)
        self.assertEqual(how["follower_count"], 1 + self.followed)
        event = self.good(self.carl.get(f"/events/{self.event}"))
        self.assertEqual((event["my_status"], event["yes_count"], event["waiting_count"]),
                         (self.answered, 1, int(self.answered == "waiting")))
        self.assertEqual(self.server.get("/livez").status, 200)

    def feed(self):
        items, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self.good(self.anna.get("/feed", query={"limit": 100, **more}))
            items += [p["id"] for p in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    def recovers(self):
        for change, note in self.changes(0):
            end = time.monotonic() + 15
            while (answer := change()).status == 507:
                self.assertLess(time.monotonic(), end, f"no recovery: {answer}")
                time.sleep(0.2)
            self.good(answer)
            note(answer)
        self.good(self.carl.patch("/users/me", {"full_name": "Found Again"}))

    def everything_is_right(self):
        end = time.monotonic() + 30
        while (names := [u["full_name"] for u in self.good(
                self.ben.get("/users", query={"q": "found again"}))["items"]]) != ["Found Again"]:
            self.assertLess(time.monotonic(), end, names)
            time.sleep(0.1)
        self.nothing_half_done()
        self.good(self.anna.put(f"/events/{self.event}/rsvp", {"status": "no"}))
        event = self.good(self.carl.get(f"/events/{self.event}"))
        self.assertEqual((event["my_status"], event["waiting_count"]), ("yes", 0))
        self.answered = "yes"
        time.sleep(1)
        self.server.kill()
        with copied(self.server.data) as db:
            Judge(self, db).all()
