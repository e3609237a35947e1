"""HTTP/1.1 over bare sockets, so that malformed requests can be sent and every byte of the answer
is seen. `Http` is the well-behaved client; `RawConnection` sends what it is given."""

import json
import socket
import urllib.parse


class Answer:
    """One answer: status, headers as a list of (lower-case name, value), body as bytes."""

    def __init__(self, status, reason, headers, body, version="HTTP/1.1"):
        self.status, self.reason, self.headers, self.body = status, reason, headers, body
        self.version = version

    def header(self, name, default=None):
        values = [v for n, v in self.headers if n == name.lower()]
        return ", ".join(values) if values else default

    @property
    def json(self):
        try:
            return json.loads(self.body.decode("utf-8"))
        except UnicodeDecodeError as bad:
            around = self.body[max(0, bad.start - 300):bad.start + 300]
            raise ValueError(f"no UTF-8 at {bad.start} of {len(self.body)}: {around!r}") from bad

    @property
    def code(self):
        """The stable error code of a problem+json body, else None."""
        try:
            return self.json.get("code")
        except (ValueError, AttributeError):
            return None

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


class RawConnection:
    """A TCP connection to the server; reads are buffered and have a time limit."""

    def __init__(self, address, timeout=10.0, source=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection(
            (host, int(port)), timeout, source_address=(source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(timeout)
        self.buffer = b""
        self.eof = False

    def send(self, data):
        self.socket.sendall(data)

    def timeout(self, seconds):
        self.socket.settimeout(seconds)

    def fill(self):
        """Reads once; False at the end of the stream."""
        data = self.socket.recv(65536)
        if not data:
            self.eof = True
            return False
        self.buffer += data
        return True

    def read_until(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                raise ConnectionError(f"closed before {mark!r}; had {self.buffer[:200]!r}")
        at = self.buffer.index(mark) + len(mark)
        piece, self.buffer = self.buffer[:at], self.buffer[at:]
        return piece

    def read_exactly(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise ConnectionError(f"closed after {len(self.buffer)} of {count} bytes")
        piece, self.buffer = self.buffer[:count], self.buffer[count:]
        return piece

    def read_to_end(self):
        try:
            while self.fill():
                pass
        except ConnectionResetError:
            self.eof = True
        piece, self.buffer = self.buffer, b""
        return piece

    def read_head(self):
        lines = self.read_until(b"\r\n\r\n")[:-4].split(b"\r\n")
        version, status, reason = (lines[0].decode("latin-1") + "  ").split(" ", 2)
        headers = []
        for line in lines[1:]:
            name, value = line.decode("latin-1").split(":", 1)
            headers.append((name.strip().lower(), value.strip()))
        return Answer(int(status), reason.strip(), headers, b"", version)

    def read_answer(self, head_only=False):
        answer = self.read_head()
        if head_only or answer.status in (204, 304) or 100 <= answer.status < 200:
            return answer
        if (answer.header("transfer-encoding") or "").lower() == "chunked":
            answer.body = b"".join(self.read_chunks())
        elif answer.header("content-length") is not None:
            answer.body = self.read_exactly(int(answer.header("content-length")))
        else:
            answer.body = self.read_to_end()
        return answer

    def read_chunks(self):
        while True:
            size = int(self.read_until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                while self.read_until(b"\r\n") != b"\r\n":
                    pass
                return
            yield self.read_exactly(size)
            if self.read_exactly(2) != b"\r\n":
                raise ValueError("a chunk without its end")

    def is_closed(self, timeout=3.0):
        """Whether the server closes the connection within the time."""
        self.timeout(timeout)
        try:
            while self.fill():
                pass
            return True
        except socket.timeout:
            return False
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()


class Http:
    """Requests one after the other on a kept connection. `check` (answer, method, path) is called
    with every answer: the server fixture hangs the OpenAPI validation there."""

    def __init__(self, address, check=None, timeout=20.0):
        self.address, self.check, self.timeout = address, check, timeout
        self.connection = None

    def request(self, method, path, body=None, headers=None, token=None, query=None, raw_body=None):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        lines = {"Host": self.address}
        if token:
            lines["Authorization"] = f"Bearer {token}"
        data = raw_body
        if body is not None:
            data = json.dumps(body).encode()
            lines["Content-Type"] = "application/json"
        if data is not None or method in ("POST", "PUT", "PATCH"):
            lines["Content-Length"] = str(len(data or b""))
        lines.update(headers or {})
        text = f"{method} {path} HTTP/1.1\r\n" + "".join(
            f"{n}: {v}\r\n" for n, v in lines.items() if v is not None) + "\r\n"
        answer = self._exchange(text.encode("utf-8") + (data or b""), method == "HEAD")
        if self.check:
            self.check(answer, method, path)
        return answer

    def _exchange(self, data, head_only):
        for attempt in (0, 1):
            reused = self.connection is not None
            if not reused:
                self.connection = RawConnection(self.address, self.timeout)
            try:
                self.connection.send(data)
                answer = self.connection.read_answer(head_only)
                break
            except (ConnectionError, BrokenPipeError):
                # A kept connection may have been closed while idle (RFC 9112 section 9.3.1).
                had_bytes = bool(self.connection.buffer)
                self.close()
                if not reused or attempt or had_bytes:
                    raise
        if self.connection.eof or (answer.header("connection") or "").lower() == "close":
            self.close()
        return answer

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None
