"""Topics that a client watches while it looks at something: the op and the event stream's query."""

import uuid

from parleytest.case import ApiCase


class Watch(ApiCase):
    def setUp(self):
        super().setUp()
        self.user = self.server.user()

    def test_what_is_not_there_is_named(self):
        ws = self.user.reader("ws").ws
        answer = ws.call("watch", {"topics": ["nothing", f"post:{uuid.uuid4()}", "post:1"]})
        self.assertEqual(answer["data"]["topics"], [])
        self.assertEqual([r["topic"].split(":")[0] for r in answer["data"]["refused"]],
                         ["nothing", "post", "post"])
        self.assertEqual(ws.call("watch", {"topics": []})["data"], {"topics": [], "refused": []})
        ws.close()

    def test_bad_sets(self):
        ws = self.user.reader("ws").ws
        for data in ({}, {"topics": "signals"}, {"topics": ["x"] * 21}, {"topics": [""]},
                     {"topics": [1]}, {"topics": ["x" * 101]}):
            with self.subTest(data=str(data)[:40]):
                self.assertEqual(ws.call("watch", data)["error"]["status"], 422)
        ws.close()

    def test_admin_topics_are_for_admins(self):
        ws = self.user.reader("ws").ws
        refused = ws.call("watch", {"topics": ["admin"]})["data"]["refused"]
        self.assertEqual(len(refused), 1)
        ws.close()

    def test_an_event_stream_with_an_unknown_topic_is_refused(self):
        answer = self.user.get("/stream?watch=nothing")
        self.refused(answer, 404, "unknown_topic")


class WhatIsSeenNoMore(ApiCase):
    """A watch ends with what gave it: a block, the end of a follow, a thing for fewer people."""

    def setUp(self):
        super().setUp()
        self.anna, self.ben, self.carl = self.server.users(3)
        for fan in (self.ben, self.carl):
            self.ok(fan.put(f"/users/{self.anna.id}/follow"))

    def post(self, **more):
        return self.ok(self.anna.post("/posts", {"text": "Look", **more}), 201)["id"]

    def looking(self, user, post):
        ws = user.reader("ws").ws
        self.assertEqual(ws.call("watch", {"topics": [f"post:{post}"]})["data"]["topics"],
                         [f"post:{post}"])
        return ws

    def change(self, post):
        """Something that watchers are told."""
        self.ok(self.carl.post(f"/posts/{post}/comments", {"text": "Said"}), 201)

    def told(self, watcher, post):
        """While it is asked who may still watch, nobody is told: so said until it is heard."""
        for _ in range(100):
            self.change(post)
            try:
                event = watcher.event("comment.created", timeout=0.2)
            except (TimeoutError, AssertionError):
                continue
            self.assertEqual(event["data"]["post_id"], post)
            return
        self.fail("the witness was never told")

    def not_told(self, watcher, witness, post):
        """The witness sees it, and with it whoever else would have."""
        self.told(witness, post)
        self.assertTrue(watcher.no_event("comment.created", within=0.3))

    def test_a_block(self):
        post = self.post()
        ben, carl = self.looking(self.ben, post), self.looking(self.carl, post)
        self.told(ben, post)
        self.ok(self.anna.put(f"/users/{self.ben.id}/block"))
        self.not_told(ben, carl, post)

    def test_the_end_of_a_follow(self):
        post = self.post(visibility="followers")
        ben, carl = self.looking(self.ben, post), self.looking(self.carl, post)
        self.ok(self.ben.delete(f"/users/{self.anna.id}/follow"))
        self.not_told(ben, carl, post)

    def test_a_post_for_fewer(self):
        post = self.post()
        stranger = self.server.user()
        outside, carl = self.looking(stranger, post), self.looking(self.carl, post)
        self.ok(self.anna.patch(f"/posts/{post}", {"visibility": "followers"}))
        self.not_told(outside, carl, post)

    def test_an_account_that_becomes_private(self):
        post = self.post()
        stranger = self.server.user()
        outside, carl = self.looking(stranger, post), self.looking(self.carl, post)
        self.ok(self.anna.patch("/users/me", {"is_private": True}))
        self.not_told(outside, carl, post)

    def test_what_is_still_seen_stays_watched(self):
        mine, other = self.post(), self.ok(self.carl.post("/posts", {"text": "Mine"}), 201)["id"]
        ws = self.ben.reader("ws").ws
        ws.call("watch", {"topics": [f"post:{mine}", f"post:{other}"]})
        self.ok(self.anna.put(f"/users/{self.ben.id}/block"))
        self.told(ws, other)

    def test_what_a_third_person_says(self):
        """A block between two readers of a post: neither is told what the other says there."""
        post = self.post()
        ben = self.looking(self.ben, post)
        self.told(ben, post)
        self.ok(self.carl.put(f"/users/{self.ben.id}/block"))
        witness = self.looking(self.anna, post)
        self.not_told(ben, witness, post)
        self.ok(self.anna.post(f"/posts/{post}/comments", {"text": "By the author"}), 201)
        self.assertEqual(ben.event("comment.created")["data"]["user_id"], self.anna.id)
