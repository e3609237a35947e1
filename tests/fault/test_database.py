"""Database files that cannot be used: the server refuses to start and says what to do."""

import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

import mounts
from parleytest import Server
from parleytest.server import StartError, binary, clean_environment


class Refused(unittest.TestCase):
    longMessage = True

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="parley-db-")
        self.addCleanup(folder.cleanup)
        self.data = pathlib.Path(folder.name) / "data"
        with Server(data=self.data) as server:
            anna, ben = server.users(2)
            chat = anna.direct(ben)["id"]
            for i in range(200):
                anna.send(chat, "x" * 500)
            server.stop()

    def main_file(self):
        files = sorted((p for p in self.data.rglob("*.db")), key=lambda p: -p.stat().st_size)
        self.assertTrue(files, "no database file")
        return [p for p in files if p.name == "main.db"][0] if any(
            p.name == "main.db" for p in files) else files[0]

    def assert_refused(self, *words):
        try:
            Server(data=self.data).remove()
        except StartError as error:
            self.assertIsNotNone(error.status, "it hangs")
            self.assertGreater(error.status, 0, error.log)
            for word in words:
                self.assertIn(word, error.log.lower())
            return
        self.fail("the server started")

    def test_not_a_database(self):
        self.main_file().write_bytes(b"This is a poem, not a database.\n" * 200)
        self.assert_refused(self.main_file().name)

    def test_damaged_pages(self):
        path = self.main_file()
        data = bytearray(path.read_bytes())
        data[100:4096] = bytes(3996)
        path.write_bytes(data)
        self.assert_refused(path.name)

    def test_truncated(self):
        path = self.main_file()
        path.write_bytes(path.read_bytes()[:4096 * 3 + 100])
        self.assert_refused(path.name)

    def test_newer_schema(self):
        path = self.main_file()
        with sqlite3.connect(path) as db:
            tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            table = [t for t in tables if "migration" in t or "schema" in t]
            self.assertTrue(table, tables)
            row = list(db.execute(f"SELECT * FROM {table[0]} LIMIT 1"))[0]
            columns = [c[1] for c in db.execute(f"PRAGMA table_info({table[0]})")]
            newer = [9999 if "version" in c or c == "number" else v for c, v in zip(columns, row)]
            self.assertNotEqual(list(row), newer, columns)
            db.execute(f"INSERT OR REPLACE INTO {table[0]} VALUES ({','.join('?' * len(row))})",
                       newer)
        self.assert_refused("newer")

    def test_data_is_a_file(self):
        with Server(start=False) as server:
            folder = server.folder / "file"
            folder.write_text("in the way")
            command = server.command
            server.command = lambda: [str(folder) if a == str(server.data) else a
                                      for a in command()]
            with self.assertRaises(StartError) as caught:
                server.start()
            self.assertGreater(caught.exception.status, 0)
            self.assertIn("file", caught.exception.log)


class Mounted(unittest.TestCase):
    """A data folder that is a file system of its own."""

    longMessage = True

    def parley(self, *words):
        done = subprocess.run([binary(), *map(str, words)], capture_output=True, text=True,
                              env=clean_environment(), check=False)
        return done.returncode, done.stdout + done.stderr

    def test_restore_into_a_mount_point(self):
        with Server() as server, mounts.mounted("-t", "tmpfs", "tmpfs") as folder:
            kept = server.folder / "kept"
            status, said = self.parley("backup", kept, "--data", server.data)
            self.assertEqual(status, 0, said)
            kept.with_name("cut").write_bytes(kept.read_bytes()[:-2000])
            status, said = self.parley("restore", kept.with_name("cut"), "--data", folder)
            self.assertEqual((status, list(folder.iterdir())), (1, []), said)
            status, said = self.parley("restore", kept, "--data", folder)
            self.assertEqual(status, 0, said)
            Server(data=folder).remove()

    def test_a_folder_mounted_for_reading_only(self):
        with Server(start=False) as server, mounts.mounted("-t", "tmpfs", "tmpfs") as folder:
            server.data = folder
            server.start()
            server.stop()
            self.assertEqual(mounts.run("mount", "-o", "remount,ro", str(folder)).returncode, 0)
            with self.assertRaises(StartError) as caught:
                server.start()
            status, said = self.parley("keys", "rotate", "--data", folder)
            self.assertEqual(status, 1)
            for text in (said, caught.exception.log):
                self.assertIn(f"cannot write {folder}", text)
                self.assertIn("mount it for writing", text)
