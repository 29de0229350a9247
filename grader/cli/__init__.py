"""The command `grade`: thin, one module a command."""
