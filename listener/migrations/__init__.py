"""Alembic's scripts. Tables are made here, never by SQLModel.metadata.create_all."""
