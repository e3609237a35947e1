"""A cursor belongs to the list that gave it (S05)."""

import itertools

from parleytest.case import ApiCase


class Cursors(ApiCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lists = None

    def setUp(self):
        super().setUp()
        if type(self).lists is None:
            type(self).lists = self.make()

    def make(self):
        """Lists of two or more things for one reader: path, query."""
        cls = type(self)
        cls.me, *others = self.server.users(4)
        me = cls.me
        posts = [self.ok(me.post("/posts", {"text": f"{i} #list"}), 201) for i in range(2)]
        for who in others:
            self.ok(who.put(f"/users/{me.id}/follow"))
            self.ok(me.put(f"/users/{who.id}/follow"))
            self.ok(me.put(f"/users/{who.id}/mute"))
            self.ok(me.post("/chats", {"kind": "direct", "member_ids": [who.id]}), 201)
            for post in posts:
                self.ok(who.put(f"/posts/{post['id']}/like"))
                self.ok(who.post(f"/posts/{post['id']}/comments", {"text": "x"}), 201)
            me.login()
            self.ok(me.post("/trade-signals", {"symbol": "A", "side": "buy", "entry_price": "1"}),
                    201)
        for i in range(1, 4):
            self.ok(me.post("/events", {
                "title": "x", "starts_at": f"2090-01-0{i}T10:00:00Z", "time_zone": "UTC",
                "ends_at": f"2090-01-0{i}T11:00:00Z"}), 201)
        for post in posts:
            self.ok(me.put(f"/posts/{post['id']}/bookmark"))
        cls.posts = posts
        first, second = (f"/posts/{post['id']}" for post in posts)
        return [(f"/users/{me.id}/followers", {}), (f"/users/{me.id}/following", {}),
                ("/users/me/mutes", {}), ("/chats", {}), (first + "/likes", {}), (second + "/likes", {}),
                (first + "/comments", {}), (second + "/comments", {}), ("/auth/sessions", {}),
                ("/trade-signals", {}), ("/events", {"scope": "mine"}), ("/events", {"scope": "all"}),
                ("/feed", {}), ("/bookmarks", {}), ("/tags/list/posts", {}),
                (f"/users/{me.id}/posts", {})]

    def cursor(self, path, query):
        return self.ok(self.me.get(path, query={**query, "limit": 1}))["next_cursor"]

    def test_of_another_list_is_refused(self):
        cursors = [self.cursor(path, query) for path, query in self.lists]
        self.assertNotIn(None, cursors)
        for (i, (path, query)), (k, cursor) in itertools.product(enumerate(self.lists),
                                                                 enumerate(cursors)):
            with self.subTest(list=path, of=self.lists[k][0], **query):
                answer = self.me.get(path, query={**query, "cursor": cursor})
                if i == k:
                    self.ok(answer)
                    continue
                self.refused(answer, 400, "invalid_cursor")
                self.assertEqual([e["field"] for e in answer.json["errors"]], ["cursor"])

    def test_of_nothing_at_all_is_refused(self):
        path = self.lists[0][0]
        mine = self.cursor(*self.lists[0])
        for bad in ("x", "AAAA", "%00", mine[:-1], mine + "A", mine[8:], mine.swapcase(),
                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAA" + mine[8:]):
            with self.subTest(cursor=bad):
                answer = self.refused(self.me.get(path, query={"cursor": bad}), 400,
                                      "invalid_cursor")
                self.assertEqual([e["field"] for e in answer.json["errors"]], ["cursor"])

    def test_goes_on_with_another_limit_and_window(self):
        cursor = self.cursor("/events", {"scope": "mine"})
        page = self.ok(self.me.get("/events", query={
            "scope": "mine", "limit": 7, "from": "2089-01-01T00:00:00Z", "cursor": cursor}))
        self.assertEqual(len(page["items"]), 2)

    def test_the_same_list_by_its_other_path(self):
        cursor = self.cursor("/feed", {})
        self.ok(self.server.http.request("GET", "/api/feed?cursor=" + cursor,
                                         headers={"authorization": "Bearer " + self.me.token}))
