"""The course: what it holds, where it lies, and what is cut from it."""

from grader.course.load import Course, Exercise, Topic, find_course, load_course, load_exercise
from grader.course.model import HINT_LEVELS, Hints, Language, Limits, Translated
from grader.course.stub import cut_stub, is_unedited
from grader.course.wrong_answers import WrongAnswer, read_wrong_answers

__all__ = [
    "HINT_LEVELS",
    "Course",
    "Exercise",
    "Hints",
    "Language",
    "Limits",
    "Topic",
    "Translated",
    "WrongAnswer",
    "cut_stub",
    "find_course",
    "is_unedited",
    "load_course",
    "load_exercise",
    "read_wrong_answers",
]
