"""Submissions that try to get what they do not deserve, or to harm those graded beside them.

`catalogue/` holds them by kind, one module each; `test_attacks.py` hands them all in.
"""
