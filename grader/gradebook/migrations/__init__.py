"""How a gradebook of an older version becomes one of this: run by Alembic when it is opened."""
