"""What a post tells, so that no reply repeats it. A plain question of the public ("do you take walk-ins?") tells nothing
but its numbers; who answers it may name what it asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from alerts.privacy.vocabulary import HEALTH, Language, languages, root, words_of
from alerts.privacy.words import EMAIL, HANDLE, NUMBER, PHONE, Word

RUN = 4  # words in a row that are a quotation of the post
_PERSONAL = ("speaker", "relative", "person", "staff", "staffs", "event", "events", "past", *HEALTH)
_NUMBERS = (NUMBER, PHONE, EMAIL, HANDLE)


@dataclass(frozen=True)
class Told:
    """The roots of the words that a post tells, its words in a row and all of them; and the roots of what it asks."""

    roots: frozenset[str] = frozenset()
    runs: frozenset[tuple[str, ...]] = frozenset()
    text: str = ""
    asked: frozenset[str] = frozenset()
    of_nobody: bool = False  # no person and no illness is in it
    _named: dict[str, bool] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, post: str) -> "Told":
        """What a post tells and asks; nothing of an empty one."""
        found = [word for word in words_of(post) if word.text]
        roots = frozenset(map(root, found))
        if _is_plain_question(post, found):
            numbers = {
                root(word)
                for word in found
                if word.text in _NUMBERS or any(word.text in of["number"] for of in languages())
            }
            return cls(roots & numbers, asked=roots - numbers)
        texts = [word.text for word in found]
        runs = (tuple(texts[at : at + RUN]) for at in range(len(texts) - RUN + 1))
        return cls(roots, frozenset(runs), " ".join(texts), of_nobody=not any(map(_is_personal, texts)))

    def names(self, name: str) -> bool:
        """Whether these words stand in it together."""
        if name not in self._named:
            self._named[name] = f" {name} " in f" {self.text} "
        return self._named[name]


def _is_plain_question(post: str, found: Sequence[Word]) -> bool:
    """Whether it asks, and nobody in it did anything or is anybody's."""
    texts = [word.text for word in found]
    language = max(languages(), key=lambda language: len(language.vocabulary.intersection(texts)))
    begins = next((at for at, text in enumerate(texts) if text not in language["before_question"]), len(texts))
    asks = post.rstrip().endswith("?") or any(text in language["asking"] for text in texts[begins : begins + 1])
    return asks and not any(_is_story(found, at, begins, language) for at in range(len(texts)))


def _is_story(found: Sequence[Word], at: int, begins: int, language: Language) -> bool:
    text, before = found[at].text, found[at - 1].text if at else ""
    if text in language["speaker"]:
        return before not in language["before_speaker"]
    if any(text in language[name] for name in ("relative", "person", "staff", "complains")):
        return before not in language["generic"]
    if at <= begins + 1 or not language.is_past(found[at]):
        return False
    return before not in language["generic"] and language["being"].isdisjoint((before, found[begins].text))


def _is_personal(text: str) -> bool:
    return text in _NUMBERS or any(text in language[name] for language in languages() for name in _PERSONAL)
