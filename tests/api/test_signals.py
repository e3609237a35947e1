"""Trade signals (X01 to X03): what they may say, who sees them, decisions, the board, live events."""

import socket
import subprocess
import threading
import time
import uuid

from parleytest import PASSWORD, Http, binary, clean_environment
from parleytest.case import ApiCase

UNKNOWN = "0190b3c4-0000-7000-8000-000000000000"
TERMS = {"symbol": "BTC/USD", "side": "buy", "entry_price": "64250.5"}


class SignalCase(ApiCase):
    own_server = True  # a board of its own, and an admin

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.promote(cls.server.user())

    @classmethod
    def promote(cls, user):
        subprocess.run([binary(), "user", "promote", user.username, "admin", "--data",
                        str(cls.server.data)], check=True, env=clean_environment(),
                       capture_output=True, timeout=30)
        return user.login()

    def create(self, user, **more):
        return self.ok(user.post("/trade-signals", {**TERMS, **more}), 201)

    def decide(self, signal, status, reason=None, **more):
        body = {"status": status, **({"reason": reason} if reason else {})}
        return self.admin.put(f"/admin/trade-signals/{signal['id']}/status", body, **more)

    def approved(self, user, **more):
        signal = self.create(user, **more)
        return self.ok(self.decide(signal, "approved"))

    def items(self, user, path="/trade-signals", **query):
        return self.ok(user.get(path, query=query))["items"]

    def walk(self, user, path, limit, **query):
        items = []
        while True:
            page = self.ok(user.get(path, query={"limit": limit, **query}))
            self.assertLessEqual(len(page["items"]), limit)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            query["cursor"] = page["next_cursor"]

    def wrong(self, answer):
        self.refused(answer, 422, "invalid_fields")
        return {(e["field"], e["code"]) for e in answer.json["errors"]}

    def nothing(self, reader, name):
        with self.assertRaises((socket.timeout, TimeoutError)):
            reader.event(name, timeout=0.3)


class Terms(SignalCase):
    def setUp(self):
        super().setUp()
        self.user = self.server.user()

    def test_a_signal(self):
        signal = self.create(self.user, symbol="eur.usd-1:x/Y", stop_loss="64000",
                             take_profit="65000.10", note="a note")
        self.assertEqual((signal["symbol"], signal["side"], signal["status"]),
                         ("EUR.USD-1:X/Y", "buy", "pending"))
        self.assertEqual((signal["entry_price"], signal["stop_loss"], signal["take_profit"]),
                         ("64250.5", "64000", "65000.1"))
        self.assertEqual((signal["user_id"], signal["note"]), (self.user.id, "a note"))
        self.assertEqual([signal[f] for f in ("reason", "decided_by", "decided_at")], [None] * 3)
        self.assertEqual(signal["created_at"], signal["updated_at"])
        self.assertEqual(self.ok(self.user.get(f"/trade-signals/{signal['id']}")), signal)
        self.assertEqual(self.items(self.user), [signal])

    def test_prices_stay_exact(self):
        nines = "9" * 18
        for given, kept in (("1", "1"), ("007.50", "7.5"), ("0.000000000000000001",) * 2,
                            (f"{nines}.{nines}",) * 2, ("100.000", "100"),
                            ("12345678901234567.123456789012345678",) * 2,
                            ("0.1" + "0" * 30, "0.1")):
            with self.subTest(given=given):
                signal = self.create(self.user, entry_price=given)
                self.assertEqual(signal["entry_price"], kept)
                again = self.ok(self.user.get(f"/trade-signals/{signal['id']}"))
                self.assertEqual(again["entry_price"], kept)

    def test_prices_that_are_none(self):
        for given, code in (("", "invalid_decimal"), ("-1", "invalid_decimal"),
                            ("+1", "invalid_decimal"), ("1e5", "invalid_decimal"),
                            ("1,5", "invalid_decimal"), (".5", "invalid_decimal"),
                            ("5.", "invalid_decimal"), ("0x1", "invalid_decimal"),
                            (" 1", "invalid_decimal"), ("NaN", "invalid_decimal"),
                            ("0", "not_positive"), ("0.000", "not_positive"),
                            ("1" + "0" * 18, "too_many_digits"),
                            ("0." + "0" * 18 + "1", "too_many_digits"),
                            ("1" * 65, "too_long"), (1.5, "wrong_type"), (5, "wrong_type")):
            for field in ("entry_price", "stop_loss", "take_profit"):
                with self.subTest(given=given, field=field):
                    answer = self.user.post("/trade-signals", {**TERMS, field: given})
                    self.assertIn((field, code), self.wrong(answer))

    def test_stop_and_target_lie_on_the_right_side(self):
        entry = "100.000000000000000001"
        for side, field, price, code in (
                ("buy", "stop_loss", entry, "not_below_entry"),
                ("buy", "stop_loss", "100.000000000000000002", "not_below_entry"),
                ("buy", "take_profit", entry, "not_above_entry"),
                ("buy", "take_profit", "100", "not_above_entry"),
                ("sell", "stop_loss", "100", "not_above_entry"),
                ("sell", "take_profit", "100.000000000000000002", "not_below_entry")):
            with self.subTest(side=side, field=field, price=price):
                answer = self.user.post("/trade-signals", {
                    **TERMS, "side": side, "entry_price": entry, field: price})
                self.assertEqual(self.wrong(answer), {(field, code)})
        self.create(self.user, entry_price=entry, stop_loss="100",
                    take_profit="100.000000000000000002")
        self.create(self.user, side="sell", entry_price=entry, take_profit="100",
                    stop_loss="100.000000000000000002")

    def test_other_bounds(self):
        for body, wrong in (({}, {("symbol", "required"), ("side", "required"),
                                  ("entry_price", "required")}),
                            ({**TERMS, "symbol": ""}, {("symbol", "invalid_symbol")}),
                            ({**TERMS, "symbol": "A" * 21}, {("symbol", "invalid_symbol")}),
                            ({**TERMS, "symbol": "A B"}, {("symbol", "invalid_symbol")}),
                            ({**TERMS, "symbol": "\u00c4"}, {("symbol", "invalid_symbol")}),
                            ({**TERMS, "side": "hold"}, {("side", "not_allowed")}),
                            ({**TERMS, "note": "x" * 2001}, {("note", "too_long")}),
                            ({**TERMS, "note": " "}, {("note", "blank")}),
                            ({**TERMS, "symbol": "!", "entry_price": "x", "stop_loss": "-"},
                             {("symbol", "invalid_symbol"), ("entry_price", "invalid_decimal"),
                              ("stop_loss", "invalid_decimal")})):
            with self.subTest(body=str(body)[:60]):
                self.assertEqual(self.wrong(self.user.post("/trade-signals", body)), wrong)
        self.refused(self.user.post("/trade-signals", {**TERMS, "status": "approved"}), 400,
                     "unknown_field")
        self.create(self.user, symbol="A" * 20, note="\u00e9" * 2000)

    def test_idempotency(self):
        key = {"Idempotency-Key": uuid.uuid4().hex}
        first = self.user.post("/trade-signals", TERMS, headers=key)
        again = self.user.post("/trade-signals", TERMS, headers=key)
        self.assertEqual((first.status, first.body), (again.status, again.body))
        self.assertEqual(len(self.items(self.user)), 1)


class Editing(SignalCase):
    def setUp(self):
        super().setUp()
        self.user, self.other = self.server.users(2)

    def patch(self, signal, user=None, **changes):
        headers = changes.pop("headers", None)
        return (user or self.user).patch(f"/trade-signals/{signal['id']}", changes,
                                         headers=headers)

    def test_what_is_left_out_stays(self):
        signal = self.create(self.user, stop_loss="64000", note="first")
        edited = self.ok(self.patch(signal, entry_price="64100.0", note=None))
        self.assertEqual((edited["entry_price"], edited["stop_loss"], edited["note"]),
                         ("64100", "64000", None))
        self.assertGreater(edited["updated_at"], signal["updated_at"])
        self.assertEqual(self.items(self.user), [edited])
        self.assertEqual(self.ok(self.patch(signal)), edited)  # nothing is nothing

    def test_checked_as_a_whole(self):
        signal = self.create(self.user, stop_loss="64000")
        self.assertEqual(self.wrong(self.patch(signal, entry_price="63000")),
                         {("stop_loss", "not_below_entry")})
        self.assertEqual(self.wrong(self.patch(signal, side="sell")),
                         {("stop_loss", "not_above_entry")})
        self.assertEqual(self.wrong(self.patch(signal, entry_price=None)),
                         {("entry_price", "wrong_type")})
        self.ok(self.patch(signal, side="sell", stop_loss="65000"))

    def test_if_match(self):
        signal = self.create(self.user)
        tag = self.user.get(f"/trade-signals/{signal['id']}").header("etag")
        self.ok(self.patch(signal, note="1", headers={"If-Match": tag}))
        self.refused(self.patch(signal, note="2", headers={"If-Match": tag}), 412, "stale")
        same = self.user.get(f"/trade-signals/{signal['id']}")
        again = self.user.get(f"/trade-signals/{signal['id']}",
                              headers={"If-None-Match": same.header("etag")})
        self.assertEqual(again.status, 304)

    def test_others_and_unknown_ones(self):
        signal = self.create(self.user)
        path = f"/trade-signals/{signal['id']}"
        for method, body in (("GET", None), ("PATCH", {"note": "x"}), ("DELETE", None)):
            self.refused(self.other.request(method, path, body), 404, "signal_not_found")
            for wrong in (UNKNOWN, self.user.id):
                self.refused(self.user.request(method, f"/trade-signals/{wrong}", body), 404,
                             "signal_not_found")
        self.refused(self.patch(signal, self.admin, note="x"), 403, "not_author")
        self.refused(self.admin.delete(path), 403, "not_author")
        self.ok(self.admin.get(path))
        self.ok(self.decide(signal, "approved"))
        self.ok(self.other.get(path))
        self.refused(self.patch(signal, self.other, note="x"), 403, "not_author")

    def test_what_is_public_stays_as_it_is(self):
        signal = self.approved(self.user)
        for status in ("approved", "closed"):
            self.refused(self.patch(signal, note="x"), 409, "signal_decided")
            self.refused(self.user.delete(f"/trade-signals/{signal['id']}"), 409, "signal_decided")
            if status == "approved":
                self.ok(self.decide(signal, "closed", "target reached"))

    def test_an_edit_of_a_rejected_one_asks_again(self):
        signal = self.create(self.user)
        self.ok(self.decide(signal, "rejected", "no stop"))
        edited = self.ok(self.patch(signal, stop_loss="60000"))
        self.assertEqual([edited[f] for f in ("status", "reason", "decided_by", "decided_at")],
                         ["pending", None, None, None])
        self.ok(self.decide(signal, "approved", "good now"))
        steps = self.items(self.user, f"/trade-signals/{signal['id']}/history")
        self.assertEqual([(s["status"], s["reason"], s["by_user_id"]) for s in steps],
                         [("pending", None, self.user.id), ("rejected", "no stop", self.admin.id),
                          ("pending", None, self.user.id), ("approved", "good now", self.admin.id)])

    def test_delete(self):
        for reject in (False, True):
            signal = self.create(self.user)
            if reject:
                self.ok(self.decide(signal, "rejected", "no"))
            self.ok(self.user.delete(f"/trade-signals/{signal['id']}"), 204)
            self.refused(self.user.get(f"/trade-signals/{signal['id']}"), 404, "signal_not_found")
            self.refused(self.user.get(f"/trade-signals/{signal['id']}/history"), 404)
            self.refused(self.user.delete(f"/trade-signals/{signal['id']}"), 404)
            self.assertEqual(self.items(self.user), [])


class Deciding(SignalCase):
    def setUp(self):
        super().setUp()
        self.user = self.server.user()

    def test_every_way(self):
        """From each status to each; what is not named is refused, and changes nothing."""
        allowed = {("pending", "approved"), ("pending", "rejected"), ("approved", "closed")}
        way_to = {"pending": [], "approved": ["approved"], "rejected": ["rejected"],
                  "closed": ["approved", "closed"]}
        for start, steps in way_to.items():
            for target in way_to:
                with self.subTest(start=start, target=target):
                    signal = self.create(self.user)
                    for step in steps:
                        signal = self.ok(self.decide(signal, step, "on the way"))
                    answer = self.decide(signal, target, "a reason")
                    if (start, target) in allowed:
                        after = self.ok(answer)
                        self.assertEqual((after["status"], after["reason"], after["decided_by"]),
                                         (target, "a reason", self.admin.id))
                    else:
                        self.refused(answer, 409, "invalid_transition")
                        self.assertIn(target, answer.json["detail"])
                        now = self.ok(self.user.get(f"/trade-signals/{signal['id']}"))
                        self.assertEqual(now, signal)

    def test_a_rejection_says_why(self):
        signal = self.create(self.user)
        self.assertEqual(self.wrong(self.decide(signal, "rejected")), {("reason", "required")})
        answer = self.admin.put(f"/admin/trade-signals/{signal['id']}/status",
                                {"status": "rejected", "reason": " "})
        self.assertEqual(self.wrong(answer), {("reason", "blank")})
        self.assertIn(("reason", "too_long"), self.wrong(self.decide(signal, "rejected",
                                                                     "x" * 501)))
        self.assertEqual(self.ok(self.decide(signal, "rejected", "x" * 500))["reason"], "x" * 500)

    def test_bad_decisions(self):
        signal = self.create(self.user)
        path = f"/admin/trade-signals/{signal['id']}/status"
        self.assertEqual(self.wrong(self.admin.put(path, {})), {("status", "required")})
        self.assertEqual(self.wrong(self.admin.put(path, {"status": "open"})),
                         {("status", "not_allowed")})
        self.refused(self.decide({"id": UNKNOWN}, "approved"), 404, "signal_not_found")
        self.refused(self.user.put(path, {"status": "approved"}), 403, "forbidden")
        self.refused(self.user.get("/admin/trade-signals"), 403, "forbidden")

    def test_not_what_was_edited_meanwhile(self):
        signal = self.create(self.user)
        tag = self.admin.get(f"/trade-signals/{signal['id']}").header("etag")
        self.ok(self.user.patch(f"/trade-signals/{signal['id']}", {"note": "other"}))
        self.refused(self.decide(signal, "approved", headers={"If-Match": tag}), 412, "stale")
        tag = self.admin.get(f"/trade-signals/{signal['id']}").header("etag")
        self.ok(self.decide(signal, "approved", headers={"If-Match": tag}))

    def test_two_admins_at_once(self):
        signal = self.create(self.user)
        answers = []

        def decide(status):
            http = Http(self.server.address)
            answers.append(http.request(
                "PUT", f"/api/v1/admin/trade-signals/{signal['id']}/status",
                {"status": status, "reason": "mine"}, token=self.admin.token))
            http.close()
        threads = [threading.Thread(target=decide, args=(s,))
                   for s in ("approved", "rejected") * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(a.status for a in answers), [200] + [409] * 7)
        steps = self.items(self.user, f"/trade-signals/{signal['id']}/history")
        self.assertEqual(len(steps), 2)

    def test_history_by_pages(self):
        signal = self.create(self.user)
        for i in range(3):
            self.ok(self.decide(signal, "rejected", f"no {i}"))
            self.ok(self.user.patch(f"/trade-signals/{signal['id']}", {"note": f"{i}"}))
        path = f"/trade-signals/{signal['id']}/history"
        whole = self.items(self.user, path)
        self.assertEqual([s["status"] for s in whole], ["pending"] + ["rejected", "pending"] * 3)
        self.assertEqual(self.walk(self.user, path, 2), whole)
        self.refused(self.server.user().get(path), 404, "signal_not_found")

    def test_audit(self):
        signal = self.approved(self.user)
        self.ok(self.decide(signal, "closed", "over"))
        rows = self.acts(self.admin, signal["id"], 2)
        self.assertEqual([r["action"] for r in rows],
                         ["trade_signal.closed", "trade_signal.approved"])
        self.assertEqual(rows[0]["actor_id"], self.admin.id)
        self.assertEqual(rows[0]["detail"], {"from": "approved", "to": "closed", "reason": "over"})


class Lists(SignalCase):
    def setUp(self):
        super().setUp()
        self.user = self.server.user()

    def board(self, token=None, **query):
        answer = self.server.get("/api/v1/trade-signals/approved", query=query, token=token)
        return [s["id"] for s in self.ok(answer)["items"]]

    def test_ones_own_newest_first_and_by_pages(self):
        ids = [self.create(self.user)["id"] for _ in range(7)][::-1]
        self.create(self.server.user())
        self.assertEqual([s["id"] for s in self.items(self.user)], ids)
        for limit in (1, 2, 3, 6, 7, 8, 50, 51, 100):
            with self.subTest(limit=limit):
                walked = self.walk(self.user, "/trade-signals", limit)
                self.assertEqual([s["id"] for s in walked], ids)

    def test_pages_are_stable_while_others_come(self):
        ids = [self.create(self.user)["id"] for _ in range(6)][::-1]
        seen, query = [], {"limit": 2}
        while True:
            page = self.ok(self.user.get("/trade-signals", query=query))
            seen += [s["id"] for s in page["items"]]
            self.create(self.user)
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        self.assertEqual(seen, ids)

    def test_more_than_a_kept_page(self):
        ids = [self.create(self.user)["id"] for _ in range(53)][::-1]
        for limit in (50, 49, 51):
            walked = self.walk(self.user, "/trade-signals", limit)
            self.assertEqual([s["id"] for s in walked], ids)

    def test_the_board_needs_no_token(self):
        pending, rejected = self.create(self.user), self.create(self.user)
        self.ok(self.decide(rejected, "rejected", "no"))
        first, second = self.create(self.user), self.create(self.user)
        self.ok(self.decide(second, "approved"))
        time.sleep(0.005)  # not in the same millisecond
        self.ok(self.decide(first, "approved"))
        board = self.board()
        self.assertEqual(board[:2], [first["id"], second["id"]])  # by when they were approved
        self.assertFalse({pending["id"], rejected["id"]} & set(board))
        self.ok(self.decide(first, "closed"))
        self.assertEqual(self.board()[0], second["id"])
        self.assertEqual(self.board(limit=1), [second["id"]])

    def test_blocks(self):
        signal = self.approved(self.user)
        other = self.server.user()
        path = f"/trade-signals/{signal['id']}"
        self.assertIn(signal["id"], self.board(other.token))
        self.ok(self.user.put(f"/users/{other.id}/block"))
        self.assertNotIn(signal["id"], self.board(other.token))
        theirs = self.approved(other)
        self.assertNotIn(theirs["id"], self.board(self.user.token))
        self.refused(other.get(path), 404, "signal_not_found")
        self.assertIn(signal["id"], self.board())

    def test_a_bad_token_is_nobody(self):
        self.board("nonsense")

    def test_admins_see_all(self):
        signal = self.create(self.user)
        self.assertEqual(self.items(self.admin, "/admin/trade-signals")[0], signal)
        done = self.ok(self.decide(signal, "rejected", "no"))
        self.assertEqual(self.items(self.admin, "/admin/trade-signals")[0], done)
        for status in ("pending", "approved", "rejected", "closed"):
            found = self.walk(self.admin, "/admin/trade-signals", 3, status=status)
            self.assertLessEqual({s["status"] for s in found}, {status})
            self.assertEqual(signal["id"] in [s["id"] for s in found], status == "rejected")
        self.refused(self.admin.get("/admin/trade-signals", query={"status": "open"}), 422)
        everything = self.walk(self.admin, "/admin/trade-signals", 7)
        times = [s["created_at"] for s in everything]
        self.assertEqual(times, sorted(times, reverse=True))

    def test_bad_pages(self):
        for path in ("/trade-signals", "/trade-signals/approved", "/admin/trade-signals"):
            self.refused(self.admin.get(path, query={"cursor": "AAAA"}), 400, "invalid_cursor")
            self.refused(self.admin.get(path, query={"limit": "101"}), 422)


class Live(SignalCase):
    def setUp(self):
        super().setUp()
        self.user, self.other = self.server.users(2)

    def test_the_author_hears_of_decisions(self):
        for transport in ("ws", "sse", "poll"):
            with self.subTest(transport=transport):
                reader, other = self.user.reader(transport), self.other.reader("ws")
                signal = self.create(self.user)
                decided = self.ok(self.decide(signal, "approved", "good"))
                event = reader.event("signal.decided")
                self.assertEqual(event["data"], decided)
                self.assertTrue(event["pos"])
                closed = self.ok(self.decide(signal, "closed"))
                self.assertEqual(reader.event("signal.decided")["data"], closed)
                self.nothing(other, "signal.decided")
                reader.close()
                other.close()

    def test_who_watches_the_board(self):
        ws, other = self.other.ws(), self.user.ws()
        self.assertEqual(ws.call("watch", {"topics": ["signals"]})["data"]["refused"], [])
        refused = self.create(self.user)
        self.ok(self.decide(refused, "rejected", "no"))
        signal = self.create(self.user)
        approved = self.ok(self.decide(signal, "approved"))
        event = ws.event("signal.changed")  # nothing of the rejected one
        self.assertNotIn("pos", event)
        self.assertEqual(event["data"], approved)
        closed = self.ok(self.decide(signal, "closed"))
        self.assertEqual(ws.event("signal.changed")["data"], closed)
        self.nothing(other, "signal.changed")

    def test_admins_see_what_waits(self):
        ws = self.admin.ws()
        self.assertEqual(ws.call("watch", {"topics": ["admin"]})["data"]["refused"], [])
        signal = self.create(self.user)
        self.admins_told(ws, "signals")
        self.ok(self.user.patch(f"/trade-signals/{signal['id']}", {"note": "x"}))
        self.admins_told(ws, "signals")
        self.ok(self.decide(signal, "approved"))
        self.admins_told(ws, "signals")


class Leaving(SignalCase):
    def test_what_was_theirs_goes(self):
        user, other = self.server.users(2)
        mine = [self.create(user), self.approved(user)]
        self.ok(other.get(f"/trade-signals/{mine[1]['id']}"))  # into the cache
        self.ok(user.request("DELETE", "/users/me", {"password": PASSWORD}), 204)
        for signal in mine:
            self.eventually(lambda: self.admin.get(
                f"/trade-signals/{signal['id']}").status == 404)
        board = self.ok(self.server.get("/api/v1/trade-signals/approved"))["items"]
        self.assertNotIn(mine[1]["id"], [s["id"] for s in board])

    def test_decisions_stay_by_nobody_in_particular(self):
        user, judge = self.server.users(2)
        judge = self.promote(judge)
        signal = self.create(user)
        self.ok(judge.put(f"/admin/trade-signals/{signal['id']}/status", {"status": "approved"}))
        self.assertEqual(self.ok(user.get(f"/trade-signals/{signal['id']}"))["decided_by"],
                         judge.id)
        self.ok(judge.request("DELETE", "/users/me", {"password": PASSWORD}), 204)
        self.eventually(lambda: self.ok(
            user.get(f"/trade-signals/{signal['id']}"))["decided_by"] is None)
        steps = self.items(user, f"/trade-signals/{signal['id']}/history")
        self.assertEqual([s["by_user_id"] for s in steps], [user.id, None])

    def test_export(self):
        user = self.server.user()
        signal = self.create(user, note="for the export")
        self.assertIn(signal["id"], str(self.ok(user.get("/users/me/export"))))


class Limits(SignalCase):
    settings = {"limits.per_user": "on", "signal.signals_per_day": "3",
                "limits.requests_per_minute": "1000"}

    def test_signals_per_day(self):
        ada, bob = self.server.users(2)
        self.wrong(ada.post("/trade-signals", {**TERMS, "entry_price": "0"}))  # does not count
        for _ in range(3):
            signal = self.create(ada)
        answer = self.refused(ada.post("/trade-signals", TERMS), 429, "too_many_signals")
        self.assertGreater(int(answer.header("retry-after")), 3600)
        self.assertIn("signals", answer.header("ratelimit"))
        self.ok(ada.patch(f"/trade-signals/{signal['id']}", {"note": "still"}))
        self.create(bob)
