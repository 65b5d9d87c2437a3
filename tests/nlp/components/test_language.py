"""Which language a post is in, and that one nobody here can read goes to people."""

import pytest

from nlp.pipeline import Reader, Text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("pt", "Alguém sabe se o St. Brigid's tem intérprete de português na maternidade?"),
        ("pt", "Minha mãe está na emergência há cinco horas e ninguém atende"),
        ("vi", "Mẹ tôi chờ sáu tiếng trong phòng cấp cứu mà không ai đến"),
        ("ht", "Mwen te tann senk èdtan nan lopital la epi pèsonn pa vini wè m"),
        ("tl", "Ang tagal ng paghihintay sa emergency room, walang nurse na lumalapit sa amin"),
        ("zh", "请问 St. Brigid 的 MyBrigid 手机应用有中文版吗?"),
        ("ar", "انتظرنا في طوارئ مستشفى St. Brigid's ست ساعات البارحة"),
        ("ru", "мы ждали шесть часов в приемном покое"),
        ("ko", "병원에서 여섯 시간을 기다렸어요"),
    ],
)
def test_unread_languages_go_to_people(reader: Reader, code: str, text: str) -> None:
    said = next(reader.read([Text(text, about_us=True)]))
    assert (said["language"], said["readable"], said["voice"]) == (code, False, "patient")
    assert said["urgency"] != "none"


@pytest.mark.parametrize(
    "text", ["nadie contesta el teléfono", "mi mamá espera en la sala", "la comida mala, muy mala"]
)
def test_spanish_is_read(reader: Reader, text: str) -> None:
    said = next(reader.read([Text(text, about_us=True)]))
    assert (said["language"], said["readable"]) == ("es", True)


@pytest.mark.parametrize(
    "text",
    ["ok", "Horrible", "nurse was kind", "parking nightmare lol", "smh", "zero stars", "no parking no signs no shuttle", "Thanks Keisha!!", "❤️❤️", "MRI tomorrow #portalder https://x.example/abc"],
)  # fmt: skip
def test_short_english_is_english(reader: Reader, text: str) -> None:
    assert next(reader.read([Text(text, about_us=True)]))["language"] == "en"
