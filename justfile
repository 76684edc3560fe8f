# The tasks of the template's maintainers; `uv run just` lists them.

_default:
    @just --list --unsorted

# Release VERSION: check, write the changelog's section, commit, tag, and list the release
[positional-arguments]
release version:
    @python scripts/release.py "$1"
