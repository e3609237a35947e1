"""Accounts that are switched off: nothing of theirs is shown, in any room, until they are back."""

import subprocess
import time

from parleytest.case import ApiCase
from parleytest.server import PASSWORD, binary, clean_environment


class AbsentCase(ApiCase):
    own_server = True  # a board of signals of its own

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.promote("admin")
        cls.moderator = cls.promote("moderator")

    @classmethod
    def promote(cls, role):
        user = cls.server.user()
        subprocess.run([binary(), "user", "promote", user.username, role, "--data",
                        str(cls.server.data)], check=True, env=clean_environment(),
                       capture_output=True, timeout=30)
        return user.login()

    def setUp(self):
        super().setUp()
        self.anna, self.ben, self.carl = self.server.users(3)

    def disable(self, user):
        self.switch(user, False)
        self.eventually(lambda: self.carl.get(f"/users/{user.id}/relationship").status == 404)

    def enable(self, user):
        self.switch(user, True)
        self.eventually(lambda: self.carl.get(f"/users/{user.id}/relationship").status == 200)

    def switch(self, user, on):
        self.ok(self.admin.patch(f"/admin/users/{user.id}", {"is_active": on}))

    def items(self, reader, path, **query):
        return self.ok(reader.get(path, query=query))["items"]


class People(AbsentCase):
    def test_follow_and_relationship_are_as_the_profile(self):
        path = f"/users/{self.ben.id}"
        self.ok(self.carl.put(path + "/follow"))
        self.disable(self.ben)
        for reader in (self.carl, self.anna):  # one follows, one does not
            self.refused(reader.get(path), 404, "user_not_found")
            self.refused(reader.get(path + "/relationship"), 404, "user_not_found")
            self.refused(reader.put(path + "/follow"), 404, "user_not_found")
        self.ok(self.moderator.get(path))
        self.ok(self.moderator.get(path + "/relationship"))
        self.enable(self.ben)
        self.assertTrue(self.ok(self.carl.get(path + "/relationship"))["following"])
        self.assertTrue(self.ok(self.carl.put(path + "/follow"))["following"])

    def test_a_relation_can_be_ended_meanwhile(self):
        path = f"/users/{self.ben.id}"
        self.ok(self.carl.put(path + "/follow"))
        self.disable(self.ben)
        self.assertFalse(self.ok(self.carl.delete(path + "/follow"))["following"])
        self.assertTrue(self.ok(self.anna.put(path + "/block"))["blocking"])
        self.assertFalse(self.ok(self.anna.delete(path + "/block"))["blocking"])

    def test_a_request_of_somebody_who_is_switched_off(self):
        self.ok(self.anna.patch("/users/me", {"is_private": True}))
        self.assertTrue(self.ok(self.ben.put(f"/users/{self.anna.id}/follow"))["follow_requested"])
        self.disable(self.ben)
        self.refused(self.anna.put(f"/follow-requests/{self.ben.id}"), 404, "user_not_found")
        self.enable(self.ben)
        self.ok(self.anna.put(f"/follow-requests/{self.ben.id}"), 204)

    def test_somebody_who_has_deactivated_their_account(self):
        self.ok(self.ben.post("/users/me/deactivate", {"password": PASSWORD}), 204)
        path = f"/users/{self.ben.id}"
        self.eventually(lambda: self.carl.get(path + "/relationship").status == 404)
        self.refused(self.carl.put(path + "/follow"), 404, "user_not_found")
        self.ok(self.server.post("/api/v1/auth/login",
                                 {"login": self.ben.username, "password": PASSWORD}))
        self.eventually(lambda: self.carl.get(path + "/relationship").status == 200)
        self.ok(self.carl.put(path + "/follow"))


class Comments(AbsentCase):
    def setUp(self):
        super().setUp()
        post = self.ok(self.anna.post("/posts", {"text": "hello"}), 201)
        self.post = f"/posts/{post['id']}"
        self.comments = f"{self.post}/comments"

    def say(self, who, text, **more):
        return self.ok(who.post(self.comments, {"text": text, **more}), 201)

    def said(self, reader, **query):
        return [c["text"] for c in self.items(reader, self.comments, **query)]

    def test_comments_go_and_come_back(self):
        self.say(self.ben, "one")
        asked = self.say(self.ben, "two")
        answer = self.say(self.carl, "three", reply_to=asked["id"])
        self.say(self.ben, "four", reply_to=answer["id"])
        self.say(self.carl, "five")
        before = self.items(self.anna, self.comments)
        self.disable(self.ben)
        shown = self.items(self.anna, self.comments)
        self.assertEqual([c["text"] for c in shown], ["", "five"])
        veiled = shown[0]
        self.assertEqual({**veiled, "deleted_at": None},
                         {**asked, "user_id": None, "text": "", "reply_count": 1})
        self.assertIsNotNone(veiled["deleted_at"])
        self.assertEqual(self.said(self.anna, reply_to=asked["id"]), ["three"])
        self.assertEqual(self.said(self.anna, reply_to=answer["id"]), [])
        self.refused(self.anna.post(self.comments, {"text": "no", "reply_to": asked["id"]}), 409,
                     "comment_deleted")
        self.assertEqual(self.ok(self.anna.get(self.post))["comment_count"], 5)
        self.assertEqual(self.said(self.moderator), ["one", "two", "five"])
        self.enable(self.ben)
        self.assertEqual(self.items(self.anna, self.comments), before)
        self.say(self.anna, "six", reply_to=asked["id"])

    def test_a_page_of_nothing_but_absent_people_has_a_next_one(self):
        for i in range(3):
            self.say(self.ben, str(i))
        self.say(self.carl, "last")
        self.disable(self.ben)
        page = self.ok(self.anna.get(self.comments, query={"limit": 2}))
        self.assertEqual(page["items"], [])
        page = self.ok(self.anna.get(self.comments, query={"cursor": page["next_cursor"]}))
        self.assertEqual([c["text"] for c in page["items"]], ["last"])

    def test_likes(self):
        for who in (self.ben, self.carl):
            self.ok(who.put(self.post + "/like"))
        self.disable(self.ben)
        self.assertEqual([l["user_id"] for l in self.items(self.anna, self.post + "/likes")],
                         [self.carl.id])
        self.assertEqual(self.ok(self.anna.get(self.post))["like_count"], 2)
        self.enable(self.ben)
        self.assertEqual([l["user_id"] for l in self.items(self.anna, self.post + "/likes")],
                         [self.carl.id, self.ben.id])


class Others(AbsentCase):
    def test_attendees(self):
        event = self.ok(self.anna.post("/events", {
            "title": "Party", "starts_at": "2099-05-01T20:00:00Z", "capacity": 1,
            "ends_at": "2099-05-01T23:00:00Z", "time_zone": "Europe/Berlin"}), 201)
        path = f"/events/{event['id']}"
        for who in (self.ben, self.carl):
            self.ok(who.put(path + "/rsvp", {"status": "yes"}))
        self.disable(self.ben)
        for reader in (self.anna, self.carl):
            shown = self.items(reader, path + "/attendees")
            self.assertEqual([(a["user_id"], a["status"]) for a in shown],
                             [(self.carl.id, "waiting")])
        self.assertEqual(self.ok(self.anna.get(path))["yes_count"], 1)
        self.enable(self.ben)
        self.assertEqual([a["user_id"] for a in self.items(self.anna, path + "/attendees")],
                         [self.ben.id, self.carl.id])

    def test_events_of_a_host_who_is_switched_off(self):
        event = self.ok(self.ben.post("/events", {
            "title": "Party", "starts_at": "2099-05-01T20:00:00Z",
            "ends_at": "2099-05-01T23:00:00Z", "time_zone": "Europe/Berlin"}), 201)
        path = f"/events/{event['id']}"
        self.ok(self.carl.put(path + "/rsvp", {"status": "yes"}))
        self.disable(self.ben)
        self.refused(self.anna.get(path), 404, "event_not_found")
        self.refused(self.anna.put(path + "/rsvp", {"status": "yes"}), 404, "event_not_found")
        self.assertNotIn(event["id"], [e["id"] for e in self.items(self.anna, "/events", limit=100)])
        self.assertEqual(self.ok(self.carl.get(path))["my_status"], "yes")  # it is in their calendar
        self.enable(self.ben)
        self.ok(self.anna.get(path))

    def test_viewers_of_a_story(self):
        story = self.ok(self.anna.post("/stories", {"text": "hello"}), 201)
        self.ok(self.anna.put(f"/users/{self.ben.id}/follow"))
        for who in (self.ben, self.carl):
            self.ok(who.put(f"/stories/{story['id']}/view"), 204)
        path = f"/stories/{story['id']}/viewers"
        self.disable(self.ben)
        self.assertEqual([v["user_id"] for v in self.items(self.anna, path)], [self.carl.id])
        self.enable(self.ben)
        self.assertEqual(len(self.items(self.anna, path)), 2)

    def test_signals(self):
        ids = {}
        for who in (self.ben, self.carl):
            signal = self.ok(who.post("/trade-signals", {
                "symbol": "BTC/USD", "side": "buy", "entry_price": "5"}), 201)
            ids[who] = signal["id"]
            self.ok(self.admin.put(f"/admin/trade-signals/{signal['id']}/status",
                                   {"status": "approved"}))
        path = f"/trade-signals/{ids[self.ben]}"

        def board(reader):
            shown = {s["id"] for s in self.items(reader, "/trade-signals/approved")}
            return shown & set(ids.values())

        def public_board():
            answer = self.server.get("/api/v1/trade-signals/approved")
            return {s["id"] for s in self.ok(answer)["items"]} & set(ids.values())
        self.ok(self.anna.get(path))
        self.assertEqual(board(self.anna), set(ids.values()))
        self.disable(self.ben)
        self.assertEqual(board(self.anna), {ids[self.carl]})
        self.assertEqual(public_board(), {ids[self.carl]})
        self.refused(self.anna.get(path), 404, "signal_not_found")
        self.refused(self.anna.get(path + "/history"), 404, "signal_not_found")
        self.refused(self.anna.patch(path, {"note": "x"}), 404, "signal_not_found")
        self.refused(self.anna.delete(path), 404, "signal_not_found")
        self.ok(self.admin.get(path))
        self.assertIn(ids[self.ben],
                      [s["id"] for s in self.items(self.admin, "/admin/trade-signals")])
        self.enable(self.ben)
        self.assertEqual(board(self.anna), set(ids.values()))
        self.assertEqual(public_board(), set(ids.values()))
        self.ok(self.anna.get(path))
