"""Following, blocking, muting, requests and reports (S01), and what a block does in chats."""

import random
import subprocess
import threading
import time
import uuid

from parleytest.case import ApiCase
from parleytest.server import PASSWORD, Server, binary, clean_environment

FLAGS = ("following", "follow_requested", "followed_by", "blocking", "muting", "is_private")


class SocialCase(ApiCase):
    def relation(self, viewer, other):
        return self.ok(viewer.get(f"/users/{other.id}/relationship"))

    def put(self, who, what, whom):
        return self.ok(who.put(f"/users/{whom.id}/{what}"))

    def end(self, who, what, whom):
        return self.ok(who.delete(f"/users/{whom.id}/{what}"))

    def private(self, *people):
        for person in people:
            self.ok(person.patch("/users/me", {"is_private": True}))


class Follow(SocialCase):
    def test_follow_and_unfollow(self):
        ada, bob = self.server.users(2)
        how = self.put(ada, "follow", bob)
        self.assertEqual(how, {"user_id": bob.id, **dict.fromkeys(FLAGS, False),
                               "following": True, "follower_count": 1, "following_count": 0})
        self.assertEqual(self.put(ada, "follow", bob), how)
        seen = self.relation(bob, ada)
        self.assertTrue(seen["followed_by"])
        self.assertEqual((seen["follower_count"], seen["following_count"]), (0, 1))
        self.assertFalse(self.end(ada, "follow", bob)["following"])
        self.assertEqual(self.end(ada, "follow", bob)["follower_count"], 0)

    def test_oneself(self):
        ada = self.server.user()
        for what, code in (("follow", "self_follow"), ("block", "self_block"),
                           ("mute", "self_mute")):
            self.refused(ada.put(f"/users/{ada.id}/{what}"), 422, code)
            self.refused(ada.delete(f"/users/{ada.id}/{what}"), 422, code)
        how = self.relation(ada, ada)
        self.assertFalse(any(how[flag] for flag in FLAGS))

    def test_nobody(self):
        ada = self.server.user()
        for path in ("follow", "block", "mute"):
            self.refused(ada.put(f"/users/{uuid.uuid4()}/{path}"), 404, "user_not_found")
            self.refused(ada.delete(f"/users/{uuid.uuid4()}/{path}"), 404, "user_not_found")
        self.refused(ada.get(f"/users/{uuid.uuid4()}/relationship"), 404, "user_not_found")
        self.refused(ada.put("/users/somebody/follow"), 422)

    def test_signed_in_only(self):
        ada = self.server.user()
        self.refused(self.server.http.request("PUT", f"/api/v1/users/{ada.id}/follow"), 401)

    def test_somebody_who_has_just_signed_up(self):
        ada = self.server.user()
        for _ in range(20):
            self.assertTrue(self.put(ada, "follow", self.server.user())["following"])

    def test_a_private_account_is_asked(self):
        ada, bob, cleo = self.server.users(3)
        self.private(bob)
        for asker in (ada, cleo):
            how = self.put(asker, "follow", bob)
            self.assertEqual((how["following"], how["follow_requested"], how["is_private"],
                              how["follower_count"]), (False, True, True, 0))
        self.assertEqual(bob.put(f"/follow-requests/{ada.id}").status, 204)
        self.assertEqual(bob.put(f"/follow-requests/{ada.id}").status, 204)
        self.assertEqual(bob.delete(f"/follow-requests/{cleo.id}").status, 204)
        self.assertEqual(bob.delete(f"/follow-requests/{cleo.id}").status, 204)
        self.refused(bob.put(f"/follow-requests/{cleo.id}"), 404, "request_not_found")
        self.refused(bob.put(f"/follow-requests/{uuid.uuid4()}"), 404, "user_not_found")
        self.assertTrue(self.relation(ada, bob)["following"])
        self.assertFalse(self.relation(cleo, bob)["follow_requested"])
        self.put(cleo, "follow", bob)
        self.assertFalse(self.end(cleo, "follow", bob)["follow_requested"])
        self.refused(bob.put(f"/follow-requests/{cleo.id}"), 404, "request_not_found")

    def test_who_becomes_public_lets_in_who_waits(self):
        bob, *askers = self.server.users(4)
        self.private(bob)
        for asker in askers:
            self.put(asker, "follow", bob)
        self.ok(bob.patch("/users/me", {"is_private": False}))
        self.eventually(lambda: self.relation(askers[0], bob)["follower_count"] == 3)
        self.assertTrue(self.relation(askers[2], bob)["following"])

    def test_privacy_is_in_force_with_its_answer(self):
        ada, bob = self.server.users(2)
        for i in range(10):
            self.ok(bob.patch("/users/me", {"is_private": i % 2 == 0}))
            how = self.put(ada, "follow", bob)
            self.assertEqual((how["follow_requested"], how["following"]),
                             (i % 2 == 0, i % 2 == 1))
            self.end(ada, "follow", bob)


class Limits(SocialCase):
    settings = {"social.follows_max": "3", "social.blocks_max": "2", "social.mutes_max": "1",
                "social.reports_max": "2"}

    def test_limits_are_said(self):
        ada, *others = self.server.users(5)
        self.private(others[0])
        for other in others[:3]:
            self.put(ada, "follow", other)
        self.refused(ada.put(f"/users/{others[3].id}/follow"), 422, "too_many_follows")
        self.put(ada, "follow", others[0])
        self.put(ada, "mute", others[0])
        self.refused(ada.put(f"/users/{others[1].id}/mute"), 422, "too_many_mutes")
        for other in others[:2]:
            self.put(ada, "block", other)
        self.refused(ada.put(f"/users/{others[2].id}/block"), 422, "too_many_blocks")
        self.assertTrue(self.relation(ada, others[2])["following"])
        self.put(ada, "follow", others[3])
        for _ in range(2):
            self.report(ada, 201)
        self.refused(self.report(ada, 422), 422, "too_many_reports")

    def report(self, who, status):
        answer = who.post("/reports", {"subject_kind": "post", "subject_id": str(uuid.uuid4()),
                                       "reason": "spam"})
        self.assertEqual(answer.status, status)
        return answer


class Block(SocialCase):
    def setUp(self):
        super().setUp()
        self.ada, self.bob = self.server.users(2)

    def test_a_block_ends_everything(self):
        ada, bob = self.ada, self.bob
        self.private(ada)
        self.put(ada, "follow", bob)
        self.put(bob, "follow", ada)
        how = self.put(ada, "block", bob)
        self.assertEqual(how, {"user_id": bob.id, **dict.fromkeys(FLAGS, False),
                               "blocking": True, "follower_count": 0, "following_count": 0})
        self.assertEqual(self.put(ada, "block", bob), how)
        self.refused(ada.put(f"/users/{bob.id}/follow"), 409, "blocking")
        for answer in (bob.put(f"/users/{ada.id}/follow"), bob.put(f"/users/{ada.id}/block"),
                       bob.put(f"/users/{ada.id}/mute"), bob.delete(f"/users/{ada.id}/follow"),
                       bob.get(f"/users/{ada.id}/relationship"),
                       ada.put(f"/follow-requests/{uuid.uuid4()}")):
            self.refused(answer, 404, "user_not_found")
        self.refused(ada.put(f"/follow-requests/{bob.id}"), 404, "request_not_found")
        self.assertFalse(self.end(ada, "block", bob)["blocking"])
        self.assertFalse(self.end(ada, "block", bob)["followed_by"])
        self.assertTrue(self.put(bob, "follow", ada)["follow_requested"])

    def test_in_their_direct_chat(self):
        ada, bob = self.ada, self.bob
        chat = ada.direct(bob)["id"]
        message = ada.send(chat, "hello", client_id="one")
        bob.send(chat, "hi")
        place = f"/chats/{chat}/messages"
        self.put(ada, "block", bob)
        for who, seq in ((ada, 1), (bob, 2)):
            self.refused(who.post(place, {"text": "x", "client_id": "two"}), 403, "blocked")
            self.refused(who.patch(f"{place}/{seq}", {"text": "y"}), 403, "blocked")
            self.refused(who.put(f"{place}/{seq}/reactions/%F0%9F%91%8D"), 403, "blocked")
            self.assertEqual(len(who.history(chat)), 2)
            self.assertIn(chat, [c["id"] for c in self.ok(who.get("/chats"))["items"]])
        again = ada.post(place, {"text": "hello", "client_id": "one"})
        self.assertEqual(self.ok(again, 201)["id"], message["id"])
        self.end(ada, "block", bob)
        bob.send(chat, "back")

    def test_on_the_socket_at_once(self):
        ada, bob = self.ada, self.bob
        chat = ada.direct(bob)["id"]
        ada_ws, bob_ws = ada.ws(), bob.ws()
        for _ in range(10):
            self.put(bob, "block", ada)
            for op, data in (("chat.send", {"text": "x", "client_id": uuid.uuid4().hex}),
                             ("chat.typing", {})):
                answer = ada_ws.call(op, {"chat_id": chat, **data})
                self.assertEqual(answer["error"]["code"], "blocked", op)
            self.end(bob, "block", ada)
            answer = ada_ws.call("chat.send", {"chat_id": chat, "text": "x",
                                               "client_id": uuid.uuid4().hex})
            self.assertIn("data", answer)
        ada_ws.close()
        bob_ws.close()

    def test_no_direct_chat_is_opened(self):
        """Who is blocked is told what they are told of somebody unknown."""
        def errors(who, whom):
            body = {"kind": "direct", "member_ids": [whom]}
            return self.refused(who.post("/chats", body), 422, "invalid_fields").json["errors"]
        self.put(self.ada, "block", self.bob)
        self.assertEqual(errors(self.bob, self.ada.id), errors(self.bob, str(uuid.uuid4())))
        self.assertEqual([(e["field"], e["code"]) for e in errors(self.ada, self.bob.id)],
                         [("member_ids[0]", "blocked")])

    def test_nobody_is_added_to_a_group(self):
        ada, bob = self.ada, self.bob
        cleo = self.server.user()
        group = bob.group([cleo])["id"]
        self.put(ada, "block", bob)
        unknown = self.refused(bob.post(f"/chats/{group}/members",
                                        {"user_ids": [str(uuid.uuid4())]}), 422)
        refused = self.refused(bob.post(f"/chats/{group}/members", {"user_ids": [ada.id]}), 422)
        self.assertEqual(refused.json["errors"], unknown.json["errors"])
        refused = self.refused(ada.post("/chats", {"kind": "group", "member_ids": [bob.id],
                                                   "title": "x"}), 422)
        self.assertEqual(refused.json["errors"][0]["code"], "blocked")
        self.ok(cleo.get(f"/chats/{group}"))

    def test_a_restart_remembers(self):
        with Server() as server:
            ada, bob = server.users(2)
            self.put(ada, "block", bob)
            server.restart()
            ada.http = bob.http = server.http
            self.refused(bob.post("/chats", {"kind": "direct", "member_ids": [ada.id]}), 422,
                         "invalid_fields")
            self.assertTrue(self.relation(ada, bob)["blocking"])
            server.kill()
            server.start()
            self.refused(bob.put(f"/users/{ada.id}/follow"), 404, "user_not_found")


class Live(SocialCase):
    """What open streams get, on each transport."""

    def setUp(self):
        super().setUp()
        self.ada, self.bob = self.server.users(2)

    def until_mark(self, reader, person):
        """What comes before a mark: the block of somebody new, which is on the person's own stream
        and on no other."""
        stranger = self.server.user()
        self.put(person, "block", stranger)
        seen = [reader.event()]
        while seen[-1]["data"].get("target_id") != stranger.id:
            seen.append(reader.event())
        return seen

    def close(self, reader):
        if hasattr(reader, "close"):
            reader.close()

    def test_both_are_told(self):
        for transport in ("ws", "sse", "poll"):
            with self.subTest(transport=transport):
                ada, bob = self.server.users(2)
                readers = [ada.reader(transport), bob.reader(transport)]
                self.put(ada, "follow", bob)
                self.end(ada, "follow", bob)
                self.private(bob)
                self.put(ada, "follow", bob)
                for reader in readers:
                    states = [reader.event("follow.changed")["data"] for _ in range(3)]
                    self.assertEqual(states, [{"user_id": ada.id, "target_id": bob.id,
                                               "status": status}
                                              for status in ("following", "none", "requested")])
                    self.close(reader)

    def test_a_block_is_told_only_to_who_did_it(self):
        ada, bob = self.ada, self.bob
        mine, theirs = ada.reader("ws"), bob.reader("ws")
        self.put(ada, "block", bob)
        self.assertEqual(mine.event("block.changed")["data"],
                         {"user_id": ada.id, "target_id": bob.id, "blocked": True})
        cleo = self.server.user()
        self.put(bob, "block", cleo)
        self.assertEqual(theirs.event("block.changed")["data"]["user_id"], bob.id)

    def post(self, who, text):
        return self.ok(who.post("/posts", {"text": text}), 201)["id"]

    def heard(self, reader, author):
        """What the author publishes now comes."""
        post = self.post(author, "heard")
        while reader.event("post.created")["data"]["id"] != post:
            pass

    def not_heard(self, reader, author, person):
        post = self.post(author, "not heard")
        events = self.until_mark(reader, person)
        self.assertNotIn(post, [event["data"].get("id") for event in events])

    def test_an_author_is_heard_while_followed(self):
        for transport in ("ws", "sse", "poll"):
            with self.subTest(transport=transport):
                ada, bob = self.server.users(2)
                reader = ada.reader(transport)
                self.not_heard(reader, bob, ada)
                self.put(ada, "follow", bob)
                self.heard(reader, bob)
                self.end(ada, "follow", bob)
                self.not_heard(reader, bob, ada)
                self.close(reader)

    def test_an_author_is_not_heard_while_muted(self):
        for transport in ("ws", "sse", "poll"):
            with self.subTest(transport=transport):
                ada, bob = self.server.users(2)
                self.put(ada, "follow", bob)
                reader = ada.reader(transport)
                self.heard(reader, bob)
                self.put(ada, "mute", bob)
                self.not_heard(reader, bob, ada)
                late = ada.reader(transport)
                self.not_heard(late, bob, ada)
                self.end(ada, "mute", bob)
                self.heard(late, bob)
                self.close(reader)
                self.close(late)

    def test_a_block_ends_it_for_both(self):
        for transport in ("ws", "sse", "poll"):
            with self.subTest(transport=transport):
                ada, bob = self.server.users(2)
                self.put(ada, "follow", bob)
                self.put(bob, "follow", ada)
                mine, theirs = ada.reader(transport), bob.reader(transport)
                self.heard(mine, bob)
                self.heard(theirs, ada)
                self.put(ada, "block", bob)
                self.not_heard(theirs, ada, bob)
                self.not_heard(mine, bob, ada)
                self.close(mine)
                self.close(theirs)

    def test_ones_own_posts_reach_ones_other_devices(self):
        reader = self.ada.reader("ws")
        self.heard(reader, self.ada)
        reader.close()

    def test_the_link_is_not_shown(self):
        ada, bob = self.ada, self.bob
        cleo = self.server.user()
        reader = cleo.reader("ws")
        self.put(cleo, "follow", bob)
        reader.event("follow.changed")
        self.put(ada, "follow", bob)
        names = [event["event"] for event in self.until_mark(reader, cleo)]
        self.assertEqual(names, ["block.changed"])

    def test_resuming_gives_what_was_followed_then(self):
        ada, bob = self.ada, self.bob
        cleo = self.server.user()
        reader = ada.reader("ws")
        pos = reader.pos
        reader.close()
        told = bob.reader("ws")
        self.post(bob, "before")
        told.event("post.created")  # rooms in two databases: it is in the log before the follow
        told.close()
        self.put(ada, "follow", bob)
        heard = self.post(bob, "while")
        self.put(ada, "follow", cleo)
        self.post(cleo, "not any more")
        self.end(ada, "follow", cleo)
        for transport in ("ws", "sse", "poll"):
            with self.subTest(transport=transport):
                reader = ada.reader(transport, pos)
                self.assertEqual(reader.event("post.created")["data"]["id"], heard)
                self.assertNotIn("post.created", [event["event"] for event
                                                  in self.until_mark(reader, ada)])
                self.close(reader)


class Person(SocialCase):
    """What a person takes along, and what is left when they go."""

    def test_everything_is_in_the_export(self):
        ada, bob, cleo, dora, emil = self.server.users(5)
        self.private(cleo)
        self.put(ada, "follow", bob)
        self.put(ada, "follow", cleo)
        self.put(bob, "follow", ada)
        self.put(ada, "block", dora)
        self.put(ada, "mute", emil)
        self.put(emil, "mute", ada)
        self.ok(ada.post("/reports", {"subject_kind": "user", "subject_id": dora.id,
                                      "reason": "abuse", "text": "so rude"}), 201)
        document = ada.get("/users/me/export")
        self.assertEqual(document.status, 200, document)
        text = document.body.decode()
        for kind in ("follower", "following", "follow_request", "block", "mute", "report"):
            self.assertEqual(text.count(f'"kind":"{kind}"'), 1, kind)
        self.assertIn("so rude", text)

    def test_nothing_is_left_of_somebody_deleted(self):
        ada, bob, cleo = self.server.users(3)
        self.put(ada, "follow", bob)
        self.put(bob, "follow", ada)
        self.put(cleo, "follow", ada)
        self.put(bob, "block", cleo)
        self.ok(ada.request("DELETE", "/users/me", {"password": PASSWORD}), 204)
        self.eventually(lambda: bob.put(f"/users/{ada.id}/follow").status == 404)
        self.eventually(lambda: self.relation(bob, bob)["follower_count"] == 0)
        self.eventually(lambda: self.relation(bob, bob)["following_count"] == 0)
        self.eventually(lambda: self.relation(cleo, cleo)["following_count"] == 0)
        self.refused(cleo.get(f"/users/{bob.id}/relationship"), 404, "user_not_found")
        self.refused(bob.get(f"/users/{ada.id}/relationship"), 404, "user_not_found")


class Reports(SocialCase):
    own_server = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.judge, cls.admin = cls.promoted("moderator"), cls.promoted("admin")

    @classmethod
    def promoted(cls, role):
        person = cls.server.user()
        subprocess.run([binary(), "user", "promote", person.username, role, "--data",
                        str(cls.server.data)], check=True, env=clean_environment(),
                       capture_output=True, timeout=30)
        return person.login()

    def report(self, who, **more):
        return who.post("/reports", {"subject_kind": "post", "subject_id": str(uuid.uuid4()),
                                     "reason": "abuse", **more})

    def test_a_report_and_what_becomes_of_it(self):
        ada = self.server.user()
        made = self.ok(self.report(ada, text="look at this"), 201)
        self.assertEqual((made["reporter_id"], made["status"], made["text"], made["handled_by"]),
                         (ada.id, "open", "look at this", None))
        listed = self.ok(self.judge.get("/admin/reports?status=open&limit=1"))["items"]
        self.assertEqual(listed, [made])
        done = self.ok(self.judge.patch(f"/admin/reports/{made['id']}",
                                        {"status": "resolved", "note": "removed"}))
        self.assertEqual((done["status"], done["note"], done["handled_by"]),
                         ("resolved", "removed", self.judge.id))
        self.assertIsNotNone(done["handled_at"])
        self.assertNotIn(made["id"], [r["id"] for r in self.ok(
            self.judge.get("/admin/reports?status=open&limit=100"))["items"]])
        opened = self.ok(self.judge.patch(f"/admin/reports/{made['id']}", {"status": "open"}))
        self.assertEqual((opened["handled_by"], opened["note"]), (None, "removed"))

    def test_two_moderators_at_once(self):
        made = self.ok(self.report(self.server.user(), text="\u0007" + "ä" * 999), 201)
        path = f"/admin/reports/{made['id']}"
        seen = self.judge.get(path)
        self.assertEqual(self.ok(seen), made)
        tag = {"if-match": seen.header("etag")}
        self.assertEqual(self.judge.get(path, headers={"if-none-match": tag["if-match"]}).status,
                         304)
        done = self.admin.patch(path, {"status": "resolved", "note": "gone"}, headers=tag)
        self.ok(done)
        self.refused(self.judge.patch(path, {"status": "dismissed"}, headers=tag), 412, "stale")
        self.assertEqual(self.ok(self.judge.get(path)), done.json)
        self.assertEqual(done.header("etag"), self.judge.get(path).header("etag"))
        acts = self.acts(self.admin, made["id"], 1)
        self.assertEqual([act["action"] for act in acts], ["report.resolved"])
        now = {"if-match": done.header("etag")}
        self.ok(self.judge.patch(path, {"status": "dismissed"}, headers=now))
        self.ok(self.judge.patch(path, {"status": "open"}, headers={"if-match": "*"}))
        self.ok(self.judge.patch(path, {"status": "resolved"}))  # without it the last word counts
        self.refused(self.judge.get(f"/admin/reports/{uuid.uuid4()}"), 404, "report_not_found")

    def test_it_is_told_live_and_on_record(self):
        ada = self.server.user()
        ws = self.admin.ws()
        self.assertEqual(ws.call("watch", {"topics": ["admin"]})["data"]["topics"], ["admin"])
        made = self.ok(self.report(ada), 201)
        self.admins_told(ws, "reports")
        self.ok(self.judge.patch(f"/admin/reports/{made['id']}", {"status": "dismissed"}))
        self.admins_told(ws, "reports")
        ws.close()
        acts = self.acts(self.admin, made["id"], 1)
        self.assertEqual([(act["action"], act["actor_id"]) for act in acts],
                         [("report.dismissed", self.judge.id)])

    def test_once_while_open(self):
        ada = self.server.user()
        subject = str(uuid.uuid4())
        made = self.ok(self.report(ada, subject_id=subject), 201)
        self.refused(self.report(ada, subject_id=subject), 409, "already_reported")
        self.ok(self.judge.patch(f"/admin/reports/{made['id']}", {"status": "dismissed"}))
        self.ok(self.report(ada, subject_id=subject), 201)
        self.refused(self.judge.patch(f"/admin/reports/{made['id']}", {"status": "open"}), 409,
                     "already_reported")

    def test_people(self):
        ada, bob = self.server.users(2)
        self.refused(self.report(ada, subject_kind="user"), 404, "user_not_found")
        self.refused(self.report(ada, subject_kind="user", subject_id=ada.id), 422, "self_report")
        self.put(bob, "block", ada)
        self.ok(self.report(ada, subject_kind="user", subject_id=bob.id), 201)

    def test_bad_reports(self):
        ada = self.server.user()
        for body in ({"reason": "boredom"}, {"subject_kind": "thing"}, {"subject_id": "1"},
                     {"text": ""}, {"text": "  "}, {"text": "ä" * 1001}):
            with self.subTest(body=str(body)[:30]):
                self.refused(self.report(ada, **body), 422, "invalid_fields")
        self.refused(self.report(ada, status="resolved"), 400, "unknown_field")
        self.ok(self.report(ada, text="ä" * 1000), 201)
        made = self.ok(self.report(ada), 201)
        for body in ({}, {"status": "gone"}, {"status": "open", "note": "x" * 1001}):
            self.refused(self.judge.patch(f"/admin/reports/{made['id']}", body), 422,
                         "invalid_fields")
        self.refused(self.judge.patch(f"/admin/reports/{uuid.uuid4()}", {"status": "open"}), 404,
                     "report_not_found")

    def test_only_moderators(self):
        ada = self.server.user()
        made = self.ok(self.report(ada), 201)
        self.refused(ada.get("/admin/reports"), 403)
        self.refused(ada.get(f"/admin/reports/{made['id']}"), 403)
        self.refused(ada.patch(f"/admin/reports/{made['id']}", {"status": "resolved"}), 403)

    def test_pages_are_stable(self):
        ada = self.server.user()
        made = [self.ok(self.report(ada), 201)["id"] for _ in range(7)]
        seen, cursor = [], ""
        while cursor is not None:
            page = self.ok(self.judge.get(f"/admin/reports?limit=3{cursor}"))
            seen += [r["id"] for r in page["items"]]
            cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
            self.ok(self.report(ada), 201)
            if set(made) <= set(seen):
                break
        self.assertEqual([i for i in seen if i in made], made[::-1])
        self.assertEqual(len(seen), len(set(seen)))
        self.refused(self.judge.get("/admin/reports?cursor=nonsense"), 400, "invalid_cursor")


class Counts(SocialCase):
    own_server = True

    def test_many_at_once_and_recounted(self):
        """Counts after thousands of changes from many connections are what the edges say."""
        people = self.server.users(12)
        failures = []

        def work(seed):
            rng = random.Random(seed)
            try:
                for _ in range(500):
                    who, whom = rng.sample(range(len(people)), 2)
                    method, what = rng.choice((("PUT", "follow"),) * 4 + (
                        ("DELETE", "follow"), ("PUT", "block"), ("DELETE", "block"),
                        ("DELETE", "block"), ("PUT", "mute"), ("DELETE", "mute")))
                    answer = hands[seed][who].request(method, f"/users/{people[whom].id}/{what}")
                    if answer.status not in (200, 404, 409):
                        failures.append(answer)
            except Exception as wrong:  # a thread's exception is the test's
                failures.append(wrong)

        hands = [[self.copy_of(person) for person in people] for _ in range(8)]
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        for who in people:
            for whom in people:
                who.delete(f"/users/{whom.id}/block")
        edges = {(a.id, b.id) for a in people for b in people
                 if a is not b and self.relation(a, b)["following"]}
        for person in people:
            own = self.relation(person, person)
            self.assertEqual(own["follower_count"], sum(b == person.id for _, b in edges))
            self.assertEqual(own["following_count"], sum(a == person.id for a, _ in edges))

    def copy_of(self, person):
        copy = type(person).__new__(type(person))
        copy.__dict__.update(person.__dict__)
        return copy.own_connection()
