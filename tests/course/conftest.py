"""The fixtures that the tests of the course share with those of the command."""

from tests.small_course import fresh_python, small_course

__all__ = ["fresh_python", "small_course"]
