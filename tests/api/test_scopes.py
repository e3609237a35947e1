"""Who may call what (G04). Every operation of the document is called by nobody, a user, a moderator
and an administrator, and what is refused is compared with what the document says of it; and what
the document says of the administration and of what is open to all is compared with the two tables
below, which were written by hand. A route that forgets its scope fails one or the other."""

import re
import subprocess
import uuid

from parleytest import SseReader, binary, clean_environment
from parleytest.case import ApiCase

METHODS = ("get", "post", "put", "patch", "delete")
ROLES = ("nobody", "user", "moderator", "admin")
V1 = "/api/v1"

# What anybody may call without a token, and nothing else.
PUBLIC = {
    ("POST", V1 + "/auth/signup"), ("POST", V1 + "/auth/login"), ("POST", V1 + "/auth/refresh"),
    ("POST", V1 + "/auth/password/forgot"), ("POST", V1 + "/auth/password/reset"),
    ("POST", V1 + "/auth/logout"),            # by token, or by the refresh cookie
    ("GET", V1 + "/trade-signals/approved"),  # X01: public list of approved
    ("GET", "/.well-known/jwks.json"), ("GET", "/health"), ("GET", "/livez"),
    ("GET", "/readyz"), ("GET", "/metrics"),
    ("GET", "/ws"),                           # by header, subprotocol or a first frame
    ("GET", V1 + "/stream"),                  # by header or ticket
    ("GET", V1 + "/calendars/{file}"),        # by a secret in the address: calendar programs
}

# Who may call what of the administration; those above may as well.
ADMINISTRATION = {
    ("GET", "/users"): "admin",
    ("PATCH", "/users/{id}"): "admin",
    ("GET", "/users/{id}/sessions"): "admin",
    ("DELETE", "/users/{id}/sessions"): "admin",
    ("GET", "/dead-letters"): "admin",
    ("POST", "/dead-letters/{id}/requeue"): "admin",
    ("DELETE", "/dead-letters/{id}"): "admin",
    ("GET", "/sagas"): "admin",
    ("GET", "/audit"): "admin",
    ("GET", "/nodes"): "admin",
    ("GET", "/connections"): "admin",
    ("DELETE", "/connections/{id}"): "admin",
    ("GET", "/reports"): "moderator",
    ("GET", "/reports/{id}"): "moderator",
    ("PATCH", "/reports/{id}"): "moderator",
    ("GET", "/trade-signals"): "admin",
    ("PUT", "/trade-signals/{id}/status"): "admin",
}
# Open without a token in the header, but not to those who bring no cookie or ticket either.
OTHERWISE = {("POST", V1 + "/auth/logout"), ("GET", V1 + "/stream")}
# Called last of all: they end the session or the account that calls.
ENDINGS = {("POST", V1 + "/auth/logout"), ("POST", V1 + "/auth/logout-all"),
           ("DELETE", V1 + "/users/me")}


class Scopes(ApiCase):
    own_server = True

    def operations(self):
        found = [(method.upper(), template, item[method])
                 for template, item in self.server.document.document["paths"].items()
                 for method in METHODS if method in item]
        return sorted(found, key=lambda o: ((o[0], o[1]) in ENDINGS, o[1], o[0]))

    def needed(self, operation):
        """The lowest of the roles that may, as the document says."""
        security = operation.get("security", self.server.document.document["security"])
        if security == [] or {} in security:
            return "nobody"
        self.assertEqual([list(s) for s in security], [["bearer"]])
        scopes = security[0]["bearer"]
        self.assertIn(scopes, ([], ["moderator"], ["admin"]))
        return scopes[0] if scopes else "user"

    def somebody(self, role):
        user = self.server.user(role[:1])
        if role == "user":
            return user
        done = subprocess.run([binary(), "user", "promote", user.username, role, "--data",
                               str(self.server.data)], capture_output=True, timeout=60,
                              env=clean_environment(), check=False)
        self.assertEqual(done.returncode, 0, done)
        return user.login()

    def call(self, method, template, token):
        path = re.sub(r"\{[^}]*\}", str(uuid.uuid4()), template)
        if (method, template) == ("GET", V1 + "/stream"):
            reader = SseReader(self.server.address, token)
            reader.close()
            return reader.head
        body = {} if method in ("POST", "PUT", "PATCH") else None
        return self.server.http.request(method, path, body, token=token)

    def judge(self, role, needed, answer, where):
        if ROLES.index(role) >= ROLES.index(needed):
            self.assertNotIn(answer.code, ("token_required", "forbidden"), where)
            self.assertLess(answer.status, 500, where)
        elif role == "nobody":
            self.assertEqual((answer.status, answer.code), (401, "token_required"), where)
        else:
            self.assertEqual((answer.status, answer.code), (403, "forbidden"), where)

    def test_every_operation_refuses_those_whom_the_document_refuses(self):
        people = {role: self.somebody(role) for role in ROLES[1:]}
        walked = 0
        for method, template, operation in self.operations():
            needed = self.needed(operation)
            if (method, template) in OTHERWISE:
                needed = "user"
            for role in ROLES:
                with self.subTest(operation=f"{method} {template}", role=role):
                    user = people.get(role)
                    answer = self.call(method, template, user and user.token)
                    self.judge(role, needed, answer, f"{method} {template} as {role}: {answer}")
                    if (method, template) in ENDINGS and user is not None:
                        people[role] = self.somebody(role)
                    walked += 1
        self.assertGreater(walked, 4 * 80)

    def test_nothing_is_open_to_all_but_what_is_listed(self):
        for method, template, operation in self.operations():
            with self.subTest(operation=f"{method} {template}"):
                self.assertEqual(self.needed(operation) == "nobody", (method, template) in PUBLIC)
        have = {(method, template) for method, template, _ in self.operations()}
        self.assertEqual(PUBLIC - have, set(), "listed, and not there")

    def test_the_administration_is_for_whom_it_is_meant(self):
        have = {}
        for method, template, operation in self.operations():
            if "/admin" in template:
                self.assertTrue(template.startswith(V1 + "/admin/"), template)
                have[method, template.removeprefix(V1 + "/admin")] = self.needed(operation)
        self.assertEqual(have, ADMINISTRATION)
        for method, template, operation in self.operations():
            if "/admin" not in template:
                self.assertIn(self.needed(operation), ("nobody", "user"), f"{method} {template}")

    def test_a_role_that_is_taken_away_counts_at_once(self):
        admin, other = self.somebody("admin"), self.somebody("admin")
        self.ok(other.get("/admin/nodes"))
        self.ok(admin.patch(f"/admin/users/{other.id}", {"role": "user"}))
        self.refused(other.get("/admin/nodes"), 401, "token_revoked")
        self.refused(other.login().get("/admin/nodes"), 403, "forbidden")
