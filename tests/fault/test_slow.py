"""Clients that take and give nothing: memory stays bounded, others are served."""

import os
import pathlib
import socket
import time
import unittest

from parleytest import RawConnection, Server
from parleytest.ws import Closed


def memory(server):
    text = pathlib.Path(f"/proc/{server.process.pid}/smaps_rollup").read_text()
    return int(text.split("Pss:")[1].split()[0]) * 1024


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def cpu_seconds(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class NeverReads(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)
        self.anna, self.ben, self.carl = self.server.users(3)
        self.chat = self.anna.group([self.ben, self.carl])["id"]

    def fill_caches(self):
        """Pours into another chat until the server's caches have their size; returns the memory."""
        other = self.anna.group([self.carl])["id"]
        before = memory(self.server)
        for turn in range(10):
            self.pour(1500, 8000, other, turn)
            now = memory(self.server)
            if now - before < 4 << 20:
                break
            before = now
        return now

    def pour(self, count, size, chat=None, turn=0):
        """Anna sends; Carl reads along; returns what Carl got."""
        chat = chat or self.chat
        sender, reader = self.anna.ws(), self.carl.ws()
        seqs = []
        for i in range(count):
            frame = sender.call("chat.send", {"chat_id": chat, "text": "x" * size,
                                              "client_id": f"{turn}-{i}"})
            self.assertIn("data", frame, frame)
            sender.events.clear()
            seqs.append(reader.event("message.sent")["data"]["seq"])
        sender.close()
        reader.close()
        return seqs

    def test_a_socket_that_never_reads(self):
        before = self.fill_caches()
        lazy = self.ben.ws()
        pos = lazy.first["pos"]
        self.assertEqual(self.pour(2500, 8000), list(range(1, 2501)))
        self.assertLess(memory(self.server) - before, 24 << 20)
        seen, closed = [], None
        try:
            while True:
                frame = lazy.recv_json(5)
                if frame.get("event") == "message.sent":
                    seen.append(frame["data"]["seq"])
                    pos = frame["pos"]
        except Closed as error:
            closed = error
        except socket.timeout:
            self.fail("the socket that never reads was not closed")
        self.assertIn(closed.code, (4008, 1006))
        self.assertEqual(seen, list(range(1, len(seen) + 1)))
        again = self.ben.reader("ws", pos)
        rest = [again.event("message.sent")["data"]["seq"] for _ in range(2500 - len(seen))]
        self.assertEqual(seen + rest, list(range(1, 2501)))
        again.close()

    def test_a_stream_that_never_reads(self):
        before = self.fill_caches()
        lazy = self.ben.reader("sse")
        self.pour(2500, 8000)
        self.assertLess(memory(self.server) - before, 24 << 20)
        with self.assertRaises((ConnectionError, OSError)):
            while True:
                lazy.event(timeout=5)
        lazy.close()

    def test_many_sockets_that_never_read(self):
        before = self.fill_caches()
        lazy = [self.ben.ws() for _ in range(40)]
        self.pour(1500, 8000)
        self.assertLess(memory(self.server) - before, 80 << 20)
        for one in lazy:
            one.raw.close()
        time.sleep(1)
        self.assertEqual(self.server.get("/livez").status, 200)

    def test_a_pipelining_client_that_never_reads(self):
        connection = RawConnection(self.server.address, 5)
        request = f"GET /api/v1/chats HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " \
                  f"{self.ben.token}\r\n\r\n".encode() * 100
        before = memory(self.server)
        try:
            for _ in range(400):
                connection.send(request)
        except (socket.timeout, OSError):
            pass
        self.assertLess(memory(self.server) - before, 24 << 20)
        self.assertEqual(self.server.get("/livez").status, 200)
        connection.close()


class HalfOpen(unittest.TestCase):
    longMessage = True

    def open_many(self, server, count, first_bytes):
        """Plain connections from several source addresses that say only first_bytes."""
        host, port = server.address.split(":")
        connections = []
        for i in range(count):
            one = socket.socket()
            one.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            one.bind((f"127.0.0.{1 + i // 3000}", 0))
            one.connect((host, int(port)))
            if first_bytes:
                one.sendall(first_bytes)
            connections.append(one)
        return connections

    def test_thousands_that_say_nothing(self):
        count = int(os.environ.get("HALF_OPEN") or (16000 if os.environ.get("FULL") else 6000))
        with Server() as server:
            user = server.user()
            before = descriptors(server)
            quiet = self.open_many(server, count // 2, b"")
            slow = self.open_many(server, count // 2, b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            times = []
            for _ in range(50):
                began = time.monotonic()
                self.assertEqual(user.get("/users/me").status, 200)
                times.append(time.monotonic() - began)
            self.assertLess(sorted(times)[25], 0.5)
            end = time.monotonic() + 40
            while descriptors(server) > before + count // 2 + 10 and time.monotonic() < end:
                for one in slow[:100]:
                    try:
                        one.send(b"x")  # a byte now and then does not buy more time
                    except OSError:
                        pass
                time.sleep(1)
            self.assertLessEqual(descriptors(server), before + count // 2 + 10,
                                 "slow heads are not cut")
            for one in quiet + slow:
                one.close()
            end = time.monotonic() + 10
            while descriptors(server) > before + 10 and time.monotonic() < end:
                time.sleep(0.1)
            self.assertLessEqual(descriptors(server), before + 10)
            self.assertEqual(user.get("/users/me").status, 200)

    def test_no_descriptors_left(self):
        with Server(command=["prlimit", "--nofile=200:200"]) as server:
            user = server.user()
            many = []
            for _ in range(400):
                one = socket.socket()
                one.settimeout(1)
                try:
                    one.connect(("127.0.0.1", server.port))
                except OSError:
                    one.close()
                    break
                many.append(one)
            before = cpu_seconds(server)
            time.sleep(2)
            self.assertLess(cpu_seconds(server) - before, 1.0, "it spins")
            self.assertIsNone(server.process.poll())
            for one in many:
                one.close()
            time.sleep(0.5)
            server.http.close()
            self.assertEqual(user.get("/users/me").status, 200)
