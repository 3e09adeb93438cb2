"""What a request was for, on the row of the ledger."""

import pytest

from governed import DOORS, ask, attribution, bearer, governed
from harness import eventually

HEADERS = {
    "x-sluice-conversation": "c-1",
    "x-sluice-session": "s-1",
    "x-sluice-workflow": "nightly",
    "x-sluice-execution": "e-77",
    "x-sluice-mcp-server": "files",
    "x-sluice-metadata": "cost_centre=12, project=alpha beta",
}
OWN = {"conversation": "c-1", "session": "s-1", "workflow": "nightly", "execution": "e-77", "mcp_server": "files"}


def purposes(gateway, count):
    return eventually(lambda: (rows := attribution(gateway)) and len(rows) >= count and rows)


@pytest.mark.parametrize("door", DOORS)
def test_header_fields_go_on_the_row_of_every_door(own, door):
    gateway = own()
    assert ask(gateway, *DOORS[door], HEADERS).status == 200
    row = purposes(gateway, 1)[0]
    assert {name: row[name] for name in OWN} == OWN
    assert row["metadata"] == {"cost_centre": "12", "project": "alpha beta"}


def test_streams_have_their_purpose_too(own):
    gateway = own()
    assert gateway.chat(stream=True, headers=HEADERS).status == 200
    assert purposes(gateway, 1)[0]["workflow"] == "nightly"


def test_the_metadata_of_team_key_baggage_body_and_header_in_this_order(own):
    names = ["team", "key", "baggage", "body", "header"]
    settings = {"teams": {"t": {"metadata": {"team": "t", **dict.fromkeys(names[1:], "t")}}}}
    gateway = governed(own, {"a": {"team": "t", "metadata": {name: "k" for name in names[1:]}}}, **settings)
    body = {name: "b" for name in names[3:]}
    headers = {"baggage": ",".join(f"{name}=w" for name in names[2:]), "x-sluice-metadata": "header=h"}
    assert gateway.chat(metadata=body, headers={**bearer("a"), **headers}).status == 200
    assert purposes(gateway, 1)[0]["metadata"] == {"team": "t", "key": "k", "baggage": "w", "body": "b", "header": "h"}


def test_baggage_is_decoded_and_its_properties_are_left(own):
    gateway = own()
    headers = {"baggage": "session=s%201;ttl=5, city=K%C3%B6ln , broken=%ff, empty="}
    assert gateway.chat(headers=headers).status == 200
    row = purposes(gateway, 1)[0]
    assert row["session"] == "s 1" and row["metadata"] == {"city": "Köln"}


def test_the_bodys_own_members_are_understood(own):
    gateway = own()
    metadata = {"conversation": "c-9", "tier": "gold", "count": 3, "deep": {"not": "this"}}
    gateway.chat(metadata=metadata)  # refused by the lab, which is strict
    row = purposes(gateway, 1)[0]
    assert row["conversation"] == "c-9" and row["metadata"] == {"tier": "gold", "count": "3"}


def test_what_callers_send_is_cut_between_characters(own):
    gateway = own()
    assert gateway.chat(metadata={"long": "é" * 100, "session": "x" + "é" * 100}).status == 200
    row = purposes(gateway, 1)[0]
    assert row["metadata"]["long"] == "é" * 64 and row["session"] == "x" + "é" * 63


def test_more_than_fits_is_left_out_and_the_rest_is_whole(own):
    gateway = own()
    gateway.chat(metadata={f"name{number:02}": "v" * 120 for number in range(40)})  # more than the lab takes
    kept = purposes(gateway, 1)[0]["metadata"]
    assert 1 < len(kept) <= 16 and set(kept.values()) == {"v" * 120}


def test_a_request_without_a_purpose_has_no_row_of_its_own(own):
    gateway = own()
    assert gateway.chat().status == 200
    assert gateway.chat(headers=HEADERS).status == 200
    purposes(gateway, 1)
    assert len(gateway.wait_for_rows(2)) == 2 and len(attribution(gateway)) == 1
