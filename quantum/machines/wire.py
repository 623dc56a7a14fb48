"""How requests go to IBM: a job is posted once, and the key goes to nobody but the server of tokens.

Three habits of the client (qiskit-ibm-runtime 0.51) are taken from it here:

    api/session.py  PostForcelistRetry   repeats a POST on 5xx: a 504 after the job was taken makes up to 6 paid jobs
    api/auth.py     CloudAuth            sends the bare key to the runtime's host when the server of tokens fails
    api/session.py  RetrySession         waits for ever for the answer to a GET
"""

from types import TracebackType
from typing import Any

from requests import RequestException
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry

STATUS = (500, 502, 503, 504, 520, 521, 522, 524)  # asked again, where asking again costs nothing
N_RETRIES, BACK_OFF = 5, 0.5
WAIT = (5.0, 60.0)  # seconds: for a connection, for an answer


class ServiceFailed(OSError):
    """IBM's service gave no answer, or one that is none."""


class PostOnce(Retry):
    """Retries that never repeat a POST, whatever went wrong: it may have arrived."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: TracebackType | None = None,
    ) -> Retry:
        """One try more, or the error that ended it."""
        if (method or "").upper() == "POST":
            raise MaxRetryError(_pool, url or "", error)
        return super().increment(method, url, response, error, _pool, _stacktrace)


class KeyStaysHere(RequestException):
    """The server of tokens gave none; nothing was sent in its place."""


class TokenOnly(AuthBase):
    """Signs requests with a token, as the client's own does; without a token it raises.

    Args:
        cloud: the client's `CloudAuth`.
    """

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud

    def __call__(self, request: Any) -> Any:
        """The request with its headers.

        Raises:
            KeyStaysHere: no token.
        """
        try:
            token = self._cloud.tm.get_token()
        except Exception as error:  # of the SDK, of requests, of JSON
            self._cloud.tm.request_time = 0  # else the next who asks waits a minute for this one
            raise KeyStaysHere(f"IBM's server of tokens gave none ({type(error).__name__}); nothing was sent") from None
        request.headers.update({"Service-CRN": self._cloud.crn, "Authorization": f"Bearer {token}"})
        return request


def post_once(session: Any, *, back_off: float = BACK_OFF) -> None:
    """Let a requests.Session repeat what asks, never what posts: one `run()` is one job, or none.

    Args:
        session: of the client, `service._active_api_client._session`.
        back_off: seconds before the second retry, doubled at each.
    """
    retry = PostOnce(
        total=N_RETRIES,
        connect=3,
        backoff_factor=back_off,
        status_forcelist=STATUS,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))


def guard(client: Any) -> None:
    """Take the three habits from a `RuntimeClient`; twice does no harm."""
    session = client._session
    post_once(session)
    session._timeout = WAIT
    if not isinstance(session.auth, TokenOnly):
        session.auth = TokenOnly(session.auth)
