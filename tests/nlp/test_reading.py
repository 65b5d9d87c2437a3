"""The table holds what a reading says."""

from nlp.pipeline import Reader, Text
from nlp.reading import Reading


def test_every_field_of_a_reading_has_its_column(reader: Reader) -> None:
    said = next(reader.read([Text("St. Brigid's ER was kind to me")]))
    assert set(said) == set(Reading.model_fields) - {
        "id",
        "mention_id",
        "revision",
        "pipeline_version",
        "read_at",
        "forgotten",
    }
