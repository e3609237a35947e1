"""A server whose wall clock the test moves: faketime does it, the monotonic clock goes on."""

import glob
import pathlib
import time
import unittest

from parleytest import PASSWORD, Server


def library():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        raise unittest.SkipTest("libfaketime is not installed")
    return found[0]


class ClockCase(unittest.TestCase):
    longMessage = True
    settings = None

    def setUp(self):
        self.server = Server(self.settings, start=False)
        self.addCleanup(self.server.remove)
        self.clock = self.server.folder / "clock"
        self.jump(0)
        self.server.environment.update({
            "LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1"})
        self.server.start()

    def jump(self, seconds):
        """To so many seconds from the true time."""
        pathlib.Path(self.clock).write_text(f"{seconds:+d}s\n")

    def sign_in_again(self, user):
        answer = self.server.post("/api/v1/auth/login",
                                  {"login": user.username, "password": PASSWORD})
        self.assertEqual(answer.status, 200, answer)
        user.take(answer.json)

    def eventually(self, fn, seconds=10):
        end = time.monotonic() + seconds
        while not fn():
            self.assertLess(time.monotonic(), end, "not within its time")
            time.sleep(0.05)
