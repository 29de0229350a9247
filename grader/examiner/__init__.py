"""The trusted side: runs the hidden suites, compares, scores, explains."""
