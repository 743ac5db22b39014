from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.app.access import Access, parsed_authority, public_name
from nasrank.db.errors import NasrankError

ACCESS = Access.for_names("machine.lan", ["My.Test", "10.0.0.9"])
OWN_NAMES = ("localhost", "a.localhost", "machine.lan", "my.test")

ports = st.just("") | st.integers(0, 65535).map(":{}".format)
labels = st.from_regex(r"[a-z0-9]([a-z0-9_-]{0,8}[a-z0-9])?", fullmatch=True)
# The last label of a name on the internet has a letter, or it would be an address.
foreign_names = (
    st.tuples(st.lists(labels, max_size=3), st.from_regex(r"[a-z]{1,6}", fullmatch=True))
    .map(lambda parts: ".".join([*parts[0], parts[1]]))
    .filter(lambda name: name not in OWN_NAMES and not name.endswith(".localhost"))
)
spellings = st.sampled_from([str.lower, str.upper, str.title, lambda name: f"{name}."])


@given(st.sampled_from(OWN_NAMES), spellings, ports)
def test_own_names_are_allowed_however_they_are_spelled(
    name: str, spell: Callable[[str], str], port: str
) -> None:
    host = f"{spell(name)}{port}"
    assert ACCESS.allows_host(host)
    assert ACCESS.allows_origin(f"https://{spell(name)}", host)
    assert ACCESS.allows_origin(f"http://{spell(name)}:81", "127.0.0.1:8501")


@given(st.ip_addresses(), ports)
def test_every_address_is_allowed_as_a_host(address: IPv4Address | IPv6Address, port: str) -> None:
    host = f"[{address}]{port}" if isinstance(address, IPv6Address) else f"{address}{port}"
    assert ACCESS.allows_host(host)
    assert ACCESS.allows_origin(f"http://{host}", host)


@given(foreign_names, spellings, ports)
def test_all_other_names_are_refused(name: str, spell: Callable[[str], str], port: str) -> None:
    host = f"{spell(name)}{port}"
    assert not ACCESS.allows_host(host)
    assert not ACCESS.allows_origin(f"http://{host}", "localhost:8501")


@given(st.sampled_from(OWN_NAMES), foreign_names)
def test_an_own_name_inside_of_another_one_is_not_enough(own: str, foreign: str) -> None:
    assert not ACCESS.allows_host(f"{own}.{foreign}")
    assert not ACCESS.allows_host(f"{foreign}{own.replace('a.localhost', 'localhost')}")


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    host = parsed_authority(text)
    assert ACCESS.allows_host(text) is False or host is not None
    assert isinstance(ACCESS.allows_origin(text, "localhost"), bool)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        ":8501",
        "localhost..",
        ".localhost",
        "localhost:port",
        "localhost:80:80",
        "localhost, evil.test",
        " localhost",
        "localhost\n",
        "localhost/",
        "user@localhost",
        "localhost@evil.test",
        "localhost:8501@evil.test",
        "localhost#.evil.test",
        "notlocalhost",
        "lo\u212aalhost",
        "::1",
        "[::1",
        "[]",
        "[localhost]",
        "[127.0.0.1]",
        "[fe80::1%eth0]",
        "127.0.0.1.evil.test",
        "127.0.0.256",
        "127.1",
        f"{'a' * 64}.localhost",
        f"{'a.' * 126}localhost",
    ],
)
def test_what_is_neither_name_nor_address_is_refused(host: str) -> None:
    assert not ACCESS.allows_host(host)


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://localhost:8501", True),
        ("http://LOCALHOST:8501", True),
        ("https://localhost", True),
        ("http://127.0.0.1:3000", True),
        ("http://[::1]", True),
        ("https://my.test", True),
        ("http://10.0.0.9:80", True),
        ("http://10.0.0.8", False),
        ("http://93.184.216.34", False),
        ("null", False),
        ("", False),
        ("http://", False),
        ("file://localhost", False),
        ("localhost:8501", False),
        ("http://localhost:8501/", False),
        ("http://evil.test/http://localhost:8501", False),
        ("http://localhost@evil.test", False),
    ],
)
def test_pages_of_others_may_not_talk_to_it(origin: str, is_allowed: bool) -> None:
    """An address is anyone's, unless it was given or is this machine's own."""
    assert ACCESS.allows_origin(origin, "localhost:8501") is is_allowed


@pytest.mark.parametrize(
    "text", ["", "https://my.test", "my.test:443", "my.test/nasrank", "*.my.test", "münchen.de", "[::1]:80"]
)
def test_a_public_name_is_given_alone(text: str) -> None:
    with pytest.raises(NasrankError, match=r"^--public-name .* is no name of a host: give it as browsers"):
        public_name(text)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1", "localhost", "not a name"])
def test_an_address_to_listen_on_allows_no_further_name(host: str) -> None:
    assert Access.for_names(host, []).names <= {"localhost"}
