"""The words of what was kept, for SQLite's full-text search."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# One row for each mention that still has words: those of its reading in force, and what a search is narrowed by. A word
# of `facets` is a zero, a letter and the value in hex: one word to SQLite whatever the value. "0a" is in every row.
_SEARCHABLE = """
    CREATE VIEW searchable AS
    SELECT reading.mention_id AS id,
        reading.redacted_text AS words,
        '0a 0u' || hex(reading.urgency)
            || ' 0k' || hex(coalesce(reading.kind, reading.voice))
            || ' 0p' || hex(mention.source)
            || CASE WHEN reading.site IS NULL THEN '' ELSE ' 0s' || hex(reading.site) END
            || coalesce((SELECT group_concat(' 0c' || hex(json_extract(value, '$.id')), '')
                         FROM json_each(reading.categories)), '') AS facets
    FROM reading JOIN mention ON mention.id = reading.mention_id
    WHERE NOT reading.forgotten AND mention.deleted_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM reading AS newer WHERE newer.mention_id = reading.mention_id AND newer.id > reading.id
    )
"""
# FTS5 takes for a letter what is newer than Unicode 6.1: "parking🙄" would be one word. Here emoji, signs of money, and
# the marks around words of another direction; also those of their blocks that are still to come.
_NEWER = ((0x2066, 0x206A), (0x20BA, 0x20D0), (0x23F4, 0x2400), (0x1F110, 0x1FB00))
_SIGNS = "".join(chr(sign) for first, end in _NEWER for sign in range(first, end))
# Contentless: what it has to give back stands in `reading`. It keeps its words until alerts/fulltext.py has tidied it.
_INDEX = f"""
    CREATE VIRTUAL TABLE search USING fts5(
        words, facets, content = '', tokenize = "unicode61 remove_diacritics 2 separators '{_SIGNS}'"
    )
"""
# What changes a row of `searchable`: its name, when it happens, and which mention it is about.
_CHANGES = (
    ("read", "INSERT ON reading", "new.mention_id"),
    (
        "reread",
        "UPDATE OF redacted_text, forgotten, urgency, kind, voice, site, categories ON reading",
        "new.mention_id",
    ),
    ("unread", "DELETE ON reading", "old.mention_id"),
    ("gone", "UPDATE OF deleted_at ON mention", "new.id"),
)


def upgrade() -> None:
    """Apply. On another database than SQLite there is nothing to search with yet."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute(_SEARCHABLE)
    op.execute(_INDEX)
    op.execute("CREATE VIRTUAL TABLE search_words USING fts5vocab('search', 'col')")
    op.execute("CREATE TABLE search_todo (todo VARCHAR NOT NULL PRIMARY KEY)")
    for name, change, mention in _CHANGES:
        row = f"SELECT id, words, facets FROM searchable WHERE id = {mention}"
        forget = "" if name == "read" else f"INSERT OR IGNORE INTO search_todo SELECT 'forget' FROM ({row});"
        # Before the change what the mention has goes out, after it what it has then comes in.
        op.execute(f"""
            CREATE TRIGGER search_before_{name} BEFORE {change} BEGIN
                {forget}
                INSERT INTO search (search, rowid, words, facets) SELECT 'delete', * FROM ({row});
            END
        """)
        op.execute(f"""
            CREATE TRIGGER search_after_{name} AFTER {change} BEGIN
                INSERT INTO search (rowid, words, facets) {row};
            END
        """)
    op.execute("INSERT INTO search (rowid, words, facets) SELECT id, words, facets FROM searchable")


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for name, _, _ in _CHANGES:
        op.execute(f"DROP TRIGGER search_before_{name}")
        op.execute(f"DROP TRIGGER search_after_{name}")
    for table in ("search_todo", "search_words", "search"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP VIEW searchable")
