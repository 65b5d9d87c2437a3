"""The encoder inside the pipeline."""

from nlp.components.scores import read_so, words
from nlp.heads import SAYS, TOPICS
from nlp.pipeline import Reader, Text


def test_together_and_alone_say_the_same(reader: Reader) -> None:
    texts = [Text(f"the soup at St. Brigid's was cold, day {n}" + " again" * n) for n in range(20)]
    together = [doc._.scores.any(TOPICS)["food"].likely for doc in reader.docs(texts)]
    alone = [reader.doc(text)._.scores.any(TOPICS)["food"].likely for text in texts]
    assert all(abs(one - other) < 0.002 for one, other in zip(together, alone, strict=True))


def test_words_are_whole(reader: Reader) -> None:
    doc = reader.doc(Text("Unbelievably inedible casserole and lukewarm chamomile", about_us=True))
    for span in words(doc, TOPICS, "food"):
        assert span.text in doc.text.split()
    assert "casserole" in read_so(doc, TOPICS, "food", 0.9)
    assert read_so(doc, TOPICS, "food", 0.9).endswith("(0.90)")


def test_our_name_is_no_reason_and_neither_is_grammar(reader: Reader) -> None:
    doc = reader.doc(Text("St. Brigid's: the soup was cold and it was salty at St. Brigid's"))
    shown = {span.text.casefold() for span in words(doc, TOPICS, "food")}
    assert "soup" in shown
    assert shown.isdisjoint(["st.", "brigid's", "the", "was", "and", "it", "at"])


def test_a_post_of_nothing_but_our_name_still_has_a_reason(reader: Reader) -> None:
    doc = reader.doc(Text("St. Brigid's"))
    assert read_so(doc, SAYS, "praise", 0.5) == "read so (0.50)"


def test_what_is_not_ours_is_not_read_closely(reader: Reader) -> None:
    assert reader.doc(Text("what a lovely day in Denver"))._.scores is None


def test_reasons_name_nobody(reader: Reader) -> None:
    """What speaks for praise in such a post is often the name itself."""
    said = next(reader.read([Text("Keisha Obi, Keisha Obi, Keisha Obi! Room 412 thanks Keisha Obi", about_us=True)]))
    assert "Keisha" not in said["redacted_text"]
    assert not any("Keisha" in reason or "Obi" in reason or "412" in reason for reason in said["reasons"])
