"""Style, scripts and pictures: named by the hash of their content, so a browser keeps them for a year.

A changed file has another name, which the page that was rendered with it tells; so no browser ever mixes two releases.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from services.api.errors import NotThereError

FOLDER = Path(__file__).with_name("static")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    name: str
    content: bytes
    media_type: str


class StaticFiles:
    """The files of a folder, read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files: dict[str, StaticFile] = {}
        names: dict[str, str] = {}
        for path in sorted(folder.iterdir()):
            content = path.read_bytes()
            name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:16]}{path.suffix}"
            names[path.name] = f"/static/{name}"
            self._files[name] = StaticFile(name, content, _TYPES[path.suffix])
        self.paths: Mapping[str, str] = names

    def router(self) -> APIRouter:
        routes = APIRouter(prefix="/static")

        @routes.get("/{name}")
        async def one(name: str) -> Response:
            found = self._files.get(name)
            if found is None:
                raise NotThereError("file")
            return Response(found.content, media_type=found.media_type, headers={"cache-control": _FOREVER})

        return routes
