"""The command line (API.md)."""

import json
import pathlib
import subprocess
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

    def test_help_of_each(self):
        for command in (["serve"], ["config"], ["openapi"], ["user"], ["backup"], ["restore"],
                        ["keys"], ["debug"]):
            with self.subTest(command=command):
                done = run(*command, "--help")
                self.assertEqual(done.returncode, 0, done)
                self.assertTrue(done.stdout)

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
        self.assertIn(self.login("root_user").status, (401, 403))
        self.assertIn(user.get("/users/me").status, (401, 403))

    def test_while_the_server_runs(self):
        done = self.create("live_user")
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = self.login("live_user")
        self.assertEqual(answer.status, 200, answer)
        user = User(self.server, "live_user", answer.json)
        socket = user.ws()
        self.assertEqual(run("user", "disable", "live_user", *self.data()).returncode, 0)
        self.assertEqual(socket.closed(5).code, 4003)
        self.assertIn(self.login("live_user").status, (401, 403))

    def test_bad_input(self):
        self.server.stop()
        self.assertNotEqual(run("user", "create", "weak_user", *self.data(),
                                stdin=b"short\n").returncode, 0)
        self.assertEqual(self.create("twice_user").returncode, 0)
        self.assertNotEqual(self.create("twice_user").returncode, 0)
        self.assertNotEqual(run("user", "promote", "twice_user", "king",
                                *self.data()).returncode, 0)

    def test_unknown_person(self):
        self.server.stop()
        done = run("user", "promote", "nobody_here", "admin", *self.data())
        self.assertNotEqual(done.returncode, 0)
        self.assertTrue(done.stderr)


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
