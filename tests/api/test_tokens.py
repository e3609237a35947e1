"""Access tokens: what the server signs, and what it must refuse (A01, A12, RFC 7519, 8725)."""

import hashlib
import hmac
import json
import time

import jwt

from parleytest import Server
from parleytest.case import ApiCase
from parleytest.server import StartError
from parleytest.keys import (algorithm, b64, new_key, parts, public_pem, sign, unb64, write_pkcs8)


class Issued(ApiCase):
    def test_verifies_with_the_published_keys(self):
        user = self.server.user()
        keys = self.ok(self.server.get("/.well-known/jwks.json"))
        self.assertNotIn('"d"', json.dumps(keys))
        header, claims = parts(user.token)
        self.assertIn(header["alg"], ("EdDSA", "ES256"))
        jwk = [k for k in keys["keys"] if k["kid"] == header["kid"]][0]
        key = jwt.PyJWK(jwk, algorithm=header["alg"]).key
        verified = jwt.decode(user.token, key, algorithms=[header["alg"]],
                              audience=claims.get("aud"))
        self.assertEqual(verified["sub"], user.id)
        self.assertEqual(verified["exp"] - verified["iat"], 900)
        self.assertIn("jti", verified)
        self.assertAlmostEqual(verified["iat"], time.time(), delta=5)

    def test_keys_stay_over_a_restart(self):
        with Server() as server:
            before = server.get("/.well-known/jwks.json").json
            server.restart()
            self.assertEqual(server.get("/.well-known/jwks.json").json, before)


class Forged:
    """Run with each kind of key; the server signs with ours, so we can sign whatever we like."""

    kind = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(start=False)
        cls.key = new_key(cls.kind)
        path = cls.server.folder / "key.pem"
        write_pkcs8(cls.key, path)
        cls.server.settings["auth.signing_key"] = str(path)
        cls.server.start()
        cls.user = cls.server.user()
        cls.header, cls.claims = parts(cls.user.token)

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def me(self, token):
        return self.server.http.request("GET", "/api/v1/users/me", token=token)

    def bad(self, token, what):
        with self.subTest(what=what):
            answer = self.refused(self.me(token), 401)
            self.assertIn("Bearer", answer.header("www-authenticate") or "")
            return answer

    def made(self, header=None, **claims):
        merged = {k: v for k, v in {**self.claims, **claims}.items() if v is not None}
        return sign(self.key, merged, {**self.header, **(header or {})})

    def test_our_own_signature_is_good(self):
        self.ok(self.me(self.made()))

    def test_times(self):
        now = int(time.time())
        self.bad(self.made(exp=now - 120, iat=now - 1020), "expired")
        self.bad(self.made(nbf=now + 600), "not yet valid")
        self.bad(self.made(exp=None), "no expiry")
        self.bad(self.made(exp="soon"), "expiry as text")
        self.bad(self.made(iat=now + 3600, exp=now + 4500), "issued in the future")

    def test_codes(self):
        now = int(time.time())
        self.assertEqual(self.me(self.made(exp=now - 120, iat=now - 1020)).code, "token_expired")
        self.assertEqual(self.me(self.made(nbf=now + 600)).code, "token_not_yet_valid")
        self.assertEqual(self.me("x.y.z").code, "invalid_token")

    def test_claims(self):
        self.bad(self.made(iss="https://elsewhere.example"), "other issuer")
        self.bad(self.made(aud="another"), "other audience")
        self.bad(self.made(aud=None), "no audience")
        self.bad(self.made(sub="not-an-id"), "sub is no id")
        self.bad(self.made(sub=None), "no subject")

    def test_header(self):
        self.bad(self.made({"typ": "JWT+other"}), "other type")
        self.bad(self.made({"crit": ["exp"]}), "crit")
        self.bad(self.made({"zip": "DEF"}), "zip")
        self.bad(self.made({"b64": False}), "b64")
        self.bad(self.made({"kid": "../../../etc/passwd"}), "unknown key id")

    def test_algorithms(self):
        claims = b64(self.claims)
        for alg in ("none", "None", "NONE", ""):
            self.bad(f"{b64({**self.header, 'alg': alg})}.{claims}.", f"alg {alg!r}")
        pem = public_pem(self.key)
        raw = unb64(self.server.get("/.well-known/jwks.json").json["keys"][0]["x"])
        for secret in (pem, raw, b"", self.header["kid"].encode()):
            head = b64({**self.header, "alg": "HS256"})
            mac = hmac.new(secret, f"{head}.{claims}".encode(), hashlib.sha256).digest()
            self.bad(f"{head}.{claims}.{b64(mac)}", "HS256 with public bytes")
        _, _, signature = self.user.token.split(".")
        self.bad(f"{b64({**self.header, 'alg': 'RS256'})}.{claims}.{signature}", "RS256")

    def test_other_keys(self):
        for kind in ("ed25519", "p256"):
            other = new_key(kind)
            self.bad(sign(other, self.claims, {**self.header, "alg": algorithm(other)}),
                     f"another {kind} key")
            jwk = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(other.public_key())
                             if kind == "ed25519" else
                             jwt.algorithms.ECAlgorithm.to_jwk(other.public_key()))
            self.bad(sign(other, self.claims, {**self.header, "alg": algorithm(other),
                                               "jwk": jwk}), "its own key in the header")

    def test_altered(self):
        head, claims, signature = self.user.token.split(".")
        raised = {**self.claims, "role": "admin", "scope": "admin"}
        self.bad(f"{head}.{b64(raised)}.{signature}", "claims")
        other = ("A" if signature[0] != "A" else "B") + signature[1:]
        self.bad(f"{head}.{claims}.{other}", "signature")
        self.bad(f"{head}.{claims}.", "no signature")
        self.bad(f"{head}.{claims}", "two parts")
        self.bad(f"{self.user.token}.{signature}", "four parts")
        self.bad(f"{head}.{claims}.{signature}=", "padding")
        self.bad(f"{head}.{claims}.{signature[:-1]}", "short signature")
        self.bad(self.user.token + "A", "long signature")
        last = {"A": "B", "Q": "R", "g": "h", "w": "x"}.get(signature[-1])
        if last:
            self.bad(f"{head}.{claims}.{signature[:-1]}{last}", "spare bits")

    def test_size(self):
        self.bad(self.made(note="x" * 9000), "oversized")
        self.bad("." * 50, "dots")
        self.bad("é", "not ASCII")

    def test_where_it_may_stand(self):
        token = self.user.token
        get = self.server.http.request
        self.refused(get("GET", f"/api/v1/users/me?access_token={token}"), 401)
        self.refused(get("GET", f"/api/v1/users/me?token={token}"), 401)
        for value in (token, f"Basic {token}", "Bearer", "Bearer ", f"Bearer {token} x"):
            with self.subTest(value=value[:20]):
                self.refused(get("GET", "/api/v1/users/me", headers={"Authorization": value}), 401)
        self.ok(get("GET", "/api/v1/users/me", headers={"Authorization": f"bearer {token}"}))

    def test_deleted_person(self):
        ghost = "0190b3c4-0000-7000-8000-000000000000"
        self.refused(self.me(self.made(sub=ghost)), 404, "user_not_found")


class ForgedEd25519(Forged, ApiCase):
    kind = "ed25519"
    own_server = True


class ForgedP256(Forged, ApiCase):
    kind = "p256"
    own_server = True


class SharedSecret(ApiCase):
    """HS256 for verifiers that exist already (A12)."""

    secret = "an old shared secret of 40 characters..."
    settings = {"auth.algorithm": "hs256", "auth.secret": secret}

    def test_verifies_with_the_secret(self):
        user = self.server.user()
        header, claims = parts(user.token)
        self.assertEqual(header["alg"], "HS256")
        decoded = jwt.decode(user.token, self.secret, algorithms=["HS256"],
                             audience=claims.get("aud"))
        self.assertEqual(decoded["sub"], user.id)
        self.ok(user.get("/users/me"))

    def test_the_secret_is_not_published(self):
        answer = self.server.get("/.well-known/jwks.json")
        self.assertEqual(answer.json["keys"], [])
        self.assertNotIn(b64(self.secret.encode()).encode(), answer.body)

    def test_other_secrets(self):
        user = self.server.user()
        header, claims = parts(user.token)
        me = lambda token: self.server.get("/api/v1/users/me", token=token)
        self.ok(me(jwt.encode(claims, self.secret, "HS256", headers={
            k: v for k, v in header.items() if k != "alg"})))
        for secret in ("", "another shared secret of 40 characters..", self.secret[:-1]):
            forged = f"{b64(header)}.{b64(claims)}"
            mac = hmac.new(secret.encode(), forged.encode(), hashlib.sha256).digest()
            self.refused(me(f"{forged}.{b64(mac)}"), 401)
        forged = f"{b64({**header, 'alg': 'HS512'})}.{b64(claims)}"
        mac = hmac.new(self.secret.encode(), forged.encode(), hashlib.sha512).digest()
        self.refused(me(f"{forged}.{b64(mac)}"), 401)

    def test_a_short_secret_is_refused(self):
        with self.assertRaises(StartError) as caught:
            Server({"auth.algorithm": "hs256", "auth.secret": "short"}).remove()
        self.assertIn("secret", caught.exception.log)
