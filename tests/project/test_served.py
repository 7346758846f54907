"""Which folders an application serves as files."""

from __future__ import annotations

import pytest

from corslint import lint
from corslint.project.served import holds
from corslint.settings import Settings
from tests.examples import context_of


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ("'public'", "server/public"),
        ("path.join(__dirname, 'public')", "server/src/public"),
        ("path.join(__dirname, '..', '..', 'web/build/')", "web/build"),
        ("path.resolve(__dirname, '../../web', 'dist')", "web/dist"),
        ("__dirname + '/public'", "server/src/public"),
        ("`${__dirname}/../public`", "server/public"),
        ("path.join(import.meta.dirname, 'public')", "server/src/public"),
        ("path.join(__dirname, '../..')", ""),
        ("path.join(__dirname, '../../../..')", None),
        ("path.join(__dirname, folder)", None),
        ("folder", None),
        ("__dirname", None),
    ],
)
def test_folders(given: str, folder: str | None) -> None:
    files = {
        "server/package.json": b"{}",
        "server/src/index.js": f"""
// cors
const path = require('path');
const express = require('express');
const app = express();
app.use(express.static({given}));
""".encode(),
    }
    facts = lint.understand(context_of(files), Settings(), files).facts
    (layer,) = (fact for fact in facts if fact.kind == "middleware" and fact.field("kind").value == "static")
    assert layer.field("folder").value == folder


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        ("public", "public/index.html", True),
        ("public", "public2/index.html", False),
        ("web/build", "web/src/app.js", True),
        ("web/src", "web/lib/app.js", False),
        ("build", "src/app.js", False),
        ("", "index.html", False),
    ],
)
def test_what_is_served(folder: str, path: str, expected: bool) -> None:
    assert holds(folder, path) is expected
