"""Every attack that the project withstands, by what it is after. Each module has a list `ATTACKS`."""
