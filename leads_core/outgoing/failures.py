"""Why a request did not leave, or why its answer was not let in. Each is one sentence that a person understands.

OutgoingRefused (leads_core.errors)
├── UrlRefused              not http or https, another port, credentials, no sound host
├── AddressRefused          the name leads to an address that is not on the public internet
├── NameDoesNotExist        the name servers know no such name
├── NameHasNoAddress        the name exists, but no machine stands behind it
├── NameServerFailed        a name server answered that it could not tell
├── NoNameServer            no name server answered at all
├── ConnectionFailed        nobody listens there, or the line broke
├── CertificateRefused      the certificate is not valid for this name
├── TookTooLong             the time limit passed
├── TooManyRedirects
├── BodyRefused             too large, of another type than asked for, or not readable
└── ReadingForbidden        robots.txt does not allow automated reading, or could not be read

`may_pass` says whether trying again later can help.
"""

from __future__ import annotations

from leads_core.errors import OutgoingRefused


class UrlRefused(OutgoingRefused):
    """The URL is of a kind that is never asked for."""


class AddressRefused(OutgoingRefused):
    """An address that must not be reached. Nothing was connected. address is None for a name that hides one."""

    def __init__(self, host: str, address: str | None, reason: str) -> None:
        super().__init__(f"{host} is not reached: {reason}.")
        self.host = host
        self.address = address


class NameDoesNotExist(OutgoingRefused):
    """NXDOMAIN: nobody has registered this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} does not exist.")
        self.name = name


class NameHasNoAddress(OutgoingRefused):
    """The name is known, but has no A and no AAAA record."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} exists, but has no website: no address is listed for it.")
        self.name = name


class NameServerFailed(OutgoingRefused):
    """SERVFAIL, REFUSED or the like from every name server."""

    may_pass = True

    def __init__(self, name: str, code: str) -> None:
        super().__init__(f"The name server could not answer for {name} ({code}).")


class NoNameServer(OutgoingRefused):
    """Nobody answered. unreachable: it could not even be asked, as on a machine without a network."""

    def __init__(self, *, unreachable: bool) -> None:
        super().__init__(
            "No name server answered." + (" This machine seems to have no network." if unreachable else "")
        )
        self.may_pass = not unreachable


class ConnectionFailed(OutgoingRefused):
    """The machine did not take the connection, or the line broke."""

    may_pass = True

    def __init__(self, host: str, *, while_reading: bool = False) -> None:
        super().__init__(f"{host} broke off its answer." if while_reading else f"{host} did not take the connection.")


class CertificateRefused(OutgoingRefused):
    """TLS could not be agreed on; most often the certificate is expired, unknown or another name's."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"No safe connection to {host}: {reason}.")


class TookTooLong(OutgoingRefused):
    """Name, connection, every redirect and the whole body together took longer than the limit."""

    may_pass = True

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(f"{host} did not answer in {seconds:g} s.")


class TooManyRedirects(OutgoingRefused):
    """One more redirect than is followed."""

    def __init__(self, host: str, followed: int) -> None:
        super().__init__(f"{host} redirects more than {followed} times.")


class BodyRefused(OutgoingRefused):
    """The body was not read, or not to its end."""


class ReadingForbidden(OutgoingRefused):
    """The site does not allow automated reading (robots.txt), or could not say whether it does."""

    def __init__(self, host: str, *, may_pass: bool = False) -> None:
        super().__init__(
            f"{host} cannot say now whether it allows automated reading, so it is left alone."
            if may_pass
            else f"{host} does not allow automated reading."
        )
        self.may_pass = may_pass
