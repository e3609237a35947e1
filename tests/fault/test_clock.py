"""The wall clock jumps: faketime moves it under the running server, the monotonic one goes on."""

import time

from faketime import ClockCase


class Clock(ClockCase):
    def test_set_back_an_hour(self):
        anna, ben = self.server.users(2)
        chat = anna.direct(ben)["id"]
        reader = ben.reader("ws")
        first = [anna.send(chat, f"before {i}") for i in range(5)]
        self.jump(-3600)
        time.sleep(0.2)
        login = self.server.post("/api/v1/auth/login", {"login": anna.username,
                                                        "password": "Quiet-River-17-Stone"})
        self.assertEqual(login.status, 200, login)
        anna.take(login.json)
        later = [anna.send(chat, f"after {i}") for i in range(5)]
        self.assertEqual([m["seq"] for m in first + later], list(range(1, 11)))
        ids = [m["id"] for m in first + later]
        self.assertEqual(len(set(ids)), 10)
        self.assertEqual([reader.event("message.sent")["data"]["seq"] for _ in range(10)],
                         list(range(1, 11)))
        self.assertEqual([m["seq"] for m in anna.all_messages(chat)], list(range(1, 11)))
        reader.close()

    def test_set_forward_a_day(self):
        user = self.server.user()
        self.assertEqual(user.get("/users/me").status, 200)
        self.jump(86400)
        time.sleep(0.2)
        self.assertEqual(user.get("/users/me").code, "token_expired")
        answer = self.server.post("/api/v1/auth/refresh", {"refresh_token": user.refresh_token})
        self.assertEqual(answer.status, 200, answer)
        self.jump(8 * 86400)
        time.sleep(0.2)
        answer = self.server.post("/api/v1/auth/refresh",
                                  {"refresh_token": answer.json["refresh_token"]})
        self.assertIn(answer.status, (200, 401))
        self.jump(30 * 86400)
        time.sleep(0.2)
        if answer.status == 200:
            answer = self.server.post("/api/v1/auth/refresh",
                                      {"refresh_token": answer.json["refresh_token"]})
            self.assertEqual(answer.status, 401, answer)
