"""The class report: one HTML file for the instructor, and a page for each student to hand out."""

from grader.gradebook.report.render import write_report, write_student_page
from grader.gradebook.report.subjects import Alike, Ungraded
from grader.gradebook.report.titles import Titles

__all__ = ["Alike", "Titles", "Ungraded", "write_report", "write_student_page"]
