"""One event vocabulary on WebSocket, server-sent events and long polling, with resume (F01)."""

import json
import socket as sockets
import time
import uuid

from parleytest import Closed, PollReader, RawConnection, SseReader, WebSocket, WsReader
from parleytest.case import ApiCase
from parleytest.ws import PONG, TEXT, Refused

TRANSPORTS = ("ws", "sse", "poll")


class Base(ApiCase):
    def setUp(self):
        super().setUp()
        self.anna, self.ben = self.server.users(2)
        self.chat = self.anna.direct(self.ben)["id"]


class SameStory(Base):
    def tell(self):
        """A story with one event of each durable kind that a direct chat has."""
        one = self.anna.send(self.chat, "one")
        self.anna.send(self.chat, "two")
        path = f"/chats/{self.chat}/messages/{one['seq']}"
        self.ok(self.anna.patch(path, {"text": "uno"}))
        self.anna.put(f"{path}/reactions/%E2%9D%A4")
        self.anna.delete(f"/chats/{self.chat}/messages/2")
        return ["message.sent", "message.sent", "message.updated", "reaction.changed",
                "message.deleted"]

    def test_live_on_each_transport(self):
        readers = {t: self.ben.reader(t) for t in TRANSPORTS}
        names = self.tell()
        stories = {}
        for transport, reader in readers.items():
            events = reader.events(len(names))
            self.assertEqual([e["event"] for e in events], names, transport)
            self.assertTrue(all(isinstance(e["pos"], str) and e["pos"] for e in events), transport)
            stories[transport] = [(e["event"], e["pos"], json.dumps(e["data"], sort_keys=True))
                                  for e in events]
            reader.close()
        self.assertEqual(stories["ws"], stories["sse"])
        self.assertEqual(stories["ws"], stories["poll"])

    def test_event_data_is_the_resource(self):
        reader = self.ben.reader("ws")
        sent = self.anna.send(self.chat, "one")
        event = reader.event("message.sent")
        for member in ("id", "chat_id", "seq", "sender_id", "client_id", "text", "created_at"):
            self.assertEqual(event["data"][member], sent[member])
        reader.close()

    def test_resume_across_transports(self):
        start = self.ben.reader("ws")
        pos = start.pos
        start.close()
        names = self.tell()
        whole = PollReader(self.server.address, self.ben.token, pos).events(len(names))
        for transport in TRANSPORTS:
            for skip in range(len(names)):
                at = pos if skip == 0 else whole[skip - 1]["pos"]
                reader = self.ben.reader(transport, at)
                got = reader.events(len(names) - skip)
                self.assertEqual([e["pos"] for e in got], [e["pos"] for e in whole[skip:]],
                                 (transport, skip))
                reader.close()

    def test_resume_while_messages_flow(self):
        reader = self.ben.reader("ws")
        seen, pos = [], reader.pos
        sender = self.anna.ws()
        for i in range(60):
            sender.send_json({"id": 1000 + i, "op": "chat.send", "data": {
                "chat_id": self.chat, "text": str(i), "client_id": f"f{i}"}})
            if i % 7 == 3:
                reader.close()
                reader = self.ben.reader(TRANSPORTS[i % 3], pos)
            try:
                while True:
                    event = reader.event(timeout=0.01 if not isinstance(reader, PollReader) else 1)
                    seen.append(event["data"]["seq"])
                    pos = event["pos"]
            except sockets.timeout:
                pass
        reader.close()
        rest = self.ben.reader("ws", pos)
        while len(seen) < 60:
            seen.append(rest.event("message.sent")["data"]["seq"])
        rest.close()
        sender.close()
        self.assertEqual(seen, list(range(1, 61)))

    def test_resume_after_a_crash_of_the_server(self):
        from parleytest import Server
        with Server() as server:
            anna, ben = server.users(2)
            chat = anna.direct(ben)["id"]
            reader = ben.reader("ws")
            anna.send(chat, "seen")
            pos = reader.event("message.sent")["pos"]
            reader.close()
            anna.send(chat, "missed")
            server.kill()
            server.start()
            for transport in TRANSPORTS:
                reader = ben.reader(transport, pos)
                self.assertEqual(reader.event()["data"]["text"], "missed", transport)
                reader.close()

    def test_nobody_elses_events(self):
        carl = self.server.user()
        other = carl.direct(self.anna)["id"]
        readers = [carl.reader(transport) for transport in ("ws", "sse", "poll")]
        self.anna.send(self.chat, "private")
        self.anna.send(other, "after it")
        for reader in readers:
            self.assertEqual(reader.event()["data"]["text"], "after it")
            reader.close()

    def test_a_stolen_position_shows_nothing(self):
        carl = self.server.user()
        reader = self.ben.reader("ws")
        pos = reader.pos
        self.anna.send(self.chat, "private")
        reader.event("message.sent")
        reader.close()
        self.assertEqual(PollReader(self.server.address, carl.token, pos).poll(0), [])

    def test_senders_other_devices_hear_of_it(self):
        other = self.anna.login().ws()
        self.anna.send(self.chat, "from the desk")
        self.assertEqual(other.event("message.sent")["data"]["text"], "from the desk")
        other.close()

    def test_a_new_chat_is_followed_at_once(self):
        carl = self.server.user()
        socket = carl.ws()
        chat = self.anna.direct(carl)["id"]
        self.anna.send(chat, "hello")
        self.assertEqual(socket.event("message.sent")["data"]["chat_id"], chat)
        socket.close()


class Positions(Base):
    def test_malformed(self):
        for pos in ("", "x", "-1", "0x10", "é", "A" * 3000, "1.5", "99999999999999999999999"):
            with self.subTest(pos=pos[:20]):
                answer = self.ben.get("/updates", query={"pos": pos, "timeout": 0})
                self.refused(answer, 400, "invalid_pos")
                stream = SseReader(self.server.address, self.ben.token, pos)
                self.refused(stream.head, 400, "invalid_pos")
                stream.close()
                self.socket_refuses(pos)

    def socket_refuses(self, pos):
        import urllib.parse
        try:
            socket = WebSocket(self.server.address, path="/ws?pos=" + urllib.parse.quote(pos),
                               token=self.ben.token)
        except Refused as refused:
            self.refused(refused.answer, 400, "invalid_pos")
            return
        frame = socket.recv_json()
        self.assertEqual(frame.get("error", {}).get("code"), "invalid_pos", frame)
        socket.close()

    def test_in_the_auth_frame(self):
        socket = WebSocket(self.server.address)
        socket.send_json({"id": 1, "op": "auth", "data": {"access_token": self.ben.token,
                                                          "pos": "nonsense"}})
        self.assertEqual(socket.recv_json()["error"]["code"], "invalid_pos")
        socket.close()

    def test_header_and_query_of_the_stream(self):
        reader = self.ben.reader("sse")
        self.anna.send(self.chat, "one")
        first = reader.event()
        reader.close()
        self.anna.send(self.chat, "two")
        again = SseReader(self.server.address, self.ben.token, last_event_id=first["pos"])
        self.assertEqual(again.event()["event"], "ready")
        self.assertEqual(again.event()["data"]["text"], "two")
        again.close()

    def test_ready_tells_where_the_stream_goes_on(self):
        self.anna.send(self.chat, "one")
        for transport in ("ws", "sse"):
            reader = self.ben.reader(transport)
            pos = reader.pos
            sent = self.anna.send(self.chat, "next")
            self.assertEqual(reader.event("message.sent")["data"]["id"], sent["id"])
            reader.close()
            again = self.ben.reader(transport, pos)
            self.assertEqual(again.event("message.sent")["data"]["id"], sent["id"])
            again.close()

    def test_ready_tells_where_also_at_the_very_beginning(self):
        beginning = self.ben.reader("poll").pos.split("-")[0] + "-0"
        for transport in ("ws", "sse"):
            reader = self.ben.reader(transport, beginning)
            self.assertEqual(reader.pos, beginning)
            reader.close()


class ManyPolls(ApiCase):
    settings = {"loops": 1}

    def test_so_many_of_one_person_at_once(self):
        """And those whose client has left do not count: they held a coroutine each, which are
        everybody's."""
        user = self.server.user()
        pos = self.ok(user.get("/updates"))["pos"]

        def wait():
            client = RawConnection(self.server.address)
            client.send(f"GET /api/v1/updates?pos={pos}&timeout=55 HTTP/1.1\r\nHost: a\r\n"
                        f"Authorization: Bearer {user.token}\r\n\r\n".encode())
            return client

        def poll():
            return user.get("/updates", query={"pos": pos, "timeout": 0})

        waiting = [wait() for _ in range(16)]
        self.eventually(lambda: "\nparley_sessions 16\n" in
                        self.server.get("/metrics").body.decode())
        self.refused(poll(), 429, "too_many_polls")
        for client in waiting:
            client.close()
        self.eventually(lambda: poll().status == 200)


class LongPoll(Base):
    def test_answers_at_once_without_a_position(self):
        began = time.monotonic()
        body = self.ok(self.ben.get("/updates", query={"timeout": 25}))
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(body["items"], [])
        self.assertTrue(body["pos"])

    def test_waits_and_wakes(self):
        pos = self.ok(self.ben.get("/updates"))["pos"]
        reader = PollReader(self.server.address, self.ben.token, pos)
        began = time.monotonic()
        self.assertEqual(reader.poll(1), [])
        self.assertGreater(time.monotonic() - began, 0.8)
        import threading
        timer = threading.Timer(0.5, lambda: self.anna.send(self.chat, "wake"))
        timer.start()
        began = time.monotonic()
        self.assertEqual(reader.poll(20)[0]["data"]["text"], "wake")
        self.assertLess(time.monotonic() - began, 5)
        timer.join()

    def test_at_most_a_hundred(self):
        pos = self.ok(self.ben.get("/updates"))["pos"]
        socket = self.anna.ws()
        for i in range(130):
            socket.call("chat.send", {"chat_id": self.chat, "text": str(i), "client_id": str(i)})
        socket.close()
        reader = PollReader(self.server.address, self.ben.token, pos)
        first = reader.poll(0)
        self.assertEqual(len(first), 100)
        rest = reader.poll(0)
        self.assertEqual([e["data"]["seq"] for e in first + rest], list(range(1, 131)))

    def test_bad_queries(self):
        for query, status in (({"timeout": -1}, 422), ({"timeout": "x"}, 422),
                              ({"timeout": 10**6}, 422), ({"other": 1}, 400)):
            with self.subTest(query=query):
                self.refused(self.ben.get("/updates", query=query), status)


class Stream(Base):
    def test_head(self):
        stream = SseReader(self.server.address, self.ben.token)
        self.assertEqual(stream.head.status, 200)
        self.assertTrue(stream.head.header("content-type").startswith("text/event-stream"))
        self.assertIn("no-", stream.head.header("cache-control"))
        ready = stream.event()
        self.assertEqual(ready["event"], "ready")
        self.assertEqual(ready["data"]["user_id"], self.ben.id)
        stream.close()

    def test_ticket(self):
        body = self.ok(self.ben.post("/stream/ticket"), 201)
        self.assertGreater(body["expires_in"], 0)
        for _ in range(2):  # it also serves EventSource's own reconnections
            stream = SseReader(self.server.address, ticket=body["ticket"])
            self.assertEqual(stream.event("ready")["data"]["user_id"], self.ben.id)
            stream.close()
        self.ben.post("/auth/logout")
        time.sleep(0.5)
        stream = SseReader(self.server.address, ticket=body["ticket"])
        self.refused(stream.head, 401)

    def test_a_ticket_is_no_token(self):
        answer = self.ben.post("/stream/ticket")
        self.refused(self.server.get("/api/v1/users/me", token=answer.json["ticket"]), 401)

    def test_no_token(self):
        for more in ({}, {"ticket": "nonsense"}):
            self.refused(SseReader(self.server.address, **more).head, 401)


class SignIn(Base):
    """How a WebSocket is signed in."""

    def test_each_way(self):
        for via in ("header", "protocol", "frame"):
            with self.subTest(via=via):
                socket = WebSocket(self.server.address, token=self.ben.token, via=via)
                if via == "protocol":
                    self.assertEqual(socket.handshake.header("sec-websocket-protocol"),
                                     "parley.v1")
                frame = socket.recv_json()
                while frame.get("event") != "ready":  # the auth op may be answered first
                    self.assertEqual(via, "frame", frame)
                    self.assertNotIn("error", frame)
                    frame = socket.recv_json()
                self.assertEqual(frame["data"]["user_id"], self.ben.id)
                self.assertEqual(frame["data"]["heartbeat"], 25)
                self.assertTrue(frame["data"]["session_id"])
                socket.close()

    def test_ready_is_first_with_the_auth_frame(self):
        socket = WebSocket(self.server.address, token=self.ben.token, via="frame")
        self.assertEqual(socket.recv_json().get("event"), "ready")
        socket.close()

    def test_bad_token(self):
        for via in ("header", "protocol", "frame"):
            with self.subTest(via=via):
                try:
                    socket = WebSocket(self.server.address, token="bad.token.here", via=via)
                except Refused as refused:
                    self.refused(refused.answer, 401)
                    continue
                self.assertEqual(socket.closed(5).code, 4001)

    def test_not_in_the_url(self):
        with self.assertRaises(Refused) as told:
            WebSocket(self.server.address, path=f"/ws?access_token={self.ben.token}")
        self.refused(told.exception.answer, 400, "unknown_field")

    def test_silence_is_closed(self):
        began = time.monotonic()
        self.assertEqual(WebSocket(self.server.address).closed(20).code, 4001)
        self.assertGreater(time.monotonic() - began, 8)

    def test_ops_before_sign_in(self):
        socket = WebSocket(self.server.address)
        socket.send_json({"id": 1, "op": "chat.send", "data": {
            "chat_id": self.chat, "text": "x", "client_id": "x"}})
        try:
            frame = socket.recv_json()
            self.assertEqual(frame["error"]["status"], 401)
        except Closed as closed:
            self.assertEqual(closed.code, 4001)
        self.assertEqual(self.anna.history(self.chat), [])

    def test_foreign_origin(self):
        with self.assertRaises(Refused) as caught:
            WebSocket(self.server.address, token=self.ben.token,
                      headers={"Origin": "https://evil.example"})
        self.refused(caught.exception.answer, 403)

    def test_own_origin(self):
        WebSocket(self.server.address, token=self.ben.token,
                  headers={"Origin": f"http://{self.server.address}"}).close()


class Heads(ApiCase):
    """What API.md says of every answer holds for those that become something else, too."""
    settings = {"origins": "https://app.example"}
    promised = {"x-correlation-id": "order-66", "access-control-allow-origin":
                "https://app.example", "x-content-type-options": "nosniff"}
    asked = {"Origin": "https://app.example", "x-correlation-id": "order-66"}

    def promises(self, head):
        for name, value in self.promised.items():
            self.assertEqual([v for n, v in head.headers if n == name], [value], head.headers)
        self.assertIn("origin", head.header("vary"))
        self.assertRegex(head.header("date"), r"^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$")

    def raw(self, method, path, token):
        connection = RawConnection(self.server.address)
        self.addCleanup(connection.close)
        lines = {"Host": "x", "Authorization": f"Bearer {token}", **self.asked}
        connection.send((f"{method} {path} HTTP/1.1\r\n" + "".join(
            f"{n}: {v}\r\n" for n, v in lines.items()) + "\r\n").encode())
        return connection

    def test_event_stream(self):
        head = self.raw("GET", "/api/v1/stream", self.server.user().token).read_head()
        self.assertEqual((head.status, head.header("content-type")), (200, "text/event-stream"))
        self.promises(head)

    def test_head_of_an_event_stream_opens_none(self):
        token = self.server.user().token
        for path in ("/api/v1/stream", "/api/v1/users/me/export"):
            connection = self.raw("HEAD", path, token)
            self.promises(connection.read_head())
            connection.send(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertEqual(connection.read_answer().status, 200)  # nothing came in between
            self.assertEqual(connection.read_to_end(), b"")

    def test_socket(self):
        socket = WebSocket(self.server.address, token=self.server.user().token, headers=self.asked)
        self.promises(socket.handshake)
        socket.close()

    def test_export(self):
        answer = self.server.user().get("/users/me/export", headers=self.asked)
        self.assertEqual(answer.status, 200)
        self.promises(answer)

    def test_others_origins_get_no_leave(self):
        answer = self.server.user().get("/users/me/export", headers={"Origin": "https://b.example"})
        self.assertIsNone(answer.header("access-control-allow-origin"))


class Envelopes(Base):
    def setUp(self):
        super().setUp()
        self.socket = self.anna.ws()

    def tearDown(self):
        self.socket.close()

    def test_ping(self):
        frame = self.socket.call("ping")
        self.assertEqual(set(frame), {"id", "data"})

    def test_errors_are_answers(self):
        good = {"chat_id": self.chat, "text": "x", "client_id": "c"}
        for op, data, status in (("nonsense", {}, None), ("chat.send", None, 422),
                                 ("chat.send", {**good, "text": ""}, 422),
                                 ("chat.send", {**good, "extra": 1}, 400),
                                 ("chat.send", {**good, "chat_id": str(uuid.uuid4())}, None),
                                 ("chat.send", {**good, "chat_id": 5}, 422),
                                 ("chat.edit", {"chat_id": self.chat, "seq": 9, "text": "x"}, 404)):
            with self.subTest(op=op, data=str(data)[:60]):
                frame = self.socket.call(op, data)
                self.assertIn("error", frame, frame)
                if status:
                    self.assertEqual(frame["error"]["status"], status, frame)
                for member in ("type", "title", "status", "detail", "code"):
                    self.assertIn(member, frame["error"])
        self.assertIn("data", self.socket.call("ping"))

    def test_garbage_frames(self):
        for text in ("", "x", "[]", "7", "null", "{", '{"op":5}', '{"id":1}',
                     '{"id":{},"op":"ping"}',
                     '{"id":1,"id":2,"op":"ping"}', "[" * 2000):
            with self.subTest(text=text[:20]):
                socket = self.ben.ws()
                socket.send_frame(TEXT, text)
                try:
                    frame = socket.recv_json(5)
                    self.assertIn("error", frame, frame)
                except Closed as closed:
                    self.assertIn(closed.code, (1002, 1003, 1007, 1008, 4001))
                socket.close()

    def test_a_refused_frame_is_answered_under_its_id(self):
        for text, id_, code in (
                ('{"id":5,"op":"chat.send","data":{"text":"a","text":"b"}}', 5, "duplicate_key"),
                ('{"id":"x","op":"chat.send","data":{"text":"\\ud800"}}', "x", "invalid_json"),
                ('{"id":6,"op":"ping","zz":1}', 6, "unknown_field"),
                ('{"id":7,"op":5}', 7, "invalid_fields"),
                ('{"id":8,"id":9,"op":"ping"}', None, "duplicate_key"),
                ('{"op":"ping","data":{"a":1,"a":2},"id":10}', None, "duplicate_key"),
                ('{"id":"' + "x" * 70 + '","op":"ping"}', None, "invalid_fields")):
            with self.subTest(text=text):
                self.socket.send_frame(TEXT, text)
                frame = self.socket.recv_json(5)
                self.assertEqual((frame["id"], frame["error"]["code"]), (id_, code))
        self.assertIn("data", self.socket.call("ping"))

    def test_pipelined_sends_keep_their_order(self):
        for i in range(50):
            self.socket.send_json({"id": i + 1, "op": "chat.send", "data": {
                "chat_id": self.chat, "text": str(i), "client_id": str(i)}})
        answers = {}
        while len(answers) < 50:
            frame = self.socket.recv_json()
            if "event" not in frame:
                answers[frame["id"]] = frame["data"]["seq"]
        self.assertEqual([answers[i + 1] for i in range(50)], list(range(1, 51)))
        self.assertEqual([m["text"] for m in self.anna.all_messages(self.chat)],
                         [str(i) for i in range(50)])

    def test_client_pings(self):
        self.socket.send_frame(9, b"payload")
        self.assertIn("data", self.socket.call("ping"))
        self.assertEqual(self.socket.pongs, [b"payload"])

    def test_close_handshake(self):
        self.socket.send_frame(8, b"\x03\xe8bye")
        self.socket.close_sent = True
        self.assertEqual(self.socket.closed(5).code, 1000)

    def test_typing(self):
        socket = self.ben.ws()
        self.assertIn("data", self.socket.call("chat.typing", {"chat_id": self.chat}))
        event = socket.event("typing")
        self.assertNotIn("pos", event)
        self.assertEqual((event["data"]["chat_id"], event["data"]["user_id"]),
                         (self.chat, self.anna.id))
        self.assertIn("data", socket.call("chat.typing", {"chat_id": self.chat}))
        self.assertEqual(self.socket.event("typing")["data"]["user_id"], self.ben.id)  # not one's own
        socket.close()

    def test_typing_is_held_back(self):
        socket = self.ben.ws()
        for _ in range(5):
            self.socket.call("chat.typing", {"chat_id": self.chat})
        socket.event("typing")
        self.assertTrue(socket.no_event("typing", 1.0))
        socket.close()

    def test_typing_by_an_outsider(self):
        carl = self.server.user().ws()
        self.assertEqual(carl.call("chat.typing", {"chat_id": self.chat})["error"]["status"], 404)
        carl.close()

    def test_unsolicited_pong_is_fine(self):
        self.socket.send_frame(PONG, b"x")
        self.assertIn("data", self.socket.call("ping"))


class Expiry(ApiCase):
    """A socket does not outlive its token for long, and says so before."""

    settings = {"auth.access_ttl": "5s"}

    def test_socket_ends_with_its_token(self):
        user = self.server.user()
        socket = user.ws()
        closed = socket.closed(60)
        self.assertEqual(closed.code, 4001)

    def test_a_fresh_token_keeps_it_open(self):
        user = self.server.user()
        socket = user.ws()
        end = time.monotonic() + 9
        while time.monotonic() < end:
            answer = self.server.post("/api/v1/auth/refresh",
                                      {"refresh_token": user.refresh_token})
            user.take(self.ok(answer))
            frame = socket.call("auth", {"access_token": user.token})
            self.assertNotIn("error", frame)
            time.sleep(1)
        self.assertIn("data", socket.call("ping"))
        socket.close()


class ResumeReaders(Base):
    def test_ready_of_a_resumed_stream_repeats_the_position(self):
        reader = self.ben.reader("ws")
        self.anna.send(self.chat, "x")
        pos = reader.event("message.sent")["pos"]
        reader.close()
        again = WsReader(self.server.address, self.ben.token, pos)
        self.assertEqual(again.pos, pos)
        again.close()
