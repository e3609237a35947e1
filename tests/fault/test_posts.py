"""SIGKILL while people publish, like and follow: nothing acknowledged is lost, counts are what a
recount says, and each feed has every post once, newest first."""

import threading
import time
import unittest

from parleytest import Server

ROUNDS, WRITERS = 4, 4


class Killed(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.server = Server({"post.feed_direct_max": "0", "post.fanout_max": "3"})
        self.addCleanup(self.server.remove)
        self.reader = self.server.user()
        self.writers = self.server.users(WRITERS)
        self.posts, self.likes, self.lock = [], {}, threading.Lock()

    def write(self, user, stop):
        """Until the server is gone; keeps what was acknowledged."""
        user.own_connection()
        while not stop.is_set():
            try:
                post = user.post("/posts", {"text": "durable"})
                if post.status != 201:
                    return
                with self.lock:
                    self.posts.append(post.json["id"])
                like = user.put(f"/posts/{post.json['id']}/like")
                if like.status == 200:
                    with self.lock:
                        self.likes[post.json["id"]] = 1
            except (OSError, ValueError, AssertionError, EOFError):
                return

    def pages(self, path, **query):
        items, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = self.reader.get(path, query={"limit": 100, **query, **more})
            self.assertEqual(answer.status, 200, answer)
            items += answer.json["items"]
            cursor = answer.json["next_cursor"]
            if cursor is None:
                return items

    def check(self):
        want = set(self.posts)
        for _ in range(200):
            feed = self.pages("/feed")
            ids = [post["id"] for post in feed]
            self.assertEqual(ids, sorted(set(ids), reverse=True), "newest first, each once")
            if want <= set(ids):
                break
            time.sleep(0.05)
        self.assertEqual(want - set(ids), set(), "acknowledged, and not in the feed")
        for post in feed:
            likers = self.pages(f"/posts/{post['id']}/likes") if post["id"] in self.likes else []
            if post["id"] in self.likes:
                self.assertEqual((post["like_count"], len(likers)), (1, 1))

    def test_posts_likes_and_feeds(self):
        for writer in self.writers:
            self.assertEqual(self.reader.put(f"/users/{writer.id}/follow").status, 200)
        self.pages("/feed")
        for _ in range(ROUNDS):
            stop = threading.Event()
            threads = [threading.Thread(target=self.write, args=(w, stop)) for w in self.writers]
            for thread in threads:
                thread.start()
            time.sleep(0.4)
            self.server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            self.server.start()
            self.reader.own_connection()
            self.check()
        self.assertGreater(len(self.posts), 50)
