"""What changed since a commit: files on the disk whose content is not that of the commit, and those it does not have.

git itself compares work trees by running the filters that a repository configures, which a stranger's may not. So git
is asked for the content of the commit only (`ls-tree`), and the files are compared here.
"""

from __future__ import annotations

import hashlib
import os

from corslint.discovery import Context, read_file
from corslint.git import git
from corslint.paths import native
from corslint.settings import UsageError

_LINK, _REPOSITORY = b"120000", b"commit"


def only_changed(context: Context, revision: str, cwd: str) -> Context:
    """The context, asked only for those of its files that changed since `revision`; the others are read beside them.

    `HEAD` compares with the last commit. Any other revision is compared from where the present branch left it, as
    a merge request is. What is not committed yet counts, too. Raises `UsageError` where there is nothing to compare.
    """
    root = os.path.join(cwd, context.root)
    top = _answer(root, "rev-parse", "--show-toplevel")
    if top is None:
        raise UsageError(f"{context.root}: what changed can only be told in a git repository")
    known = {
        os.path.join(native(top), native(name)): blob for name, blob in _blobs(top, _commit(top, revision)).items()
    }
    real_root = os.path.realpath(root)

    def is_changed(path: str) -> bool:
        if path in context.unreadable:
            return True
        full = os.path.normpath(os.path.join(cwd, path))
        there = os.path.join(real_root, os.path.relpath(full, root))
        blob = known.get(there)
        return blob is None or not _is_same(full, blob)

    changed = frozenset(path for path in context.lint if is_changed(path))
    unreadable = {path: reason for path, reason in context.unreadable.items() if path in changed}
    return context._replace(lint=changed, unreadable=unreadable, as_found=True)


def _commit(top: str, revision: str) -> str:
    """The commit to compare with; empty for a repository without any."""
    if not revision:  # an unset variable
        raise UsageError("--since: its value is empty")
    found = _answer(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found is None:
        if revision == "HEAD":
            return ""
        raise UsageError(f"--since: git knows no commit {revision!r} (a shallow clone has only the last ones)")
    # In a shallow clone the place where the branches part may be missing.
    return _answer(top, "merge-base", found, "HEAD") or found


def _answer(folder: str, *arguments: str) -> str | None:
    """The one line that git answers; None where it has none."""
    answer = git(folder, *arguments)
    if answer is None or answer.returncode != 0:
        return None
    return os.fsdecode(answer.stdout).removesuffix("\n")


def _blobs(top: str, commit: str) -> dict[str, str]:
    """The files of a commit, from the top of the repository, and the names of their contents; of submodules, too."""
    if not commit:
        return {}
    answer = git(top, "ls-tree", "-r", "-z", "--full-tree", commit)
    if answer is None or answer.returncode != 0:
        said = os.fsdecode(answer.stderr).strip() if answer is not None else "git cannot be run"
        raise UsageError(f"git cannot list the files of {commit}: {said}")
    found: dict[str, str] = {}
    for entry in answer.stdout.split(b"\0"):
        about, _, name = entry.partition(b"\t")
        if not name:
            continue
        mode, kind, blob = about.split()
        path = os.fsdecode(name)
        if kind == _REPOSITORY:
            found.update({f"{path}/{inner}": other for inner, other in _in_submodule(top, path, blob.decode()).items()})
        elif mode != _LINK:
            found[path] = blob.decode()
    return found


def _in_submodule(top: str, path: str, commit: str) -> dict[str, str]:
    """The files of a submodule; none where it is not checked out, or does not have that commit."""
    folder = os.path.join(top, path)
    if not os.path.lexists(os.path.join(folder, ".git")):
        return {}
    return _blobs(folder, _answer(folder, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") or "")


def _is_same(path: str, blob: str) -> bool:
    """Whether a file is what git calls `blob`, also where line ends were converted on the way out."""
    try:
        data = read_file(path)
    except OSError:
        return False
    if blob == _name(data, len(blob)):
        return True
    return b"\r\n" in data and blob == _name(data.replace(b"\r\n", b"\n"), len(blob))


def _name(data: bytes, digits: int) -> str:
    """What git calls a content; `digits` tells its two ways apart."""
    made = hashlib.sha1(usedforsecurity=False) if digits == 40 else hashlib.sha256()
    made.update(b"blob %d\0" % len(data))
    made.update(data)
    return made.hexdigest()
