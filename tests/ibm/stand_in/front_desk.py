"""Where a client begins: a token for a key (IAM), the instances of the account (search), their plans (catalog)."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from stand_in.replies import Refused, Reply, saying
from stand_in.rooms import Request

if TYPE_CHECKING:
    from stand_in.server import Server


def token(server: "Server", request: Request) -> Reply:
    """A token for a key; a wrong key is refused in IAM's own form, not in that of the quantum service."""
    asked = parse_qs(request.body.decode())
    if asked.get("apikey", [""])[0] != server.account.key:
        wrong = {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}
        return saying(wrong, 400)
    lifetime = server.account.lifetime
    return saying({"access_token": server.account.token(), "token_type": "Bearer", "expires_in": lifetime})


def search(server: "Server", request: Request) -> Reply:
    """Resources of the account. The client leaves out those without extensions: no machine is given to them."""
    items = [
        {
            "crn": instance.crn,
            "name": instance.name,
            "service_plan_unique_id": instance.plan,
            "tags": [],
            "doc": {"extensions": [{"backends": ["ANY"]}]},
        }
        for instance in server.account.instances
    ]
    return saying({"items": items, "limit": 100})


def plan(server: "Server", request: Request) -> Reply:
    """What a plan is called, and how it is paid."""
    for instance in server.account.instances:
        if instance.plan == request.name:
            named = {"overview_ui": {"en": {"display_name": instance.plan}}}
            return saying(named | {"metadata": {"pricing": {"type": instance.pricing}}})
    raise Refused(404, 1291, f"There is no plan {request.name}.")
