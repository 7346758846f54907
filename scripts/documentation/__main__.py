"""Builds the documentation site.

python -m documentation [--to FOLDER]

`make docs` does it, into `site/`. Every rule and every library gets its page; a dead link is an error (status 1).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from documentation.site import ROOT, SiteError, build


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="documentation", description="Build the documentation site.")
    parser.add_argument("--to", type=Path, default=ROOT / "site", help="the folder (default: site)")
    given = parser.parse_args(arguments)
    try:
        build(given.to)
    except SiteError as error:
        print(f"documentation: {error}", file=sys.stderr)
        return 1
    print(f"{given.to / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
