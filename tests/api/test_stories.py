"""Stories (T01 to T08): posting, the bar, who sees what, viewers, the day's limit, live events. What
the clock does to them is in tests/fault/test_stories_clock.py and in the unit tests."""

import socket
import subprocess
import time
import uuid

from parleytest import PASSWORD, binary, clean_environment
from parleytest.case import ApiCase

UNKNOWN = "0190b3c4-0000-7000-8000-000000000000"


class StoryCase(ApiCase):
    def post(self, user, text="a story", **more):
        return self.ok(user.post("/stories", {"text": text, **more}), 201)

    def bar(self, user, **query):
        return self.ok(user.get("/stories", query=query))

    def walk(self, user, limit):
        """The whole bar, page by page."""
        items, cursor = [], None
        for _ in range(100):
            page = self.bar(user, limit=limit, **({"cursor": cursor} if cursor else {}))
            self.assertLessEqual(len(page["items"]), limit)
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items
        self.fail("the bar does not end")

    def of(self, user, author):
        return self.ok(user.get(f"/users/{author.id}/stories"))["items"]

    def view(self, user, story):
        self.ok(user.put(f"/stories/{story['id']}/view"), 204)

    def follow(self, user, *others):
        for other in others:
            self.ok(user.put(f"/users/{other.id}/follow"))

    def promoted(self, role):
        user = self.server.user()
        subprocess.run([binary(), "user", "promote", user.username, role, "--data",
                        str(self.server.data)], check=True, env=clean_environment(),
                       capture_output=True, timeout=30)
        return user.login()

    def fields(self, answer):
        self.refused(answer, 422, "invalid_fields")
        return {(e["field"], e["code"]) for e in answer.json["errors"]}


class Posting(StoryCase):
    def setUp(self):
        super().setUp()
        self.user = self.server.user()

    def test_a_text(self):
        story = self.post(self.user, "Good morning \U0001f600")
        self.assertEqual((story["text"], story["media_id"], story["visibility"]),
                         ("Good morning \U0001f600", None, "public"))
        self.assertEqual((story["user_id"], story["viewed"], story["viewer_count"]),
                         (self.user.id, True, 0))
        self.assertEqual(story["created_at"][11:], story["expires_at"][11:])  # a day later
        self.assertEqual(self.of(self.user, self.user), [story])
        self.assertEqual(self.bar(self.user), {"items": [story], "next_cursor": None})

    def test_a_medium(self):
        media = str(uuid.uuid4())
        story = self.ok(self.user.post("/stories", {"media_id": media}), 201)
        self.assertEqual((story["text"], story["media_id"]), (None, media))
        both = self.post(self.user, "with words", media_id=media)
        self.assertEqual((both["text"], both["media_id"]), ("with words", media))

    def test_bounds(self):
        self.post(self.user, "\u00e9" * 2000)
        for body, wrong in (({}, ("text", "required")),
                            ({"text": None}, ("text", "required")),
                            ({"media_id": None, "text": None}, ("text", "required")),
                            ({"text": ""}, ("text", "too_short")),
                            ({"text": " \n\u2003"}, ("text", "blank")),
                            ({"text": "\u00e9" * 2001}, ("text", "too_long")),
                            ({"text": 5}, ("text", "wrong_type")),
                            ({"text": "x", "media_id": "x"}, ("media_id", "invalid_id")),
                            ({"text": "x", "visibility": "private"},
                             ("visibility", "not_allowed")),
                            ({"text": "x", "visibility": "all"}, ("visibility", "not_allowed"))):
            with self.subTest(body=str(body)[:40]):
                self.assertIn(wrong, self.fields(self.user.post("/stories", body)))
        self.refused(self.user.post("/stories", {"text": "x", "expires_in": 5}), 400,
                     "unknown_field")
        self.assertEqual(len(self.of(self.user, self.user)), 1)

    def test_ten_a_day_deleted_ones_included(self):
        for i in range(9):
            story = self.post(self.user, f"{i}")
        self.ok(self.user.delete(f"/stories/{story['id']}"), 204)
        self.post(self.user, "the tenth")
        answer = self.refused(self.user.post("/stories", {"text": "x"}), 429, "too_many_stories")
        wait = int(answer.header("retry-after"))
        self.assertTrue(86400 - 60 < wait <= 86400, wait)
        self.post(self.server.user(), "somebody else has their own ten")
        self.assertEqual(len(self.of(self.user, self.user)), 9)

    def test_idempotency(self):
        key = {"Idempotency-Key": uuid.uuid4().hex}
        first = self.user.post("/stories", {"text": "once"}, headers=key)
        again = self.user.post("/stories", {"text": "once"}, headers=key)
        self.assertEqual((first.status, first.body), (again.status, again.body))
        self.assertEqual(len(self.of(self.user, self.user)), 1)
        self.refused(self.user.post("/stories", {"text": "other"}, headers=key), 422)

    def test_delete(self):
        story = self.post(self.user)
        other = self.server.user()
        self.refused(other.delete(f"/stories/{story['id']}"), 403, "not_author")
        self.ok(self.user.delete(f"/stories/{story['id']}"), 204)
        for user in (self.user, other):
            self.refused(user.delete(f"/stories/{story['id']}"), 404, "story_not_found")
            self.refused(user.put(f"/stories/{story['id']}/view"), 404, "story_not_found")
            self.assertEqual(self.of(user, self.user), [])

    def test_ids_of_nothing_and_of_other_things(self):
        chat = self.user.direct(self.server.user())["id"]
        for wrong in (UNKNOWN, self.user.id, chat):
            for method, path in (("PUT", "/view"), ("GET", "/viewers"), ("DELETE", "")):
                with self.subTest(id=wrong, path=path):
                    self.refused(self.user.request(method, f"/stories/{wrong}{path}"), 404,
                                 "story_not_found")
        for wrong in (UNKNOWN, chat, self.post(self.user)["id"]):
            self.refused(self.user.get(f"/users/{wrong}/stories"), 404, "user_not_found")
        self.refused(self.user.delete("/stories/x"), 422)


class Seeing(StoryCase):
    def setUp(self):
        super().setUp()
        self.author, self.follower, self.stranger = self.server.users(3)
        self.follow(self.follower, self.author)

    def test_visibility(self):
        public = self.post(self.author, "for all")
        close = self.post(self.author, "for followers", visibility="followers")
        ids = [public["id"], close["id"]]
        self.assertEqual([s["id"] for s in self.of(self.author, self.author)], ids)
        self.assertEqual([s["id"] for s in self.of(self.follower, self.author)], ids)
        self.assertEqual([s["id"] for s in self.of(self.stranger, self.author)], ids[:1])
        self.refused(self.stranger.put(f"/stories/{ids[1]}/view"), 404, "story_not_found")
        self.refused(self.stranger.delete(f"/stories/{ids[1]}"), 404, "story_not_found")
        self.refused(self.stranger.get(f"/stories/{ids[1]}/viewers"), 404, "story_not_found")
        self.assertEqual(self.bar(self.stranger)["items"], [])

    def test_moderators(self):
        """What was reported can be looked at and taken down, whoever it was for."""
        moderator, admin = (self.promoted(role) for role in ("moderator", "admin"))
        close = self.post(self.author, "for followers", visibility="followers")
        self.ok(self.author.put(f"/users/{moderator.id}/block"))
        self.assertEqual([s["id"] for s in self.of(moderator, self.author)], [close["id"]])
        self.refused(moderator.put(f"/stories/{close['id']}/view"), 404, "story_not_found")
        self.refused(self.follower.delete(f"/stories/{close['id']}"), 403, "not_author")
        self.ok(moderator.delete(f"/stories/{close['id']}"), 204)
        self.assertEqual(self.of(self.author, self.author), [])
        rows = self.acts(admin, close["id"], 1)
        self.assertEqual([(r["action"], r["actor_id"]) for r in rows],
                         [("story.deleted", moderator.id)])

    def test_a_private_account(self):
        story = self.post(self.author)
        self.ok(self.author.patch("/users/me", {"is_private": True}))
        self.eventually(lambda: self.of(self.stranger, self.author) == [])
        self.refused(self.stranger.put(f"/stories/{story['id']}/view"), 404)
        self.assertEqual(len(self.of(self.follower, self.author)), 1)
        self.assertEqual(len(self.bar(self.follower)["items"]), 1)

    def test_unfollowed(self):
        self.post(self.author, visibility="followers")
        self.assertEqual(len(self.bar(self.follower)["items"]), 1)
        self.ok(self.follower.delete(f"/users/{self.author.id}/follow"))
        self.assertEqual(self.bar(self.follower)["items"], [])
        self.assertEqual(self.of(self.follower, self.author), [])

    def test_muted_ones_are_not_in_the_bar(self):
        story = self.post(self.author)
        self.ok(self.follower.put(f"/users/{self.author.id}/mute"))
        self.assertEqual(self.bar(self.follower)["items"], [])
        self.assertEqual([s["id"] for s in self.of(self.follower, self.author)], [story["id"]])
        self.ok(self.follower.delete(f"/users/{self.author.id}/mute"))
        self.assertEqual(len(self.bar(self.follower)["items"]), 1)

    def test_blocked_by_the_author(self):
        story = self.post(self.author)
        self.view(self.follower, story)
        self.ok(self.author.put(f"/users/{self.follower.id}/block"))
        self.refused(self.follower.get(f"/users/{self.author.id}/stories"), 404, "user_not_found")
        self.refused(self.follower.put(f"/stories/{story['id']}/view"), 404, "story_not_found")
        self.assertEqual(self.bar(self.follower)["items"], [])
        viewers = self.ok(self.author.get(f"/stories/{story['id']}/viewers"))
        self.assertEqual(viewers["items"], [])

    def test_blocking_the_author(self):
        story = self.post(self.author)
        self.ok(self.stranger.put(f"/users/{self.author.id}/block"))
        self.assertEqual(self.of(self.stranger, self.author), [])
        self.refused(self.stranger.put(f"/stories/{story['id']}/view"), 404, "story_not_found")

    def test_an_account_that_is_switched_off(self):
        story = self.post(self.author)
        self.assertEqual(len(self.bar(self.follower)["items"]), 1)
        subprocess.run([binary(), "user", "disable", self.author.username, "--data",
                        str(self.server.data)], check=True, env=clean_environment(),
                       capture_output=True, timeout=30)
        self.eventually(lambda: self.bar(self.follower)["items"] == [])
        self.refused(self.follower.put(f"/stories/{story['id']}/view"), 404, "story_not_found")
        self.refused(self.follower.get(f"/users/{self.author.id}/stories"), 404, "user_not_found")

    def test_a_deleted_account(self):
        story = self.post(self.author)
        self.view(self.author, story)
        theirs = self.post(self.follower)
        self.view(self.author, theirs)
        answer = self.author.request("DELETE", "/users/me", {"password": PASSWORD})
        self.ok(answer, 204)
        self.eventually(lambda: self.bar(self.follower)["items"][0]["viewer_count"] == 0)
        self.assertEqual([s["id"] for s in self.bar(self.follower)["items"]], [theirs["id"]])
        self.refused(self.follower.put(f"/stories/{story['id']}/view"), 404, "story_not_found")


class Viewing(StoryCase):
    def setUp(self):
        super().setUp()
        self.author, self.viewer = self.server.users(2)
        self.story = self.post(self.author)

    def viewers(self, **query):
        return self.ok(self.author.get(f"/stories/{self.story['id']}/viewers", query=query))

    def test_once_each(self):
        self.assertFalse(self.of(self.viewer, self.author)[0]["viewed"])
        self.view(self.viewer, self.story)
        first = self.viewers()
        self.view(self.viewer, self.story)
        self.assertEqual(self.viewers(), first)
        self.assertEqual([v["user_id"] for v in first["items"]], [self.viewer.id])
        self.assertTrue(self.of(self.viewer, self.author)[0]["viewed"])
        self.assertIsNone(self.of(self.viewer, self.author)[0]["viewer_count"])
        self.assertEqual(self.of(self.author, self.author)[0]["viewer_count"], 1)

    def test_ones_own_views_do_not_count(self):
        self.view(self.author, self.story)
        self.assertEqual(self.viewers()["items"], [])
        self.assertEqual(self.of(self.author, self.author)[0]["viewer_count"], 0)

    def test_only_the_author_sees_who(self):
        self.refused(self.viewer.get(f"/stories/{self.story['id']}/viewers"), 403, "not_author")

    def test_pages_while_others_come(self):
        people = self.server.users(5)
        for user in people:
            self.view(user, self.story)
        page = self.viewers(limit=2)
        seen = [v["user_id"] for v in page["items"]]
        self.view(self.server.user(), self.story)
        while page["next_cursor"]:
            page = self.viewers(limit=2, cursor=page["next_cursor"])
            seen += [v["user_id"] for v in page["items"]]
        self.assertEqual(len(seen), 5)
        self.assertEqual(set(seen), {u.id for u in people})
        times = [v["viewed_at"] for v in self.viewers()["items"]]
        self.assertEqual(times, sorted(times, reverse=True))
        self.refused(self.author.get(f"/stories/{self.story['id']}/viewers",
                                     query={"cursor": "nonsense"}), 400, "invalid_cursor")


class Bar(StoryCase):
    def setUp(self):
        super().setUp()
        self.me = self.server.user()
        self.authors = self.server.users(4)
        self.follow(self.me, *self.authors)

    def ids(self, items):
        return [s["id"] for s in items]

    def post_each(self, rounds):
        """Each author posts in turn; stories by author, oldest first."""
        stories = {a.id: [] for a in self.authors}
        for i in range(rounds):
            for author in self.authors:
                stories[author.id].append(self.post(author, f"{i}")["id"])
        return stories

    def test_order(self):
        stories = self.post_each(2)
        a, b, c, d = (stories[u.id] for u in self.authors)
        self.assertEqual(self.ids(self.bar(self.me)["items"]), d + c + b + a)
        for story in d + b:
            self.view(self.me, {"id": story})
        self.view(self.me, {"id": c[0]})  # one of two: something is unseen still
        bar = self.bar(self.me)["items"]
        self.assertEqual(self.ids(bar), c + a + d + b)
        self.assertEqual([s["viewed"] for s in bar], [True] + [False] * 3 + [True] * 4)
        newer = self.post(self.authors[3])["id"]
        self.assertEqual(self.ids(self.bar(self.me)["items"]), d + [newer] + c + a + b)

    def test_ones_own_are_seen(self):
        stories = self.post_each(1)
        mine = self.post(self.me)["id"]
        self.assertEqual(self.ids(self.bar(self.me)["items"])[-1], mine)
        self.assertEqual(len(self.bar(self.me)["items"]), 1 + len(stories))

    def test_pages_of_every_size_say_the_same(self):
        self.post_each(3)
        for story in self.bar(self.me)["items"][:4]:
            self.view(self.me, story)
        whole = self.ids(self.bar(self.me)["items"])
        self.assertEqual(len(whole), 12)
        for limit in (1, 2, 3, 5, 11, 12, 13):
            with self.subTest(limit=limit):
                self.assertEqual(self.ids(self.walk(self.me, limit)), whole)

    def test_pages_are_stable_while_others_post_and_one_looks(self):
        self.post_each(3)
        whole = self.ids(self.bar(self.me)["items"])
        page = self.bar(self.me, limit=2)
        seen = self.ids(page["items"])
        while page["next_cursor"]:
            for story in page["items"]:
                self.view(self.me, story)
            self.post(self.authors[len(seen) % 4], "meanwhile")
            page = self.bar(self.me, limit=2, cursor=page["next_cursor"])
            seen += self.ids(page["items"])
        self.assertEqual(seen, whole)

    def test_a_persons_list_by_pages(self):
        author = self.authors[0]
        whole = [self.post(author, f"{i}")["id"] for i in range(5)]
        for user in (self.me, author):
            seen, cursor = [], {}
            for _ in range(10):
                page = self.ok(user.get(f"/users/{author.id}/stories",
                                        query={"limit": 2, **cursor}))
                seen += self.ids(page["items"])
                if page["next_cursor"] is None:
                    break
                cursor = {"cursor": page["next_cursor"]}
            self.assertEqual(seen, whole)

    def test_bad_pages(self):
        self.refused(self.me.get("/stories", query={"cursor": "AAAA"}), 400, "invalid_cursor")
        for limit in ("0", "101", "x"):
            self.refused(self.me.get("/stories", query={"limit": limit}), 422)


class Live(StoryCase):
    def setUp(self):
        super().setUp()
        self.author, self.follower, self.stranger = self.server.users(3)
        self.follow(self.follower, self.author)

    def nothing(self, reader, name):
        with self.assertRaises((socket.timeout, TimeoutError)):
            reader.event(name, timeout=0.3)

    def test_posted_and_deleted(self):
        for transport in ("ws", "sse", "poll"):
            with self.subTest(transport=transport):
                reader = self.follower.reader(transport)
                own = self.author.reader("ws")
                other = self.stranger.reader("ws")
                story = self.post(self.author, visibility="followers")
                event = reader.event("story.posted")
                self.assertEqual(event["data"], {**story, "viewed": False, "viewer_count": None})
                self.assertEqual(own.event("story.posted")["data"]["id"], story["id"])
                self.ok(self.author.delete(f"/stories/{story['id']}"), 204)
                event = reader.event("story.deleted")
                self.assertEqual(event["data"], {**story, "text": None, "viewed": False,
                                                 "viewer_count": None})
                self.nothing(other, "story.posted")
                for r in (reader, own, other):
                    r.close()

    def test_resumed(self):
        reader = self.follower.reader("ws")
        pos = self.author.send(self.author.direct(self.follower)["id"], "mark")
        pos = reader.event("message.sent")["pos"]
        reader.close()
        story = self.post(self.author)
        reader = self.follower.reader("ws", pos)
        self.assertEqual(reader.event("story.posted")["data"]["id"], story["id"])
        reader.close()

    def test_viewed_is_told_once_to_both(self):
        story = self.post(self.author)
        readers = [self.author.reader("ws"), self.follower.reader("ws")]
        other = self.stranger.reader("ws")
        self.view(self.follower, story)
        for reader in readers:
            event = reader.event("story.viewed")
            self.assertNotIn("pos", event)
            self.assertEqual((event["data"]["story_id"], event["data"]["user_id"]),
                             (story["id"], self.follower.id))
        self.view(self.follower, story)
        self.view(self.author, story)
        for reader in (*readers, other):
            self.nothing(reader, "story.viewed")
            reader.close()


class Export(StoryCase):
    def test_ones_own_and_what_one_has_seen(self):
        me, other = self.server.users(2)
        mine, theirs = self.post(me, "mine"), self.post(other, "theirs")
        self.view(me, theirs)
        answer = self.ok(me.get("/users/me/export"))
        text = str(answer)
        self.assertIn(mine["id"], text)
        self.assertIn(theirs["id"], text)  # as seen
        self.assertNotIn("'theirs'", text)
