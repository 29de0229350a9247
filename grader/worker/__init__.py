"""The walled side. Imports nothing of the examiner, the course or the gradebook."""
