"""The questions to the encoder."""

from nlp.heads import HEADS, columns


def test_answers_stand_side_by_side() -> None:
    places = columns(HEADS)
    assert [place.stop - place.start for place in places.values()] == [len(head.labels) for head in HEADS]
    ends = [place.stop for place in places.values()]
    assert [place.start for place in places.values()] == [0, *ends[:-1]]
    assert len({head.name for head in HEADS}) == len(HEADS)
