"""Where results are kept, and how they leave: the store, the marks under a course's policy, exports, the report."""
