"""A project with as many findings as are wanted: services with long names behind one nginx, and a page that asks."""

from __future__ import annotations

from pathlib import Path


def write(folder: Path, services: int = 12, findings: int = 200) -> int:
    """Lay the project down; how many findings it has at least."""
    each = -(-findings // services)
    locations, asked = [], []
    for number in range(services):
        name = f"service-for-the-monthly-accounts-of-region-{number:02}"
        port = 4000 + number
        # A browser never sends an origin with a slash at its end.
        origins = "".join(f"  'https://page-{entry}.example.com/',\n" for entry in range(each))
        _put(
            folder / name / "package.json",
            f'{{"name": "{name}", "dependencies": {{"cors": "2.8.5", "express": "4.19.2"}}}}',
        )
        _put(
            folder / name / "server.js",
            "const cors = require('cors');\nconst express = require('express');\n\nconst app = express();\n"
            f"app.use(cors({{ origin: [\n{origins}] }}));\n"
            f"app.get('/api/{number}/entries', (req, res) => res.json([]));\napp.listen({port});\n",
        )
        locations.append(f"    location /api/{number}/ {{\n        proxy_pass http://127.0.0.1:{port};\n    }}\n")
        asked.append(f"fetch('https://api.example.com/api/{number}/entries');\n")
    _put(
        folder / "nginx" / "api.conf",
        f"server {{\n    listen 443 ssl;\n    server_name api.example.com;\n\n{''.join(locations)}}}\n",
    )
    _put(folder / "web" / "package.json", '{"name": "web"}')
    _put(folder / "web" / "main.js", "".join(asked))
    return each * services


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
