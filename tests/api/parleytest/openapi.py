"""Checks answers against the OpenAPI document that the same binary prints. A status that the
document does not name for its route is an error as well, and so is the code of a refusal; `default`
stands for failures of the server (5xx) alone, and for refusals from before the route was known."""

import re

import jsonschema

HEADERS = ("etag", "location", "retry-after", "ratelimit", "ratelimit-policy", "www-authenticate",
           "x-correlation-id", "idempotency-replayed", "deprecation", "link", "content-disposition")

class Document:
    def __init__(self, document):
        self.document = document
        self.routes = []
        self.validators = {}
        for template, item in document["paths"].items():
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
            # More literal text first: /users/me before /users/{id}.
            self.routes.append((template.count("{"), re.compile(pattern + "$"), template, item))
        self.routes.sort(key=lambda r: r[0])

    def operation(self, method, path):
        """(template, operation) of a request, or (None, None)."""
        plain = path.split("?")[0]
        for _, pattern, template, item in self.routes:
            if pattern.match(plain) and method.lower() in item:
                return template, item[method.lower()]
        return None, None

    def check(self, answer, method, path):
        """Raises AssertionError when the answer is not what the document says."""
        template, operation = self.operation(method, path)
        if operation is None:
            return
        where = f"{method} {template} {answer.status}"
        responses = operation["responses"]
        response = responses.get(str(answer.status))
        if response is None and (answer.status >= 500 or self.says_the_edge(answer)):
            response = responses.get("default")
        if response is None:
            raise AssertionError(f"{where}: this status is not in the document: {answer}")
        self.check_code(where, answer, operation)
        response = self.resolve(response)
        self.check_headers(where, answer, response.get("headers", {}))
        content = response.get("content", {})
        kind = (answer.header("content-type") or "").split(";")[0]
        if answer.body and kind not in content:
            raise AssertionError(f"{where}: type {kind} is not in the document")
        if answer.body and kind.endswith("json") and kind in content:
            self.validate(where, content[kind].get("schema"), answer.json)

    def says_the_edge(self, answer):
        """Whether it is a refusal from before the route was known: such codes stand once in the
        document, and no operation lists their statuses."""
        return self.code_of(answer) in self.document["x-error-codes"]

    def check_code(self, where, answer, operation):
        """A refusal says why with a code that the document has for its route."""
        code = self.code_of(answer)
        if 400 <= answer.status < 500 and answer.body and code not in operation["x-error-codes"] \
                and not self.says_the_edge(answer):
            raise AssertionError(f"{where}: the code {code} is not in the document: {answer}")

    @staticmethod
    def code_of(answer):
        kind = (answer.header("content-type") or "").split(";")[0]
        return answer.json.get("code") if answer.body and kind == "application/problem+json" \
            else None

    def check_headers(self, where, answer, declared):
        """Of the headers that clients work with none is sent that is not in the document, and
        none is missing that it says is always there."""
        for name in HEADERS:
            if answer.header(name) and name not in declared:
                raise AssertionError(f"{where}: the header {name} is not in the document")
        for name, node in declared.items():
            header = self.resolve(node)
            if header.get("required") and not answer.header(name):
                raise AssertionError(f"{where}: there is no header {name}")
            if header["schema"]["type"] == "integer" and answer.header(name):
                int(answer.header(name))

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            at = self.document
            for part in node["$ref"].lstrip("#/").split("/"):
                at = at[part.replace("~1", "/").replace("~0", "~")]
            node = at
        return node

    def validate(self, where, schema, value):
        if schema is None:
            return
        if where not in self.validators:
            whole = dict(schema)
            whole["components"] = self.document.get("components", {})
            jsonschema.Draft202012Validator.check_schema(whole)
            self.validators[where] = jsonschema.Draft202012Validator(
                whole, format_checker=jsonschema.FormatChecker())
        errors = sorted(self.validators[where].iter_errors(value), key=str)
        if errors:
            first = errors[0]
            raise AssertionError(f"{where}: {'/'.join(map(str, first.absolute_path))}: "
                                 f"{first.message[:300]}")
