"""Where a centre's interface may stand: https and public, whatever way an address is written in."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from domain.catalogue.centre import ChangeEndpoint
from domain.catalogue.endpoint import LONGEST, Allowed, public
from domain.core.errors import Reason
from tests.domain.catalogue.steps import AROUND, given, refused, when
from tests.domain.catalogue.test_centre import KEY, REGISTER, REGISTERED, STREAM

VPN = replace(
    AROUND, allowed=Allowed.of(("10.8.0.0/16", "fhir.clinic.internal", "fhir-gateway", "127.0.0.1", "fd00:8::/32"))
)

BAD = (
    "http://169.254.169.254/", "http://user:pw@10.0.0.1/", "http://127.0.0.1:5432/#", "https://127.0.0.1:5432/",
    "https://fhir.example/\r\nX: y", "https://fhir.example/\n", "https://fhir.example/" + "a" * 3_000,
    "http://fhir.example/r4", "https://user:pw@fhir.example/", "https://user@fhir.example", "https://fhir.example/#",
    "https://fhir.example/r4#part", "https://fhir.example/r4?x=1", "https://fhir.example?x", "https:///r4", "https://",
    "https://fhir.example\\@10.0.0.1/", "ftp://fhir.example", "file:///etc/passwd", "gopher://fhir.example/",
    "HTTPS://fhir.example/", "https://fhir.example:0/", "https://fhir.example:65536/", "https://fhir.example:/",
    "https://fhir.example/ r4", "https://fhir.example/\x00", "https://fhir.example/\x7f", "https://fhïr.example/",
    "https://localhost/", "https://localhost:8080", "https://a.localhost/", "https://intranet/", "https://-a.example/",
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.1/",
    "https://127.0.0.1./", "https://10.0.0.1/", "https://192.168.1.1/", "https://172.16.0.1/", "https://0.0.0.0/",
    "https://100.64.0.1/", "https://169.254.169.254/latest/", "https://224.0.0.1/", "https://255.255.255.255/",
    "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:a00:1]/", "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/", "https://[2a00:1450::1%25eth0]/", "https://[fd00::1]/", "https://[ff02::1]/",
    "https://[64:ff9b::a9fe:a9fe]/", "https://[64:ff9b::10.0.0.1]/", "https://[64:ff9b:1::1]/", "https://[::7f00:1]/",
    "https://[2002:7f00:1::]/", "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "https://[2001:db8::1]/",
    "https://[fec0::1]/", "https://[::1/", "https://::1/", "http://[::1]/", "https://[127.0.0.1]/",
)  # fmt: skip


@pytest.mark.parametrize("endpoint", BAD)
def test_an_address_that_is_not_public_or_not_plain_is_refused_by_name(endpoint: str) -> None:
    register = replace(REGISTER, endpoint=endpoint)
    assert refused(STREAM, given(STREAM), register) == (Reason.INVALID, "endpoint")
    change = ChangeEndpoint(endpoint, "", KEY)
    assert refused(STREAM, given(STREAM, REGISTERED), change) == (Reason.INVALID, "endpoint")


GOOD = (
    "https://fhir.example", "https://fhir.example/r4/", "https://FHIR.Example:8443/a/b~c", "https://8.8.8.8/r4",
    "https://[2a00:1450:4001::200e]:8443/fhir", "https://xn--fhr-hoa.example/a%20b", "https://a.b.c.d.example.org/",
    "https://[::ffff:8.8.8.8]/", "https://[64:ff9b::808:808]/", f"https://{'h' * 60}.example/",
)  # fmt: skip


@pytest.mark.parametrize("endpoint", GOOD)
def test_a_public_address_is_taken_as_it_is(endpoint: str) -> None:
    [registered] = when(STREAM, given(STREAM), replace(REGISTER, endpoint=endpoint))
    assert registered == replace(REGISTERED, endpoint=endpoint)


@pytest.mark.parametrize(
    ("endpoint", "taken"),
    [
        ("https://10.8.3.4/r4", True),
        ("https://10.9.3.4/r4", False),
        ("https://[::ffff:10.8.3.4]/r4", True),
        ("https://[fd00:8::1]/r4", True),
        ("https://[fd00:9::1]/r4", False),
        ("https://fhir.clinic.internal/r4", True),
        ("https://FHIR-gateway:8443/r4", True),
        ("https://fhir-other/r4", False),
        ("http://10.8.3.4/r4", False),  # a VPN is no reason to speak in the clear
        ("http://fhir.clinic.internal/r4", False),
        ("http://127.0.0.1:8080/r4", True),  # this machine, where the list names it: `caravel up`
        ("http://127.0.0.2:8080/r4", False),
        ("http://localhost:8080/r4", False),
        ("http://user:pw@127.0.0.1/", False),
        ("http://127.0.0.1:5432/#", False),
    ],
)
def test_the_list_of_the_installation_opens_what_it_names_and_nothing_else(endpoint: str, taken: bool) -> None:
    register = replace(REGISTER, endpoint=endpoint)
    if taken:
        assert when(STREAM, given(STREAM), register, around=VPN) == [replace(REGISTERED, endpoint=endpoint)]
    else:
        assert refused(STREAM, given(STREAM), register, around=VPN) == (Reason.INVALID, "endpoint")


def test_the_longest_address_is_taken_and_one_more_character_is_not() -> None:
    base = "https://fhir.example/"
    longest = base + "a" * (LONGEST - len(base))
    assert when(STREAM, given(STREAM), replace(REGISTER, endpoint=longest))
    longer = replace(REGISTER, endpoint=f"{longest}a")
    assert refused(STREAM, given(STREAM), longer) == (Reason.INVALID, "endpoint")


@pytest.mark.parametrize("word", ["10.0.0.1/8", "10.0.0.0/33", "a b", "http://x", "*", "fd00::1/8", "-x"])
def test_a_list_that_cannot_be_read_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Allowed.of((word,))


@pytest.mark.parametrize("address", ["fe80::1%eth0", "2a00:1450::1%1", "::127.0.0.1", "240.0.0.1", "198.18.0.1"])
def test_what_a_resolver_may_say_beside_what_can_be_typed(address: str) -> None:
    assert not public(ip_address(address))
