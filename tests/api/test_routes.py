"""Every route of the document needs a token, but for the ones that are listed here (G04)."""

import re
import subprocess

from parleytest.case import ApiCase
from parleytest.server import binary, clean_environment

PUBLIC = {("POST", "/api/v1/auth/signup"), ("POST", "/api/v1/auth/login"),
          ("POST", "/api/v1/auth/refresh"), ("POST", "/api/v1/auth/password/forgot"),
          ("POST", "/api/v1/auth/password/reset"), ("GET", "/api/v1/calendars/{file}"),
          ("GET", "/api/v1/openapi.json"), ("GET", "/api/v1/asyncapi.json"),
          ("GET", "/api/v1/trade-signals/approved"), ("GET", "/.well-known/jwks.json"),
          ("GET", "/health"), ("GET", "/livez"), ("GET", "/readyz"), ("GET", "/metrics")}
# Not a token in the header lets one in here, but a ticket, an auth frame or a cookie.
OTHERWISE = {("GET", "/ws"), ("GET", "/api/v1/stream"), ("POST", "/api/v1/auth/logout")}
METHODS = ("get", "post", "put", "patch", "delete")


class Walk(ApiCase):
    def routes(self):
        for template, item in self.server.document.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), template, item[method]

    def concrete(self, template):
        return re.sub(r"\{[^}]*\}", "0190b3c4-0000-7000-8000-000000000000", template)

    def test_no_token_no_answer(self):
        walked = 0
        for method, template, _ in self.routes():
            if (method, template) in PUBLIC:
                continue
            with self.subTest(route=f"{method} {template}"):
                for token in (None, "nonsense"):
                    answer = self.server.http.request(method, self.concrete(template), token=token,
                                                      body={} if method in ("POST", "PUT", "PATCH")
                                                      else None)
                    if (method, template) == ("GET", "/ws"):
                        self.refused(answer, 426)
                    else:
                        self.refused(answer, 401)
            walked += 1
        self.assertGreater(walked, 10)

    def test_what_asks_for_a_token_itself_is_marked(self):
        paths = self.server.document.document["paths"]
        for method, template in OTHERWISE - {("GET", "/ws")}:
            operation = paths[template][method.lower()]
            self.assertEqual(operation["security"], [{"bearer": []}, {}])
            self.assertIn("401", operation["responses"])
            self.assertIn("token_required", operation["x-error-codes"])

    def test_public_routes_are_marked(self):
        for method, template, operation in self.routes():
            if (method, template) in OTHERWISE:
                continue
            with self.subTest(route=f"{method} {template}"):
                security = operation.get("security",
                                         self.server.document.document.get("security"))
                open_to_all = security in (None, []) or {} in security
                self.assertEqual(open_to_all, (method, template) in PUBLIC)

    def test_the_status_of_every_error_of_its_own_is_listed(self):
        seen = set()
        for method, template, operation in self.routes():
            for status, code in re.findall(r"(\d{3}) `(\w+)`", operation.get("description", "")):
                with self.subTest(route=f"{method} {template}", code=code):
                    self.assertIn(status, operation["responses"])
                    self.assertIn(code, operation["x-error-codes"])
                seen.add((method, template, status, code))
        base = "/api/v1"
        for known in (("POST", base + "/auth/login", "401", "invalid_credentials"),
                      ("POST", base + "/auth/refresh", "403", "account_pending"),
                      ("DELETE", base + "/users/me", "403", "password_required"),
                      ("PATCH", base + "/admin/users/{id}", "409", "last_admin"),
                      ("PATCH", base + "/chats/{id}/messages/{seq}", "403", "channel_read_only")):
            self.assertIn(known, seen)

    def test_the_spine_is_there(self):
        have = {(m, re.sub(r"\{[^}]*\}", "{}", t)) for m, t, _ in self.routes()}
        base = "/api/v1"
        for method, path in (("POST", "/auth/signup"), ("POST", "/auth/login"),
                             ("POST", "/auth/refresh"), ("POST", "/auth/logout"),
                             ("POST", "/auth/logout-all"), ("GET", "/auth/sessions"),
                             ("DELETE", "/auth/sessions/{}"), ("POST", "/auth/password/change"),
                             ("GET", "/users/me"), ("PATCH", "/users/me"), ("GET", "/users/{}"),
                             ("GET", "/users/by-username/{}"), ("POST", "/chats"),
                             ("GET", "/chats"), ("GET", "/chats/{}"), ("PATCH", "/chats/{}"),
                             ("GET", "/chats/{}/members"), ("POST", "/chats/{}/members"),
                             ("PATCH", "/chats/{}/members/{}"), ("DELETE", "/chats/{}/members/{}"),
                             ("POST", "/chats/{}/messages"), ("GET", "/chats/{}/messages"),
                             ("GET", "/chats/{}/messages/{}"), ("PATCH", "/chats/{}/messages/{}"),
                             ("DELETE", "/chats/{}/messages/{}"),
                             ("PUT", "/chats/{}/messages/{}/reactions/{}"),
                             ("DELETE", "/chats/{}/messages/{}/reactions/{}"),
                             ("PUT", "/chats/{}/read"), ("POST", "/stream/ticket"),
                             ("GET", "/stream"), ("GET", "/updates")):
            with self.subTest(route=f"{method} {path}"):
                self.assertIn((method, base + path), have)

    def test_signed_in_with_nonsense_never_500(self):
        user = self.server.user()
        for method, template, operation in self.routes():
            if template.endswith(("/stream", "/updates")) or "logout" in template or \
                    template == "/api/v1/users/me":
                continue
            for body in ({}, {"x": 1}):
                with self.subTest(route=f"{method} {template}", body=body):
                    answer = self.server.http.request(
                        method, self.concrete(template), token=user.token,
                        body=body if method in ("POST", "PUT", "PATCH") else None)
                    self.assertLess(answer.status, 500, answer)

    def test_a_body_where_none_is_taken_is_refused(self):
        admin = self.server.user()
        subprocess.run([binary(), "user", "promote", admin.username, "admin", "--data",
                        str(self.server.data)], check=True, env=clean_environment(),
                       capture_output=True, timeout=30)
        admin, count = admin.login(), 0
        for method, template, operation in self.routes():
            if method not in ("POST", "PUT", "PATCH", "DELETE") or "requestBody" in operation:
                continue
            count += 1
            self.assertIn("unexpected_body", operation["x-error-codes"])
            for raw in (b'{"a":1}', b"[]", b"a=b", b"{", b"{}{}", b"null", b"{}}"):
                with self.subTest(route=f"{method} {template}", body=raw):
                    self.refused(self.server.http.request(
                        method, self.concrete(template), token=admin.token, raw_body=raw), 400,
                        "unexpected_body")
        self.assertGreater(count, 30)

    def test_a_query_where_none_is_taken_is_refused(self):
        user = self.server.user()
        known = 0
        for method, template, operation in self.routes():
            if any(p.get("in") == "query" for p in operation["parameters"]) or \
                    "/admin/" in template or template.endswith(("/logout", "/logout-all")):
                continue
            known += 1
            path = self.concrete(template.replace("{seq}", "1").replace("{emoji}", "x"))
            with self.subTest(route=f"{method} {template}"):
                answer = self.server.http.request(method, path + "?zzz=1", token=user.token)
                if method == "GET" and (method, template) in PUBLIC:
                    self.assertNotEqual(answer.code, "unknown_field")  # for probes and the like
                else:
                    self.refused(answer, 400, "unknown_field")
                    self.assertIn("unknown_field", operation["x-error-codes"])
        self.assertGreater(known, 40)

    def test_an_empty_query_is_none(self):
        user = self.server.user()
        for query in ("", "&", "&&"):
            self.ok(user.get("/users/me?" + query))

    def test_an_empty_object_is_no_body(self):
        ada, bob = self.server.users(2)
        path = f"/api/v1/users/{bob.id}/follow"
        for method in ("PUT", "DELETE"):
            for raw in (b"", b"{}", b" {\r\n\t} \n"):
                with self.subTest(method=method, body=raw):
                    self.ok(self.server.http.request(method, path, token=ada.token, raw_body=raw))

    def test_admin_routes_are_closed_to_users(self):
        user = self.server.user()
        for method, template, _ in self.routes():
            if "/admin/" in template:
                with self.subTest(route=f"{method} {template}"):
                    self.refused(self.server.http.request(
                        method, self.concrete(template), token=user.token,
                        body={} if method in ("POST", "PUT", "PATCH") else None), 403)


class Preconditions(ApiCase):
    """Whatever can be edited under If-Match can be deleted so, too."""

    def test_deleting_what_has_changed(self):
        user = self.server.user()
        post = self.ok(user.post("/posts", {"text": "a post"}), 201)["id"]
        for path, body in (("/chats", {"kind": "group", "title": "a", "member_ids": []}),
                           ("/posts", {"text": "another"}),
                           (f"/posts/{post}/comments", {"text": "a comment"}),
                           ("/trade-signals", {"symbol": "A", "side": "buy", "entry_price": "1"})):
            with self.subTest(path=path):
                written = user.post(path, body)
                one = f"{path}/{self.ok(written, 201)['id']}"
                for other in ('"nope"', f'W/{written.header("etag")}', "nope"):
                    self.refused(user.delete(one, headers={"If-Match": other}), 412, "stale")
                self.ok(user.delete(one, headers={"If-Match": written.header("etag")}), 204)

    def test_the_document_says_so(self):
        for template, item in self.server.document.document["paths"].items():
            if template == "/api/v1/users/me":
                continue  # an account goes by its password, whatever the profile says
            if "patch" in item and "delete" in item and "stale" in item["patch"]["x-error-codes"]:
                with self.subTest(path=template):
                    self.assertIn("stale", item["delete"]["x-error-codes"])


class Documents(ApiCase):
    def test_openapi(self):
        document = self.ok(self.server.get("/api/v1/openapi.json"))
        self.assertTrue(document["openapi"].startswith("3.1"))
        ids = [o.get("operationId") for p in document["paths"].values()
               for m, o in p.items() if m in METHODS]
        self.assertNotIn(None, ids)
        self.assertEqual(len(ids), len(set(ids)))

    def codes(self, method, template):
        return self.server.document.document["paths"][template][method]["x-error-codes"]

    def test_the_codes_that_come_are_named(self):
        user = self.server.user()
        post = lambda raw, **headers: user.post("/posts", raw_body=raw, headers={
            "Content-Type": "application/json",
            **{n.replace("_", "-"): v for n, v in headers.items()}})
        for status, code, answer in (
                (400, "invalid_idempotency_key", post(b"{}", Idempotency_Key="k" * 129)),
                (400, "bad_content_coding", post(b"{}", Content_Encoding="gzip")),
                (415, "content_coding", post(b"{}", Content_Encoding="br")),
                (413, "body_too_large", post(b" " * (1 << 20)))):
            self.refused(answer, status, code)
            self.assertIn(code, self.codes("post", "/api/v1/posts"))
        for headers, code in (({}, "upgrade_required"), ({
                "Connection": "upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "12",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}, "websocket_version")):
            self.refused(self.server.get("/ws", headers=headers), 426, code)
            self.assertIn(code, self.codes("get", "/ws"))
        self.refused(user.put("/posts"), 405, "method_not_allowed")
        document = self.server.document.document
        for code in ("method_not_allowed", "request_timeout", "too_many_connections"):
            self.assertIn(code, document["x-error-codes"])
        key = document["components"]["parameters"]["IdempotencyKey"]
        self.assertEqual(key["schema"]["maxLength"], 128)

    def test_downloads_are_named(self):
        paths = self.server.document.document["paths"]
        for path in ("/api/v1/users/me/export", "/api/v1/users/me/calendar.ics",
                     "/api/v1/events/{id}/calendar.ics", "/api/v1/calendars/{file}"):
            self.assertIn("content-disposition", paths[path]["get"]["responses"]["200"]["headers"])

    def test_references_resolve(self):
        document = self.server.document
        def walk(node):
            if isinstance(node, dict):
                if "$ref" in node:
                    document.resolve(node)
                for value in node.values():
                    walk(value)
            elif isinstance(node, list):
                for value in node:
                    walk(value)
        walk(document.document)

    def test_path_parameters_are_declared(self):
        for template, item in self.server.document.document["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                given = {self.server.document.resolve(p)["name"]
                         for p in item.get("parameters", []) + item[method].get("parameters", [])
                         if self.server.document.resolve(p)["in"] == "path"}
                self.assertEqual(given, set(re.findall(r"\{([^}]*)\}", template)),
                                 f"{method} {template}")

    def test_asyncapi(self):
        document = self.ok(self.server.get("/api/v1/asyncapi.json"))
        self.assertTrue(document["asyncapi"].startswith("3.0"))
        text = str(document)
        for name in ("message.sent", "message.updated", "message.deleted", "reaction.changed",
                     "chat.created", "member.changed", "read.changed", "typing", "resync",
                     "chat.send", "chat.edit", "chat.read"):
            self.assertIn(name, text)
