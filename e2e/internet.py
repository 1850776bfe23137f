"""The sites that a lead's enrichment finds in these stories."""

from __future__ import annotations

from tests.servers.small_internet import SmallInternet

LUMENSTACK = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lumenstack: logs that explain themselves</title>
<meta property="og:site_name" content="Lumenstack">
<meta name="description" content="Logs, metrics and traces in one place.">
<script type="application/ld+json">{"@context": "https://schema.org", "@type": "Organization", "name": "Lumenstack",
"url": "https://lumenstack.io/", "telephone": "+45 33 12 34 56",
"address": {"@type": "PostalAddress", "addressLocality": "Copenhagen", "addressCountry": "DK"},
"numberOfEmployees": {"@type": "QuantitativeValue", "value": 120}}</script></head>
<body><a href="https://www.linkedin.com/company/lumenstack">LinkedIn</a></body></html>"""


def build(internet: SmallInternet) -> None:
    """One company with a site and mail. Every other name does not exist."""
    internet.site("lumenstack.io", {"/": LUMENSTACK, "/robots.txt": b"User-agent: *\nAllow: /\n"})
    internet.names.add("lumenstack.io", "MX", "10 aspmx.l.google.com.")
    internet.names.add("lumenstack.io", "TXT", '"v=spf1 include:_spf.google.com ~all"')
