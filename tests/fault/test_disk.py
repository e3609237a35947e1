"""A full disk: sends are refused with 507, everything that needs no space goes on, and when there
is space again the server recovers by itself."""

import time
import unittest

from full_disk import fill
from mounts import mounted
from parleytest import Server


class FullDisk(unittest.TestCase):
    longMessage = True

    def test_full_and_free_again(self):
        with mounted("-t", "tmpfs", "-o", "size=96m", "tmpfs") as disk:
            with Server(data=disk / "data") as server:
                anna, ben = server.users(2)
                chat = anna.direct(ben)["id"]
                acknowledged = [anna.send(chat, f"before {i}")["seq"] for i in range(5)]
                filler = fill(disk, 1 << 19)
                refused = None
                for i in range(4000):
                    answer = anna.post(f"/chats/{chat}/messages",
                                       {"text": "x" * 8000, "client_id": f"full-{i}"})
                    if answer.status != 201:
                        refused = answer
                        break
                    acknowledged.append(answer.json["seq"])
                self.assertIsNotNone(refused, "the disk never got full")
                self.assertEqual(refused.status, 507, refused)
                socket = anna.ws()
                frame = socket.call("chat.send", {"chat_id": chat, "text": "x" * 8000,
                                                  "client_id": "ws-full"})
                self.assertEqual(frame["error"]["status"], 507, frame)
                self.assertEqual(ben.get("/users/me").status, 200)
                self.assertEqual([m["seq"] for m in ben.all_messages(chat)], acknowledged)
                self.assertEqual(server.get("/livez").status, 200)
                filler.unlink()
                self.recovers(anna, chat, len(acknowledged))
                self.assertTrue(socket.call("ping"))
                server.kill()
                server.start()
                self.assertEqual([m["seq"] for m in ben.all_messages(chat)],
                                 list(range(1, len(acknowledged) + 2)))

    def recovers(self, anna, chat, count):
        end = time.monotonic() + 15
        while True:
            answer = anna.post(f"/chats/{chat}/messages", {"text": "again", "client_id": "again"})
            if answer.status == 201:
                break
            self.assertLess(time.monotonic(), end, f"no recovery: {answer}")
            time.sleep(0.2)
        self.assertEqual(answer.json["seq"], count + 1)
