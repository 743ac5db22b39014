"""Who may talk to the dashboard, by the names that a browser says it talks to and comes from.

There is no login, and a browser runs pages of others: such a page can give its own name the address of this
machine (DNS rebinding), and would then read the dashboard as its own. It cannot change the `Host` that the
browser sends, which is that name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from nasrank.db.errors import NasrankError, shown

# A name as in DNS (lower case, without a final dot), or an address.
Host = str | IPv4Address | IPv6Address

LOCALHOST: Final = "localhost"
OPTION: Final = "--public-name"

_AUTHORITY: Final = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9_.-]+))(?::[0-9]*)?")
_ORIGIN: Final = re.compile(r"https?://(?P<authority>[^/]+)", re.IGNORECASE)
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")


@dataclass(frozen=True)
class Access:
    """The rule: localhost, IP addresses (no name can be rebound to be one), and `names`, with any port."""

    names: frozenset[Host] = frozenset()

    @classmethod
    def for_names(cls, host: str, public_names: Iterable[str]) -> Access:
        """Allow the name listened on and the public names.

        Raises:
            NasrankError: a public name is no name.
        """
        listened_on = parsed_authority(host)
        names = {public_name(name) for name in public_names}
        return cls(frozenset(names | ({listened_on} if isinstance(listened_on, str) else set())))

    def allows_host(self, authority: str) -> bool:
        """Whether a `Host` header names the dashboard."""
        host = parsed_authority(authority)
        return isinstance(host, IPv4Address | IPv6Address) or self._has(host)

    def allows_origin(self, origin: str, authority: str) -> bool:
        """Whether a page of this `Origin` may talk to the dashboard at this `Host`.

        An address is no proof here: it can be anyone's, unless it is this machine's loopback.
        """
        if is_same_origin(origin, authority):
            return True
        found = _ORIGIN.fullmatch(origin)
        host = parsed_authority(found["authority"]) if found else None
        return self._has(host) or (isinstance(host, IPv4Address | IPv6Address) and host.is_loopback)

    def _has(self, host: Host | None) -> bool:
        if isinstance(host, str) and (host == LOCALHOST or host.endswith(f".{LOCALHOST}")):
            return True
        return host in self.names


def is_same_origin(origin: str, authority: str) -> bool:
    """Whether the page comes from where it talks to."""
    found = _ORIGIN.fullmatch(origin)
    return found is not None and found["authority"].lower() == authority.lower()


def parsed_authority(authority: str) -> Host | None:
    """Read a name or an address, IPv6 in brackets, with or without a port; None for anything else."""
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        return None
    try:
        return IPv6Address(found["ipv6"]) if found["ipv6"] else ipaddress.IPv4Address(found["name"])
    except ValueError:
        return None if found["ipv6"] else _name(found["name"])


def _name(text: str) -> str | None:
    name = text.lower().removesuffix(".")
    return name if len(name) <= 253 and all(map(_LABEL.fullmatch, name.split("."))) else None


def public_name(text: str) -> Host:
    """Read a name or an address that was given alone.

    Raises:
        NasrankError: it is none, or has a port or more.
    """
    host = parsed_authority(text)
    if host is None or re.search(r":[0-9]*$", text):
        raise NasrankError(
            f"{OPTION} {shown(text)} is no name of a host: give it as browsers send it, without scheme, port "
            "and path, such as nasrank.example.org"
        )
    return host
