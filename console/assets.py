"""The stylesheet and the scripts, read once at start: joined, named by their content, cached for ever by browsers.

What is there for people who change them (comments, the stylesheet's indentation) stays behind: a tenth of a page.
A changed file has a new name, so nobody ever sees an old one and nobody asks twice for the same one.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
URL = "/static/"
CACHE = "public, max-age=31536000, immutable"
LAYERS = "@layer tokens, reset, base, layout, components, print;\n"
#: In the order of the cascade; the components' own order among themselves never matters.
SHEETS = ("tokens.css", "reset.css", "base.css", "layout.css", "components/*.css", "print.css")
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
#: Lines that are comments alone, in our scripts: none of their texts has such a line.
REMARKS = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)
CSS_REMARKS = re.compile(r"/\*.*?\*/", re.DOTALL)
INDENTATION = re.compile(r"\n\s+")
IMPORT = re.compile(r'(from|import)(\s+|\()"\./([\w-]+\.js)"')


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    content: bytes
    media_type: str


class Assets:
    """Everything under /static/. Raises KeyError for a name that no file has, at start and not in front of a reader."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._served: dict[str, Asset] = {}
        self._names: dict[str, str] = {}
        self._add("console.css", self._stylesheet())
        for script in sorted((folder / "js").glob("vendor/*.js")):
            self._add(script.name, script.read_bytes())
        for script in sorted((folder / "js").glob("*.js")):
            self._add_module(script.name)
        for picture in sorted(folder.glob("*.svg")):
            self._add(picture.name, picture.read_bytes())

    def url(self, name: str) -> str:
        """The address of `console.css`, `drawer.js` or the like, with its content's hash inside."""
        return URL + self._names[name]

    def find(self, served_name: str) -> Asset | None:
        """What stands at /static/served_name."""
        return self._served.get(served_name)

    async def serve(self, request: Request) -> Response:
        """The route /static/{name}."""
        asset = self.find(request.path_params["name"])
        if asset is None:
            return Response(status_code=404)
        return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": CACHE})

    def _stylesheet(self) -> bytes:
        files = [path for pattern in SHEETS for path in sorted((self._folder / "css").glob(pattern))]
        text = "\n".join(path.read_text(encoding="utf-8") for path in files)
        return (LAYERS + INDENTATION.sub("\n", CSS_REMARKS.sub("", text))).encode()

    def _add_module(self, name: str) -> None:
        """Our modules import each other by name; the served text names the hashed file instead."""
        if name in self._names:
            return
        text = REMARKS.sub("", (self._folder / "js" / name).read_text(encoding="utf-8"))
        for wanted in IMPORT.findall(text):
            self._add_module(wanted[2])
        text = IMPORT.sub(lambda found: f'{found[1]}{found[2]}"./{self._names[found[3]]}"', text)
        self._add(name, text.encode())

    def _add(self, name: str, content: bytes) -> None:
        path = Path(name)
        served = f"{path.stem}-{hashlib.sha256(content).hexdigest()[:10]}{path.suffix}"
        self._names[name] = served
        self._served[served] = Asset(content, TYPES[path.suffix])
