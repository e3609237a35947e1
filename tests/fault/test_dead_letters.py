"""A dead letter that is handed over again is handled and gone, or neither: the server is killed
before and after the commit."""

import json
import sqlite3
import subprocess
import time
import unittest
import uuid

from parleytest import Http, Server, binary, clean_environment


class DeadLetter(unittest.TestCase):
    longMessage = True

    def put_aside(self, server, user):
        """A letter of user.search, whose handling shows in the index."""
        letter = uuid.uuid4()
        data = {"id": user.id, "username": user.username, "full_name": "Zanzibar Quetzal",
                "email": None, "phone": None, "role": "user",
                "created_at": "2026-01-01T00:00:00.000Z"}
        with sqlite3.connect(server.data / "search.db") as db:
            db.execute("INSERT INTO dead_letter VALUES (?, 'user.search', 7, 'user.created', ?, ?, "
                       "'It broke.', 10, ?)", (letter.bytes, uuid.UUID(user.id).bytes,
                                               json.dumps(data), int(time.time() * 1000)))
        db.close()
        return str(letter)

    def stand(self, server):
        """(letters, people in the index with the name that handling gives them)"""
        with sqlite3.connect(f"file:{server.data}/search.db?mode=ro", uri=True) as db:
            letters = db.execute("SELECT count(*) FROM dead_letter").fetchone()[0]
            named = db.execute("SELECT count(*) FROM user_document "
                               "WHERE full_name = 'Zanzibar Quetzal'").fetchone()[0]
        db.close()
        return letters, named

    def admin(self, server):
        user = server.user("boss")
        subprocess.run([binary(), "user", "promote", user.username, "admin", "--data",
                        str(server.data)], check=True, capture_output=True, timeout=60,
                       env=clean_environment())
        return user.login()

    def kill_at(self, point, want):
        with Server() as server:
            admin, user = self.admin(server), server.user()
            server.stop()
            letter = self.put_aside(server, user)
            server.environment["PARLEY_FAULTS"] = f"{point}=exit@1"
            server.start()
            with self.assertRaises((OSError, ValueError)):
                Http(server.address).request(
                    "POST", f"/api/v1/admin/dead-letters/{letter}/requeue", token=admin.token)
            self.assertEqual(server.process.wait(20), 137)
            server.kill()
            del server.environment["PARLEY_FAULTS"]
            server.start()
            again = admin.post(f"/admin/dead-letters/{letter}/requeue")
            self.assertEqual(again.status, want, again)
            server.stop()
            self.assertEqual(self.stand(server), (0, 1))

    def test_killed_before_the_commit(self):
        self.kill_at("dead_letter.taken", 204)

    def test_killed_after_the_commit(self):
        self.kill_at("dead_letter.taken.committed", 404)
