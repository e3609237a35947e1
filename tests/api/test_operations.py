"""Health, metrics, stopping (R01, O01, O03, F10)."""

import json
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

from parleytest import RawConnection, Server, WebSocket
from parleytest.case import ApiCase
from parleytest.server import binary, clean_environment


class Health(ApiCase):
    def test_the_document_describes_probes_and_what_is_no_json(self):
        paths = self.server.document.document["paths"]
        for path in ("/livez", "/readyz"):
            answers = paths[path]["get"]["responses"]
            self.assertIn("application/json", answers["200"]["content"])
            self.assertEqual(self.ok(self.server.get(path)), {"status": "ok"})
        for path in ("/readyz", "/health"):  # no problem, but the state
            self.assertIn("application/json", paths[path]["get"]["responses"]["503"]["content"])
        for path, kind in (("/metrics", "text/plain"),
                           ("/api/v1/events/{id}/calendar.ics", "text/calendar"),
                           ("/api/v1/users/me/calendar.ics", "text/calendar"),
                           ("/api/v1/calendars/{file}", "text/calendar"),
                           ("/api/v1/stream", "text/event-stream")):
            with self.subTest(path=path):
                self.assertEqual(list(paths[path]["get"]["responses"]["200"]["content"]), [kind])
        self.assertEqual(self.server.get("/metrics").header("content-type").split(";")[0],
                         "text/plain")

    def test_the_document_names_the_headers(self):
        document = self.server.document.document
        get = document["paths"]["/api/v1/posts/{id}"]["get"]
        for status in ("200", "304"):
            self.assertLessEqual({"etag", "x-correlation-id", "ratelimit", "ratelimit-policy"},
                                 set(get["responses"][status]["headers"]))
        self.assertIn({"$ref": "#/components/parameters/IfNoneMatch"}, get["parameters"])
        self.assertNotIn("etag", document["paths"]["/api/v1/feed"]["get"]["responses"]["200"]
                         ["headers"])
        for name, header in (("Limited", "retry-after"), ("Unavailable", "retry-after"),
                             ("Unauthenticated", "www-authenticate"),
                             ("BadRequest", "x-correlation-id")):
            self.assertIn(header, document["components"]["responses"][name]["headers"])

    @unittest.skipUnless(shutil.which("promtool"), "promtool (Debian: prometheus) is not here")
    def test_promtool_accepts_the_metrics(self):
        self.server.user().get("/users/me")
        text = self.server.get("/metrics").body
        check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
        self.assertEqual((check.returncode, check.stderr.decode()), (0, ""))

    def test_health(self):
        body = self.ok(self.server.get("/health"))
        for member in ("status", "timestamp", "uptime"):
            self.assertIn(member, body)
        self.assertEqual(body["status"], "ok")

    def test_probes(self):
        self.assertEqual(self.server.get("/livez").status, 200)
        self.assertEqual(self.server.get("/readyz").status, 200)

    def test_metrics(self):
        user = self.server.user()
        user.get("/users/me")
        answer = self.server.get("/metrics")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.header("content-type").startswith("text/plain"))
        text = answer.body.decode()
        self.assertIn("http_request_duration_seconds", text)
        self.assertNotIn(user.id, text)
        names = set()
        for line in text.splitlines():
            if line.startswith("#"):
                self.assertRegex(line, r"^# (HELP|TYPE|UNIT|EOF)")
                continue
            if line:
                self.assertRegex(
                    line, r'^[a-zA-Z_:][\w:]*(\{(\w+="[^"\\\n]*",?)*\})? [-+0-9.eEInfNa]+$')
                names.add(line.rsplit(" ", 1)[0])
        self.assertEqual(len(names), len([l for l in text.splitlines()
                                          if l and not l.startswith("#")]), "a line twice")

    def test_labels_are_bounded(self):
        for i in range(30):
            self.server.get(f"/api/v1/users/unknown{i}")
            self.server.get(f"/random-path-{i}")
        text = self.server.get("/metrics").body.decode()
        self.assertNotIn("random-path-7", text)
        self.assertNotIn("unknown7", text)


class Stopping(unittest.TestCase):
    longMessage = True

    def test_idle(self):
        with Server() as server:
            began = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - began, 5)

    def test_sockets_are_told(self):
        with Server() as server:
            user = server.user()
            sockets = [user.ws() for _ in range(20)]
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            for socket in sockets:
                closed = socket.closed(20)
                self.assertEqual(closed.code, 4009)
                self.assertGreaterEqual(json.loads(closed.reason)["retry_after"], 0)
            self.assertEqual(server.wait(20), 0)
            self.assertLess(time.monotonic() - began, 20)

    def test_readiness_goes_first(self):
        """Whoever is told to go elsewhere finds the probe saying so already; a request that has
        begun is finished, though idle connections are closed."""
        with Server() as server:
            user = server.user()
            told, stays = user.ws(), user.ws()
            probe = RawConnection(server.address, 10)
            # In one piece: the second has been read as far as it goes when the first is answered.
            probe.send(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\n")
            self.assertEqual(probe.read_answer().status, 200)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(told.closed(20).code, 4009)
            probe.send(b"Host: x\r\n\r\n")
            answer = probe.read_answer()
            self.assertEqual((answer.status, answer.json["status"]), (503, "draining"))
            self.assertTrue(probe.is_closed())
            self.assertIsNone(server.process.poll())
            self.assertEqual(stays.closed(20).code, 4009)  # has not answered the close until now
            self.assertEqual(server.wait(30), 0)

    def test_requests_are_finished(self):
        with Server() as server:
            anna, ben = server.users(2)
            chat = anna.direct(ben)["id"]
            socket = anna.ws()
            acknowledged, done = [], threading.Event()

            def send():
                try:
                    for i in range(100000):
                        frame = socket.call("chat.send", {"chat_id": chat, "text": str(i),
                                                          "client_id": str(i)})
                        if "data" in frame:
                            acknowledged.append(frame["data"]["seq"])
                except Exception:
                    done.set()
            thread = threading.Thread(target=send)
            thread.start()
            time.sleep(0.5)
            self.assertEqual(server.stop(30), 0)
            thread.join(10)
            self.assertTrue(done.is_set())
            self.assertGreater(len(acknowledged), 10)
            server.start()
            kept = [m["seq"] for m in anna.all_messages(chat)]
            self.assertEqual(kept, list(range(1, len(kept) + 1)))
            self.assertLessEqual(acknowledged[-1], kept[-1])

    def test_resume_after_a_planned_stop(self):
        with Server() as server:
            anna, ben = server.users(2)
            chat = anna.direct(ben)["id"]
            reader = ben.reader("ws")
            anna.send(chat, "seen")
            pos = reader.event("message.sent")["pos"]
            anna.send(chat, "perhaps")
            self.assertEqual(server.stop(), 0)
            server.start()
            self.assertEqual(ben.reader("sse", pos).event()["data"]["text"], "perhaps")

    def test_bug_a_slow_reader_lost_its_queue_and_the_goodbye(self):
        with Server({"drain.timeout": "1m"}) as server:
            socket = server.user().ws()
            ping = json.dumps({"id": "z" * 60, "op": "ping"}).encode()
            frames = (bytes([0x81, 0x80 | len(ping)]) + bytes(4) + ping) * 500
            socket.raw.timeout(1)
            try:
                while True:  # until it is not read from any more, because it takes no answers
                    socket.raw.send(frames)
            except TimeoutError:
                pass
            server.http.close()  # it would be waited for
            server.process.send_signal(signal.SIGTERM)
            time.sleep(1)  # for a server that ends without it
            self.assertEqual(socket.closed(30).code, 4009)
            socket.close()
            self.assertEqual(server.wait(30), 0)

    def test_sockets_that_are_not_signed_in_are_told(self):
        with Server({"realtime.auth_timeout": "10m", "drain.timeout": "10m"}) as server:
            socket = WebSocket(server.address)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(socket.closed(20).code, 4009)
            self.assertEqual(server.wait(20), 0)

    def backing_up(self, server, path):
        """The command, with a folder for its copies made."""
        command = subprocess.Popen([binary(), "backup", path, "--data", server.data],
                                   env=clean_environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        while not list(server.data.glob("backup.*")):
            self.assertIsNone(command.poll(), "it ended")
            time.sleep(0.01)
        return command

    def test_bug_a_backup_was_not_waited_for(self):
        with Server({"drain.timeout": "1m"},
                    environment={"PARLEY_FAULTS": "db.backup=delay:1000@1"}) as server:
            path = server.folder / "kept"
            command = self.backing_up(server, path)
            self.assertEqual(server.stop(30), 0)
            self.assertEqual((command.wait(10), command.stderr.read()), (0, ""))
            command.stderr.close()
            self.assertTrue(path.exists())

    def test_bug_a_backup_outlasted_the_time_to_stop_and_left_its_copies(self):
        with Server({"drain.timeout": "200ms"},
                    environment={"PARLEY_FAULTS": "db.backup=error"}) as server:
            path = server.folder / "kept"
            command = self.backing_up(server, path)
            self.assertEqual(server.stop(30), 0)
            self.assertEqual(command.wait(10), 1)
            self.assertIn("The server is stopping", command.stderr.read())
            command.stderr.close()
            self.assertEqual(list(server.data.glob("backup.*")), [])
            self.assertEqual(list(server.folder.glob("kept*")), [])

    def test_twice(self):
        with Server() as server:
            user = server.user()
            socket = user.ws()
            socket.answer_pings = False
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            server.process.send_signal(signal.SIGTERM)
            server.process.send_signal(signal.SIGINT)
            self.assertEqual(server.wait(30), 0)
            self.assertIn('"stopped"', server.log())

    def test_a_client_that_holds_on(self):
        with Server() as server:
            user = server.user()
            stream, poll = user.reader("sse"), RawConnection(server.address)
            pos = user.get("/updates").json["pos"]
            poll.send(f"GET /api/v1/updates?timeout=25&pos={pos} HTTP/1.1\r\nHost: x\r\n"
                      f"Authorization: Bearer {user.token}\r\n\r\n".encode())
            half = RawConnection(server.address)
            half.send(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
            time.sleep(0.2)
            began = time.monotonic()
            self.assertEqual(server.stop(40), 0)
            self.assertLess(time.monotonic() - began, 35)
            stream.close()
            poll.close()
            half.close()


class Secrecy(unittest.TestCase):
    """The folder and the umask may be open to all: what Parley makes is its owner's."""

    longMessage = True

    def check_private(self, folder):
        for path in folder.rglob("*"):
            with self.subTest(path=path):
                self.assertEqual(path.lstat().st_mode & 0o077, 0, oct(path.lstat().st_mode))

    def test_files(self):
        prefix = ["sh", "-c", 'umask 0; exec "$@"', "sh"]
        with Server(start=False, command=prefix) as server:
            server.data.mkdir()
            server.data.chmod(0o777)
            server.start()
            anna, ben = server.users(2)
            anna.send(anna.direct(ben)["id"], "hello")
            self.check_private(server.data)
            kept = server.folder / "kept"
            done = subprocess.run([*prefix, binary(), "backup", kept, "--data", server.data],
                                  env=clean_environment(), capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
            server.kill()
            for pattern in ("*.db", "*.db-wal", "*.db-shm"):  # as earlier versions left them
                for path in server.data.glob(pattern):
                    path.chmod(0o644)
            server.start()
            self.check_private(server.data)
            done = subprocess.run([*prefix, binary(), "restore", kept, "--data",
                                   server.folder / "back"],
                                  env=clean_environment(), capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual((server.folder / "back").stat().st_mode & 0o777, 0o700)
            self.check_private(server.folder / "back")


class QuietLogs(unittest.TestCase):
    def test_bug_a_server_that_logs_little_ended_at_once(self):
        for level in ("warn", "error"):
            with self.subTest(level=level):
                with Server({"log.level": level}) as server:
                    server.user()
                    self.assertNotIn('"level":"info"', server.log())
                    self.assertEqual(server.stop(), 0)


class Logs(ApiCase):
    own_server = True

    def test_lines_are_json(self):
        self.server.user()
        self.server.get("/nothing")
        lines = [line for line in self.server.log().splitlines() if line]
        self.assertTrue(lines)
        for line in lines:
            entry = json.loads(line)
            self.assertTrue({"time", "ts", "timestamp", "at"} & set(entry), line)
            self.assertTrue({"level", "severity"} & set(entry), line)

    def test_ready_line(self):
        self.assertTrue(re.search(r"127\.0\.0\.1:\d+", self.server.ready_line),
                        self.server.ready_line)
