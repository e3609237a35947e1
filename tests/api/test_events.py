"""Events, time zones, answers and the waiting line, lists, what happens live (E01, E02). Calendar
files are in test_calendar_files.py."""

import sqlite3
import subprocess
import threading
import time
import uuid
from datetime import datetime, timedelta, timezone

from parleytest import binary, clean_environment
from parleytest.case import ApiCase
from parleytest.server import PASSWORD, Server

NOWHERE = "0190b3c4-0000-7000-8000-000000000000"


def stamp(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def coming(days=10.0):
    return datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=days)


class EventCase(ApiCase):
    def body(self, days=10.0, hours=2.0, **more):
        return {"title": "A walk", "starts_at": stamp(coming(days)),
                "ends_at": stamp(coming(days) + timedelta(hours=hours)), "time_zone": "UTC", **more}

    def event(self, host, days=10.0, hours=2.0, **more):
        return self.ok(host.post("/events", self.body(days, hours, **more)), 201)

    def rsvp(self, user, event, status):
        return self.ok(user.put(f"/events/{event['id']}/rsvp", {"status": status}))

    def seen(self, user, event):
        return self.ok(user.get(f"/events/{event['id']}"))

    def attendees(self, user, event, **query):
        items, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self.ok(user.get(f"/events/{event['id']}/attendees", query={**query, **more}))
            items += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return items

    def listed(self, user, **query):
        items, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self.ok(user.get("/events", query={**query, **more}))
            items += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return items

    def ids(self, user, **query):
        return [e["id"] for e in self.listed(user, **query)]

    def field(self, answer, field, code):
        self.refused(answer, 422, "invalid_fields")
        self.assertIn((field, code), [(e["field"], e["code"]) for e in answer.json["errors"]],
                      answer)


class Making(EventCase):
    def setUp(self):
        super().setUp()
        self.host, self.other = self.server.users(2)

    def test_all_fields(self):
        event = self.event(self.host, title="Tänze", description="Zeile 1\nZeile 2",
                           place="Am Fluß", link="https://example.com/x?y=1", capacity=20,
                           visibility="followers")
        self.assertEqual(event["user_id"], self.host.id)
        self.assertEqual((event["title"], event["description"], event["place"], event["link"],
                          event["capacity"], event["visibility"]),
                         ("Tänze", "Zeile 1\nZeile 2", "Am Fluß", "https://example.com/x?y=1", 20,
                          "followers"))
        self.assertEqual((event["yes_count"], event["maybe_count"], event["waiting_count"],
                          event["my_status"], event["cancelled_at"]), (0, 0, 0, None, None))
        self.assertEqual(self.seen(self.host, event), event)

    def test_what_may_be_left_out(self):
        event = self.event(self.host)
        self.assertEqual((event["description"], event["place"], event["link"], event["capacity"],
                          event["visibility"]), (None, None, None, None, "public"))

    def test_limits_that_are_met(self):
        event = self.event(self.host, title="ü" * 200, description="\U0001f600" * 5000,
                           place="x" * 500, capacity=1000000, hours=366 * 24)
        self.assertEqual(len(self.seen(self.host, event)["description"]), 5000)
        self.event(self.host, capacity=1, title="t", starts_at="1970-01-01T00:00:00Z",
                   ends_at="1970-01-01T00:00:01Z")
        self.event(self.host, starts_at="2200-12-31T23:00:00Z", ends_at="2200-12-31T23:59:59Z")

    def test_limits_that_are_passed(self):
        body = self.body()
        for field, value, code in (
                ("title", "", "too_short"), ("title", " \t", "control_character"),
                ("title", "  ", "blank"), ("title", "a\nb", "control_character"),
                ("title", "ü" * 201, "too_long"), ("title", 5, "wrong_type"),
                ("title", None, "wrong_type"), ("description", "x" * 5001, "too_long"),
                ("place", "", "too_short"), ("place", "x" * 501, "too_long"),
                ("link", "http://example.com", "invalid_url"),
                ("link", "javascript:alert(1)", "invalid_url"),
                ("link", "https://", "invalid_url"), ("link", "https:///x", "invalid_url"),
                ("link", "https://a b", "invalid_url"),
                ("link", "https://a/" + "x" * 2000, "too_long"),
                ("capacity", 0, "too_small"), ("capacity", -1, "too_small"),
                ("capacity", 1000001, "too_large"), ("capacity", "5", "wrong_type"),
                ("visibility", "secret", "not_allowed"),
                ("time_zone", "", "too_short"), ("time_zone", "x" * 65, "too_long"),
                ("starts_at", "soon", "invalid_time"), ("starts_at", "2026-13-01T00:00:00Z",
                                                        "invalid_time"),
                ("starts_at", "2027-02-29T00:00:00", "invalid_time"),
                ("starts_at", "2027-02-28", "invalid_time"),
                ("starts_at", "2027-02-28T24:00", "invalid_time"),
                ("starts_at", 1795000000, "wrong_type"),
                ("starts_at", "1969-12-31T23:59:59Z", "out_of_range"),
                ("ends_at", "2201-01-01T00:00:00Z", "out_of_range"),
                ("ends_at", body["starts_at"], "not_after_start"),
                ("ends_at", stamp(coming(9)), "not_after_start"),
                ("ends_at", stamp(coming(377)), "too_long")):
            with self.subTest(field=field, value=str(value)[:30]):
                self.field(self.host.post("/events", {**body, field: value}), field, code)

    def test_missing_and_unknown_fields(self):
        answer = self.host.post("/events", {})
        self.refused(answer, 422, "invalid_fields")
        self.assertEqual({(e["field"], e["code"]) for e in answer.json["errors"]},
                         {(f, "required") for f in ("title", "starts_at", "ends_at",
                                                    "time_zone")})
        self.refused(self.host.post("/events", self.body(user_id=self.other.id)), 400,
                     "unknown_field")
        self.refused(self.server.post("/api/v1/events", self.body()), 401)

    def test_the_same_key_makes_one(self):
        key = {"Idempotency-Key": uuid.uuid4().hex}
        first = self.host.post("/events", self.body(days=400), headers=key)
        again = self.host.post("/events", self.body(days=400), headers=key)
        if again.status == 201:  # else a second has passed between the two bodies
            self.assertEqual(first.json["id"], again.json["id"])
            self.assertEqual(len(self.ids(self.host, scope="mine")), 1)

    def test_unknown_events(self):
        event = self.event(self.host, visibility="private")
        for path in (NOWHERE, event["id"]):
            for call in (lambda p: self.other.get(p), lambda p: self.other.patch(p, {"title": "x"}),
                         lambda p: self.other.delete(p), lambda p: self.other.post(p + "/cancel"),
                         lambda p: self.other.put(p + "/rsvp", {"status": "yes"}),
                         lambda p: self.other.get(p + "/attendees"),
                         lambda p: self.other.get(p + "/calendar.ics"),
                         lambda p: self.other.put(p + "/invites/" + self.host.id),
                         lambda p: self.other.delete(p + "/invites/" + self.host.id)):
                self.refused(call(f"/events/{path}"), 404, "event_not_found")
        self.refused(self.host.get("/events/x"), 422, "invalid_fields")


class TimeZones(EventCase):
    def setUp(self):
        super().setUp()
        self.host = self.server.user()

    def times(self, starts_at, zone, ends_at="2027-12-31T00:00:00Z"):
        event = self.event(self.host, starts_at=starts_at, ends_at=ends_at, time_zone=zone)
        return event["starts_at"], event["starts_at_local"]

    def test_forms_of_a_time(self):
        for given, zone, utc, local in (
                ("2027-06-01T20:00:00Z", "Europe/Berlin", "2027-06-01T20:00:00.000Z",
                 "2027-06-01T22:00:00"),
                ("2027-06-01T20:00:00-07:00", "Europe/Berlin", "2027-06-02T03:00:00.000Z",
                 "2027-06-02T05:00:00"),
                ("2027-06-01T20:00:00", "Europe/Berlin", "2027-06-01T18:00:00.000Z",
                 "2027-06-01T20:00:00"),
                ("2027-01-01T20:00", "Europe/Berlin", "2027-01-01T19:00:00.000Z",
                 "2027-01-01T20:00:00"),
                ("2027-01-01T20:00:00", "Asia/Kolkata", "2027-01-01T14:30:00.000Z",
                 "2027-01-01T20:00:00"),
                ("2027-01-01T20:00:00", "Australia/Sydney", "2027-01-01T09:00:00.000Z",
                 "2027-01-01T20:00:00"),
                ("2027-07-01T20:00:00", "Australia/Sydney", "2027-07-01T10:00:00.000Z",
                 "2027-07-01T20:00:00"),
                ("2027-07-01T20:00:00", "America/St_Johns", "2027-07-01T22:30:00.000Z",
                 "2027-07-01T20:00:00"),
                ("2027-07-01T20:00:00", "Asia/Kathmandu", "2027-07-01T14:15:00.000Z",
                 "2027-07-01T20:00:00"),
                ("2027-07-01T20:00:00.123Z", "UTC", "2027-07-01T20:00:00.123Z",
                 "2027-07-01T20:00:00")):
            with self.subTest(given=given, zone=zone):
                self.assertEqual(self.times(given, zone), (utc, local))

    def test_far_years_follow_the_rule(self):
        self.assertEqual(self.times("2199-07-01T20:00:00", "Europe/Berlin",
                                    "2199-07-02T20:00:00")[0], "2199-07-01T18:00:00.000Z")
        self.assertEqual(self.times("1971-07-01T20:00:00", "Africa/Monrovia",
                                    "1971-07-02T20:00:00")[0], "1971-07-01T20:44:30.000Z")

    def test_local_times_that_do_not_exist(self):
        for given, zone in (("2027-03-28T02:00:00", "Europe/Berlin"),
                            ("2027-03-28T02:30:00", "Europe/Berlin"),
                            ("2027-03-28T02:59:59", "Europe/Berlin"),
                            ("2027-10-03T02:15:00", "Australia/Lord_Howe"),
                            ("2027-03-14T02:30:00", "America/New_York"),
                            ("2011-12-30T12:00:00", "Pacific/Apia")):
            with self.subTest(given=given, zone=zone):
                answer = self.host.post("/events", self.body(
                    starts_at=given, time_zone=zone, ends_at="2027-12-31T00:00:00Z"))
                self.field(answer, "starts_at", "local_time_skipped")
                self.assertIn("clocks go from", answer.json["errors"][0]["detail"])
        for given in ("2027-03-28T01:59:59", "2027-03-28T03:00:00", "2027-03-28T02:30:00+01:00"):
            self.times(given, "Europe/Berlin")

    def test_local_times_that_come_twice(self):
        answer = self.host.post("/events", self.body(
            starts_at="2027-10-31T02:30:00", time_zone="Europe/Berlin",
            ends_at="2027-12-31T00:00:00Z"))
        self.field(answer, "starts_at", "local_time_ambiguous")
        self.assertIn("+02:00 or +01:00", answer.json["errors"][0]["detail"])
        first = self.times("2027-10-31T02:30:00+02:00", "Europe/Berlin")
        second = self.times("2027-10-31T02:30:00+01:00", "Europe/Berlin")
        self.assertEqual(first, ("2027-10-31T00:30:00.000Z", "2027-10-31T02:30:00"))
        self.assertEqual(second, ("2027-10-31T01:30:00.000Z", "2027-10-31T02:30:00"))
        self.field(self.host.post("/events", self.body(
            starts_at="2027-04-04T01:45:00", time_zone="Australia/Lord_Howe",
            ends_at="2027-12-31T00:00:00Z")), "starts_at", "local_time_ambiguous")

    def test_names_that_are_no_zones(self):
        for zone in ("Mars/Olympus", "posixrules", "localtime", "Factory", "../etc/passwd",
                     "/etc/localtime", "Europe", "Europe/", "Europe//Berlin", "europe/berlin",
                     "right/UTC", "posix/UTC", "CEST", "UTC+1", "GMT+1", "Europe/Berlin\u0000",
                     "tzdata.zi", "zone.tab", "Europe/Berlin "):
            with self.subTest(zone=zone):
                answer = self.host.post("/events", self.body(time_zone=zone))
                self.refused(answer, 422, "invalid_fields")
                self.assertEqual(answer.json["errors"][0]["field"], "time_zone")
        for zone in ("UTC", "Etc/GMT+12", "America/Argentina/Buenos_Aires", "Asia/Kolkata"):
            self.event(self.host, time_zone=zone)

    def test_another_zone_leaves_the_instant(self):
        event = self.event(self.host, starts_at="2027-06-01T20:00:00", time_zone="Europe/Berlin",
                           ends_at="2027-06-01T22:00:00")
        path = f"/events/{event['id']}"
        moved = self.ok(self.host.patch(path, {"time_zone": "Asia/Tokyo"}))
        self.assertEqual(moved["starts_at"], event["starts_at"])
        self.assertEqual(moved["starts_at_local"], "2027-06-02T03:00:00")
        both = self.ok(self.host.patch(path, {"starts_at": "2027-06-02T01:00:00"}))
        self.assertEqual(both["starts_at"], "2027-06-01T16:00:00.000Z")
        self.field(self.host.patch(path, {"ends_at": "2027-06-02T00:30:00"}), "ends_at",
                   "not_after_start")


class Editing(EventCase):
    def setUp(self):
        super().setUp()
        self.host, self.other = self.server.users(2)

    def test_edit(self):
        event = self.event(self.host, description="old", place="here", capacity=5)
        path = f"/events/{event['id']}"
        new = self.ok(self.host.patch(path, {"title": "New", "description": None, "place": "there",
                                             "capacity": None}))
        self.assertEqual((new["title"], new["description"], new["place"], new["capacity"]),
                         ("New", None, "there", None))
        self.assertGreater(new["updated_at"], event["updated_at"])
        self.assertEqual(self.seen(self.other, event)["title"], "New")
        self.assertEqual(self.ok(self.host.patch(path, {})), new)

    def test_only_the_host(self):
        event = self.event(self.host)
        path = f"/events/{event['id']}"
        for answer in (self.other.patch(path, {"title": "x"}), self.other.delete(path),
                       self.other.post(path + "/cancel"),
                       self.other.put(f"{path}/invites/{self.other.id}"),
                       self.other.delete(f"{path}/invites/{self.other.id}")):
            self.refused(answer, 403, "host_only")

    def test_bad_edits(self):
        event = self.event(self.host)
        path = f"/events/{event['id']}"
        for field, value, code in (("title", None, "wrong_type"), ("title", "x" * 201, "too_long"),
                                   ("capacity", 0, "too_small"), ("link", "ftp://x", "invalid_url"),
                                   ("starts_at", None, "wrong_type"),
                                   ("starts_at", stamp(coming(11)), "ok"),
                                   ("time_zone", "Nowhere", "unknown_time_zone")):
            with self.subTest(field=field):
                if code == "ok":  # later than its end
                    self.field(self.host.patch(path, {field: value}), "ends_at", "not_after_start")
                else:
                    self.field(self.host.patch(path, {field: value}), field, code)
        self.refused(self.host.patch(path, {"yes_count": 5}), 400, "unknown_field")
        self.assertEqual(self.seen(self.host, event), event)

    def test_etag(self):
        event = self.event(self.host)
        path = f"/events/{event['id']}"
        tag = self.host.get(path).header("etag")
        self.assertEqual(self.host.get(path, headers={"If-None-Match": tag}).status, 304)
        self.refused(self.host.patch(path, {"title": "x"}, headers={"If-Match": '"other"'}), 412,
                     "stale")
        self.ok(self.host.patch(path, {"title": "x"}, headers={"If-Match": tag}))
        self.refused(self.host.patch(path, {"title": "y"}, headers={"If-Match": tag}), 412)
        self.refused(self.host.delete(path, headers={"If-Match": tag}), 412)
        self.refused(self.host.post(path + "/cancel", headers={"If-Match": tag}), 412)
        self.assertEqual(self.seen(self.host, event)["title"], "x")
        fresh = self.host.get(path).header("etag")
        self.ok(self.host.delete(path, headers={"If-Match": fresh}), 204)

    def test_cancel(self):
        event = self.event(self.host)
        path = f"/events/{event['id']}"
        self.rsvp(self.other, event, "yes")
        gone = self.ok(self.host.post(path + "/cancel"))
        self.assertIsNotNone(gone["cancelled_at"])
        self.assertEqual(self.ok(self.host.post(path + "/cancel")), gone)
        self.assertEqual(self.seen(self.other, event)["cancelled_at"], gone["cancelled_at"])
        self.refused(self.other.put(path + "/rsvp", {"status": "no"}), 409, "event_cancelled")
        self.refused(self.host.patch(path, {"title": "x"}), 409, "event_cancelled")
        over = self.event(self.host, days=-2)
        self.refused(self.host.post(f"/events/{over['id']}/cancel"), 409, "event_over")

    def test_delete(self):
        event = self.event(self.host)
        path = f"/events/{event['id']}"
        self.rsvp(self.host, event, "yes")  # nobody else
        self.ok(self.host.delete(path), 204)
        for user in (self.host, self.other):
            self.refused(user.get(path), 404, "event_not_found")
        self.refused(self.host.delete(path), 404)
        self.assertNotIn(event["id"], self.ids(self.host, scope="mine"))

    def test_delete_what_others_come_to(self):
        event = self.event(self.host)
        path = f"/events/{event['id']}"
        self.rsvp(self.other, event, "maybe")
        self.ok(self.host.delete(path), 204)
        self.assertIsNotNone(self.seen(self.other, event)["cancelled_at"])
        self.ok(self.host.delete(path), 204)
        self.refused(self.other.get(path), 404)

    def test_nobody_else_is_no_reason(self):
        event = self.event(self.host)
        self.rsvp(self.other, event, "no")
        self.ok(self.host.delete(f"/events/{event['id']}"), 204)
        self.refused(self.other.get(f"/events/{event['id']}"), 404)


class Answers(EventCase):
    def setUp(self):
        super().setUp()
        self.host, self.ada, self.bob, self.cleo = self.server.users(4)

    def test_answers(self):
        event = self.event(self.host)
        for status, counts in (("yes", (1, 0)), ("maybe", (0, 1)), ("no", (0, 0)),
                               ("yes", (1, 0))):
            answer = self.rsvp(self.ada, event, status)
            self.assertEqual((answer["event_id"], answer["user_id"], answer["status"],
                              answer["position"]), (event["id"], self.ada.id, status, None))
            now = self.seen(self.ada, event)
            self.assertEqual((now["yes_count"], now["maybe_count"]), counts)
            self.assertEqual(now["my_status"], status)
            self.assertIsNone(self.seen(self.bob, event)["my_status"])

    def test_the_same_again(self):
        event = self.event(self.host)
        first = self.rsvp(self.ada, event, "yes")
        self.assertEqual(self.rsvp(self.ada, event, "yes"), first)

    def test_bad_answers(self):
        event = self.event(self.host)
        path = f"/events/{event['id']}/rsvp"
        for body in ({"status": "waiting"}, {"status": "perhaps"}, {"status": None}, {}):
            self.field(self.ada.put(path, body), "status",
                       {"waiting": "not_allowed", "perhaps": "not_allowed",
                        None: "wrong_type"}.get(body.get("status", "-"), "required"))
        over = self.event(self.host, days=-1)
        for status in ("yes", "no"):
            self.refused(self.ada.put(f"/events/{over['id']}/rsvp", {"status": status}), 409,
                         "event_over")
        running = self.event(self.host, days=-1, hours=48)
        self.rsvp(self.ada, running, "yes")

    def test_the_waiting_line(self):
        event = self.event(self.host, capacity=1)
        self.assertEqual(self.rsvp(self.ada, event, "yes")["status"], "yes")
        waiting = [self.rsvp(u, event, "yes") for u in (self.bob, self.cleo, self.host)]
        self.assertEqual([(w["status"], w["position"]) for w in waiting],
                         [("waiting", 1), ("waiting", 2), ("waiting", 3)])
        self.assertEqual(self.rsvp(self.cleo, event, "yes")["position"], 2)
        self.assertEqual(self.seen(self.bob, event)["my_status"], "waiting")
        self.rsvp(self.bob, event, "no")
        self.assertEqual(self.rsvp(self.host, event, "yes")["position"], 2)
        self.rsvp(self.ada, event, "maybe")
        self.assertEqual(self.seen(self.cleo, event)["my_status"], "yes")
        now = self.seen(self.cleo, event)
        self.assertEqual((now["yes_count"], now["maybe_count"], now["waiting_count"]), (1, 1, 1))

    def test_capacity(self):
        event = self.event(self.host, capacity=1)
        path = f"/events/{event['id']}"
        for user in (self.ada, self.bob, self.cleo):
            self.rsvp(user, event, "yes")
        more = self.ok(self.host.patch(path, {"capacity": 2}))
        self.assertEqual((more["yes_count"], more["waiting_count"]), (2, 1))
        self.assertEqual(self.seen(self.bob, event)["my_status"], "yes")
        fewer = self.ok(self.host.patch(path, {"capacity": 1}))
        self.assertEqual((fewer["yes_count"], fewer["waiting_count"]), (2, 1))
        self.rsvp(self.ada, event, "no")  # over capacity: nobody is promoted
        self.assertEqual(self.seen(self.cleo, event)["my_status"], "waiting")
        free = self.ok(self.host.patch(path, {"capacity": None}))
        self.assertEqual((free["yes_count"], free["waiting_count"]), (2, 0))

    def test_attendees(self):
        event = self.event(self.host, capacity=2)
        people = self.server.users(6)
        for user in people:
            self.rsvp(user, event, "yes")
        self.rsvp(self.ada, event, "maybe")
        self.rsvp(self.bob, event, "no")
        want = [(u.id, "yes", None) for u in people[:2]] + \
            [(u.id, "waiting", i + 1) for i, u in enumerate(people[2:])] + \
            [(self.ada.id, "maybe", None)]

        def short(items):
            return [(i["user_id"], i["status"], i["position"]) for i in items]
        for limit in (1, 2, 3, 100):
            self.assertEqual(short(self.attendees(self.cleo, event, limit=limit)), want)
        self.assertEqual(short(self.attendees(self.host, event)),
                         want + [(self.bob.id, "no", None)])
        self.assertEqual(short(self.attendees(self.cleo, event, status="waiting", limit=3)),
                         want[2:6])
        self.assertEqual(short(self.attendees(self.host, event, status="no")),
                         [(self.bob.id, "no", None)])
        path = f"/events/{event['id']}/attendees"
        self.refused(self.cleo.get(path, query={"status": "no"}), 403, "host_only")
        self.refused(self.cleo.get(path, query={"cursor": "x"}), 400, "invalid_cursor")
        self.refused(self.cleo.get(path, query={"status": "x"}), 422)
        self.refused(self.cleo.get(path, query={"limit": 101}), 422)

    def test_attendees_stay_in_place_while_others_come(self):
        event = self.event(self.host)
        people = self.server.users(4)
        for user in people:
            self.rsvp(user, event, "yes")
        path = f"/events/{event['id']}/attendees"
        page = self.ok(self.host.get(path, query={"limit": 2}))
        self.rsvp(self.ada, event, "yes")
        self.rsvp(people[0], event, "no")
        rest = self.ok(self.host.get(path, query={"limit": 100, "cursor": page["next_cursor"]}))
        self.assertEqual([i["user_id"] for i in rest["items"]],
                         [people[2].id, people[3].id, self.ada.id, people[0].id])


class Race(EventCase):
    own_server = True

    def test_a_thousand_for_one_place(self):
        threads, each = 20, 50
        host = self.server.user()
        event = self.event(host, capacity=1)
        groups = [[] for _ in range(threads)]
        start, positions, lock = threading.Barrier(threads), [], threading.Lock()

        def sign_up(group):
            http = type(host.http)(self.server.address)
            for _ in range(each):
                group.append(Server.user(_Face(self.server, http)))

        def race(group):
            start.wait()
            for user in group:
                answer = user.put(f"/events/{event['id']}/rsvp", {"status": "yes"})
                with lock:
                    positions.append((answer.json["status"], answer.json["position"]))

        for work in (sign_up, race):
            workers = [threading.Thread(target=work, args=(g,)) for g in groups]
            for w in workers:
                w.start()
            for w in workers:
                w.join()
        self.assertEqual(sorted(p for s, p in positions if s == "waiting"), list(range(1, 1000)))
        self.assertEqual([s for s, p in positions if s != "waiting"], ["yes"])
        now = self.seen(host, event)
        self.assertEqual((now["yes_count"], now["waiting_count"]), (1, 999))
        line = self.attendees(host, event, status="waiting", limit=100)
        self.assertEqual([i["position"] for i in line], list(range(1, 1000)))
        self.server.restart()
        self.assertEqual(self.seen(host, event), now)
        self.ok(host.patch(f"/events/{event['id']}", {"capacity": 800}))
        now = self.seen(host, event)
        self.assertEqual((now["yes_count"], now["waiting_count"]), (800, 200))
        left = self.attendees(host, event, status="waiting", limit=100)
        self.assertEqual([i["user_id"] for i in left], [i["user_id"] for i in line[799:]])


class _Face:
    """The server with a connection of one's own, for a thread that signs people up."""

    def __init__(self, server, http):
        self.address, self.http = server.address, http

    def post(self, path, body):
        return self.http.request("POST", path, body)


class Seeing(EventCase):
    def setUp(self):
        super().setUp()
        self.host, self.fan, self.other = self.server.users(3)
        self.ok(self.fan.put(f"/users/{self.host.id}/follow"))

    def test_followers_only(self):
        event = self.event(self.host, visibility="followers")
        path = f"/events/{event['id']}"
        self.seen(self.fan, event)
        self.refused(self.other.get(path), 404, "event_not_found")
        self.rsvp(self.fan, event, "yes")
        self.ok(self.fan.delete(f"/users/{self.host.id}/follow"))
        self.assertEqual(self.seen(self.fan, event)["my_status"], "yes")  # who answered stays

    def test_private_account(self):
        event = self.event(self.host)
        self.seen(self.other, event)
        self.ok(self.host.patch("/users/me", {"is_private": True}))
        self.eventually(lambda: self.other.get(f"/events/{event['id']}").status == 404)
        self.seen(self.fan, event)

    def test_invitations(self):
        event = self.event(self.host, visibility="private", capacity=1)
        path = f"/events/{event['id']}"
        self.refused(self.fan.get(path), 404)
        self.ok(self.host.put(f"{path}/invites/{self.other.id}"), 204)
        self.ok(self.host.put(f"{path}/invites/{self.other.id}"), 204)
        self.ok(self.host.put(f"{path}/invites/{self.fan.id}"), 204)
        self.assertIn(event["id"], self.ids(self.other, scope="answered"))
        self.rsvp(self.other, event, "yes")
        self.assertEqual(self.rsvp(self.fan, event, "yes")["position"], 1)
        self.ok(self.host.delete(f"{path}/invites/{self.other.id}"), 204)
        self.refused(self.other.get(path), 404)
        self.assertEqual(self.seen(self.fan, event)["my_status"], "yes")
        self.refused(self.host.put(f"{path}/invites/{NOWHERE}"), 404, "user_not_found")

    def test_blocks(self):
        event = self.event(self.host, capacity=1)
        path = f"/events/{event['id']}"
        self.rsvp(self.fan, event, "yes")
        self.rsvp(self.other, event, "yes")
        self.ok(self.host.put(f"/users/{self.fan.id}/block"))
        self.refused(self.fan.get(path), 404, "event_not_found")
        self.refused(self.fan.put(path + "/rsvp", {"status": "no"}), 404)
        self.refused(self.host.put(f"{path}/invites/{self.fan.id}"), 404, "user_not_found")
        self.assertNotIn(event["id"], self.ids(self.fan))
        self.eventually(lambda: self.seen(self.other, event)["my_status"] == "yes")
        mine = self.event(self.fan)
        self.refused(self.host.get(f"/events/{mine['id']}"), 404)

    def test_blocked_people_are_not_among_the_attendees(self):
        event = self.event(self.host)
        self.rsvp(self.fan, event, "yes")
        self.rsvp(self.other, event, "yes")
        self.ok(self.fan.put(f"/users/{self.other.id}/block"))
        self.assertEqual([i["user_id"] for i in self.attendees(self.other, event)],
                         [self.other.id])
        self.assertEqual(len(self.attendees(self.host, event)), 2)

    def test_a_deleted_account_frees_its_place(self):
        event = self.event(self.host, capacity=1)
        mine = self.event(self.fan)
        for user in (self.fan, self.other):
            self.rsvp(user, event, "yes")
        self.rsvp(self.other, mine, "yes")
        self.ok(self.fan.delete("/users/me", body={"password": PASSWORD}), 204)
        self.eventually(lambda: self.seen(self.other, event)["my_status"] == "yes")
        self.eventually(lambda: self.seen(self.other, mine)["cancelled_at"] is not None)

    def test_export(self):
        event = self.event(self.host, title="Mine to keep")
        self.rsvp(self.host, event, "maybe")
        self.ok(self.host.post("/users/me/calendar-link"), 201)
        text = self.host.get("/users/me/export").body.decode()
        for part in ("Mine to keep", '"rsvp"', '"calendar_link"'):
            self.assertIn(part, text)


class Moderators(EventCase):
    """What was reported can be looked at and taken down, whoever it was for."""

    def setUp(self):
        super().setUp()
        self.host, self.guest = self.server.users(2)
        self.moderator, self.admin = (self.promoted(r) for r in ("moderator", "admin"))

    def promoted(self, role):
        user = self.server.user()
        subprocess.run([binary(), "user", "promote", user.username, role, "--data",
                        str(self.server.data)], check=True, env=clean_environment(),
                       capture_output=True, timeout=30)
        return user.login()

    def test_they_see_and_delete(self):
        event = self.event(self.host, visibility="private")
        path = f"/events/{event['id']}"
        self.ok(self.host.put(f"{path}/invites/{self.guest.id}"), 204)
        self.rsvp(self.guest, event, "yes")
        self.ok(self.host.put(f"/users/{self.moderator.id}/block"))
        self.assertEqual(self.seen(self.moderator, event)["title"], "A walk")
        self.refused(self.moderator.patch(path, {"title": "x"}), 404, "event_not_found")
        self.refused(self.moderator.put(f"{path}/rsvp", {"status": "yes"}), 404, "event_not_found")
        self.refused(self.guest.delete(path), 403, "host_only")
        self.ok(self.moderator.delete(path), 204)
        for user in (self.host, self.guest, self.moderator):
            self.refused(user.get(path), 404, "event_not_found")
        rows = self.acts(self.admin, event["id"], 1)
        self.assertEqual([(r["action"], r["actor_id"]) for r in rows],
                         [("event.deleted", self.moderator.id)])


class ListsOfMany(EventCase):
    own_server = True

    def test_somebody_who_follows_thousands(self):
        me, *hosts = self.server.users(4)
        self.server.stop()
        with sqlite3.connect(self.server.database("social")) as db:
            db.executemany("INSERT INTO following VALUES (?, ?, 1, 0, 0)", [
                (uuid.UUID(me.id).bytes, i.to_bytes(16, "big")) for i in range(1, 6001)])
        db.close()
        self.server.start()
        me.own_connection()
        ids = []
        for day, host in enumerate(hosts * 2, 1):  # hosts in turn, so that they have to be merged
            host.own_connection()
            self.ok(me.put(f"/users/{host.id}/follow"))
            ids.append(self.event(host, days=day, visibility="followers")["id"])
            self.event(host, days=day, visibility="private")
        for limit in (1, 2, 100):
            self.assertEqual(self.ids(me, scope="following", limit=limit), ids)
            self.assertEqual([i for i in self.ids(me, limit=limit) if i in ids], ids)

    def test_among_very_many_events_of_strangers(self):
        me, *hosts = self.server.users(4)
        self.server.stop()
        start, day = int(time.time() * 1000), 86400000
        with sqlite3.connect(self.server.database("calendar")) as db:
            db.executemany(
                "INSERT INTO gathering (gathering_id, host_id, title, starts_at, ends_at, time_zone,"
                " is_long, visibility, created_at, updated_at)"
                " VALUES (?, ?, 'x', ?, ?, 'UTC', 0, ?, 1, 1)",
                [(uuid.uuid4().bytes, uuid.uuid4().bytes, start + i % 9 * day,
                  start + i % 9 * day + 3600000, i % 2) for i in range(1, 4000)])
        db.close()
        self.server.start()
        me.own_connection()
        ids = []
        for days, host in enumerate(hosts * 3, 1):
            host.own_connection()
            self.ok(me.put(f"/users/{host.id}/follow"))
            ids.append(self.event(host, days=days, hours=2 + 30 * (days % 2),
                                  visibility=("followers", "public")[days % 2])["id"])
        for limit in (2, 100):
            self.assertEqual(self.ids(me, scope="following", limit=limit), ids)


class Lists(EventCase):
    own_server = True

    def setUp(self):
        super().setUp()
        self.host, self.me, self.other = self.server.users(3)

    def test_scopes(self):
        self.ok(self.me.put(f"/users/{self.host.id}/follow"))
        mine = self.event(self.me, days=5, visibility="private")
        followed = self.event(self.host, days=4, visibility="followers")
        public = self.event(self.other, days=3)
        hidden = self.event(self.other, days=2, visibility="followers")
        answered = self.event(self.other, days=1)
        self.rsvp(self.me, answered, "no")
        names = {mine["id"]: "mine", followed["id"]: "followed", public["id"]: "public",
                 answered["id"]: "answered", hidden["id"]: "hidden"}

        def found(**query):
            return [names[i] for i in self.ids(self.me, **query) if i in names]
        for limit in (1, 2, 100):
            self.assertEqual(found(limit=limit), ["answered", "public", "followed", "mine"])
            self.assertEqual(found(scope="mine", limit=limit), ["mine"])
            self.assertEqual(found(scope="answered", limit=limit), ["answered"])
            self.assertEqual(found(scope="following", limit=limit), ["followed"])
            self.assertEqual(found(scope="public", limit=limit), ["answered", "public"])
        self.refused(self.me.get("/events", query={"scope": "none"}), 422)

    def test_window(self):
        lonely = self.server.user()
        past = self.event(lonely, days=-3)["id"]
        running = self.event(lonely, days=-0.5, hours=24)["id"]
        long_one = self.event(lonely, days=-300, hours=301 * 24)["id"]
        near = self.event(lonely, days=1)["id"]
        far = self.event(lonely, days=100)["id"]

        def found(**query):
            return self.ids(lonely, scope="mine", **query)
        self.assertEqual(found(), [long_one, running, near, far])
        self.assertEqual(found(**{"from": stamp(coming(-4))}),
                         [long_one, past, running, near, far])
        self.assertEqual(found(to=stamp(coming(2))), [long_one, running, near])
        self.assertEqual(found(**{"from": stamp(coming(50)), "to": stamp(coming(200))}), [far])
        public = set(self.ids(self.me, scope="public"))
        self.assertTrue({long_one, running, near, far} <= public)
        self.assertNotIn(past, public)
        self.field(self.me.get("/events", query={"from": stamp(coming(2)),
                                                 "to": stamp(coming(1))}), "to", "not_after_from")
        self.refused(self.me.get("/events", query={"from": "soon"}), 422)
        self.refused(self.me.get("/events", query={"cursor": "x"}), 400, "invalid_cursor")

    def test_search(self):
        self.ok(self.me.put(f"/users/{self.host.id}/follow"))
        mark = uuid.uuid4().hex[:8]
        tea = self.event(self.host, days=3, title=f"Großer Teeabend {mark}",
                         place="Café \"Mitte\"", visibility="followers")["id"]
        walk = self.event(self.other, days=2, title=f"A walk {mark}")["id"]
        mine = self.event(self.me, days=1, title=f"Mine {mark}", visibility="private")["id"]
        self.event(self.other, days=2, title=f"Hidden {mark}", visibility="followers")

        def found(words, **query):
            return self.ids(self.me, q=words, **query)
        for limit in (1, 100):
            self.assertEqual(found(mark, limit=limit), [mine, walk, tea])
        self.assertEqual(found(mark[:5] + " tee"), [tea])
        self.assertEqual(found(f"cafe mitte {mark}"), [tea])
        self.assertEqual(found(mark, scope="mine"), [mine])
        self.assertEqual(found(mark, scope="following"), [tea])
        self.assertEqual(found(mark, scope="public"), [walk])
        self.assertEqual(found(mark, scope="answered"), [])
        self.ok(self.me.put(f"/events/{walk}/rsvp", {"status": "maybe"}))
        self.assertEqual(found(mark, scope="answered"), [walk])
        self.assertEqual(found(mark, to=stamp(coming(1.5))), [mine])
        for words in (f"{mark} nowhere", '"', "*", '" OR "', f'{mark}" NOT "x', "NEAR(a b)", "title:x",
                      "---", f"{mark}\tnowhere"):
            self.assertEqual(found(words), [], words)
        self.ok(self.host.patch(f"/events/{tea}", {"title": "Coffee"}))
        self.assertEqual(found(mark), [mine, walk])
        self.refused(self.me.get("/events", query={"q": ""}), 422)
        self.refused(self.me.get("/events", query={"q": "x" * 101}), 422)

    def test_pages_stay_in_place_while_new_ones_come(self):
        lonely = self.server.user()
        made = [self.event(lonely, days=10 + i // 3) for i in range(12)]
        order = sorted(made, key=lambda e: (e["starts_at"], e["id"]))
        page = self.ok(lonely.get("/events", query={"scope": "mine", "limit": 5}))
        self.assertEqual([e["id"] for e in page["items"]], [e["id"] for e in order[:5]])
        self.event(lonely, days=1)
        self.ok(lonely.delete(f"/events/{order[2]['id']}"), 204)
        rest = self.ok(lonely.get("/events", query={"scope": "mine", "limit": 100,
                                                    "cursor": page["next_cursor"]}))
        self.assertEqual([e["id"] for e in rest["items"]], [e["id"] for e in order[5:]])
        self.assertIsNone(rest["next_cursor"])

    def test_what_may_not_be_seen_does_not_end_the_list(self):
        private = self.server.user()
        for i in range(60):
            self.event(private, days=20 + i / 100)
        self.ok(private.patch("/users/me", {"is_private": True}))
        last = self.event(self.other, days=30)["id"]
        self.eventually(lambda: len(self.ids(self.me, scope="public", limit=3,
                                             **{"from": stamp(coming(19))})) < 60)
        found = self.ids(self.me, scope="public", limit=3, **{"from": stamp(coming(19))})
        self.assertIn(last, found)


class Muted(EventCase):
    def test_what_a_muted_host_makes_is_in_no_list(self):
        """But what one has answered stays, and all of it can be opened."""
        host, reader = self.server.users(2)
        word = f"quiet{host.username}"
        new, answered = (self.event(host, title=f"{word} {n}") for n in ("new", "answered"))
        self.rsvp(reader, answered, "maybe")
        self.ok(reader.put(f"/users/{host.id}/mute"))
        for query in ({}, {"q": word}):
            self.assertIn(answered["id"], self.ids(reader, **query))
            self.assertNotIn(new["id"], self.ids(reader, **query))
        self.assertNotIn(new["id"], self.ids(reader, scope="public"))
        self.seen(reader, new)
        self.ok(reader.delete(f"/users/{host.id}/mute"))
        self.assertIn(new["id"], self.ids(reader, q=word))


class Live(EventCase):
    def setUp(self):
        super().setUp()
        self.host, self.fan, self.other = self.server.users(3)
        self.ok(self.fan.put(f"/users/{self.host.id}/follow"))

    def test_followers_are_told(self):
        reader = self.fan.reader("sse")
        event = self.event(self.host)
        self.assertEqual(reader.event("event.created")["data"], event)
        self.ok(self.host.patch(f"/events/{event['id']}", {"title": "New"}))
        self.assertEqual(reader.event("event.updated")["data"]["title"], "New")
        self.ok(self.host.post(f"/events/{event['id']}/cancel"))
        told = reader.event("event.cancelled")
        self.assertIsNotNone(told["data"]["cancelled_at"])
        self.assertIn("pos", told)
        reader.close()

    def test_private_ones_are_the_hosts_own(self):
        fan, host = self.fan.reader("sse"), self.host.reader("sse")
        private = self.event(self.host, visibility="private")
        self.assertEqual(host.event("event.created")["data"]["id"], private["id"])
        public = self.event(self.host)
        self.assertEqual(fan.event("event.created")["data"]["id"], public["id"])
        self.ok(self.host.put(f"/events/{private['id']}/invites/{self.fan.id}"), 204)
        self.assertEqual(fan.event("event.invited")["data"]["id"], private["id"])
        fan.close()
        host.close()

    def test_answers_and_promotion(self):
        event = self.event(self.host, capacity=1)
        self.rsvp(self.fan, event, "yes")
        reader = self.other.reader("sse")
        self.rsvp(self.other, event, "yes")
        first = reader.event("rsvp.changed")["data"]
        self.assertEqual((first["status"], first["position"]), ("waiting", 1))
        self.rsvp(self.fan, event, "no")
        second = reader.event("rsvp.changed")["data"]
        self.assertEqual((second["event_id"], second["status"], second["position"]),
                         (event["id"], "yes", None))
        reader.close()

    def test_those_who_look(self):
        event = self.event(self.host)
        secret = self.event(self.host, visibility="private")
        ws = self.other.ws()
        answer = ws.call("watch", {"topics": [f"event:{event['id']}", f"event:{secret['id']}"]})
        self.assertEqual(answer["data"]["topics"], [f"event:{event['id']}"])
        self.rsvp(self.fan, event, "yes")
        changed = ws.event("event.changed")
        self.assertEqual((changed["data"]["id"], changed["data"]["yes_count"],
                          changed["data"]["my_status"]), (event["id"], 1, None))
        self.assertNotIn("pos", changed)
        self.ok(self.host.patch(f"/events/{event['id']}", {"title": "New"}))
        self.assertEqual(ws.event("event.changed")["data"]["title"], "New")
        ws.close()


class Limits(EventCase):
    settings = {"limits.per_user": "on", "limits.requests_per_minute": "1000",
                "calendar.events_per_day": "3"}

    def test_events_per_day(self):
        host, other = self.server.users(2)
        for _ in range(3):
            self.event(host)
        answer = self.refused(host.post("/events", self.body()), 429, "too_many_events")
        self.assertTrue(answer.header("retry-after"))
        self.event(other)
