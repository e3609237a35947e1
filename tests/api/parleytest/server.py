"""The server under test and the people who use it."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

from .http import Http
from .openapi import Document
from .streams import PollReader, SseReader, WsReader
from .ws import WebSocket

PASSWORD = "Quiet-River-17-Stone"
# Two loops wherever the tests run: what one hears of the other is half of what there is to test.
BASE_SETTINGS = {"auth.bcrypt_cost": "4", "limits.per_user": "off", "limits.per_address": "off",
                 "loops": "2"}
# For every server that the tests start: API_SETTINGS="key=value key=value".
BASE_SETTINGS.update(s.split("=", 1) for s in os.environ.get("API_SETTINGS", "").split())
_used_names = iter(range(1, 10**9))


def binary():
    path = os.environ.get("PARLEY_BIN")
    if not path or not os.access(path, os.X_OK):
        raise SystemExit("PARLEY_BIN must name the parley binary")
    return path


def clean_environment(**more):
    """Ours without PARLEY_ variables, which would configure the server."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith("PARLEY_")}, **more}


def report_in(log):
    """What is no line of the server's own log, or else its end."""
    lines = [line for line in log.splitlines() if not line.startswith('{"time"')]
    return "\n".join(lines[-120:] if lines else log.splitlines()[-20:])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class StartError(Exception):
    """The server ended instead of getting ready: its status and its log."""

    def __init__(self, status, log):
        super().__init__(f"status {status}: {log[-2000:]}")
        self.status, self.log = status, log


class Server:
    """One parley process on a port and a data folder of its own. Settings are keys of the
    configuration; None takes a base setting away."""

    def __init__(self, settings=None, data=None, environment=None, start=True, command=None):
        self.settings = dict(BASE_SETTINGS)
        self.settings.update(settings or {})
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="parley-test-"))
        self.data = pathlib.Path(data) if data else self.folder / "data"
        self.environment = clean_environment(**(environment or {}))
        self.command_prefix = command or []
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.log_path = self.folder / "log"
        self.process = None
        self.ready_line = None
        self._document = None
        self.http = Http(self.address, self.check)
        if start:
            try:
                self.start()
            except BaseException:
                self.remove()
                raise

    # --- life ---------------------------------------------------------------------------------
    def command(self):
        command = self.command_prefix + [binary(), "serve", "--listen", self.address, "--data",
                                         str(self.data)]
        for key, value in self.settings.items():
            if value is not None:
                command += ["--set", f"{key}={value}"]
        return command

    def start(self, timeout=30.0):
        self.data.mkdir(parents=True, exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=log,
                                            env=self.environment)
        line = []
        reader = threading.Thread(target=lambda: line.append(self.process.stdout.readline()))
        reader.daemon = True
        reader.start()
        reader.join(timeout)
        if not line or not line[0]:
            if self.process.poll() is None and not line:
                self.kill()
                raise StartError(None, "no ready line in time\n" + self.log())
            status = self.process.wait(10)
            self.process.stdout.close()
            self.process = None
            raise StartError(status, self.log())
        self.ready_line = line[0].decode().strip()
        return self

    def kill(self):
        """Like a crash: SIGKILL."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None
        self.http.close()

    def stop(self, timeout=30.0):
        """SIGTERM; returns the exit status."""
        if not self.process:
            return None
        self.http.close()  # it would be given the time to close by itself
        self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout=30.0):
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end within {timeout} s") from None
        self.process.stdout.close()
        self.process = None
        self.http.close()
        return status

    def restart(self):
        self.stop()
        return self.start()

    def remove(self):
        """With CLEAN_EXIT=1 the server has to end by itself, with 0: what a sanitizer reports at
        exit (leaks, races) is a failure, and its report in the message."""
        if self.process and os.environ.get("CLEAN_EXIT") == "1":
            status = self.stop()
            if status != 0:
                log, folder = self.log(), self.folder
                shutil.rmtree(folder, ignore_errors=True)
                raise AssertionError(f"the server ended with {status}\n{report_in(log)}")
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def database(self, room):
        """The file of a room's tables (database.rooms)."""
        rooms = [item for item in (self.settings.get("database.rooms") or "").split(",") if item]
        return self.data / (dict(item.split("=") for item in rooms).get(room, "main") + ".db")

    # --- requests -----------------------------------------------------------------------------
    @property
    def document(self):
        if self._document is None:
            answer = Http(self.address).request("GET", "/api/v1/openapi.json")
            self._document = Document(answer.json)
        return self._document

    def check(self, answer, method, path):
        """What holds for every answer: correlation id, problem form, the OpenAPI document."""
        if not answer.header("x-correlation-id"):
            raise AssertionError(f"{method} {path}: no x-correlation-id: {answer.headers}")
        if answer.status >= 400 and method != "HEAD":
            check_problem(answer)
        if method != "HEAD":
            self.document.check(answer, method, path)

    def get(self, path, **more):
        return self.http.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.http.request("POST", path, body, **more)

    def user(self, prefix="u", **more):
        """A new account, signed in."""
        name = f"{prefix}{os.getpid() % 10000}x{next(_used_names)}"
        answer = self.post("/api/v1/auth/signup",
                           {"username": name, "password": PASSWORD, **more})
        for _ in range(100):
            if answer.status not in (202, 403):
                break
            time.sleep(0.1)
            answer = self.post("/api/v1/auth/login", {"login": name, "password": PASSWORD})
        if answer.status not in (200, 201):
            raise AssertionError(f"sign-up: {answer}")
        return User(self, name, answer.json)

    def users(self, count):
        return [self.user() for _ in range(count)]


def check_problem(answer):
    """RFC 9457 and API.md: type, title, status, detail, code, correlation_id."""
    kind = (answer.header("content-type") or "").split(";")[0]
    if kind != "application/problem+json":
        raise AssertionError(f"an error of type {kind}: {answer}")
    problem = answer.json
    for name, form in (("type", str), ("title", str), ("status", int), ("detail", str),
                       ("code", str), ("correlation_id", str)):
        if not isinstance(problem.get(name), form):
            raise AssertionError(f"the problem has no {name}: {problem}")
    if problem["status"] != answer.status:
        raise AssertionError(f"status {answer.status}, the problem says {problem['status']}")
    if not re.fullmatch(r"[a-z0-9_]+", problem["code"]):
        raise AssertionError(f"code {problem['code']!r}")
    given = answer.header("x-correlation-id")
    if given and problem["correlation_id"] != given:
        raise AssertionError("the problem names another correlation id than the header")
    for entry in problem.get("errors", []):
        if not {"field", "code", "detail"} <= set(entry):
            raise AssertionError(f"errors entry {entry}")


class User:
    """An account with one session."""

    def __init__(self, server, username, tokens):
        self.server, self.username, self.http = server, username, server.http
        self.take(tokens)
        self.id = tokens["user"]["id"]

    def take(self, tokens):
        self.token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]

    def own_connection(self):
        """For use in a thread of its own: the server's connection is for one thread."""
        self.http = Http(self.server.address)
        return self

    def login(self, **more):
        """Another session of the same account."""
        answer = self.server.post("/api/v1/auth/login",
                                  {"login": self.username, "password": PASSWORD, **more})
        if answer.status != 200:
            raise AssertionError(f"login: {answer}")
        return User(self.server, self.username, answer.json)

    def request(self, method, path, body=None, **more):
        return self.http.request(method, "/api/v1" + path, body, token=self.token, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def put(self, path, body=None, **more):
        return self.request("PUT", path, body, **more)

    def patch(self, path, body=None, **more):
        return self.request("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    # --- chats --------------------------------------------------------------------------------
    def chat(self, kind, others, **more):
        answer = self.post("/chats", {"kind": kind, "member_ids": [u.id for u in others], **more})
        if answer.status not in (200, 201):
            raise AssertionError(f"chat: {answer}")
        return answer.json

    def direct(self, other):
        return self.chat("direct", [other])

    def group(self, others, title="a group"):
        return self.chat("group", others, title=title)

    def send(self, chat_id, text, client_id=None, **more):
        answer = self.post(f"/chats/{chat_id}/messages",
                           {"text": text, "client_id": client_id or uuid.uuid4().hex, **more})
        if answer.status != 201:
            raise AssertionError(f"send: {answer}")
        return answer.json

    def history(self, chat_id, **query):
        answer = self.get(f"/chats/{chat_id}/messages", query=query)
        if answer.status != 200:
            raise AssertionError(f"history: {answer}")
        return answer.json["items"]

    def all_messages(self, chat_id):
        """The whole history, oldest first, page by page."""
        messages, after = [], 0
        while True:
            page = self.history(chat_id, after=after, limit=100)
            if not page:
                return messages
            messages += page
            after = page[-1]["seq"]

    # --- live ---------------------------------------------------------------------------------
    def ws(self, pos=None, via="header", **more):
        socket_ = WebSocket(self.server.address, token=self.token, via=via, pos=pos, **more)
        socket_.first = socket_.ready()
        return socket_

    def reader(self, transport, pos=None):
        if transport == "sse":
            reader = SseReader(self.server.address, self.token, pos)
            if reader.head.status != 200:
                raise AssertionError(f"stream: {reader.head}")
            reader.pos = reader.event("ready")["pos"]
            return reader
        return {"ws": WsReader, "poll": PollReader}[transport](self.server.address, self.token, pos)
