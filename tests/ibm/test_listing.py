"""Pages of the list of jobs, for any number of jobs, tags and limits: each job once, and none that does not belong."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from stand_in.account import Account
from stand_in.jobs import MOST_LISTED, listing
from stand_in.ledger import Ledger

START = datetime(2026, 4, 15, tzinfo=UTC)
TAGS = st.lists(st.sampled_from("abc"), max_size=3, unique=True)


def record(number, tags, status="Queued"):
    created = (START + timedelta(seconds=number)).isoformat()
    job = dict.fromkeys(("session_id", "cost", "private", "runtime", "reason", "reason_code"))
    job |= {"id": str(number), "backend": "m", "program": "p", "tags": tags, "status": status, "seconds": 0.0}
    return job | {"timestamps": {"created": created}, "deleted": False}


@settings(max_examples=50)
@given(st.lists(TAGS, max_size=30), TAGS, st.integers(1, 12), st.booleans())
def test_pages_together_are_the_whole(kept, wanted, limit, ascending):
    every = [record(number, tags) for number, tags in enumerate(kept)]
    asked = {"tags": wanted, "limit": [str(limit)], "sort": ["ASC" if ascending else "DESC"]}
    found, page = [], None
    while page is None or page["jobs"]:
        page = listing(every, asked | {"offset": [str(len(found))]})
        assert len(page["jobs"]) <= limit
        found += [int(job["id"]) for job in page["jobs"]]
    truth = [number for number, tags in enumerate(kept) if all(tag in tags for tag in wanted)]
    assert found == (truth if ascending else truth[::-1])
    assert page["count"] == len(truth)


@settings(max_examples=50)
@given(st.integers(-5, 500) | st.none(), st.integers(-3, 3))
def test_a_limit_out_of_range_is_taken_for_the_default(limit, offset):
    every = [record(number, []) for number in range(250)]
    asked = {"offset": [str(offset)]} | ({} if limit is None else {"limit": [str(limit)]})
    page = listing(every, asked)
    assert page["limit"] == (limit if limit is not None and 1 <= limit <= MOST_LISTED else MOST_LISTED)
    assert page["offset"] == max(0, offset)


@settings(max_examples=30)
@given(st.integers(0, 9), st.integers(0, 9))
def test_dates_include_their_ends(first, last):
    every = [record(number, []) for number in range(10)]
    ends = {"created_after": first, "created_before": last}
    asked = {name: [(START + timedelta(seconds=end)).isoformat()] for name, end in ends.items()}
    assert [int(job["id"]) for job in listing(every, asked)["jobs"]] == list(range(last, first - 1, -1))


@settings(max_examples=50)
@given(st.text(max_size=40), st.text(min_size=1, max_size=40))
def test_only_a_token_of_the_account_is_a_token(words, key):
    account = Account(key)
    assert account.said(f"Bearer {account.token()}") == "token"
    assert account.said(f"apikey {key}") == "key"
    assert account.said(words) in ("none", "wrong")
    assert account.said(f"Bearer {words}") in ("none", "wrong")
    assert account.said(f"Bearer {Account(key + '!').token()}") == "wrong"
    assert Account(key, lifetime=-10).said(f"Bearer {Account(key, lifetime=-10).token()}") == "expired"


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("12"), st.integers())))
def test_a_ledger_is_a_dictionary_in_the_order_of_first_writing(writes):
    ledger, truth = Ledger(), {}
    for kind, name, number in writes:
        ledger.write(kind, name, {"number": number})
        truth[kind, name] = {"number": number}
    for kind in "xy":
        assert ledger.every(kind) == [record for (of, _), record in truth.items() if of == kind]
    ledger.close()
