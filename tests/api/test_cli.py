"""The command line (API.md)."""

import io
import json
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import time
import unittest

from parleytest import PASSWORD, Server, User, binary, clean_environment
from parleytest.keys import b64, new_key, sign, algorithm
from parleytest.server import StartError


def run(*arguments, stdin=None, environment=None, timeout=60):
    return subprocess.run([binary(), *map(str, arguments)], input=stdin, capture_output=True,
                          timeout=timeout, env=clean_environment(**(environment or {})),
                          check=False)


class CommandLine(unittest.TestCase):
    longMessage = True

    def test_help(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0, done)
        text = done.stdout.decode()
        for command in ("serve", "migrate", "config", "openapi", "asyncapi", "version", "user",
                        "backup",
                        "restore", "keys", "debug"):
            self.assertIn(command, text)

    def test_what_cannot_be_printed_is_a_failure(self):
        for command in (["--help"], ["serve", "--help"], ["version"], ["config", "print"],
                        ["config", "check"], ["openapi"], ["debug", "verify-jws"]):
            with self.subTest(command=command), open("/dev/full", "wb") as full:
                done = subprocess.run([binary(), *command], stdout=full, stderr=subprocess.PIPE,
                                      input=b"x\n", timeout=60, env=clean_environment(),
                                      check=False)
                self.assertEqual(done.returncode, 1, done)

    def test_help_of_each(self):
        for command in (["serve"], ["config"], ["openapi"], ["user"], ["backup"], ["restore"],
                        ["keys"], ["debug"]):
            with self.subTest(command=command):
                done = run(*command, "--help")
                self.assertEqual(done.returncode, 0, done)
                self.assertTrue(done.stdout)

    def test_help_has_columns(self):
        rows = [line for line in run("--help").stdout.decode().splitlines()
                if line.startswith("  ")]
        self.assertGreater(len(rows), 10)
        for row in rows:
            self.assertEqual(row[37], " ", row)
            self.assertNotEqual(row[38], " ", row)

    def test_help_says_what_works(self):
        text = run("backup", "--help").stdout.decode()
        self.assertNotIn("--url", text)
        self.assertIn("running or stopped", text)
        for command in ("serve", "migrate", "config", "openapi", "user", "restore", "version"):
            text = run(command, "--help").stdout.decode()
            with self.subTest(command=command):
                self.assertEqual("--pid-file" in text, command == "serve")
                self.assertEqual("--data" in text, command not in ("openapi", "version"))
                self.assertNotIn("  [flags]", text)

    def test_flags_that_are_none(self):
        for words in (["config", "check", "--bogus"], ["config", "check", "--bogus=1"],
                      ["serve", "--bogus", "1"]):
            with self.subTest(words=words):
                done = run(*words)
                self.assertEqual(done.returncode, 2, done)
                self.assertIn(b"There is no flag --bogus", done.stderr)
        done = run("config", "check", "--data")
        self.assertEqual(done.returncode, 2, done)
        self.assertIn(b"--data needs a value", done.stderr)

    def test_version(self):
        for arguments in (["version"], ["--version"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout.decode(), r"\d+\.\d+\.\d+")

    def test_wrong_words(self):
        for arguments in (["serv"], [], ["serve", "--lisen", "x"], ["user", "creat"],
                          ["serve", "--listen", "nowhere"], ["serve", "--set", "nonsense"],
                          ["version", "stray"]):
            with self.subTest(arguments=arguments):
                done = run(*arguments)
                self.assertNotEqual(done.returncode, 0)
                self.assertTrue(done.stderr or done.stdout)

    def test_stray_words_stop_serve(self):
        server = Server(start=False)
        command = server.command
        server.command = lambda: command() + ["stray"]
        with server, self.assertRaises(StartError) as caught:
            server.start(5)
        self.assertIn("stray", caught.exception.log)

    def test_openapi(self):
        document = json.loads(run("openapi").stdout)
        self.assertIn("/api/v1/auth/login", document["paths"])
        with Server() as server:
            self.assertEqual(server.get("/api/v1/openapi.json").json["paths"].keys(),
                             document["paths"].keys())

    def test_asyncapi(self):
        self.assertTrue(json.loads(run("asyncapi").stdout)["asyncapi"].startswith("3.0"))


class Config(unittest.TestCase):
    longMessage = True

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "parley.yaml"

    def test_print_reads_back(self):
        printed = run("config", "print")
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.file.write_bytes(printed.stdout)
        done = run("config", "check", "--config", self.file)
        self.assertEqual(done.returncode, 0, done)

    def test_unknown_key_names_the_nearest(self):
        self.file.write_text("auth:\n  bcrypt_cots: 12\n")
        done = run("config", "check", "--config", self.file)
        self.assertNotEqual(done.returncode, 0)
        text = (done.stderr + done.stdout).decode()
        self.assertIn("auth.bcrypt_cost", text)
        self.assertIn("parley.yaml:2", text)

    def test_all_faults_at_once(self):
        self.file.write_text("auth:\n  bcrypt_cost: many\nlisten: 7\nnothing: 1\n")
        text = run("config", "check", "--config", self.file)
        for word in ("bcrypt_cost", "nothing"):
            self.assertIn(word, (text.stderr + text.stdout).decode())

    def test_bad_yaml(self):
        for text in ("a: [", "a: &x 1\nb: *x\n", "auth:\n  bcrypt_cost: 4\n  bcrypt_cost: 5\n",
                     "\t", "- 1\n"):
            with self.subTest(text=text):
                self.file.write_text(text)
                self.assertNotEqual(run("config", "check", "--config", self.file).returncode, 0)

    def test_order_of_sources(self):
        self.file.write_text("auth:\n  bcrypt_cost: 5\n")
        environment = {"PARLEY_AUTH_BCRYPT_COST": "6"}
        printed = run("config", "print", "--config", self.file, environment=environment)
        self.assertRegex(printed.stdout.decode(), r'bcrypt_cost: "?6"?\n')
        printed = run("config", "print", "--config", self.file, "--set", "auth.bcrypt_cost=7",
                      environment=environment)
        self.assertRegex(printed.stdout.decode(), r'bcrypt_cost: "?7"?\n')

    def test_unknown_setting_stops_serve(self):
        with self.assertRaises(StartError) as caught:
            Server({"auth.bcrypt_cots": "4"}).remove()
        self.assertIn("auth.bcrypt_cost", caught.exception.log)
        self.assertNotEqual(caught.exception.status, 0)

    def flags(self, settings):
        return [word for setting in settings for word in ("--set", setting)]

    def test_what_serve_refuses_is_not_good(self):
        nobody = self.file.parent / "nobody"
        nobody.write_text("no key\n")
        data = self.file.parent / "data"
        for settings, field in ((["listen=foo"], "listen"), (["listen="], "listen"),
                                (["listen=127.0.0.1:99999"], "listen"),
                                (["conformance.listen=here"], "conformance.listen"),
                                (["auth.algorithm=hs256"], "auth.secret"),
                                (["auth.algorithm=hs256", "auth.secret=short"], "auth.secret"),
                                (["auth.algorithm=hs256", "auth.secret_file=/nosuch"],
                                 "auth.secret_file"),
                                (["auth.signing_key=/nosuch"], "auth.signing_key"),
                                ([f"auth.signing_key={nobody}"], "auth.signing_key"),
                                (["trusted_proxies=10.0.0.0/8,foo"], "trusted_proxies"),
                                (["calendar.zoneinfo=/nosuch"], "calendar.zoneinfo"),
                                (["origins=foo"], "origins"), (["origins=https://b/"], "origins"),
                                (["origins=https://B"], "origins"),
                                (["origins=https://b:443"], "origins"),
                                (["origins=https://"], "origins")):
            for command in (["config", "check"], ["serve", "--data", data]):
                with self.subTest(settings=settings, command=command):
                    done = run(*command, *self.flags(settings))
                    self.assertEqual((done.returncode, done.stdout), (1, b""), done)
                    self.assertIn(f"  {field}: ", done.stderr.decode())
                    self.assertFalse(data.exists())

    def test_all_that_serve_refuses_at_once(self):
        done = run("config", "check", *self.flags(["listen=foo", "trusted_proxies=foo,bar",
                                                   "origins=foo", "calendar.zoneinfo=/nosuch"]))
        self.assertEqual(done.stderr.count(b"\n  "), 5, done)

    def test_what_serve_takes_is_good(self):
        secret = self.file.parent / "secret"
        secret.write_text("Hush-Hush-77-Hush-Hush-77-Hush-Hush\n")
        with Server() as server:
            for settings in ([f"listen={server.address}"], ["listen=[::1]:0"],
                             ["auth.algorithm=hs256", f"auth.secret_file={secret}"],
                             ["auth.algorithm=ed25519"], ["trusted_proxies=10.0.0.0/8,::1"],
                             ["origins=*"], ["origins=null"],
                             ["origins=https://b.example.org,http://localhost:8080,"
                              "capacitor://localhost,http://[::1]:3000"]):
                with self.subTest(settings=settings):
                    done = run("config", "check", *self.flags(settings))
                    self.assertEqual(done.returncode, 0, done)

    def test_secrets_are_masked(self):
        done = run("config", "print", "--set", "auth.secret=Hush-Hush-77-Hush-Hush-77-Hush-Hush")
        self.assertEqual(done.returncode, 0)
        self.assertNotIn(b"Hush-Hush-77", done.stdout)
        self.assertIn(b"secret", done.stdout)


class Accounts(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)

    def data(self):
        return ["--data", self.server.data, "--set", "auth.bcrypt_cost=4"]

    def create(self, name, *more):
        return run("user", "create", name, *more, *self.data(), stdin=PASSWORD.encode() + b"\n")

    def login(self, name):
        """Signs in; the account may still be in the making for a moment."""
        end = time.monotonic() + 5
        while True:
            answer = self.server.post("/api/v1/auth/login", {"login": name, "password": PASSWORD})
            if answer.code != "account_pending" or time.monotonic() > end:
                return answer
            time.sleep(0.05)

    def test_create_promote_disable(self):
        self.server.stop()
        done = self.create("root_user")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(run("user", "promote", "root_user", "admin", *self.data()).returncode, 0)
        self.server.start()
        answer = self.login("root_user")
        self.assertEqual(answer.status, 200, answer)
        user = User(self.server, "root_user", answer.json)
        self.assertEqual(user.get("/users/me").json["role"], "admin")
        self.server.stop()
        self.assertEqual(run("user", "disable", "root_user", *self.data()).returncode, 0)
        self.server.start()
        self.assertEqual(self.login("root_user").code, "account_disabled")
        self.assertEqual(user.get("/users/me").code, "token_revoked")

    def test_while_the_server_runs(self):
        done = self.create("live_user")
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = self.login("live_user")
        self.assertEqual(answer.status, 200, answer)
        user = User(self.server, "live_user", answer.json)
        socket = user.ws()
        self.assertEqual(run("user", "disable", "live_user", *self.data()).returncode, 0)
        self.assertEqual(socket.closed(5).code, 4003)
        self.assertEqual(self.login("live_user").code, "account_disabled")

    def test_bad_input(self):
        self.server.stop()
        self.assertNotEqual(run("user", "create", "weak_user", *self.data(),
                                stdin=b"short\n").returncode, 0)
        self.assertEqual(self.create("twice_user").returncode, 0)
        self.assertNotEqual(self.create("twice_user").returncode, 0)
        self.assertNotEqual(run("user", "promote", "twice_user", "king",
                                *self.data()).returncode, 0)

    def test_the_reason_is_told(self):
        """The same with a server, which does the work, and without."""
        said = {}
        for running in (True, False):
            if not running:
                self.server.stop()
            for words, reason in ((("user", "create", "weak_user"), "password: "),
                                  (("user", "create", "no way"), "username: "),
                                  (("user", "promote", "anna", "king"), "role: The role is user, "
                                   "moderator or admin, not king."),
                                  (("user", "promote", "nobody_here", "admin"), "no such account"),
                                  (("audit", "verify", "1:zz"), "mark: A mark is what"),
                                  (("dead-letters", "requeue", "x"), "id: x is no id")):
                with self.subTest(words=words, running=running):
                    done = run(*words, *self.data(), stdin=b"short\n")
                    self.assertEqual((done.returncode, done.stdout), (1, b""))
                    text = done.stderr.decode()
                    self.assertIn(reason, text)
                    self.assertTrue(text.endswith("\n") and not text.endswith("\n\n"), text)
                    self.assertEqual(said.setdefault(words, text), text)

    def test_unknown_person(self):
        self.server.stop()
        done = run("user", "promote", "nobody_here", "admin", *self.data())
        self.assertNotEqual(done.returncode, 0)
        self.assertTrue(done.stderr)


class NoFolder(unittest.TestCase):
    """What is about a data folder makes none."""

    longMessage = True

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def refused(self, data):
        for words in (["backup", self.folder / "kept"], ["keys", "rotate"], ["audit", "verify"],
                      ["dead-letters", "list"], ["dead-letters", "requeue", "1"],
                      ["dead-letters", "discard", "1"], ["user", "promote", "anna", "admin"],
                      ["user", "disable", "anna"], ["migrate", "--move", "social=graph"]):
            with self.subTest(words=words):
                done = run(*words, "--data", data)
                self.assertEqual(done.returncode, 1, done)
                self.assertIn(f"{data} is no data folder", done.stderr.decode())
                self.assertIn("--data", done.stderr.decode())
                self.assertFalse((self.folder / "kept").exists())

    def test_a_folder_that_is_not_there(self):
        self.refused(self.folder / "nosuch")
        self.assertFalse((self.folder / "nosuch").exists())

    def test_a_folder_of_something_else(self):
        data = self.folder / "mine"
        data.mkdir()
        (data / "letter").write_text("dear Anna\n")
        self.refused(data)
        self.assertEqual([entry.name for entry in data.iterdir()], ["letter"])

    def test_an_account_may_be_the_first_thing(self):
        data = self.folder / "new"
        done = run("user", "create", "anna", "--data", data, "--set", "auth.bcrypt_cost=4",
                   stdin=PASSWORD.encode())
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue((data / "main.db").exists())


class BackupAndKeys(unittest.TestCase):
    longMessage = True

    def test_backup_of_a_running_server_and_restore(self):
        with Server() as server, tempfile.TemporaryDirectory() as folder:
            anna, ben = server.users(2)
            chat = anna.direct(ben)["id"]
            for i in range(20):
                anna.send(chat, f"m{i}")
            kept = pathlib.Path(folder) / "backup"
            done = run("backup", "--data", server.data, kept)
            self.assertEqual(done.returncode, 0, done.stderr)
            anna.send(chat, "after the backup")
            back = pathlib.Path(folder) / "data"
            done = run("restore", "--data", back, kept)
            self.assertEqual(done.returncode, 0, done.stderr)
            with Server(data=back) as restored:
                answer = restored.post("/api/v1/auth/login",
                                       {"login": anna.username, "password": PASSWORD})
                self.assertEqual(answer.status, 200, answer)
                again = User(restored, anna.username, answer.json)
                self.assertEqual([m["text"] for m in again.all_messages(chat)],
                                 [f"m{i}" for i in range(20)])
                self.assertEqual(again.send(chat, "new")["seq"], 21)

    def test_a_backup_overwrites_nothing(self):
        with Server() as server, tempfile.TemporaryDirectory() as name:
            server.user()
            folder = pathlib.Path(name)
            taken, link, part = folder / "letter", folder / "link", folder / "other.part"
            taken.write_text("dear Anna\n")
            part.write_text("dear Ben\n")
            link.symlink_to(server.data / "main.db")
            (folder / "door").symlink_to(server.data)
            (server.data / "deeper").mkdir()
            wrong = [(taken, "letter exists"), (link, "link exists"),
                     (folder / "other", "other.part exists"),
                     (server.data / "main.db", "inside the data folder"),
                     (server.data / "new", "inside the data folder"),
                     (folder / "door" / "main.db", "inside the data folder"),
                     (server.data / "deeper" / "new", "inside the data folder")]
            for running in (True, False):
                if not running:
                    server.stop()
                inode = (server.data / "main.db").stat().st_ino
                for path, reason in wrong:
                    with self.subTest(path=path, running=running):
                        done = run("backup", "--data", server.data, path)
                        self.assertEqual(done.returncode, 1, done)
                        self.assertIn(reason, done.stderr.decode())
                self.assertEqual(taken.read_text(), "dear Anna\n")
                self.assertEqual(part.read_text(), "dear Ben\n")
                self.assertTrue(link.is_symlink())
                self.assertEqual((server.data / "main.db").stat().st_ino, inode)
                self.assertEqual([p.name for p in server.data.iterdir() if "backup" in p.name
                                  or p.name == "new"], [])
                done = run("backup", "--data", server.data, folder / f"kept-{running}")
                self.assertEqual(done.returncode, 0, done)
            server.start()

    def test_what_a_killed_backup_leaves_goes(self):
        with Server() as server, tempfile.TemporaryDirectory() as folder:
            server.stop()
            done = run("backup", "--data", server.data, pathlib.Path(folder) / "kept",
                       environment={"PARLEY_FAULTS": "backup.copied=exit"})
            self.assertNotEqual(done.returncode, 0)
            left = list(server.data.glob("backup.*"))
            self.assertEqual([sorted(p.name for p in path.iterdir()) for path in left],
                             [["main.db", "search.db"]])
            (left[0] / "graph.db.part").write_bytes(b"half")
            mine = {"backup.monday": ["main.db", "letter"], "backup.old": ["main.db"],
                    "backup.AbCdEfG": ["main.db"], "backup.a-b_cd": ["main.db"]}
            for name, files in mine.items():
                (server.data / name).mkdir(mode=0o700)
                for file in files:
                    (server.data / name / file).write_text("mine")
            (server.data / "backup.public").mkdir(mode=0o755)
            (server.data / "backup.public").chmod(0o755)
            (server.data / "backup.aFile1").write_text("mine")
            (server.data / "backup.aLink1").symlink_to(folder)
            server.start()
            self.assertFalse(left[0].exists())
            self.assertEqual(sorted(p.name for p in server.data.glob("backup.*")),
                             sorted([*mine, "backup.public", "backup.aFile1", "backup.aLink1"]))
            for name, files in mine.items():
                self.assertEqual(sorted(p.name for p in (server.data / name).iterdir()),
                                 sorted(files))

    def test_restore_does_not_overwrite(self):
        with Server() as server, tempfile.TemporaryDirectory() as folder:
            kept = pathlib.Path(folder) / "backup"
            self.assertEqual(run("backup", "--data", server.data, kept).returncode, 0)
            server.stop()
            done = run("restore", "--data", server.data, kept)
            self.assertNotEqual(done.returncode, 0)
            self.assertTrue(done.stderr)

    def test_keys_rotate(self):
        with Server() as server:
            user = server.user()
            before = [k["kid"] for k in server.get("/.well-known/jwks.json").json["keys"]]
            server.stop()
            done = run("keys", "rotate", "--data", server.data)
            self.assertEqual(done.returncode, 0, done.stderr)
            server.start()
            after = [k["kid"] for k in server.get("/.well-known/jwks.json").json["keys"]]
            self.assertTrue(set(before) < set(after), (before, after))
            self.assertEqual(user.get("/users/me").status, 200)
            again = user.login()
            self.assertEqual(again.get("/users/me").status, 200)
            for _ in range(3):
                done = run("keys", "rotate", "--data", server.data)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(b"Wait for that", done.stderr)
            self.assertEqual(user.get("/users/me").status, 200)


class Restore(unittest.TestCase):
    """A folder is restored whole or not at all."""

    longMessage = True

    @classmethod
    def setUpClass(cls):
        name = tempfile.TemporaryDirectory()
        cls.addClassCleanup(name.cleanup)
        cls.kept = pathlib.Path(name.name) / "kept"
        with Server() as server:
            anna, ben = server.users(2)
            cls.username, cls.chat = anna.username, anna.direct(ben)["id"]
            for i in range(20):
                anna.send(cls.chat, f"m{i}")
            done = run("backup", "--data", server.data, cls.kept)
            if done.returncode != 0:
                raise AssertionError(done)

    def setUp(self):
        name = tempfile.TemporaryDirectory()
        self.addCleanup(name.cleanup)
        self.folder = pathlib.Path(name.name)
        self.data = self.folder / "data"

    def restore(self, kept=None, faults=None):
        environment = {"PARLEY_FAULTS": faults} if faults else None
        return run("restore", kept or self.kept, "--data", self.data, environment=environment)

    def check_good(self):
        done = self.restore()
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual([p.name for p in self.data.glob("restore*")], [])
        with Server(data=self.data) as server:
            answer = server.post("/api/v1/auth/login",
                                 {"login": self.username, "password": PASSWORD})
            self.assertEqual(answer.status, 200, answer)
            user = User(server, self.username, answer.json)
            self.assertEqual([m["text"] for m in user.all_messages(self.chat)],
                             [f"m{i}" for i in range(20)])

    def check_failed(self, done, *words):
        self.assertEqual(done.returncode, 1, done)
        for word in words:
            self.assertIn(word, done.stderr.decode())
        self.assertNotIn(b"restored", done.stdout)

    def test_into_an_empty_folder(self):
        self.data.mkdir()
        inode = self.data.stat().st_ino
        self.check_good()
        self.assertEqual(self.data.stat().st_ino, inode)  # it may be a mount point

    def test_what_fails_leaves_nothing(self):
        cut = self.folder / "cut"
        cut.write_bytes(self.kept.read_bytes()[:-20000])
        for there in (False, True):
            for kept, faults in ((cut, None), (self.folder / "nosuch", None),
                                 (self.kept, "restore.unpacked=error"),
                                 (self.kept, "restore.opened=error")):
                with self.subTest(there=there, kept=kept, faults=faults):
                    if there:
                        self.data.mkdir(exist_ok=True)
                    self.check_failed(self.restore(kept, faults))
                    self.assertEqual(self.data.exists(), there)
                    self.assertEqual(there and list(self.data.iterdir()) or [], [])
        self.check_good()

    def test_what_fails_leaves_nothing_behind_a_link(self):
        (self.folder / "real").mkdir()
        self.data.symlink_to(self.folder / "real")
        self.check_failed(self.restore(faults="restore.opened=error"))
        self.assertEqual(list((self.folder / "real").iterdir()), [])
        self.check_good()

    def test_any_tar_reads_a_backup_and_its_checksums(self):
        done = subprocess.run(["tar", "-xf", self.kept, "-C", self.folder], check=False)
        self.assertEqual(done.returncode, 0)
        done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=self.folder,
                              capture_output=True, check=False)
        self.assertEqual(done.stdout, b"main.db: OK\nsearch.db: OK\n")

    def test_a_damaged_backup_is_noticed(self):
        whole = self.kept.read_bytes()
        letter = whole.index(b"m17")  # in a message, or in the copy of one
        size = int(whole[124:135], 8)  # of main.db, the first entry
        search = 512 + size + -size % 512 + 512
        for name, at, length in (("main.db", letter + 1, 1), ("main.db", 512 + size // 2, 64),
                                 ("main.db", 512 + size - 1, 1), ("search.db", search + 4096, 1),
                                 ("main.db", whole.index(b"  main.db\n") - 3, 1)):
            with self.subTest(name=name, at=at):
                damaged = self.folder / "damaged"
                damaged.write_bytes(whole[:at] + bytes(b ^ 255 for b in whole[at:at + length])
                                    + whole[at + length:])
                self.check_failed(self.restore(damaged), "backup is damaged", name)
                self.assertFalse(self.data.exists())
        self.check_good()

    def test_a_backup_with_a_hole_is_noticed(self):
        """A block of zeroes where a header was looks like the end."""
        whole = self.kept.read_bytes()
        size = int(whole[124:135], 8)
        hole = self.folder / "hole"
        for at in (512 + size + -size % 512, whole.index(b"SHA256SUMS\0")):
            self.assertEqual(at % 512, 0)
            hole.write_bytes(whole[:at] + bytes(512) + whole[at + 512:])
            self.check_failed(self.restore(hole), "something follows its end")
        hole.write_bytes(whole + b"\0" * 9000 + b"more")
        self.check_failed(self.restore(hole), "something follows its end")
        self.assertFalse(self.data.exists())
        hole.write_bytes(whole + b"\0" * 9000)  # as some tar pads it
        self.assertEqual(self.restore(hole).returncode, 0)

    def without_sums(self, change=lambda files: None):
        """As versions before the checksums wrote it."""
        with tarfile.open(self.kept) as tar:
            files = {name: tar.extractfile(name).read() for name in tar.getnames()}
        self.assertEqual(list(files), ["main.db", "search.db", "SHA256SUMS"])
        del files["SHA256SUMS"]
        change(files)
        old = self.folder / "old"
        with tarfile.open(old, "w", format=tarfile.USTAR_FORMAT) as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        return old

    def test_an_older_backup(self):
        done = self.restore(self.without_sums())
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(b"has no checksums", done.stdout)
        self.assertIn(b"restored into", done.stdout)
        shutil.rmtree(self.data)
        self.assertNotIn(b"checksums", self.restore().stdout)

    def test_a_database_that_is_not_sound(self):
        def damage(files):
            page = 8192 * (len(files["main.db"]) // 8192 - 3)
            content = bytearray(files["main.db"])
            content[page:page + 16] = b"\xff" * 16
            files["main.db"] = bytes(content)
        self.check_failed(self.restore(self.without_sums(damage)), "main.db is damaged:")
        self.assertFalse(self.data.exists())

    def test_a_killed_one_is_not_served(self):
        for faults in ("restore.unpacked=exit", "restore.opened=exit"):
            with self.subTest(faults=faults):
                self.assertNotEqual(self.restore(faults=faults).returncode, 0)
                self.assertTrue((self.data / "main.db").exists())
                with self.assertRaises(StartError) as caught:
                    Server(data=self.data).remove()
                for word in (str(self.data), "restore that has not finished", "empty the folder"):
                    self.assertIn(word, caught.exception.log)
                for words in (["migrate"], ["keys", "rotate"], ["backup", self.folder / "new"],
                              ["user", "create", "anna"], ["restore", self.kept]):
                    self.check_failed(run(*words, "--data", self.data, stdin=PASSWORD.encode()),
                                      "restore that has not finished")
                shutil.rmtree(self.data)
        self.check_good()

    def test_the_folder_must_be_empty(self):
        self.data.mkdir()
        (self.data / "letter").write_text("dear Anna\n")
        self.check_failed(self.restore(), "is not empty")
        self.assertEqual([p.name for p in self.data.iterdir()], ["letter"])


class VerifyJws(unittest.TestCase):
    longMessage = True

    def test_lines(self):
        import jwt
        key, other = new_key(), new_key("p256")
        jwk = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
        good = sign(key, {"a": 1}, {"alg": algorithm(key)})
        lines = [({"jwk": jwk, "jws": good}, "ok"),
                 ({"jwk": jwk, "jws": good[:-40] + "xxxx" + good[-36:]}, "fail"),
                 ({"keys": [jwk], "jws": good}, "ok"),
                 ({"jwk": jwk, "jws": sign(other, {"a": 1}, {"alg": "ES256"})}, "fail"),
                 ({"jwk": jwk, "jws": f"{b64({'alg': 'none'})}.{b64({'a': 1})}."}, "fail"),
                 ({"jwk": {"kty": "nonsense"}, "jws": good}, "fail")]
        text = "".join(json.dumps(entry) + "\n" for entry, _ in lines) + "not json\n"
        done = run("debug", "verify-jws", stdin=text.encode())
        answers = [line.split()[0] for line in done.stdout.decode().splitlines()]
        self.assertEqual(answers, [want for _, want in lines] + ["fail"], done.stderr)


class PidFile(unittest.TestCase):
    longMessage = True

    def test_written_and_stale_overwritten(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "pid"
            path.write_text("999999\n")
            server = Server(start=False)
            command = server.command
            server.command = lambda: command() + ["--pid-file", str(path)]
            with server:
                server.start()
                self.assertEqual(int(path.read_text()), server.process.pid)
                self.assertEqual(server.stop(), 0)

    def with_file(self, path, data=None):
        server = Server(start=False, data=data)
        command = server.command
        server.command = lambda: command() + ["--pid-file", str(path)]
        return server

    def test_of_a_running_server_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "pid"
            with self.with_file(path) as first:
                first.start()
                with self.with_file(path, first.data) as second:
                    with self.assertRaises(StartError) as caught:
                        second.start()
                    self.assertIn(str(first.process.pid), caught.exception.log)
                self.assertEqual(int(path.read_text()), first.process.pid)
                self.assertEqual(first.stop(), 0)
                self.assertFalse(path.exists())

    def test_of_another_server_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "pid"
            with self.with_file(path) as first, self.with_file(path) as second:
                first.start()
                second.start()
                self.assertEqual(int(path.read_text()), second.process.pid)
                self.assertEqual(first.stop(), 0)
                self.assertEqual(int(path.read_text()), second.process.pid)

    def test_goes_when_the_start_fails(self):
        with tempfile.TemporaryDirectory() as folder, Server() as other:
            path = pathlib.Path(folder) / "pid"
            with self.with_file(path) as server, self.assertRaises(StartError):
                server.address = other.address  # taken
                server.start()
            self.assertFalse(path.exists())

    def test_ready_line_and_port_zero(self):
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen([binary(), "serve", "--listen", "127.0.0.1:0", "--data",
                                        folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       env=clean_environment())
            try:
                line = process.stdout.readline().decode()
                self.assertRegex(line, r"127\.0\.0\.1:[1-9]\d*")
            finally:
                process.terminate()
                self.assertEqual(process.wait(20), 0)
                process.stdout.close()

    def test_a_taken_port(self):
        with Server() as first:
            second = Server(start=False)
            second.address = first.address
            with second, self.assertRaises(StartError) as caught:
                second.start()
            self.assertIn(str(first.port), caught.exception.log)

    def test_two_servers_on_one_folder(self):
        with Server() as first:
            with self.assertRaises(StartError):
                Server(data=first.data).remove()
            self.assertEqual(first.get("/livez").status, 200)


class Memory(unittest.TestCase):
    """The server starts itself anew to have glibc's heap tuned, unless told otherwise."""

    def environment(self, **environment):
        """What the process was started with; glibc ends each tunable that it has read by a NUL."""
        with Server(environment=environment) as server:
            self.assertEqual(server.get("/livez").status, 200)
            path = pathlib.Path(f"/proc/{server.process.pid}/environ")
            return b":" + path.read_bytes().replace(b"\0", b":")

    def test_the_heap_is_tuned(self):
        self.assertIn(b":GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=256:",
                      self.environment())

    def test_who_has_set_something_is_obeyed(self):
        environment = self.environment(GLIBC_TUNABLES="")
        self.assertIn(b":GLIBC_TUNABLES=:", environment)
        self.assertNotIn(b"glibc.malloc", environment)
