"""Who speaks."""

import pytest

from nlp.pipeline import Reader, Text

SAID = {
    "patient": (
        "Waited four hours at St. Brigid's ER with my daughter",
        "Does St. Brigid's take Medicaid for physical therapy?",
        "St. Brigid's billed me twice for one scan",
        "The food at St. Brigid's is awful and the staff are rude",
        "A kind nurse at St. Brigid's helped my husband",
    ),
    "promo": (
        "Now hiring RNs at Saint Brigid Medical Center! Apply today https://jobs.example/1",
        "ICU travel RN at St. Brigid's, $2,900/wk, 13 wks, DM me",
        "20% off scrubs for St. Brigid's staff, use code NURSE20",
        "Run the 5K for Saint Brigid Medical Center, sign up by Friday",
        "Free blood pressure checks and flu shots near St. Brigid's, walk in today",
        "Every dollar helps the family with bills at St. Brigid's https://fund.example/x",
    ),
    "news": (
        "Saint Brigid Medical Center names a new chief executive https://news.example/1",
        "Two people were taken to St. Brigid's Hospital after a crash on Route 4, police say",
        "City council votes on a road to Saint Brigid Medical Center",
        "Saint Brigid Medical Center says the outage is over",
        "RT @news: Saint Brigid Medical Center announces merger",
    ),
    "other": (
        "drove past St. Brigid's, new sign is up",
        "RT @jo: the nurses at St. Brigid's were so kind to my dad",
        "sunset behind St. Brigid's tonight",
    ),
}


@pytest.mark.parametrize(("voice", "text"), [(voice, text) for voice, texts in SAID.items() for text in texts])
def test_voice(rules: Reader, voice: str, text: str) -> None:
    said = next(rules.read([Text(text)]))
    assert said["voice"] == voice, said["reasons"]


def test_our_own_posts_are_nobodys_experience(rules: Reader) -> None:
    said = next(rules.read([Text("We're sorry for the wait at St. Brigid's, call 911 if you can't breathe", own=True)]))
    assert (said["voice"], said["urgency"]) == ("other", "none")


def test_an_advert_does_not_hide_danger(rules: Reader) -> None:
    said = next(
        rules.read([Text("hiring my lawyer, apply now lol. my dad is unconscious in St. Brigid's ER and nobody comes")])
    )
    assert said["urgency"] == "danger"


def test_what_admins_leave_out_does_not_hide_danger(rules: Reader) -> None:
    """Nobody in a waiting room types our name, and what they say may hold any words."""
    said = next(
        rules.read([Text("my dad is not breathing in the ER waiting room and nobody comes, after the fish fry")])
    )
    assert (said["voice"], said["urgency"]) == ("patient", "danger")


@pytest.mark.parametrize(("voice", "text"), [(voice, text) for voice, texts in SAID.items() for text in texts])
def test_voice_with_the_encoder(reader: Reader, voice: str, text: str) -> None:
    said = next(reader.read([Text(text)]))
    assert said["voice"] == voice, said["reasons"]


def test_a_sure_patient_is_heard_through_a_phrase_of_adverts(reader: Reader) -> None:
    text = "Waited six hours at St. Brigid's with my daughter under a poster saying 'now hiring', nobody looked at her"
    said = next(reader.read([Text(text)]))
    assert said["voice"] == "patient"
    assert any("though 'hiring' speaks like promo" in reason for reason in said["reasons"])
