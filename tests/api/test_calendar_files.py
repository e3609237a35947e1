"""iCalendar files and feeds (E01), read by two stock parsers: python3-icalendar and python3-vobject."""

import re
from datetime import datetime, timezone

import icalendar
import vobject

from test_events import EventCase


def utc(text):
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


class FileCase(EventCase):
    def text(self, user, event):
        answer = user.get(f"/events/{event['id']}/calendar.ics")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.header("content-type"), "text/calendar; charset=utf-8")
        return self.well_formed(answer.body)

    def well_formed(self, body):
        """CRLF at every line's end, lines of at most 75 octets, UTF-8 in every line."""
        self.assertTrue(body.endswith(b"END:VCALENDAR\r\n"))
        self.assertNotIn(b"\n", body.replace(b"\r\n", b""))
        self.assertNotIn(b"\r", body.replace(b"\r\n", b""))
        for line in body.split(b"\r\n"):
            self.assertLessEqual(len(line), 75)
            line.decode("utf-8")
        return body.decode("utf-8")

    def first(self, text):
        return icalendar.Calendar.from_ical(text).walk("VEVENT")[0]

    def same_instants(self, text, event):
        """Both parsers reckon the start and end by the VTIMEZONE in the file, not by its name.
        vobject keeps what it has read of a zone for the next file, unless it is told not to."""
        calendar = icalendar.Calendar.from_ical(text)
        zones = {str(z["TZID"]): z.to_tz() for z in calendar.walk("VTIMEZONE")}
        item = calendar.walk("VEVENT")[0]
        for name, field in (("DTSTART", "starts_at"), ("DTEND", "ends_at")):
            moment = item[name].dt
            zone = item[name].params.get("TZID")
            if zone and zone != "UTC":
                moment = zones[zone].localize(moment.replace(tzinfo=None))
            self.assertEqual(moment.astimezone(timezone.utc), utc(event[field]), text)
        known = getattr(vobject.icalendar, "__tzidMap")
        for name in set(known) - {"UTC"}:
            del known[name]
        other = vobject.readOne(text)
        self.assertEqual(other.vevent.dtstart.value.astimezone(timezone.utc),
                         utc(event["starts_at"]), text)
        self.assertEqual(other.vevent.dtend.value.astimezone(timezone.utc),
                         utc(event["ends_at"]), text)


class OneEvent(FileCase):
    def setUp(self):
        super().setUp()
        self.host, self.other = self.server.users(2)

    def test_fields(self):
        event = self.event(self.host, title="Tee, Kuchen; und \\ mehr", place="Am \"Fluß\", 1",
                           description="Zeile 1\nZeile 2;\n\n" + "ü€\U0001f600" * 300,
                           link="https://example.com/?a=1,2;3")
        text = self.text(self.other, event)
        item = self.first(text)
        self.assertEqual(str(item["SUMMARY"]), event["title"])
        self.assertEqual(str(item["DESCRIPTION"]), event["description"])
        self.assertEqual(str(item["LOCATION"]), event["place"])
        self.assertEqual(str(item["URL"]), event["link"])
        self.assertEqual(str(item["UID"]), "urn:uuid:" + event["id"])
        self.assertEqual(item["SEQUENCE"], 0)
        self.assertEqual(str(item["STATUS"]), "CONFIRMED")
        self.assertEqual(str(item["ORGANIZER"]), "urn:uuid:" + self.host.id)
        self.assertEqual(item["ORGANIZER"].params["CN"], self.host.username)
        self.assertEqual(item["DTSTAMP"].dt, utc(event["updated_at"]))
        self.assertEqual(item["LAST-MODIFIED"].dt, utc(event["updated_at"]))
        other = vobject.readOne(text).vevent
        self.assertEqual((other.summary.value, other.description.value, other.location.value),
                         (event["title"], event["description"], event["place"]))

    def test_texts_cannot_make_lines(self):
        event = self.event(self.host, description="x\r\nEND:VEVENT\nBEGIN:VALARM\n\u0007\u007fy",
                           title="BEGIN:VEVENT")
        self.ok(self.host.patch("/users/me", {"full_name": 'An "x";CN=y:mailto:z'}))
        text = self.text(self.other, event)
        self.assertEqual(len(re.findall("^(BEGIN|END):", text, re.M)), 4, text)  # UTC needs no zone
        self.assertEqual(str(self.first(text)["DESCRIPTION"]),
                         "x\nEND:VEVENT\nBEGIN:VALARM\ny")

    def test_edits_and_cancelling(self):
        event = self.event(self.host)
        path = f"/events/{event['id']}"
        self.ok(self.host.patch(path, {"title": "Other"}))
        item = self.first(self.text(self.host, event))
        self.assertEqual((item["SEQUENCE"], str(item["SUMMARY"])), (1, "Other"))
        self.rsvp(self.other, event, "yes")
        self.assertEqual(self.first(self.text(self.host, event))["SEQUENCE"], 1)
        self.ok(self.host.post(path + "/cancel"))
        item = self.first(self.text(self.other, event))
        self.assertEqual((item["SEQUENCE"], str(item["STATUS"])), (2, "CANCELLED"))

    def test_etag_and_head(self):
        event = self.event(self.host)
        path = f"/events/{event['id']}/calendar.ics"
        first = self.host.get(path)
        tag = first.header("etag")
        self.assertEqual(self.other.get(path, headers={"If-None-Match": tag}).status, 304)
        self.assertEqual(self.host.request("HEAD", path).status, 200)
        self.ok(self.host.patch(f"/events/{event['id']}", {"title": "Other"}))
        self.assertEqual(self.host.get(path, headers={"If-None-Match": tag}).status, 200)


class Zones(FileCase):
    """Both sides of changes, half hours, the south, zones whose rule has changed or that have none."""

    CASES = (
        ("Europe/Berlin", "2027-03-28T01:30:00", "2027-03-28T03:30:00"),
        ("Europe/Berlin", "2027-10-31T01:30:00", "2027-10-31T04:30:00"),
        ("Europe/Berlin", "2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"),
        ("Europe/Berlin", "2027-10-31T02:30:00+01:00", "2027-10-31T12:30:00"),
        ("Europe/Berlin", "2027-01-01T00:00:00", "2027-12-31T00:00:00"),
        ("America/New_York", "2027-03-14T01:59:00", "2027-03-14T03:01:00"),
        ("America/New_York", "2150-07-04T20:00:00", "2150-07-04T22:00:00"),
        ("Asia/Kolkata", "2027-06-01T20:00:00", "2027-06-01T22:00:00"),
        ("Asia/Kathmandu", "2027-06-01T20:00:00", "2027-06-01T22:00:00"),
        ("Australia/Lord_Howe", "2027-04-04T01:15:00", "2027-04-04T02:15:00"),
        ("Australia/Lord_Howe", "2027-10-03T01:45:00", "2027-10-03T02:45:00"),
        ("Australia/Adelaide", "2027-10-03T01:45:00", "2027-10-03T03:45:00"),
        ("America/Santiago", "2027-04-03T20:00:00", "2027-04-04T20:00:00"),
        ("Pacific/Chatham", "2027-09-26T02:30:00", "2027-09-26T04:30:00"),
        ("Pacific/Apia", "2011-12-29T23:00:00", "2011-12-31T01:00:00"),
        ("Africa/Casablanca", "2027-02-01T20:00:00", "2027-04-01T20:00:00"),
        ("Europe/Dublin", "2027-07-01T20:00:00", "2027-11-01T20:00:00"),
        ("America/Sao_Paulo", "2018-11-03T22:00:00", "2018-11-04T02:00:00"),
        ("Asia/Pyongyang", "2015-08-14T23:00:00", "2015-08-15T01:00:00"),
        ("America/Caracas", "2016-05-01T01:00:00", "2016-05-01T04:00:00"),
        ("Etc/GMT+12", "2027-06-01T20:00:00", "2027-06-01T22:00:00"),
        ("UTC", "2027-06-01T20:00:00", "2027-06-01T22:00:00"),
    )

    def test_both_parsers_reckon_the_same_instants(self):
        host = self.server.user()
        for zone, starts_at, ends_at in self.CASES:
            with self.subTest(zone=zone, starts_at=starts_at):
                event = self.event(host, time_zone=zone, starts_at=starts_at, ends_at=ends_at)
                self.same_instants(self.text(host, event), event)


class Feed(FileCase):
    def setUp(self):
        super().setUp()
        self.me, self.host = self.server.users(2)

    def feed(self, user=None, path="/users/me/calendar.ics"):
        answer = (user or self.me).get(path)
        self.assertEqual(answer.status, 200, answer)
        self.well_formed(answer.body)
        return icalendar.Calendar.from_ical(answer.body.decode())

    def uids(self, calendar):
        return {str(e["UID"]).rsplit(":", 1)[1] for e in calendar.walk("VEVENT")}

    def test_what_is_in_it(self):
        self.assertEqual(self.uids(self.feed()), set())
        mine = self.event(self.me, visibility="private")
        wanted = {mine["id"]}
        for status in ("yes", "maybe", "no"):
            event = self.event(self.host)
            self.rsvp(self.me, event, status)
            if status != "no":
                wanted.add(event["id"])
        recent, old = self.event(self.me, days=-80), self.event(self.me, days=-100)
        wanted.add(recent["id"])
        waiting = self.event(self.host, capacity=1)
        self.rsvp(self.host, waiting, "yes")
        self.rsvp(self.me, waiting, "yes")
        self.event(self.host)
        self.assertEqual(self.uids(self.feed()), wanted)
        self.assertNotIn(old["id"], wanted)
        cancelled = next(iter(wanted - {mine["id"], recent["id"]}))
        self.ok(self.host.post(f"/events/{cancelled}/cancel"))
        states = {str(e["UID"]).rsplit(":", 1)[1]: str(e["STATUS"])
                  for e in self.feed().walk("VEVENT")}
        self.assertEqual(states[cancelled], "CANCELLED")

    def test_each_zone_once(self):
        for zone in ("Europe/Berlin", "Asia/Tokyo", "Europe/Berlin"):
            for at in ("2027-01-10T10:00:00", "2027-07-10T10:00:00", "2030-07-10T10:00:00"):
                self.event(self.me, time_zone=zone, starts_at=at, ends_at=at[:11] + "11:00:00")
        calendar = self.feed()
        self.assertEqual(sorted(str(z["TZID"]) for z in calendar.walk("VTIMEZONE")),
                         ["Asia/Tokyo", "Europe/Berlin"])
        zones = {str(z["TZID"]): z.to_tz() for z in calendar.walk("VTIMEZONE")}
        for item in calendar.walk("VEVENT"):
            start = item["DTSTART"]
            local = zones[start.params["TZID"]].localize(start.dt.replace(tzinfo=None))
            berlin = start.params["TZID"] == "Europe/Berlin"
            hour = (8 if start.dt.month == 7 else 9) if berlin else 1
            self.assertEqual(local.astimezone(timezone.utc).hour, hour)

    def test_a_blocked_host_is_not_in_it(self):
        event = self.event(self.host)
        self.rsvp(self.me, event, "yes")
        self.ok(self.me.put(f"/users/{self.host.id}/block"))
        self.assertEqual(self.uids(self.feed()), set())

    def test_secret_address(self):
        event = self.event(self.me)
        answer = self.me.post("/users/me/calendar-link")
        link = self.ok(answer, 201)
        self.assertEqual(answer.header("cache-control"), "no-store")
        self.assertRegex(link["url"], r"^/api/v1/calendars/[A-Za-z0-9_-]{43}\.ics$")
        first = self.server.get(link["url"])
        self.assertEqual(first.status, 200)
        self.assertEqual(first.body, self.me.get("/users/me/calendar.ics").body)
        self.assertIn(event["id"], first.body.decode())
        tag = first.header("etag")
        self.assertEqual(self.server.get(link["url"], headers={"If-None-Match": tag}).status, 304)
        again = self.ok(self.me.post("/users/me/calendar-link"), 201)
        self.refused(self.server.get(link["url"]), 404, "calendar_not_found")
        self.assertEqual(self.server.get(again["url"]).status, 200)
        self.ok(self.me.delete("/users/me/calendar-link"), 204)
        self.ok(self.me.delete("/users/me/calendar-link"), 204)
        self.refused(self.server.get(again["url"]), 404, "calendar_not_found")

    def test_addresses_that_are_none(self):
        url = self.ok(self.me.post("/users/me/calendar-link"), 201)["url"]
        token = url.rsplit("/", 1)[1][:-4]
        for file in (token, token + ".ICS", token[:-1] + ".ics", token + "x.ics", "A" * 43 + ".ics",
                     ".ics", "x", token.swapcase() + ".ics"):
            self.refused(self.server.get("/api/v1/calendars/" + file), 404, "calendar_not_found")

    def test_the_secret_is_in_no_log_and_no_table(self):
        url = self.ok(self.me.post("/users/me/calendar-link"), 201)["url"]
        self.assertEqual(self.server.get(url).status, 200)
        token = url.rsplit("/", 1)[1][:-4]
        self.assertNotIn(token, self.server.log())
        for file in self.server.data.rglob("*"):
            if file.is_file():
                self.assertNotIn(token.encode(), file.read_bytes(), file)

    def test_a_deleted_account_has_no_calendar(self):
        url = self.ok(self.me.post("/users/me/calendar-link"), 201)["url"]
        self.ok(self.me.delete("/users/me"), 204)
        self.eventually(lambda: self.server.get(url).status == 404)


class FeedAfterRestart(FileCase):
    settings = {"log.requests": "true"}

    def test_the_address_stays_and_is_not_logged(self):
        me = self.server.user()
        event = self.event(me, days=1)
        url = self.ok(me.post("/users/me/calendar-link"), 201)["url"]
        self.server.restart()
        answer = self.server.get(url)
        self.assertEqual(answer.status, 200)
        self.assertIn(event["id"], answer.body.decode())
        token = url.rsplit("/", 1)[1][:-4]
        self.eventually(lambda: '"path":"/api/v1/calendars/{file}"' in self.server.log())
        self.assertNotIn(token, self.server.log())
