"""The network that a visitor comes from, as a hash that tells nobody their address."""

from __future__ import annotations

import datetime as dt
import ipaddress

from careers.applications.digests import digest
from careers.applications.models import Application

#: A network is what one customer of a provider gets: an IPv4 address, or an IPv6 /48 (RIPE-690
#: section 4.2 and RFC 6177 name /48 and /56). In a smaller IPv6 network, one sender could take
#: another address for each application.
PREFIXES = {4: 32, 6: 48}
#: How long an application keeps the hash of its network.
KEPT_FOR = dt.timedelta(days=7)
#: Rows that are changed at a time, so that nobody waits for a long write.
BATCH = 1000


def network_of(address: str) -> str:
    """A keyed hash of the network of an IP address; "" if it is no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    # A server that listens on IPv6 sees all IPv4 visitors in the same network.
    ip = getattr(ip, "ipv4_mapped", None) or ip
    network = ipaddress.ip_network((int(ip), PREFIXES[ip.version]), strict=False)
    return digest("careers.forms.network", str(network))


def forget_networks(now: dt.datetime) -> int:
    """Delete the hashes of networks that are older than ``KEPT_FOR``.

    Returns:
        How many applications had one.
    """
    old = Application.objects.filter(received_at__lt=now - KEPT_FOR).exclude(network="")
    forgotten = 0
    while batch := list(old.order_by().values_list("pk", flat=True)[:BATCH]):
        forgotten += Application.objects.filter(pk__in=batch).update(network="")
    return forgotten
