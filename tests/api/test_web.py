"""The web client and the API reference are served from the binary."""

import re

from parleytest.case import ApiCase


class Pages(ApiCase):
    def page(self, path, **more):
        answer = self.server.get(path, **more)
        self.assertEqual(answer.status, 200, path)
        return answer

    def test_client(self):
        answer = self.page("/")
        if b"<html" not in answer.body.lower():
            self.skipTest("built without the web client")
        self.assertTrue(answer.header("content-type").startswith("text/html"))
        policy = answer.header("content-security-policy")
        self.assertIsNotNone(policy)
        self.assertNotIn("unsafe-inline", policy)
        self.assertEqual(answer.header("x-content-type-options"), "nosniff")
        for link in re.findall(rb'(?:src|href)="(/[^"]+)"', answer.body):
            with self.subTest(link=link):
                self.page(link.decode())

    def test_reference(self):
        answer = self.server.get("/docs")
        self.assertEqual(answer.status, 200, answer)

    def test_no_way_out_of_the_folder(self):
        for path in ("/../etc/passwd", "/assets/../../etc/passwd", "/%2e%2e/etc/passwd",
                     "/assets/%2e%2e%2f%2e%2e%2fetc/passwd", "//etc/passwd"):
            with self.subTest(path=path):
                answer = self.server.http.request("GET", path)
                self.assertNotIn(b"root:", answer.body)

    def test_cached_copies(self):
        answer = self.page("/")
        tag = answer.header("etag")
        if tag:
            self.assertEqual(self.server.get("/", headers={"If-None-Match": tag}).status, 304)
