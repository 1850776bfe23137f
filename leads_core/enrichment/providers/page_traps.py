"""Whether what a site shows is its home page at all, or an error, a login or a gate for machines. Pure."""

from __future__ import annotations

import re

from leads_core.enrichment.providers.page_text import parsed, visible_text

SHORT = 900
"""Characters of visible text: a company's page that has a login in its corner says more."""
_ERROR = re.compile(
    r"""\A404\b|(?:error|fehler|erreur|http|errore|błąd|ошибка)\s*(?:4\d\d|5\d\d)\b|\b(?:4\d\d|5\d\d)\s*[:–|-]?\s*(?:error|not\sfound|forbidden)
    |(?:page|site|file|document)\s(?:was\s|is\s|could\s)?not\s(?:be\s)?(?:found|available)
    |seite\s(?:wurde\s)?nicht\s(?:gefunden|verf[üu]gbar)|page\s(?:non\strouv|introuvable|inexistante)|p[áa]gina\s(?:no\s(?:encontrad|existe)|n[ãa]o\sencontrad|non\strovata)
    |pagina\s(?:niet\sgevonden|non\strovata)|strona\snie\sistnieje|nie\sznaleziono\sstrony|страница\sне\sнайдена|sidan\shittades\sinte
    |siden\s(?:blev\s)?ikke\sfundet|sivua\sei\sl[öo]ydy|sayfa\sbulunamad[ıi]|ページが見つかりません|页面不存在|找不到(?:页面|頁面)
    |internal\sserver\serror|bad\sgateway|service\s(?:temporarily\s)?unavailable|access\sdenied""",
    re.IGNORECASE | re.VERBOSE,
)
_CLOSED = re.compile(
    r"""(?:under|down\sfor)\s(?:scheduled\s|planned\s)?maintenance|maintenance\smode|wartungsarbeiten|wartungsmodus|wegen\swartung
    |en\s(?:cours\sde\s)?maintenance|en\smantenimiento|in\smanutenzione|em\smanuten[çc][ãa]o|in\sonderhoud|przerwa\stechniczna
    |технические\sработы|メンテナンス中|维护中|維護中""",
    re.IGNORECASE | re.VERBOSE,
)
_GATE = re.compile(
    r"""\Ajust\sa\smoment\W*\Z|checking\syour\sbrowser|attention\srequired!?\s\|\scloudflare|verif(?:y|ying)\s(?:that\s)?you\sare\s(?:a\s)?human
    |are\syou\sa\s(?:robot|human)|enable\s(?:javascript\sand\s)?cookies\sto\scontinue|ddos\sprotection\sby""",
    re.IGNORECASE | re.VERBOSE,
)
_LOGIN = re.compile(
    r"""log\s?in|sign\s?in|anmeld|einloggen|connexion|connectez|iniciar\ssesi|acceder|accedi|entrar|inloggen|zaloguj
    |logowanie|войти|вход|logga\sin|log\sind|kirjaudu|giri[şs]\syap|ログイン|登录|登入|로그인|تسجيل\sالدخول""",
    re.IGNORECASE | re.VERBOSE,
)


def trap_in(body: bytes, *, content_type: str = "") -> str | None:
    """What stands there in the place of a home page, as the end of "the site shows ..."; None for a home page."""
    page = parsed(body, content_type)
    title_node = page.css_first("head > title") or page.css_first("title")
    title = " ".join(title_node.text(deep=True)[:500].split()) if title_node else ""
    asks_password = page.css_first('input[type="password" i]') is not None
    text = " ".join(visible_text(page, SHORT * 20).split())
    if len(text) > SHORT:
        return None
    if _GATE.search(title) or (len(text) < SHORT // 3 and _GATE.search(text)):
        return "a gate that keeps machines out"
    if asks_password and _LOGIN.search(f"{title} {text}"):
        return "a login"
    if _ERROR.search(title) or (len(text) < SHORT // 3 and _ERROR.search(text)):
        return "an error"
    if _CLOSED.search(title) or (len(text) < SHORT // 3 and _CLOSED.search(text)):
        return "maintenance work"
    return None
