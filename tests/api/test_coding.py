"""Content codings: bodies that come compressed, answers that leave so, and their entity tags."""

import ctypes
import gzip
import json
import zlib

from parleytest.case import ApiCase
from parleytest.http import Http


def zstd_frame(plain):
    """RFC 8878: a frame of one raw block, for up to 255 bytes."""
    block = len(plain) << 3 | 1
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(plain)]) + block.to_bytes(3, "little") + plain


def unzstd(packed, room=1 << 20):
    """By the library that the server packs with."""
    plain, library = ctypes.create_string_buffer(room), ctypes.CDLL("libzstd.so.1")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    size = library.ZSTD_decompress(plain, ctypes.c_size_t(room), packed,
                                   ctypes.c_size_t(len(packed)))
    if size > room:
        raise ValueError("no zstd frame")
    return plain.raw[:size]


def unbrotli(packed, room=1 << 20):
    plain, size = ctypes.create_string_buffer(room), ctypes.c_size_t(room)
    if ctypes.CDLL("libbrotlidec.so.1").BrotliDecoderDecompress(
            ctypes.c_size_t(len(packed)), packed, ctypes.byref(size), plain) != 1:
        raise ValueError("no brotli stream")
    return plain.raw[:size.value]


UNPACK = {"gzip": gzip.decompress, "br": unbrotli, "zstd": unzstd}


class Bodies(ApiCase):
    def setUp(self):
        super().setUp()
        self.user = self.server.user()

    def patch(self, raw, coding):
        return self.user.patch("/users/me", raw_body=raw, headers={
            "Content-Type": "application/json", "Content-Encoding": coding})

    def test_known_codings(self):
        for coding, pack in (("gzip", gzip.compress), ("GZIP", gzip.compress),
                             ("x-gzip", gzip.compress),
                             ("zstd", zstd_frame), ("identity", bytes)):
            with self.subTest(coding=coding):
                bio = f"sent as {coding}"
                self.ok(self.patch(pack(json.dumps({"bio": bio}).encode()), coding))
                self.assertEqual(self.ok(self.user.get("/users/me"))["bio"], bio)

    def test_others_are_refused(self):
        plain = b'{"bio":"x"}'
        for coding in ("br", "deflate", "gzip, gzip", "x", ""):
            with self.subTest(coding=coding):
                answer = self.patch(zlib.compress(plain), coding)
                self.refused(answer, 415, "content_coding")
                self.assertEqual(answer.header("accept-encoding"), "gzip, zstd")

    def test_rubble_and_cut_ends(self):
        packed = gzip.compress(b'{"bio":"whole"}')
        for raw in (b"no gzip", packed[:-1], packed[:12], packed[:-8] + b"\0" * 8, packed + b"x"):
            with self.subTest(raw=raw):
                self.refused(self.patch(raw, "gzip"), 400, "bad_content_coding")
        self.refused(self.patch(zstd_frame(b"{}")[:-1], "zstd"), 400, "bad_content_coding")

    def test_a_bomb_ends_at_the_routes_limit(self):
        bomb = gzip.compress(b'{"bio":"' + b" " * (20 << 20) + b'"}')
        self.assertLess(len(bomb), 64 << 10)
        self.refused(self.patch(bomb, "gzip"), 413, "body_too_large")

    def test_what_is_unpacked_is_checked_like_any_body(self):
        self.refused(self.patch(gzip.compress(b'{"bio":1}'), "gzip"), 422)
        self.refused(self.patch(gzip.compress(b'{"bio":'), "gzip"), 400)

    def test_the_same_request_under_a_key(self):
        body = json.dumps({"kind": "group", "title": "packed", "member_ids": []}).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k-coding"}
        first = self.ok(self.user.post("/chats", raw_body=body, headers=headers), 201)
        again = self.user.post("/chats", raw_body=gzip.compress(body), headers={
            **headers, "Content-Encoding": "gzip"})
        self.assertEqual(self.ok(again, 201)["id"], first["id"])


class Answers(ApiCase):
    """A profile of more than a kilobyte, read by a client that knows codings."""

    def setUp(self):
        super().setUp()
        self.user = self.server.user()
        self.ok(self.user.patch("/users/me", {"bio": "много слов " * 40}))
        self.http = Http(self.server.address)
        self.addCleanup(self.http.close)

    def get(self, **headers):
        return self.http.request("GET", "/api/v1/users/me", token=self.user.token, headers={
            name.replace("_", "-"): value for name, value in headers.items()})

    def test_each_form_has_its_tag(self):
        plain, packed = self.get(), self.get(Accept_Encoding="gzip")
        self.assertEqual(packed.header("content-encoding"), "gzip")
        self.assertIsNone(plain.header("content-encoding"))
        self.assertEqual(gzip.decompress(packed.body), plain.body)
        self.assertEqual(packed.header("etag"), plain.header("etag")[:-1] + '-gzip"')
        for answer in (plain, packed):
            self.assertIn("accept-encoding", answer.header("vary").lower())

    def test_each_coding_comes_and_holds_the_same_bytes(self):
        chat = self.user.group([])["id"]
        paths = ["/api/v1/users/me"]
        for count in (1, 3):
            for n in range(count):
                self.user.send(chat, f"{n} words and more " * 800)
            paths.append(f"/api/v1/chats/{chat}/messages?limit={count}")
        for path in paths:
            plain = self.http.request("GET", path, token=self.user.token).body
            self.assertIn(len(plain), range(1 << 10, 64 << 10))
            for coding, unpack in UNPACK.items():
                with self.subTest(path=path, coding=coding):
                    packed = self.http.request("GET", path, token=self.user.token,
                                               headers={"Accept-Encoding": coding})
                    self.assertEqual(packed.header("content-encoding"), coding)
                    self.assertLess(len(packed.body), len(plain))
                    self.assertEqual(unpack(packed.body), plain)

    def test_a_large_answer_is_compressed_as_well(self):
        chat = self.user.group([])["id"]
        for n in range(40):
            self.user.send(chat, f"{n} words and more " * 200)
        for path in (f"/api/v1/chats/{chat}/messages?limit=40", "/api/v1/openapi.json"):
            plain = self.http.request("GET", path, token=self.user.token).body
            self.assertGreater(len(plain), 64 << 10)
            for coding, unpack in UNPACK.items():
                with self.subTest(path=path, coding=coding):
                    packed, head = (self.http.request(method, path, token=self.user.token,
                                                      headers={"Accept-Encoding": coding})
                                    for method in ("GET", "HEAD"))
                    self.assertEqual(packed.header("content-encoding"), coding)
                    self.assertLess(len(packed.body), len(plain) // 2)
                    self.assertEqual(unpack(packed.body), plain)
                    self.assertEqual(head.header("content-length"), str(len(packed.body)))

    def test_head_says_what_get_would(self):
        for coding in ("identity", *UNPACK):
            with self.subTest(coding=coding):
                head, get = (self.http.request(method, "/api/v1/users/me", token=self.user.token,
                                               headers={"Accept-Encoding": coding})
                             for method in ("HEAD", "GET"))
                for name in ("content-length", "content-encoding", "content-type", "etag", "vary"):
                    self.assertEqual(head.header(name), get.header(name), name)
                self.assertEqual((head.status, head.body), (200, b""))

    def test_a_browser_gets_zstd(self):
        answer = self.get(Accept_Encoding="gzip, deflate, br, zstd")
        self.assertEqual(answer.header("content-encoding"), "zstd")

    def test_either_tag_is_known_again(self):
        for coding in ("", "gzip", "zstd", "br"):
            with self.subTest(coding=coding):
                tag = self.get(Accept_Encoding=coding or "identity").header("etag")
                self.assertTrue(tag.endswith(f'-{coding}"' if coding else '"'), tag)
                same = self.get(Accept_Encoding=coding or "identity", If_None_Match=tag)
                self.assertEqual((same.status, same.body), (304, b""))
                self.assertEqual(same.header("etag"), tag)
                self.assertIn("accept-encoding", same.header("vary").lower())

    def test_a_made_up_suffix_is_not(self):
        tag = self.get().header("etag")
        for other in (tag[:-1] + '-x"', tag[:-1] + '-gzip-gzip"', tag[:-1] + "-gzip"):
            self.assertEqual(self.get(If_None_Match=other).status, 200, other)

    def test_a_change_under_the_packed_tag(self):
        tag = self.get(Accept_Encoding="gzip").header("etag")
        self.ok(self.user.patch("/users/me", {"bio": "short"}, headers={"If-Match": tag}))
        self.refused(self.user.patch("/users/me", {"bio": "no"}, headers={"If-Match": tag}), 412)

    def test_small_answers_do_not_vary(self):
        self.ok(self.user.patch("/users/me", {"bio": ""}))
        answer = self.get(Accept_Encoding="gzip")
        self.assertIsNone(answer.header("content-encoding"))
        self.assertNotIn("accept-encoding", (answer.header("vary") or "").lower())
