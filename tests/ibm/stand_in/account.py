"""Who may ask: an API key, the tokens that it buys, the instances that it opens.

IAM gives a token (a JSON Web Token, good for an hour) for an API key; every other request carries the token. It is
signed by the key itself, so a server that was restarted knows the tokens of the one before.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Instance(NamedTuple):
    """What is billed: a cloud resource name (CRN), the name of its plan, and how the plan is paid."""

    crn: str
    name: str
    plan: str
    pricing: str  # "free" or "paygo": the client tries free ones first if it is told none


def crn(name: str) -> str:
    return f"crn:v1:bluemix:public:quantum-computing:us-east:a/{'0' * 32}:{name}::"


FREE = Instance(crn("free"), "free", "Open", "free")
PAID = Instance(crn("paid"), "paid", "Pay-as-you-go", "paygo")


@dataclass
class Account:
    """One user: the key, the instances, and for how many seconds a token is good.

    The client asks for a new token 10 s before the old one ends: with `lifetime` 10 or less it asks at every request.
    """

    key: str
    instances: Sequence[Instance] = (FREE, PAID)
    lifetime: float = 3600.0

    def token(self) -> str:
        """A new token, of a lifetime of whole seconds from now."""
        now = int(time.time())
        head = _base64(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        body = _base64(json.dumps({"iat": now, "exp": now + int(self.lifetime)}).encode())
        return f"{head}.{body}.{self._signature(f'{head}.{body}')}"

    def said(self, authorization: str | None) -> str:
        """What a request carried: "token", "expired", "key" (the raw one, which should not travel), "wrong", "none"."""
        scheme, _, value = (authorization or "").partition(" ")
        if not value:
            return "none"
        if scheme.lower() == "apikey":
            return "key" if hmac.compare_digest(value.encode(), self.key.encode()) else "wrong"
        signed, _, signature = value.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return "wrong"
        return "token" if _expiry(signed) > time.time() else "expired"

    def instance(self, name: str | None) -> Instance | None:
        """The instance of a CRN."""
        return next((instance for instance in self.instances if instance.crn == name), None)

    def _signature(self, signed: str) -> str:
        return _base64(hmac.new(self.key.encode(), signed.encode(), hashlib.sha256).digest())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _expiry(signed: str) -> float:
    body = signed.partition(".")[2]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"]
