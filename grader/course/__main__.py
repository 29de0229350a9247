"""`python -m grader.course` writes the stubs of `exercises/` anew from the references."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grader.course.load import STUBS, Course, load_course
from grader.errors import GraderError


def main(arguments: list[str] | None = None) -> int:
    """0: the stubs are what the references say; 1: with `--check`, they are not; 2: no course."""
    parser = argparse.ArgumentParser(prog="python -m grader.course", description=__doc__)
    parser.add_argument("--course", type=Path, metavar="DIR", help="the folder that holds course.toml")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a stub is stale")
    options = parser.parse_args(arguments)
    try:
        course = load_course(options.course)
        wanted = {course.stub_path(exercise): exercise.stub_source for exercise in course.exercises}
    except GraderError as error:
        print(f"{parser.prog}: {error.message}", file=sys.stderr)
        return error.exit_code

    stale = [path for path, stub in wanted.items() if not _holds(path, stub)]
    strays = [path for path in sorted((course.root / STUBS).glob("*/*.py")) if path not in wanted]
    if options.check:
        for path in stale:
            print(f"{_shown(course, path)}: is not what its reference says")
        for path in strays:
            print(f"{_shown(course, path)}: has no exercise")
        if stale or strays:
            print("write them anew: python -m grader.course")
        return 1 if stale or strays else 0

    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8", newline="\n")
        print(f"{_shown(course, path)}: written")
    for path in strays:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
        print(f"{_shown(course, path)}: removed")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _shown(course: Course, path: Path) -> str:
    return path.relative_to(course.root).as_posix()


if __name__ == "__main__":
    sys.exit(main())
