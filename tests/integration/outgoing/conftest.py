"""A name server, a web server and the guard opened for them alone."""

from tests.servers.fixtures import connected, dns_server, guard, internet, requests_made, web_server

__all__ = ["connected", "dns_server", "guard", "internet", "requests_made", "web_server"]
