"""Alembic's entry: the connection comes from whoever opens the gradebook."""

from alembic import context

from grader.gradebook.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite cannot alter a table
)
with context.begin_transaction():
    context.run_migrations()
