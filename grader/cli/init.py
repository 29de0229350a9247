"""`grade init`: a folder of stubs to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_options
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.course import Course, Language

WRITTEN = {
    "en": "{written} of {total} exercises written to {directory}; README.md there says what to do next.",
    "zh": "已把 {total} 道练习中的 {written} 道写入 {directory}；下一步见其中的 README.md。",
}
KEPT = {
    "en": "Kept as they are, because they were there already: {files}",
    "zh": "以下文件原已存在，未作改动：{files}",
}
README = {
    "en": """# {title}

Each file here is an exercise. Its docstring says what to write; everything below it is yours.

1. `grade show {first}` explains an exercise, and `grade list` shows them all.
2. Replace `raise NotImplementedError(...)` in `{path}` by your code.
3. `grade check {first}` compares its values and gradients with the right answer.
4. Stuck? `grade hint {first}`, and `--more` for a closer one.

To hand in, give this folder, or a zip of it: `grade submit .` is how it will be graded.
""",
    "zh": """# {title}

这里的每个文件是一道练习。要写什么见文档字符串，其下的内容由你来写。

1. `grade show {first}` 讲解一道练习，`grade list` 列出全部练习。
2. 把 `{path}` 里的 `raise NotImplementedError(...)` 换成你的代码。
3. `grade check {first}` 把你的数值和梯度与正确答案作比较。
4. 没有思路？用 `grade hint {first}`；加上 `--more` 会更具体。

提交时交这个文件夹，或把它打成 zip：评分方式即 `grade submit .`。
""",
}
ANOTHER_COURSE = {
    "en": "\nThese exercises belong to a course of their own: give each command `--course {course}`.\n",
    "zh": "\n这些练习属于另一门课程：每条命令都要加上 `--course {course}`。\n",
}


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--notebook", is_flag=True, help="One notebook a topic in place of the files.")
@course_options
def init(directory: Path, notebook: bool, course: Path | None, lang: Language) -> None:
    """Write the stubs into DIR, one file an exercise, with a README.md that says what to do next.

    What is in DIR already stays as it is.
    """
    if notebook:
        raise UsageError("init --notebook is not available yet: without it you get one file an exercise")
    from grader.course import load_course

    found = load_course(course)
    files = {Path(exercise.topic, exercise.filename): exercise.stub_source for exercise in found.exercises}
    try:
        kept = [path for path, text in files.items() if not _write_new(directory / path, text)]
        if not _write_new(directory / "README.md", _readme(found, lang, course)):
            kept.append(Path("README.md"))
    except OSError as error:
        raise UsageError(f"cannot write to {directory}: {error.strerror or error}") from error
    written = len(files) - len([path for path in kept if path in files])
    click.echo(WRITTEN[lang].format(written=written, total=len(files), directory=directory))
    if kept:
        click.echo(KEPT[lang].format(files=", ".join(path.as_posix() for path in kept)))


def _readme(found: Course, lang: Language, course: Path | None) -> str:
    first = found.exercises[0]
    text = README[lang].format(
        title=found.title[lang], first=first.id, path=f"{first.topic}/{first.filename}"
    )
    return text if course is None else text + ANOTHER_COURSE[lang].format(course=course.resolve())


def _write_new(path: Path, text: str) -> bool:
    """Write a file that is not there yet; False, and nothing done, where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        if path.is_dir() or not path.parent.is_dir():
            raise
        return False
    return True
