"""The administration: accounts, dead letters, sagas, the audit log, nodes, live connections, and
what the topic admin tells those who watch."""

import json
import sqlite3
import subprocess
import time
import uuid

from parleytest import Closed, binary, clean_environment
from parleytest.case import ApiCase


def parley(server, *words):
    return subprocess.run([binary(), *words, "--data", str(server.data)], capture_output=True,
                          timeout=60, env=clean_environment(), check=False)


def promote(server, user, role="admin"):
    done = parley(server, "user", "promote", user.username, role)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return user.login()


class AdminCase(ApiCase):
    own_server = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = promote(cls.server, cls.server.user("admin"))

    def pages(self, path, limit, **query):
        """All items, page by page."""
        items, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self.ok(self.admin.get(path, query={"limit": limit, **query, **more}))
            self.assertLessEqual(len(page["items"]), limit)
            items += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return items

    def audited(self, **query):
        return self.ok(self.admin.get("/admin/audit", query=query))["items"]

    def watcher(self):
        ws = self.admin.ws()
        answer = ws.call("watch", {"topics": ["admin"]})
        self.assertEqual(answer["data"]["topics"], ["admin"])
        return ws


class Users(AdminCase):
    def test_list_is_newest_first_and_goes_on(self):
        people = self.server.users(5)
        first = self.ok(self.admin.get("/admin/users", query={"limit": 2}))
        self.assertEqual([u["id"] for u in first["items"]], [people[4].id, people[3].id])
        self.server.user()  # comes while somebody pages
        second = self.ok(self.admin.get("/admin/users", query={"limit": 2,
                                                               "cursor": first["next_cursor"]}))
        self.assertEqual([u["id"] for u in second["items"]], [people[2].id, people[1].id])
        ids = [u["id"] for u in self.pages("/admin/users", 3)]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(ids, sorted(ids, reverse=True))

    def test_whole_profiles(self):
        user = self.server.user(email=f"{uuid.uuid4().hex}@example.org")
        shown = self.ok(self.admin.get("/admin/users", query={"limit": 1}))["items"][0]
        self.assertEqual(shown["id"], user.id)
        self.assertIsNotNone(shown["email"])
        self.assertIsNotNone(shown["last_login"])

    def test_find(self):
        name = "q" + uuid.uuid4().hex[:12]
        email, phone = f"{name}@Example.org", "+4930" + str(uuid.uuid4().int)[:9]
        people = [self.server.post("/api/v1/auth/signup",
                                   {"username": name + suffix, "password": "Quiet-River-17-Stone",
                                    **more}).json["user"]["id"]
                  for suffix, more in (("", {"email": email}), ("a", {"phone": phone}), ("b", {}))]
        find = lambda q, **more: [u["id"] for u in self.ok(
            self.admin.get("/admin/users", query={"q": q, **more}))["items"]]
        self.assertEqual(find(name), people)
        self.assertEqual(find(name.upper()), people)
        self.assertEqual(find(name + "a"), people[1:2])
        self.assertEqual(find(email.lower()), people[:1])
        self.assertEqual(find(phone), people[1:2])
        self.assertEqual(find(people[2]), people[2:])
        self.assertEqual(find("nobody@example.org"), [])
        self.assertEqual(find(str(uuid.uuid4())), [])
        self.assertEqual(find("zz_nobody_begins_so"), [])
        self.assertEqual([u["id"] for u in self.pages("/admin/users", 1, q=name)], people)
        self.assertEqual(find(name, role="admin"), [])
        self.assertEqual(find(people[2], role="admin"), [])
        self.assertEqual(find(people[2], is_active="false"), [])

    def test_filters(self):
        moderator = promote(self.server, self.server.user(), "moderator")
        away = self.server.user()
        self.ok(self.admin.patch(f"/admin/users/{away.id}", {"is_active": False}))
        ids = lambda **query: [u["id"] for u in self.pages("/admin/users", 50, **query)]
        self.assertEqual(ids(role="moderator"), [moderator.id])
        self.assertIn(self.admin.id, ids(role="admin"))
        self.assertNotIn(moderator.id, ids(role="user"))
        self.assertIn(away.id, ids(is_active="false"))
        self.assertNotIn(away.id, ids(is_active="true"))
        self.assertEqual(ids(role="moderator", is_active="false"), [])

    def test_bad_queries(self):
        for query in ({"limit": 0}, {"limit": 101}, {"role": "king"}, {"is_active": "maybe"},
                      {"q": " "}, {"q": "x" * 255}):
            with self.subTest(query=query):
                self.refused(self.admin.get("/admin/users", query=query), 422, "invalid_fields")
        self.refused(self.admin.get("/admin/users?cursor=nonsense"), 400, "invalid_cursor")
        self.refused(self.admin.get("/admin/users?other=1"), 400)

    def test_give_a_role(self):
        user = self.server.user()
        changed = self.ok(self.admin.patch(f"/admin/users/{user.id}", {"role": "moderator"}))
        self.assertEqual((changed["id"], changed["role"]), (user.id, "moderator"))
        self.refused(user.get("/users/me"), 401, "token_revoked")
        again = user.login()
        self.assertEqual(self.ok(again.get("/users/me"))["role"], "moderator")
        self.ok(again.get("/admin/reports"))
        entry = self.audited(subject_id=user.id)[0]
        self.assertEqual((entry["action"], entry["actor_id"], entry["subject_kind"]),
                         ("user.role_changed", self.admin.id, "user"))
        self.assertEqual(entry["detail"], {"from": "user", "to": "moderator"})
        self.assertTrue(entry["correlation_id"])

    def test_disable_and_enable(self):
        user = self.server.user()
        ws = user.ws()
        changed = self.ok(self.admin.patch(f"/admin/users/{user.id}", {"is_active": False}))
        self.assertFalse(changed["is_active"])
        self.refused(user.get("/users/me"), 401)
        self.assertEqual(ws.closed().code, 4003)
        login = {"login": user.username, "password": "Quiet-River-17-Stone"}
        self.refused(self.server.post("/api/v1/auth/login", login), 403, "account_disabled")
        self.refused(self.server.post("/api/v1/auth/refresh",
                                      {"refresh_token": user.refresh_token}), 403)
        self.ok(self.admin.patch(f"/admin/users/{user.id}", {"is_active": True}))
        self.ok(user.login().get("/users/me"))
        self.assertEqual([e["action"] for e in self.audited(subject_id=user.id)],
                         ["user.enabled", "user.disabled"])

    def test_what_is_so_already_is_no_change(self):
        user = self.server.user()
        for body in ({}, {"role": "user"}, {"is_active": True},
                     {"role": "user", "is_active": True}):
            self.ok(self.admin.patch(f"/admin/users/{user.id}", body))
        self.ok(user.get("/users/me"))
        self.assertEqual(self.audited(subject_id=user.id), [])

    def test_somebody_who_has_left_and_is_disabled_cannot_come_back(self):
        user = self.server.user()
        self.ok(user.post("/users/me/deactivate", {"password": "Quiet-River-17-Stone"}), 204)
        self.ok(self.admin.patch(f"/admin/users/{user.id}", {"is_active": False}))
        login = {"login": user.username, "password": "Quiet-River-17-Stone"}
        self.refused(self.server.post("/api/v1/auth/login", login), 403, "account_disabled")

    def test_refusals(self):
        user = self.server.user()
        nobody = uuid.uuid4()
        self.refused(self.admin.patch(f"/admin/users/{nobody}", {"role": "user"}), 404,
                     "user_not_found")
        self.refused(self.admin.patch("/admin/users/x", {"role": "user"}), 422, "invalid_fields")
        for body in ({"role": "king"}, {"role": None}, {"is_active": "yes"}, {"is_active": None}):
            with self.subTest(body=body):
                self.refused(self.admin.patch(f"/admin/users/{user.id}", body), 422,
                             "invalid_fields")
        self.refused(self.admin.patch(f"/admin/users/{user.id}", {"email": "x"}), 400,
                     "unknown_field")

    def test_sessions(self):
        user = self.server.user()
        others = [user.login(device_name=f"device {i}") for i in range(3)]
        path = f"/admin/users/{user.id}/sessions"
        shown = self.ok(self.admin.get(path))["items"]
        self.assertEqual(len(shown), 4)
        self.assertEqual(shown[0]["device_name"], "device 2")
        self.assertFalse(any(s["current"] for s in shown))
        self.assertEqual([s["id"] for s in self.pages(path, 1)], [s["id"] for s in shown])
        ws = others[0].ws()
        self.ok(self.admin.delete(path), 204)
        self.assertEqual(ws.closed().code, 4003)
        for one in [user] + others:
            self.refused(one.get("/users/me"), 401)
        self.assertEqual(self.ok(self.admin.get(path))["items"], [])
        self.assertEqual(self.audited(subject_id=user.id)[0]["action"], "user.sessions_ended")
        self.ok(user.login().get("/users/me"))
        for method in ("GET", "DELETE"):
            self.refused(self.admin.request(method, f"/admin/users/{uuid.uuid4()}/sessions"), 404,
                         "user_not_found")

    def test_those_who_watch_are_told(self):
        user = self.server.user()
        ws = self.watcher()
        self.ok(self.admin.patch(f"/admin/users/{user.id}", {"role": "moderator"}))
        self.admins_told(ws, "users")
        self.server.user()
        self.admins_told(ws, "sagas")
        ws.close()


class LastAdmin(AdminCase):
    def test_somebody_is_left_who_can_administer(self):
        other = promote(self.server, self.server.user())
        mine, theirs = f"/admin/users/{self.admin.id}", f"/admin/users/{other.id}"
        self.ok(self.admin.patch(theirs, {"is_active": False}))
        for body in ({"role": "user"}, {"role": "moderator"}, {"is_active": False},
                     {"role": "user", "is_active": True}):
            with self.subTest(body=body):
                self.refused(self.admin.patch(mine, body), 409, "last_admin")
        password = {"password": "Quiet-River-17-Stone"}
        self.refused(self.admin.post("/users/me/deactivate", password), 409, "last_admin")
        self.refused(self.admin.request("DELETE", "/users/me", password), 409, "last_admin")
        self.refused(self.admin.delete("/users/me"), 409, "last_admin")
        self.ok(self.admin.patch(mine, {"role": "admin", "is_active": True}))
        self.ok(self.admin.patch(theirs, {"is_active": True}))
        self.ok(self.admin.patch(mine, {"role": "user"}))
        self.refused(self.admin.get("/admin/nodes"), 401)
        self.refused(self.admin.login().get("/admin/nodes"), 403, "forbidden")
        self.refused(other.login().patch(theirs, {"role": "user"}), 409, "last_admin")


class DeadLetters(AdminCase):
    def put_aside(self, *letters):
        """Rows as the consumers write them: (database, consumer, type, stream, data)."""
        ids = []
        self.assertEqual(self.server.stop(), 0)
        for file, consumer, kind, stream, data in letters:
            ids.append(str(uuid.uuid4()))
            with sqlite3.connect(self.server.data / file) as db:
                db.execute("INSERT INTO dead_letter VALUES (?, ?, 7, ?, ?, ?, 'It broke.', 10, ?)",
                           (uuid.UUID(ids[-1]).bytes, consumer, kind, uuid.UUID(stream).bytes,
                            json.dumps(data), int(time.time() * 1000) + len(ids)))
            db.close()
        self.server.start()
        return ids

    def created(self, user, name):
        return {"id": user.id, "username": user.username, "full_name": name, "email": None,
                "phone": None, "role": "user", "created_at": "2026-01-01T00:00:00.000Z"}

    def listed(self):
        return {item["id"]: item for item in self.pages("/admin/dead-letters", 2)}

    def test_requeue_discard_and_the_command_line(self):
        user = self.server.user()
        good = self.created(user, "Zanzibar Quetzal")
        main = ("main.db", "user.profiles", "user.created", user.id)
        search = ("search.db", "user.search", "user.created", user.id)
        ids = self.put_aside((*search, good), (*search, {"broken": True}), (*main, good),
                             ("main.db", "no.more", "user.created", user.id, good),
                             (*main, good), (*search, good))
        shown = self.listed()
        self.assertEqual(list(shown), list(reversed(ids)))
        one = shown[ids[0]]
        self.assertEqual({k: one[k] for k in ("consumer", "event_type", "event_pos", "subject_id",
                                              "error", "attempts", "data")},
                         {"consumer": "user.search", "event_type": "user.created",
                          "event_pos": "7", "subject_id": user.id, "error": "It broke.",
                          "attempts": 10, "data": good})
        find = lambda: [u["id"] for u in self.ok(user.get("/users?q=zanzibar"))["items"]]
        path = "/admin/dead-letters"
        ws = self.watcher()
        self.assertEqual(find(), [])
        self.ok(self.admin.post(f"{path}/{ids[0]}/requeue"), 204)
        self.admins_told(ws, "dead_letters")
        ws.close()
        self.assertEqual(find(), [user.id])
        self.refused(self.admin.post(f"{path}/{ids[0]}/requeue"), 404, "dead_letter_not_found")
        self.refused(self.admin.delete(f"{path}/{ids[0]}"), 404, "dead_letter_not_found")
        again = self.refused(self.admin.post(f"{path}/{ids[1]}/requeue"), 409, "requeue_failed")
        shown = self.listed()[ids[1]]
        self.assertEqual(shown["attempts"], 11)
        self.assertIn(shown["error"], again.json["detail"])
        self.refused(self.admin.post(f"{path}/{ids[3]}/requeue"), 409, "consumer_gone")
        self.ok(self.admin.post(f"{path}/{ids[2]}/requeue"), 204)  # was done: changes nothing
        self.ok(self.admin.delete(f"{path}/{ids[1]}"), 204)
        self.refused(self.admin.delete(f"{path}/x"), 422)
        self.refused(self.admin.post(f"{path}/{uuid.uuid4()}/requeue"), 404)
        self.assertEqual(list(self.listed()), [ids[5], ids[4], ids[3]])
        self.by_command(ids)
        entries = self.audited(action="dead_letter.requeued")
        self.assertEqual([e["subject_id"] for e in entries], [ids[4], ids[2], ids[0]])
        self.assertEqual(entries[2]["detail"], {"consumer": "user.search", "event_pos": "7",
                                                "event_type": "user.created"})
        self.assertEqual([e["actor_id"] for e in entries], [None, self.admin.id, self.admin.id])
        self.assertEqual([e["subject_id"] for e in self.audited(action="dead_letter.discarded")],
                         [ids[3], ids[5], ids[1]])

    def by_command(self, ids):
        """The same with the server running and, for the last one, stopped."""
        listed = parley(self.server, "dead-letters", "list").stdout.decode()
        self.assertEqual([line.split()[0] for line in listed.splitlines()],
                         [ids[5], ids[4], ids[3]])
        self.assertEqual(parley(self.server, "dead-letters", "requeue", ids[4]).returncode, 0)
        gone = parley(self.server, "dead-letters", "requeue", ids[4])
        self.assertNotEqual(gone.returncode, 0)
        self.assertIn(b"no such dead letter", gone.stderr)
        self.assertEqual(parley(self.server, "dead-letters", "discard", ids[5]).returncode, 0)
        for words in (["discard"], ["discard", "x"], ["eat", ids[3]], ["list", "more"], []):
            self.assertNotEqual(parley(self.server, "dead-letters", *words).returncode, 0)
        self.server.stop()
        self.assertEqual(parley(self.server, "dead-letters", "discard", ids[3]).returncode, 0)
        self.server.start()
        self.assertEqual(self.listed(), {})

    def test_bad_queries(self):
        self.refused(self.admin.get("/admin/dead-letters?limit=0"), 422)
        self.refused(self.admin.get("/admin/dead-letters?cursor=x"), 400, "invalid_cursor")


class Sagas(AdminCase):
    def test_a_sign_up_is_listed(self):
        user = self.server.user()
        saga = self.ok(self.admin.get("/admin/sagas", query={"limit": 1}))["items"][0]
        self.assertEqual((saga["kind"], saga["subject_id"], saga["state"]),
                         ("registration", user.id, "completed"))
        names = [step["name"] for step in saga["steps"]]
        self.assertEqual((names[0], names[-1], saga["step"]), ("account", "active", "active"))
        self.assertEqual(set(names), {"account", "profile", "chat_profile", "active"})
        self.assertIsNone(saga["error"])
        self.assertGreaterEqual(saga["ended_at"], saga["started_at"])
        self.assertEqual(self.ok(self.admin.get("/admin/sagas?state=running"))["items"], [])

    def test_pages(self):
        self.server.users(5)
        shown = self.pages("/admin/sagas", 2)
        self.assertEqual([s["id"] for s in shown], sorted((s["id"] for s in shown), reverse=True))
        self.assertEqual([s["id"] for s in shown if s["state"] == "completed"],
                         [s["id"] for s in self.pages("/admin/sagas", 3, state="completed")])
        for query, status in (("state=lost", 422), ("limit=101", 422), ("x=1", 400)):
            self.refused(self.admin.get("/admin/sagas?" + query), status)

    def test_one_that_was_given_up(self):
        self.server.environment["PARLEY_FAULTS"] = "saga.profile=error"
        self.server.restart()
        try:
            answer = self.server.post("/api/v1/auth/signup", {
                "username": "never_" + uuid.uuid4().hex[:8], "password": "Quiet-River-17-Stone"})
            self.refused(answer, 503, "registration_failed")
            ended = self.ok(self.admin.get("/admin/sagas?state=compensated"))["items"][0]
        finally:
            del self.server.environment["PARLEY_FAULTS"]
            self.server.restart()
        self.assertIn("profile: ", ended["error"])
        names = [step["name"] for step in ended["steps"]]
        self.assertEqual(names[0], "account")
        self.assertIn("profile_failed", names)
        self.assertIn("account_removed", names)
        gone = self.ok(self.admin.get("/admin/users", query={"q": ended["subject_id"]}))["items"]
        self.assertEqual(gone, [])


class Audit(AdminCase):
    def test_pages_and_filters(self):
        user = self.server.user()
        for i in range(5):
            self.ok(self.admin.patch(f"/admin/users/{user.id}", {"is_active": bool(i % 2)}))
        mine = self.pages("/admin/audit", 2, subject_id=user.id)
        self.assertEqual([e["action"] for e in mine],
                         ["user.disabled", "user.enabled"] * 2 + ["user.disabled"])
        self.assertEqual(len(self.audited(subject_id=user.id, action="user.enabled")), 2)
        self.assertEqual(len(self.audited(subject_id=user.id, actor_id=self.admin.id)), 5)
        self.assertEqual(self.audited(subject_id=user.id, actor_id=user.id), [])
        self.assertEqual(self.audited(action="nothing.done"), [])
        everything = self.pages("/admin/audit", 3)
        self.assertEqual(len({e["id"] for e in everything}), len(everything))
        for query, status in (("actor_id=x", 422), ("limit=0", 422), ("action=", 422),
                              ("who=me", 400)):
            self.refused(self.admin.get("/admin/audit?" + query), status)
        self.refused(self.admin.get("/admin/audit?cursor=x"), 400, "invalid_cursor")

    def test_verify(self):
        user = self.server.user()
        for active in (False, True, False):
            self.ok(self.admin.patch(f"/admin/users/{user.id}", {"is_active": active}))
        running = parley(self.server, "audit", "verify")
        self.assertEqual(running.returncode, 0, running)
        mark = running.stdout.decode().splitlines()[1]
        self.server.stop()
        self.addCleanup(lambda: self.server.start() if self.server.process is None else None)
        stopped = parley(self.server, "audit", "verify", mark)
        self.assertEqual((stopped.returncode, stopped.stdout), (0, running.stdout), stopped)
        file = self.server.data / "main.db"
        before = file.read_bytes()
        with sqlite3.connect(file) as db:
            for statement in ("UPDATE audit SET action = 'user.enabled'", "DELETE FROM audit",
                              "REPLACE INTO audit SELECT * FROM audit LIMIT 1"):
                with self.assertRaises(sqlite3.IntegrityError, msg=statement):
                    db.execute(statement)
            count = db.execute("SELECT count(*) FROM audit").fetchone()[0]
            db.executescript("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_removed;"
                             f"UPDATE audit SET at = at - 1 WHERE seq = {count - 1};")
        db.close()
        broken = parley(self.server, "audit", "verify")
        self.assertEqual(broken.returncode, 1, broken)
        self.assertIn(f"row {count - 1} ", broken.stderr.decode())
        with sqlite3.connect(file) as db:
            db.execute(f"UPDATE audit SET at = at + 1 WHERE seq = {count - 1}")
            db.execute(f"DELETE FROM audit WHERE seq = {count}")
        db.close()
        self.assertEqual(parley(self.server, "audit", "verify").returncode, 0)
        cut = parley(self.server, "audit", "verify", mark)
        self.assertEqual(cut.returncode, 1)
        self.assertIn("cut off", cut.stderr.decode())
        file.write_bytes(before)
        self.assertNotEqual(parley(self.server, "audit", "verify", "1:abc").returncode, 0)
        self.assertNotEqual(parley(self.server, "audit", "burn").returncode, 0)


class Nodes(AdminCase):
    def test_this_process(self):
        ws = self.admin.ws()
        node, = self.ok(self.admin.get("/admin/nodes"))["items"]
        self.assertEqual(node["address"], self.server.address)
        self.assertEqual(node["roles"], ["all"])
        self.assertRegex(node["version"], r"^\d+\.\d+\.\d+")
        self.assertEqual(set(node["engines"].values()), {"ok"})
        self.assertGreaterEqual(node["loops"], 1)
        self.assertGreaterEqual(node["sessions"], 1)
        self.assertGreater(node["log_head"], 0)
        self.assertIn("user.profiles", [c["name"] for c in node["consumers"]])
        ws.close()


class Connections(AdminCase):
    def of(self, user):
        return self.ok(self.admin.get("/admin/connections", query={"user_id": user.id}))["items"]

    def test_each_transport_is_seen(self):
        user = self.server.user()
        ws, sse = user.ws(), user.reader("sse")
        ws.call("watch", {"topics": []})
        shown = {c["transport"]: c for c in self.of(user)}
        self.assertEqual(set(shown), {"websocket", "event-stream"})
        for connection in shown.values():
            self.assertEqual(connection["user_id"], user.id)
            self.assertEqual(connection["peer"], "127.0.0.1")
            self.assertGreaterEqual(connection["follows"], 1)
            self.assertEqual(connection["watches"], 0)
        ws.close()
        sse.close()
        end = time.monotonic() + 10
        while self.of(user) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.of(user), [])

    def test_pages(self):
        people = self.server.users(3)
        sockets = [user.ws() for user in people for _ in range(2)]
        every = self.pages("/admin/connections", 2)
        mine = [c for c in every if c["user_id"] in {u.id for u in people}]
        self.assertEqual(len(mine), 6)
        self.assertEqual(len({c["id"] for c in every}), len(every))
        self.assertEqual(len(self.pages("/admin/connections", 1, user_id=people[0].id)), 2)
        self.assertEqual(self.pages("/admin/connections", 1, user_id=str(uuid.uuid4())), [])
        for socket in sockets:
            socket.close()

    def test_close_one(self):
        user = self.server.user()
        first, second = user.ws(), user.ws()
        shown = self.of(user)
        self.assertEqual(len(shown), 2)
        self.ok(self.admin.delete(f"/admin/connections/{shown[0]['id']}"), 204)
        ended = 0
        for socket in (first, second):
            try:
                socket.call("ping")
            except Closed as closed:
                self.assertEqual(closed.code, 4009)
                ended += 1
        self.assertEqual(ended, 1)
        self.assertEqual([c["id"] for c in self.of(user)], [shown[1]["id"]])
        self.refused(self.admin.delete(f"/admin/connections/{shown[0]['id']}"), 404,
                     "connection_not_found")
        for wrong in ("x", "0-99999999-0", "99-0-0", "0-0", "-1-0-0", "0-0-0-0"):
            self.refused(self.admin.delete(f"/admin/connections/{wrong}"), 404,
                         "connection_not_found")
        entry = self.audited(action="connection.closed")[0]
        self.assertEqual((entry["actor_id"], entry["detail"]),
                         (self.admin.id, {"connection": shown[0]["id"]}))
        first.close()
        second.close()
        self.ok(user.get("/users/me"))
