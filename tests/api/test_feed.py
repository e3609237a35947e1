"""The home feed from outside (S03): everybody has an index, and two or three followers are many."""

import concurrent.futures
import random
import time

from test_posts import PostCase


class FeedCase(PostCase):
    def feed(self, user, **query):
        return [p["id"] for p in self.all_pages(user, "/feed", **query)]

    def feed_becomes(self, user, want, limit=3):
        for _ in range(200):
            got = self.feed(user, limit=limit)
            if got == want:
                return
            self.assertEqual(len(got), len(set(got)))
            time.sleep(0.02)
        self.assertEqual(got, want)


class Feed(FeedCase):
    """S03, with an index for everybody."""
    settings = {"post.feed_direct_max": "0", "post.fanout_max": "2"}

    def test_follow_and_unfollow(self):
        before = [self.publish(text=str(i))["id"] for i in range(5)]
        self.follow(self.ben, self.anna)
        self.feed_becomes(self.ben, before[::-1])
        own = self.publish(self.ben)["id"]
        after = self.publish()["id"]
        private = self.publish(visibility="private")["id"]
        self.feed_becomes(self.ben, [after, own] + before[::-1])
        self.assertEqual(self.feed(self.anna), [private, after] + before[::-1])
        self.ok(self.ben.delete(f"/users/{self.anna.id}/follow"))
        self.assertEqual(self.feed(self.ben), [own])  # at once
        self.follow(self.ben, self.anna)
        self.feed_becomes(self.ben, [after, own] + before[::-1])
        for change in ("mute", "block"):
            self.ok(self.ben.put(f"/users/{self.anna.id}/{change}"))
            self.assertEqual(self.feed(self.ben), [own], change)
            self.ok(self.ben.delete(f"/users/{self.anna.id}/{change}"))
            if change == "mute":
                self.feed_becomes(self.ben, [after, own] + before[::-1])
        self.assertEqual(self.feed(self.ben), [own])  # a block ends the follow

    def test_deleted_and_hidden(self):
        self.follow(self.ben, self.anna)
        posts = [self.publish(text=str(i))["id"] for i in range(3)]
        self.feed_becomes(self.ben, posts[::-1])
        self.ok(self.anna.delete(f"/posts/{posts[1]}"), 204)
        self.assertEqual(self.feed(self.ben), [posts[2], posts[0]])
        self.ok(self.anna.patch(f"/posts/{posts[2]}", {"visibility": "private"}))
        self.assertEqual(self.feed(self.ben), [posts[0]])
        self.ok(self.anna.patch(f"/posts/{posts[2]}", {"visibility": "followers"}))
        self.feed_becomes(self.ben, [posts[2], posts[0]])

    def test_pages_stay_while_posts_come(self):
        self.follow(self.ben, self.anna)
        posts = [self.publish(text=str(i))["id"] for i in range(7)]
        self.feed_becomes(self.ben, posts[::-1])
        page = self.ok(self.ben.get("/feed", query={"limit": 3}))
        for i in range(4):
            self.publish(text="late")
        rest, cursor = [], page["next_cursor"]
        while cursor:
            more = self.ok(self.ben.get("/feed", query={"limit": 2, "cursor": cursor}))
            rest += more["items"]
            cursor = more["next_cursor"]
        self.assertEqual([p["id"] for p in page["items"] + rest], posts[::-1])

    def test_crossing_the_bound(self):
        author, reader = self.anna, self.ben
        others = self.server.users(3)
        posts = []

        def publish():
            posts.insert(0, self.publish(author, text=str(len(posts)))["id"])
        self.follow(reader, author)
        publish()
        self.feed_becomes(reader, posts)
        for other in others:  # three followers and more: beyond post.fanout_max
            self.follow(other, author)
            publish()
            self.feed_becomes(reader, posts)
        for other in others:
            self.ok(other.delete(f"/users/{author.id}/follow"))
            publish()
            self.feed_becomes(reader, posts)
        for _ in range(3):
            publish()
        self.feed_becomes(reader, posts, limit=2)

    def test_after_a_restart(self):
        self.follow(self.ben, self.anna)
        posts = [self.publish(text=str(i))["id"] for i in range(3)]
        self.feed_becomes(self.ben, posts[::-1])
        posts += [self.publish(text=str(i))["id"] for i in range(20)]
        self.server.kill()
        for name in ("feed.db", "feed.db-wal", "feed.db-shm"):  # an index can be lost
            (self.server.data / name).unlink(missing_ok=True)
        self.server.restart()
        self.feed_becomes(self.ben, posts[::-1], limit=7)

    def test_many_write_at_once(self):
        writers = [u.own_connection() for u in self.server.users(4)]
        for writer in writers:
            self.ok(self.ben.put(f"/users/{writer.id}/follow"))
        self.ok(self.ben.get("/feed"))

        def write(writer):
            return [self.ok(writer.post("/posts", {"text": str(i)}), 201)["id"] for i in range(40)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            results = [pool.submit(write, writer) for writer in writers]
            while not all(result.done() for result in results):
                got = self.feed(self.ben, limit=7)
                self.assertEqual(got, sorted(got, reverse=True))  # ids rise with the commits
                self.assertEqual(len(got), len(set(got)))
        posts = [post for result in results for post in result.result()]
        self.feed_becomes(self.ben, sorted(posts, reverse=True), limit=50)

    def test_bad_pages(self):
        self.refused(self.anna.get("/feed", query={"cursor": "x"}), 400, "invalid_cursor")
        self.refused(self.anna.get("/feed", query={"limit": 0}), 422)


class RandomFeed(FeedCase):
    """A smaller relative of tests/unit/service/post/test_feed_model.c, from outside."""
    settings = {"post.feed_direct_max": "0", "post.fanout_max": "3"}

    def test_against_a_model(self):
        rng = random.Random(5)
        people = self.server.users(6)
        follows, posts = set(), []
        for step in range(300):
            a, b = rng.randrange(6), rng.randrange(6)
            draw = rng.random()
            if draw < 0.5:
                visibility = rng.choice(("public", "followers", "private"))
                posts.insert(0, (a, self.publish(people[a], visibility=visibility)["id"],
                                 visibility))
            elif draw < 0.8 and a != b:
                self.follow(people[a], people[b])
                follows.add((a, b))
            elif draw < 0.9 and a != b:
                self.ok(people[a].delete(f"/users/{people[b].id}/follow"))
                follows.discard((a, b))
            elif posts:
                gone = posts.pop(rng.randrange(len(posts)))
                self.ok(people[gone[0]].delete(f"/posts/{gone[1]}"), 204)
            if step % 20 == 0:
                viewer = rng.randrange(6)
                want = [post for author, post, visibility in posts if author == viewer or
                        (visibility != "private" and (viewer, author) in follows)]
                self.feed_becomes(people[viewer], want, limit=rng.randrange(1, 30))
