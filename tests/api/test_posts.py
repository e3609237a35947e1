"""Posts, comments, likes, bookmarks and their lists (S02, S04, S05)."""

import concurrent.futures
import subprocess
import time
import uuid

from parleytest.case import ApiCase
from parleytest.server import PASSWORD, binary, clean_environment

NOBODY = "0190b3c4-0000-7000-8000-000000000000"


class PostCase(ApiCase):
    def setUp(self):
        super().setUp()
        self.anna, self.ben, self.carl = self.server.users(3)

    def publish(self, user=None, text="hello", **more):
        return self.ok((user or self.anna).post("/posts", {"text": text, **more}), 201)

    def comment(self, post, user=None, text="yes", **more):
        return self.ok((user or self.ben).post(f"/posts/{post['id']}/comments",
                                               {"text": text, **more}), 201)

    def follow(self, who, whom):
        self.assertEqual(self.ok(who.put(f"/users/{whom.id}/follow"))["following"], True)

    def all_pages(self, user, path, **query):
        """Every item, page by page, and that no id comes twice."""
        items, cursor = [], None
        while True:
            page = self.ok(user.get(path, query={**query, **({"cursor": cursor} if cursor else {})}))
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        return items

    def field_refused(self, answer, field, code):
        self.refused(answer, 422, "invalid_fields")
        self.assertIn((field, code), [(e["field"], e["code"]) for e in answer.json["errors"]])


class Posts(PostCase):
    def test_shape(self):
        post = self.publish(text="Hallo #Welt")
        self.assertEqual(set(post), {
            "id", "user_id", "text", "media_ids", "mentions", "tags", "visibility", "like_count",
            "comment_count", "liked", "bookmarked", "created_at", "edited_at"})
        self.assertEqual((post["user_id"], post["text"], post["visibility"], post["tags"]),
                         (self.anna.id, "Hallo #Welt", "public", ["welt"]))
        self.assertEqual((post["like_count"], post["comment_count"], post["liked"],
                          post["bookmarked"], post["edited_at"]), (0, 0, False, False, None))
        self.assertEqual(self.ok(self.ben.get(f"/posts/{post['id']}")), post)

    def test_text_limits(self):
        self.publish(text="ä" * 5000)
        self.publish(text="\U0001f600" * 5000)
        for text, code in (("ä" * 5001, "too_long"), ("", "required"), (" \n\t", "blank")):
            with self.subTest(code=code):
                self.field_refused(self.anna.post("/posts", {"text": text}), "text", code)
        self.field_refused(self.anna.post("/posts", {}), "text", "required")
        self.refused(self.anna.post("/posts", {"text": 5}), 422)
        self.refused(self.anna.post("/posts", {"text": "x", "nothing": 1}), 400, "unknown_field")
        self.field_refused(self.anna.post("/posts", {"text": "x", "visibility": "friends"}),
                           "visibility", "not_allowed")

    def test_media(self):
        media = [str(uuid.uuid4()) for _ in range(10)]
        self.assertEqual(self.publish(text="", media_ids=media)["media_ids"], media)
        self.field_refused(self.anna.post("/posts", {"media_ids": media + [str(uuid.uuid4())]}),
                           "media_ids", "too_many")
        self.field_refused(self.anna.post("/posts", {"media_ids": [media[0], media[0]]}),
                           "media_ids", "duplicate")
        self.refused(self.anna.post("/posts", {"media_ids": ["x"]}), 422, "invalid_fields")
        self.field_refused(self.anna.post("/posts", {"text": "", "media_ids": []}), "text",
                           "required")

    def test_tags(self):
        post = self.publish(text="#Grüße #GRÜSSE #日本語 x#no &#39; #a1, (#in) #a1 ## # #é #é")
        self.assertEqual(post["tags"], ["grüße", "grüsse", "日本語", "a1", "in", "é"])
        self.assertEqual(len(self.publish(text=" ".join(f"#t{i}" for i in range(30)))["tags"]), 30)
        self.field_refused(self.anna.post("/posts", {
            "text": " ".join(f"#t{i}" for i in range(31))}), "text", "too_many_tags")
        self.publish(text="#" + "ü" * 64)
        self.field_refused(self.anna.post("/posts", {"text": "#" + "ü" * 65}), "text",
                           "tag_too_long")
        self.refused(self.anna.post("/posts", {
            "text": " ".join(f"#{i}" for i in range(1000))}), 422)

    def test_mentions(self):
        text = f"@{self.ben.username}, @nobody.here @{self.carl.username.upper()}. " \
               f"x@{self.anna.username} @{self.ben.username} @me"
        post = self.publish(text=text)
        self.assertEqual(post["mentions"], [self.ben.id, self.carl.id])
        many = self.server.users(22)
        post = self.publish(text=" ".join("@" + u.username for u in many))
        self.assertEqual(post["mentions"], [u.id for u in many[:20]])

    def test_edit(self):
        post = self.publish(text="one #a")
        path = f"/posts/{post['id']}"
        edited = self.ok(self.anna.patch(path, {"text": "two #b"}))
        self.assertEqual((edited["text"], edited["tags"]), ("two #b", ["b"]))
        self.assertIsNotNone(edited["edited_at"])
        self.assertEqual(self.ok(self.ben.get(path))["text"], "two #b")
        self.ok(self.anna.patch(path, {"visibility": "followers"}))
        history = self.ok(self.anna.get(path + "/history"))["items"]
        self.assertEqual([(v["version"], v["text"], v["visibility"]) for v in history],
                         [(1, "two #b", "public"), (0, "one #a", "public")])
        self.ok(self.anna.patch(path, {"text": "two #b"}))
        self.ok(self.anna.patch(path, {}))
        self.assertEqual(len(self.ok(self.anna.get(path + "/history"))["items"]), 2)

    def test_history_pages(self):
        post = self.publish(text="0")
        path = f"/posts/{post['id']}"
        for i in range(1, 6):
            self.ok(self.anna.patch(path, {"text": str(i)}))
        items = self.all_pages(self.anna, path + "/history", limit=2)
        self.assertEqual([v["text"] for v in items], ["4", "3", "2", "1", "0"])

    def test_bad_edits(self):
        post = self.publish()
        path = f"/posts/{post['id']}"
        self.field_refused(self.anna.patch(path, {"text": ""}), "text", "required")
        self.field_refused(self.anna.patch(path, {"text": "x" * 5001}), "text", "too_long")
        self.field_refused(self.anna.patch(path, {"text": "#" + "x" * 65}), "text", "tag_too_long")
        self.refused(self.anna.patch(path, {"id": NOBODY}), 400, "unknown_field")
        media = str(uuid.uuid4())
        self.ok(self.anna.patch(path, {"text": "", "media_ids": [media]}))
        self.field_refused(self.anna.patch(path, {"media_ids": []}), "text", "required")

    def test_edits_by_others(self):
        post = self.publish()
        path = f"/posts/{post['id']}"
        self.refused(self.ben.patch(path, {"text": "mine"}), 403, "not_your_post")
        self.refused(self.ben.delete(path), 403, "not_your_post")
        self.refused(self.ben.get(path + "/history"), 403, "not_your_post")

    def test_if_match(self):
        post = self.publish()
        path = f"/posts/{post['id']}"
        read = self.anna.get(path)
        tag = read.header("etag")
        self.assertEqual(self.anna.get(path, headers={"If-None-Match": tag}).status, 304)
        self.ok(self.ben.put(path + "/like"))
        self.ok(self.anna.get(path, headers={"If-None-Match": tag}))  # the count is another
        edited = self.anna.patch(path, {"text": "2"}, headers={"If-Match": tag})
        self.ok(edited)  # a like is no edit
        self.refused(self.anna.patch(path, {"text": "3"}, headers={"If-Match": tag}), 412, "stale")
        self.refused(self.anna.delete(path, headers={"If-Match": tag}), 412, "stale")
        self.refused(self.anna.patch(path, {"text": "3"}, headers={"If-Match": '"1"'}), 412)
        self.ok(self.anna.patch(path, {"text": "3"}, headers={
            "If-Match": f'"x", {edited.header("etag")}'}))
        self.ok(self.anna.patch(path, {"text": "4"}, headers={"If-Match": "*"}))

    def test_delete(self):
        post = self.publish(text="gone #gone")
        path = f"/posts/{post['id']}"
        comment = self.comment(post)
        self.ok(self.ben.put(path + "/bookmark"))
        self.ok(self.anna.delete(path), 204)
        for user in (self.anna, self.ben):
            self.refused(user.get(path), 404, "post_not_found")
            self.refused(user.get(path + "/comments"), 404, "post_not_found")
            self.refused(user.put(path + "/like"), 404, "post_not_found")
            self.refused(user.patch(path + f"/comments/{comment['id']}", {"text": "x"}), 404)
        self.refused(self.anna.delete(path), 404, "post_not_found")
        self.refused(self.anna.get(path + "/history"), 404, "post_not_found")
        self.assertEqual(self.ok(self.ben.get("/bookmarks"))["items"], [])
        self.assertEqual(self.ok(self.anna.get("/feed"))["items"], [])
        self.assertEqual(self.ok(self.ben.get(f"/users/{self.anna.id}/posts"))["items"], [])

    def test_unknown_and_malformed(self):
        for path in ("", "/comments", "/likes", "/history"):
            self.refused(self.anna.get(f"/posts/{NOBODY}{path}"), 404, "post_not_found")
        for path in ("/like", "/bookmark"):
            self.refused(self.anna.put(f"/posts/{NOBODY}{path}"), 404, "post_not_found")
            self.refused(self.anna.delete(f"/posts/{NOBODY}{path}"), 404, "post_not_found")
        self.refused(self.anna.patch(f"/posts/{NOBODY}", {"text": "x"}), 404)
        self.refused(self.anna.delete(f"/posts/{NOBODY}"), 404)
        self.refused(self.anna.get(f"/posts/{self.anna.id}"), 404)  # an id of another kind
        self.refused(self.anna.get("/posts/x"), 422, "invalid_fields")
        self.refused(self.server.get("/api/v1/feed"), 401)

    def test_idempotency(self):
        key = uuid.uuid4().hex
        first, again = (self.anna.post("/posts", {"text": "once"}, headers={"Idempotency-Key": key})
                        for _ in range(2))
        self.assertEqual(self.ok(first, 201)["id"], self.ok(again, 201)["id"])
        self.assertEqual(len(self.ok(self.anna.get(f"/users/{self.anna.id}/posts"))["items"]), 1)

    def test_private_posts_are_ones_own(self):
        post = self.publish(visibility="private", text="mine #mine")
        self.ok(self.anna.get(f"/posts/{post['id']}"))
        self.refused(self.ben.get(f"/posts/{post['id']}"), 404, "post_not_found")
        self.refused(self.ben.put(f"/posts/{post['id']}/like"), 404)
        self.assertEqual(self.ok(self.ben.get(f"/users/{self.anna.id}/posts"))["items"], [])
        self.assertEqual(len(self.ok(self.anna.get(f"/users/{self.anna.id}/posts"))["items"]), 1)


class Marks(PostCase):
    def test_likes_count_once(self):
        post = self.publish()
        path = f"/posts/{post['id']}"
        for _ in range(2):
            liked = self.ok(self.ben.put(path + "/like"))
            self.assertEqual((liked["like_count"], liked["liked"]), (1, True))
        self.ok(self.carl.put(path + "/like"))
        self.assertEqual(self.ok(self.anna.get(path))["like_count"], 2)
        self.assertFalse(self.ok(self.anna.get(path))["liked"])
        for _ in range(2):
            unliked = self.ok(self.ben.delete(path + "/like"))
            self.assertEqual((unliked["like_count"], unliked["liked"]), (1, False))
        likers = self.ok(self.anna.get(path + "/likes"))["items"]
        self.assertEqual([like["user_id"] for like in likers], [self.carl.id])

    def test_many_at_once(self):
        post = self.publish()
        users = [u.own_connection() for u in self.server.users(16)]

        def press(user):
            for _ in range(5):
                user.put(f"/posts/{post['id']}/like")
                user.delete(f"/posts/{post['id']}/like")
            return user.put(f"/posts/{post['id']}/like").status
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(press, users)), {200})
        self.assertEqual(self.ok(self.anna.get(f"/posts/{post['id']}"))["like_count"], 16)
        likers = self.all_pages(self.anna, f"/posts/{post['id']}/likes", limit=5)
        self.assertEqual({like["user_id"] for like in likers}, {u.id for u in users})
        self.assertEqual(len(likers), 16)

    def test_bookmarks(self):
        posts = [self.publish(text=str(i)) for i in range(5)]
        for post in posts:
            self.assertTrue(self.ok(self.ben.put(f"/posts/{post['id']}/bookmark"))["bookmarked"])
            self.ok(self.ben.put(f"/posts/{post['id']}/bookmark"))
        items = self.all_pages(self.ben, "/bookmarks", limit=2)
        self.assertEqual([p["id"] for p in items], [p["id"] for p in reversed(posts)])
        self.assertTrue(all(p["bookmarked"] for p in items))
        self.assertFalse(self.ok(self.anna.get(f"/posts/{posts[0]['id']}"))["bookmarked"])
        self.ok(self.ben.delete(f"/posts/{posts[4]['id']}/bookmark"))
        self.ok(self.ben.delete(f"/posts/{posts[4]['id']}/bookmark"))
        self.assertEqual(len(self.all_pages(self.ben, "/bookmarks")), 4)
        self.assertEqual(self.ok(self.anna.get("/bookmarks"))["items"], [])


class Comments(PostCase):
    def test_shape(self):
        post = self.publish()
        comment = self.comment(post)
        self.assertEqual(set(comment), {"id", "post_id", "user_id", "text", "reply_to", "depth",
                                        "reply_count", "created_at", "edited_at", "deleted_at"})
        self.assertEqual((comment["post_id"], comment["user_id"], comment["reply_to"],
                          comment["depth"], comment["reply_count"]),
                         (post["id"], self.ben.id, None, 0, 0))
        self.assertEqual(self.ok(self.anna.get(f"/posts/{post['id']}"))["comment_count"], 1)

    def test_threads(self):
        post = self.publish()
        path = f"/posts/{post['id']}/comments"
        first, second = self.comment(post, text="1"), self.comment(post, text="2")
        replies = [self.comment(post, self.carl, text=f"1.{i}", reply_to=first["id"])
                   for i in range(5)]
        self.assertEqual({r["depth"] for r in replies}, {1})
        top = self.ok(self.anna.get(path))["items"]
        self.assertEqual([c["id"] for c in top], [first["id"], second["id"]])
        self.assertEqual([c["reply_count"] for c in top], [5, 0])
        items = self.all_pages(self.anna, path, reply_to=first["id"], limit=2)
        self.assertEqual([c["id"] for c in items], [r["id"] for r in replies])
        self.assertEqual(self.ok(self.anna.get(f"/posts/{post['id']}"))["comment_count"], 7)

    def test_pages_while_comments_come(self):
        post = self.publish()
        path = f"/posts/{post['id']}/comments"
        early = [self.comment(post, text=str(i))["id"] for i in range(4)]
        page = self.ok(self.anna.get(path, query={"limit": 2}))
        late = self.comment(post, text="late")["id"]
        rest = self.ok(self.anna.get(path, query={"limit": 10, "cursor": page["next_cursor"]}))
        self.assertEqual([c["id"] for c in page["items"] + rest["items"]], early + [late])

    def test_tombstones(self):
        post = self.publish()
        path = f"/posts/{post['id']}/comments"
        first = self.comment(post)
        reply = self.comment(post, self.carl, reply_to=first["id"])
        self.ok(self.ben.delete(f"{path}/{first['id']}"), 204)
        tombstone = self.ok(self.anna.get(path))["items"][0]
        self.assertEqual((tombstone["id"], tombstone["text"], tombstone["reply_count"]),
                         (first["id"], "", 1))
        self.assertIsNotNone(tombstone["deleted_at"])
        replies = self.ok(self.anna.get(path, query={"reply_to": first["id"]}))["items"]
        self.assertEqual([r["id"] for r in replies], [reply["id"]])
        self.assertEqual(self.ok(self.anna.get(f"/posts/{post['id']}"))["comment_count"], 1)
        for answer in (self.ben.delete(f"{path}/{first['id']}"),
                       self.ben.patch(f"{path}/{first['id']}", {"text": "back"}),
                       self.carl.post(path, {"text": "late", "reply_to": first["id"]})):
            self.refused(answer, 409, "comment_deleted")

    def test_if_match(self):
        path = f"/posts/{self.publish()['id']}/comments"
        written = self.ben.post(path, {"text": "one"})
        one = f"{path}/{self.ok(written, 201)['id']}"
        first = {"If-Match": written.header("etag")}
        self.ok(self.ben.post(path, {"text": "a reply", "reply_to": written.json["id"]}), 201)
        edited = self.ben.patch(one, {"text": "two"}, headers=first)  # a reply is no edit
        self.ok(edited)
        self.refused(self.ben.patch(one, {"text": "three"}, headers=first), 412, "stale")
        self.ok(self.ben.patch(one, {"text": "four"}, headers={"If-Match": edited.header("etag")}))
        self.ok(self.ben.patch(one, {"text": "five"}, headers={"If-Match": "*"}))

    def test_edit_and_who_may(self):
        post = self.publish()
        path = f"/posts/{post['id']}/comments"
        comment = self.comment(post)
        edited = self.ok(self.ben.patch(f"{path}/{comment['id']}", {"text": "no"}))
        self.assertEqual((edited["text"], edited["id"]), ("no", comment["id"]))
        self.assertIsNotNone(edited["edited_at"])
        self.refused(self.anna.patch(f"{path}/{comment['id']}", {"text": "x"}), 403,
                     "not_your_comment")
        self.refused(self.carl.delete(f"{path}/{comment['id']}"), 403, "not_your_comment")
        self.ok(self.anna.delete(f"{path}/{comment['id']}"), 204)  # on one's own post

    def test_refusals(self):
        post, other = self.publish(), self.publish()
        path = f"/posts/{post['id']}/comments"
        self.field_refused(self.ben.post(path, {"text": ""}), "text", "too_short")
        self.field_refused(self.ben.post(path, {"text": " \n"}), "text", "blank")
        self.field_refused(self.ben.post(path, {"text": "ä" * 2001}), "text", "too_long")
        self.comment(post, text="ä" * 2000)
        self.field_refused(self.ben.post(path, {}), "text", "required")
        self.refused(self.ben.post(path, {"text": "x", "reply_to": NOBODY}), 404,
                     "comment_not_found")
        self.refused(self.ben.post(path, {"text": "x", "reply_to": post["id"]}), 404,
                     "comment_not_found")
        foreign = self.comment(other)
        self.refused(self.ben.post(path, {"text": "x", "reply_to": foreign["id"]}), 404,
                     "comment_not_found")
        self.refused(self.ben.patch(f"{path}/{foreign['id']}", {"text": "x"}), 404)
        self.refused(self.ben.delete(f"{path}/{NOBODY}"), 404, "comment_not_found")
        self.refused(self.ben.get(path, query={"reply_to": NOBODY}), 404, "comment_not_found")
        self.refused(self.ben.get(path, query={"cursor": "x"}), 400, "invalid_cursor")
        self.refused(self.ben.post(f"/posts/{NOBODY}/comments", {"text": "x"}), 404)

    def test_depth(self):
        post = self.publish()
        above = None
        for depth in range(32):
            above = self.comment(post, reply_to=above)["id"]
        self.refused(self.ben.post(f"/posts/{post['id']}/comments",
                                   {"text": "x", "reply_to": above}), 409, "thread_too_deep")
        self.assertEqual(self.ok(self.anna.get(f"/posts/{post['id']}"))["comment_count"], 32)


class Lists(PostCase):
    def test_posts_of_a_user(self):
        posts = [self.publish(text=str(i)) for i in range(5)]
        path = f"/users/{self.anna.id}/posts"
        page = self.ok(self.ben.get(path, query={"limit": 2}))
        self.publish(text="new")
        rest = self.all_pages(self.ben, path, limit=2, cursor=page["next_cursor"])
        self.assertEqual([p["id"] for p in page["items"] + rest],
                         [p["id"] for p in reversed(posts)])
        self.refused(self.ben.get(f"/users/{NOBODY}/posts"), 404, "user_not_found")
        self.refused(self.ben.get(path, query={"limit": 101}), 422)
        self.refused(self.ben.get(path, query={"cursor": "!"}), 400, "invalid_cursor")

    def test_tags(self):
        tag = "t" + uuid.uuid4().hex
        mine = [self.publish(text=f"#{tag.upper()} {i}") for i in range(3)]
        theirs = self.publish(self.ben, text=f"#{tag}", visibility="private")
        items = self.all_pages(self.carl, f"/tags/{tag.upper()}/posts", limit=2)
        self.assertEqual([p["id"] for p in items], [p["id"] for p in reversed(mine)])
        self.assertEqual(self.ok(self.ben.get(f"/tags/{tag}x/posts"))["items"], [])
        self.ok(self.ben.patch(f"/posts/{theirs['id']}", {"visibility": "public"}))
        self.assertEqual(len(self.all_pages(self.carl, f"/tags/{tag}/posts")), 4)
        self.ok(self.anna.patch(f"/posts/{mine[0]['id']}", {"text": "no tag"}))
        self.ok(self.anna.delete(f"/posts/{mine[1]['id']}"), 204)
        self.assertEqual(len(self.all_pages(self.carl, f"/tags/{tag}/posts")), 2)
        self.field_refused(self.anna.get("/tags/a%20b/posts"), "tag", "invalid_tag")
        self.field_refused(self.anna.get("/tags/" + "x" * 65 + "/posts"), "tag", "invalid_tag")

    def test_own_feed(self):
        posts = [self.publish(text=str(i), visibility=v)
                 for i, v in enumerate(("public", "followers", "private"))]
        items = self.all_pages(self.anna, "/feed", limit=2)
        self.assertEqual([p["id"] for p in items], [p["id"] for p in reversed(posts)])
        self.assertEqual(self.ok(self.ben.get("/feed"))["items"], [])


class Popular(PostCase):
    own_server = True

    def test_ranked_by_marks(self):
        self.assertEqual(self.all_pages(self.carl, "/posts/popular"), [])  # and that is not kept
        posts = [self.publish(text=str(i)) for i in range(4)]
        for user in (self.ben, self.carl):
            self.ok(user.put(f"/posts/{posts[2]['id']}/like"))
        self.comment(posts[0], self.ben)
        self.comment(posts[0], self.carl)
        self.ok(self.ben.put(f"/posts/{posts[1]['id']}/like"))
        hidden = self.publish(self.ben, visibility="followers")
        self.ok(self.ben.put(f"/posts/{hidden['id']}/like"))
        self.assertEqual([p["id"] for p in self.all_pages(self.carl, "/posts/popular", limit=2)],
                         [posts[i]["id"] for i in (0, 2, 1)])
        self.ok(self.anna.delete(f"/posts/{posts[0]['id']}"), 204)
        self.assertEqual([p["id"] for p in self.all_pages(self.carl, "/posts/popular", limit=1)],
                         [posts[i]["id"] for i in (2, 1)])
        self.ok(self.anna.patch(f"/posts/{posts[2]['id']}", {"visibility": "followers"}))
        self.assertEqual([p["id"] for p in self.all_pages(self.carl, "/posts/popular")],
                         [posts[1]["id"]])
        self.ok(self.carl.put(f"/users/{self.anna.id}/block"))
        self.assertEqual(self.all_pages(self.carl, "/posts/popular"), [])


class Limits(PostCase):
    settings = {"limits.per_user": "on", "post.posts_per_day": "3", "post.comments_per_minute": "3",
                "limits.requests_per_minute": "1000"}

    def test_posts_per_day_and_comments_per_minute(self):
        post = self.publish()
        self.publish(), self.publish()
        answer = self.refused(self.anna.post("/posts", {"text": "x"}), 429, "too_many_posts")
        self.assertGreater(int(answer.header("retry-after")), 3600)
        self.publish(self.ben)
        for _ in range(3):
            self.comment(post)
        self.refused(self.ben.post(f"/posts/{post['id']}/comments", {"text": "x"}), 429,
                     "too_many_comments")
        self.comment(post, self.carl)


class Relations(PostCase):
    """Who sees what (S02): followers, private accounts, blocks, mutes."""

    def private(self, person):
        self.ok(person.patch("/users/me", {"is_private": True}))
        self.eventually(lambda: self.ok(self.carl.get(f"/users/{person.id}/relationship"))
                        ["is_private"])

    def test_posts_for_followers(self):
        post = self.publish(visibility="followers", text="f #followers")
        path = f"/posts/{post['id']}"
        self.follow(self.ben, self.anna)
        self.ok(self.ben.get(path))
        self.refused(self.carl.get(path), 404, "post_not_found")
        self.refused(self.carl.post(path + "/comments", {"text": "x"}), 404, "post_not_found")
        self.assertEqual(len(self.ok(self.ben.get(f"/users/{self.anna.id}/posts"))["items"]), 1)
        self.assertEqual(self.ok(self.carl.get(f"/users/{self.anna.id}/posts"))["items"], [])
        self.ok(self.ben.put(path + "/bookmark"))
        self.ok(self.ben.delete(f"/users/{self.anna.id}/follow"))
        self.refused(self.ben.get(path), 404, "post_not_found")
        self.assertEqual(self.ok(self.ben.get("/bookmarks"))["items"], [])

    def test_private_accounts(self):
        post = self.publish()
        self.follow(self.ben, self.anna)
        self.private(self.anna)
        self.ok(self.ben.get(f"/posts/{post['id']}"))
        self.refused(self.carl.get(f"/posts/{post['id']}"), 404, "post_not_found")
        self.refused(self.carl.get(f"/users/{self.anna.id}/posts"), 403, "private_account")

    def test_blocked(self):
        tag = "b" + uuid.uuid4().hex
        post = self.publish(text=f"#{tag}")
        path = f"/posts/{post['id']}"
        comment = self.comment(post, self.carl)
        reply = self.comment(post, self.ben, reply_to=comment["id"])
        self.ok(self.ben.put(path + "/like"))
        self.ok(self.anna.put(f"/users/{self.ben.id}/block"))
        for answer in (self.ben.get(path), self.ben.put(path + "/like"), self.ben.delete(path),
                       self.ben.patch(path, {"text": "x"}), self.ben.get(path + "/comments"),
                       self.ben.delete(f"{path}/comments/{reply['id']}")):
            self.refused(answer, 404, "post_not_found")
        self.refused(self.ben.get(f"/users/{self.anna.id}/posts"), 404, "user_not_found")
        self.assertEqual(self.ok(self.ben.get(f"/tags/{tag}/posts"))["items"], [])
        # She who blocks sees nothing of him either.
        self.assertEqual(self.ok(self.anna.get(path + "/likes"))["items"], [])
        replies = self.ok(self.anna.get(path + "/comments", query={"reply_to": comment["id"]}))
        self.assertEqual(replies["items"], [])
        theirs = self.publish(self.ben)
        self.refused(self.anna.get(f"/posts/{theirs['id']}"), 404, "post_not_found")
        self.assertEqual(self.ok(self.anna.get(f"/users/{self.ben.id}/posts"))["items"], [])
        # A third person sees both.
        self.assertEqual(len(self.ok(self.carl.get(path + "/likes"))["items"]), 1)

    def test_comments_of_the_blocked(self):
        post = self.publish()
        path = f"/posts/{post['id']}/comments"
        comment = self.comment(post, self.ben)
        self.ok(self.carl.put(f"/users/{self.ben.id}/block"))
        self.assertEqual(self.ok(self.carl.get(path))["items"], [])
        self.refused(self.carl.post(path, {"text": "x", "reply_to": comment["id"]}), 404,
                     "comment_not_found")

    def test_moderators(self):
        moderator = self.server.user()
        subprocess.run([binary(), "user", "promote", moderator.username, "moderator", "--data",
                        str(self.server.data)], check=True, env=clean_environment(),
                       capture_output=True, timeout=30)
        moderator = moderator.login()
        post = self.publish(visibility="followers", text="before")
        path = f"/posts/{post['id']}"
        self.ok(self.anna.patch(path, {"text": "after"}))
        self.assertEqual(self.ok(moderator.get(path))["text"], "after")
        self.refused(moderator.patch(path, {"text": "x"}), 403, "not_your_post")
        comment = self.comment(post, self.anna)
        self.ok(moderator.delete(f"{path}/comments/{comment['id']}"), 204)
        self.ok(moderator.delete(path), 204)
        self.assertEqual([v["text"] for v in self.ok(moderator.get(path + "/history"))["items"]],
                         ["before"])
        self.refused(self.anna.get(path), 404, "post_not_found")

    def test_somebody_who_is_away(self):
        self.follow(self.ben, self.anna)
        post = self.publish(text="Back soon #away")
        self.ok(self.anna.post("/users/me/deactivate", {"password": PASSWORD}), 204)
        self.eventually(lambda: self.ben.get(f"/users/{self.anna.id}").status == 404)
        self.refused(self.ben.get(f"/users/{self.anna.id}/posts"), 404, "user_not_found")
        self.eventually(lambda: self.ben.get(f"/posts/{post['id']}").status == 404)
        for path in ("/tags/away/posts", "/feed"):
            self.eventually(lambda path=path: self.ok(self.ben.get(path))["items"] == [])

    def test_somebody_who_leaves(self):
        post, theirs = self.publish(), self.publish(self.ben)
        self.ok(self.ben.put(f"/posts/{post['id']}/like"))
        comment = self.comment(post, self.ben)
        self.comment(post, self.carl, reply_to=comment["id"])
        self.ok(self.ben.delete("/users/me", body={"password": PASSWORD}), 204)
        self.eventually(lambda: self.ok(self.anna.get(f"/posts/{post['id']}"))["like_count"] == 0)
        self.eventually(lambda: self.anna.get(f"/posts/{theirs['id']}").status == 404)
        self.assertEqual(self.ok(self.anna.get(f"/posts/{post['id']}"))["comment_count"], 1)
        top = self.ok(self.anna.get(f"/posts/{post['id']}/comments"))["items"]
        self.assertEqual([(c["user_id"], c["text"], c["reply_count"]) for c in top],
                         [(None, "", 1)])


class Live(PostCase):
    """What is told as it happens."""

    def test_followers_hear_of_posts(self):
        self.follow(self.ben, self.anna)
        for transport in ("ws", "sse", "poll"):
            with self.subTest(transport=transport):
                reader = self.ben.reader(transport)
                post = self.publish(text="live")
                event = reader.event("post.created")
                self.assertEqual(event["data"], post)
                self.assertTrue(event["pos"])
                edited = self.ok(self.anna.patch(f"/posts/{post['id']}", {"text": "2"}))
                self.assertEqual(reader.event("post.updated")["data"], edited)
                self.ok(self.anna.delete(f"/posts/{post['id']}"), 204)
                self.assertEqual(reader.event("post.deleted")["data"],
                                 {"id": post["id"], "user_id": self.anna.id})
                reader.close()

    def test_private_posts_go_to_oneself(self):
        self.follow(self.ben, self.anna)
        own, other = self.anna.ws(), self.ben.ws()
        post = self.publish(visibility="private")
        self.assertEqual(own.event("post.created")["data"], post)
        shown = self.ok(self.anna.patch(f"/posts/{post['id']}", {"visibility": "followers"}))
        self.assertEqual(other.event("post.created")["data"], shown)  # nothing came before it
        own.close(), other.close()

    def test_those_who_look(self):
        post, secret = self.publish(), self.publish(visibility="private")
        ws = self.ben.ws()
        answer = ws.call("watch", {"topics": [f"post:{post['id']}", f"post:{secret['id']}"]})
        self.assertEqual(answer["data"]["topics"], [f"post:{post['id']}"])
        self.ok(self.carl.put(f"/posts/{post['id']}/like"))
        changed = ws.event("post.changed")
        self.assertEqual((changed["data"]["like_count"], changed["data"]["liked"]), (1, False))
        self.assertNotIn("pos", changed)
        comment = self.comment(post, self.carl)
        self.assertEqual(ws.event("comment.created")["data"], comment)
        edited = self.ok(self.carl.patch(f"/posts/{post['id']}/comments/{comment['id']}",
                                         {"text": "2"}))
        self.assertEqual(ws.event("comment.updated")["data"], edited)
        self.ok(self.carl.delete(f"/posts/{post['id']}/comments/{comment['id']}"), 204)
        self.assertEqual(ws.event("comment.deleted")["data"]["text"], "")
        ws.close()

    def test_a_storm_of_likes(self):
        post = self.publish()
        users = self.server.users(20)
        ws = self.ben.ws()
        ws.call("watch", {"topics": [f"post:{post['id']}"]})
        begin = time.monotonic()
        for user in users:
            self.ok(user.put(f"/posts/{post['id']}/like"))
        took = time.monotonic() - begin
        seen = []
        while not seen or seen[-1] < 20:
            seen.append(ws.event("post.changed")["data"]["like_count"])
        self.assertEqual(seen, sorted(seen))
        self.assertLessEqual(len(seen), 2 + took / 0.25)
        ws.close()
