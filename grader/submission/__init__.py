"""What a student hands in: read, looked through, and made fit to be shown. Nothing of it is run here."""

from grader.submission.contents import Caps
from grader.submission.intake import Answer, Submission, read_submission
from grader.submission.scan import scan
from grader.submission.shown import for_csv_cell, for_html, for_name, for_terminal

__all__ = [
    "Answer",
    "Caps",
    "Submission",
    "for_csv_cell",
    "for_html",
    "for_name",
    "for_terminal",
    "read_submission",
    "scan",
]
