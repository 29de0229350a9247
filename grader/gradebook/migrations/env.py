"""Alembic's entry: the connection comes from whoever opens the gradebook."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
