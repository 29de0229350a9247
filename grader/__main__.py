"""`python -m grader`: the command `grade`, where it is not on the PATH."""

from grader.cli.main import main

main()
