"""The base of the API tests. Classes that need no settings of their own share one server, which is
started at first use; a class with `settings` (or `own_server`) gets one for itself."""

import atexit
import os
import time
import unittest

from .server import Server

_shared = []


def _end_shared():
    try:
        _shared[0].remove()
    except AssertionError as error:  # an exception here would not change how the run ends
        print(error, flush=True)
        os._exit(1)


def shared_server():
    if not _shared:
        _shared.append(Server())
        atexit.register(_end_shared)
    if _shared[0].process is None or _shared[0].process.poll() is not None:
        raise AssertionError("the shared server has died:\n" + _shared[0].log()[-3000:])
    return _shared[0]


class ApiCase(unittest.TestCase):
    settings = None
    own_server = False
    longMessage = True
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.server = None
        if cls.settings is not None or cls.own_server:
            cls.server = Server(cls.settings)

    @classmethod
    def tearDownClass(cls):
        if cls.settings is not None or cls.own_server:
            cls.server.remove()

    def setUp(self):
        if self.settings is None and not self.own_server:
            type(self).server = shared_server()
        self.server = type(self).server

    def refused(self, answer, status, code=None):
        """The answer is this refusal."""
        self.assertEqual(answer.status, status, answer)
        if code:
            self.assertEqual(answer.code, code, answer)
        return answer

    def acts(self, admin, subject, count):
        """The audit log about something, newest first, when it has `count` entries: those of a room
        in a database of its own come a moment after the answer."""
        until = time.monotonic() + 10
        while True:
            rows = self.ok(admin.get("/admin/audit", query={"subject_id": subject}))["items"]
            if len(rows) >= count or time.monotonic() > until:
                return rows
            time.sleep(0.01)

    def eventually(self, look, seconds=10.0):
        """What a consumer of the log, say, does shortly after the answer."""
        end = time.monotonic() + seconds
        while not look():
            self.assertLess(time.monotonic(), end, "it does not become so")
            time.sleep(0.02)

    def admins_told(self, ws, what):
        """Until those who watch "admin" are told that this list has changed; what earlier tests
        set off may still be told as well."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if ws.event("admin.changed")["data"] == {"what": what}:
                return
        self.fail(f"nothing was said about {what}")

    def ok(self, answer, status=200):
        self.assertEqual(answer.status, status, answer)
        return answer.json if answer.body else None
