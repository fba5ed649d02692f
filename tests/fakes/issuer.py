"""An OIDC issuer of one's own: real RSA keys, a real HTTP server for its JWKS that can be made to misbehave."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.fakes.users import NOW_S, pem_of

ISSUER = "https://issuer.example/tenant"
CLIENT = "our-client"


class Issuer:
    """Signs tokens and publishes keys; counts how often it was asked for them."""

    def __init__(self) -> None:
        self.private: dict[str, rsa.RSAPrivateKey] = {}
        self.published: list[dict[str, Any]] = []
        self.asked = 0
        self.status = 200
        self.raw: bytes | None = None
        self.url = ""
        self.add_key("k1")

    def add_key(self, kid: str, *, bits: int = 2048, publish: bool = True) -> None:
        """A new key pair."""
        self.private[kid] = rsa.generate_private_key(65537, bits)
        if publish:
            self.publish(kid)

    def publish(self, name: str, **changes: Any) -> None:
        """Adds the public half to the JWKS."""
        self.published.append({**self.jwk(name), **changes})

    def jwk(self, kid: str) -> dict[str, Any]:
        """The public half."""
        public: dict[str, Any] = RSAAlgorithm.to_jwk(self.private[kid].public_key(), as_dict=True)
        return {"kty": "RSA", "n": public["n"], "e": public["e"], "kid": kid, "use": "sig", "alg": "RS256"}

    def token(self, kid: str = "k1", *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A signed ID token, good unless the changes spoil it."""
        claims = {"iss": ISSUER, "sub": "user-1", "aud": CLIENT, "exp": NOW_S + 100, "iat": NOW_S, "name": "Ada"}
        raw = json.dumps({**claims, **changes}).encode()
        headers = {"kid": kid} if header is None else header
        return jwt.PyJWS().encode(raw, pem_of(self.private[kid]), algorithm="RS256", headers=headers)

    def document(self) -> bytes:
        """What is published now."""
        return json.dumps({"keys": self.published}).encode() if self.raw is None else self.raw


@contextmanager
def serving(issuer: Issuer) -> Iterator[Issuer]:
    """The issuer at a real address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            body = issuer.document()
            self.send_response(issuer.status)
            if issuer.status in {301, 302}:
                self.send_header("Location", issuer.url)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}/jwks?tenant=1"
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
