"""How marks leave: in the files of learning platforms, and as tables for one's own use.

Each takes marks whose results are as students may see them, and writes nothing that it does not say: what is left
out of a file comes back beside it.
"""

from grader.gradebook.exports.canvas import gradebook_csv
from grader.gradebook.exports.feedback_text import feedback_html, feedback_text
from grader.gradebook.exports.gradescope import ClassResults, Gradescope, class_results, results_json
from grader.gradebook.exports.moodle import fill_worksheet
from grader.gradebook.exports.outcome import Export, LeftOut
from grader.gradebook.exports.parquet import write_parquet
from grader.gradebook.exports.records import marks_json
from grader.gradebook.exports.table import marks_csv

__all__ = [
    "ClassResults",
    "Export",
    "Gradescope",
    "LeftOut",
    "class_results",
    "feedback_html",
    "feedback_text",
    "fill_worksheet",
    "gradebook_csv",
    "marks_csv",
    "marks_json",
    "results_json",
    "write_parquet",
]
