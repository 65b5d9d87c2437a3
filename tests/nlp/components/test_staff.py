"""Who is thanked by name, and whose name is never passed on. A name of the second table that is found is a breach."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.components.staff import staff
from nlp.pipeline import Reader, Text
from nlp.tokenizer import visible

THANKED = {
    # a title before the name
    "Thank you Dr. Chen for saving my mother Rosa Delgado": ["Dr. Chen"],
    "my son Leo was treated by nurse Amy": ["nurse Amy"],
    "Nurse Amy's patient John says thank you": ["Nurse Amy"],
    "thank u dr patel, youre the best": ["dr patel"],
    "Doctor Ngozi Eze called me on a Sunday": ["Doctor Ngozi Eze"],
    "Dr. O'Sullivan explained every step to us": ["Dr. O'Sullivan"],
    "My mom's nurse Keisha held her hand all night": ["nurse Keisha"],
    "Security guard Demetrius walked me to my car": ["Security guard Demetrius"],
    "shout out to phlebotomist Tomasz, did not feel a thing": ["phlebotomist Tomasz"],
    "Our midwife Siobhan stayed past her shift for us": ["midwife Siobhan"],
    "Chaplain Obadiah sat with us till four": ["Chaplain Obadiah"],
    "volunteer Hyacinth brought me a blanket": ["volunteer Hyacinth"],
    "Receptionist Jackie remembered my name": ["Receptionist Jackie"],
    "THANK YOU NURSE BEATRIZ YOU ARE A BLESSING": ["NURSE BEATRIZ"],
    "NP Castellanos answered in six minutes": ["NP Castellanos"],
    "Social worker Marisol found my grandmother a bed": ["Social worker Marisol"],
    "Dr. Chen and nurse Amy were wonderful to my wife Rosa": ["Dr. Chen", "nurse Amy"],
    "Dr. Chen was kind. Everyone should have a Dr. Chen!": ["Dr. Chen"],
    "nurses Amy and Joy kept my son Leo laughing": ["nurses Amy and Joy"],
    "Drs. Venkataraman and O'Sullivan saved my leg": ["Drs. Venkataraman and O'Sullivan"],
    "The nurse Maria was an angel": ["nurse Maria"],
    # a name that is told
    "my nurse was Maria and she never left": ["Maria"],
    "Our nurse last night was Xiomara, what a gem": ["Xiomara"],
    "a nurse named Joy sat with my dad Walter": ["Joy"],
    "There was a porter called Winston who sang all the way": ["Winston"],
    "The name of my nurse was Zsófia": ["Zsófia"],
    "The nurse's name was Gloria and she is the best": ["Gloria"],
    "Our nurse, Maria, stayed two hours past her shift": ["Maria"],
    "Maria was our nurse and we adored her": ["Maria"],
    "Amy Lee was my nurse, ten out of ten": ["Amy Lee"],
    # what they do behind the name
    "Tomás from transport told jokes the whole way": ["Tomás from transport"],
    "Maria in billing fixed it in five minutes": ["Maria in billing"],
    "Maria at the front desk is a ray of sunshine": ["Maria at the front desk"],
    "Thank you Renata the receptionist": ["Renata the receptionist"],
    "Amy Lee, RN, caught the mistake before it reached me": ["Amy Lee, RN"],
    "Rosheen, our midwife, cried with us": ["Rosheen, our midwife"],
    "Mrs. Hallorann from patient relations called me back": ["Mrs. Hallorann from patient relations"],
    "Siobhan on nights let me charge my phone": ["Siobhan on nights"],
    "Darnell (the tech) kept bringing warm blankets": ["Darnell (the tech)"],
    "Kev the porter knows every corridor": ["Kev the porter"],
    # Spanish
    "Gracias a la enfermera Ana por cuidar a mi mamá Rosa": ["enfermera Ana"],
    "El doctor Ruiz le salvó la vida a mi papá Julián": ["doctor Ruiz"],
    "Ana, la recepcionista, fue muy amable": ["Ana, la recepcionista"],
    "La doctora Xóchitl Barragán nos explicó todo": ["doctora Xóchitl Barragán"],
    "mi enfermera fue Yolanda y es un ángel": ["Yolanda"],
    "Dra. Figueroa, mil gracias": ["Dra. Figueroa"],
}
NOT_TO_BE_PASSED_ON = (
    # patients and relatives
    "Thank you for saving my mother Rosa Delgado",
    "my son Leo is home because of you all",
    "Rosa Delgado is walking again, thank you ICU",
    "You took such good care of Leo in the NICU",
    "Grateful for everyone who looked after Maria in the ER",
    "My dad John on the third floor says the food is great",
    "Baby Amelia was born at 3am and everyone was so kind",
    "God bless whoever held Walter's hand at the end",
    "My husband Tekle left on his own two feet",
    "Thank you from Rosa and the whole Delgado family",
    "our patient Leo sends his love to the whole floor",
    "My daughter is called Hope, and hope is what you gave us",
    "Leo was so brave with the needle, thank you nurses",
    "gracias por cuidar a mi abuela Carmen",
    "Mi hijo Julián ya camina, gracias a todos",
    "Gracias a Dios Rosa está en casa",
    # staff who are patients or relatives
    "My mother, Dr. Reed, was treated with such kindness",
    "My husband Dr. Alan Reed had his knee done and you were great",
    "Dr. Reed was admitted on Friday and everyone was kind",
    "Dr. Reed, my father, was in good hands",
    "my sister nurse Kelly was a patient on 4 West, lovely care",
    "Nurse Kelly is my daughter and you saved her",
    "Dr. King had a stroke and your team was on it in minutes",
    "My mom Maria in billing there had her baby with you, wonderful",
    "My neighbor Amy Lee, RN, had her surgery with you, five stars",
    "our friend Dr. Okafor is doing better thanks to the ICU",
    "My aunt Ana, la recepcionista, salió muy bien",
    # who writes
    "I'm nurse Amy and I have never seen such teamwork",
    "Thank you all so much. Amy Lee, RN",
    "Best ER in town\n- Dr. Reed",
    "This is Dr. Reed, and I was your patient: thank you",
    "Amy Lee RN here, so grateful to the ICU",
    "Thank you to your wonderful nurse, Rosa",
    "soy la enfermera Ana y les agradezco todo",
    # where it is not told who is who
    "the doctor Leo saw was great",
    "the nurse Rosa had in the ER was an angel",
    "the best nurse Leo ever had, thank you",
    "Thank you to the nurse, Rosa is home",
    "So grateful to the nurses, Rosa is eating again",
    "thank you nurse Leo is doing so much better",
    "the nurse called Rosa twice to check on her, so kind",
    "Leo, the nurse, and I laughed all night",
    "thank you for helping nurse Rosa back to health",
    "caring for Rosa the nurse never once sat down",
    "I was with Rosa at the front desk and they were so sweet",
    "Rosa at the front desk waiting, and a guard brought her a chair",
    "Rosa, the nurse's favorite, rang the bell today",
    "Rosa rn in the ER and they are lovely",
    "Get well soon Rosa, the nurse who cares for you is the best",
    "Better than Dr. Ruiz at the other place",
    # no names at all
    "Great doctor! Thank you all",
    "The doctor said I was his favourite patient",
    "la doctora llegó al ratito, excelente",
    "Dr. Pepper from the vending machine, five stars",
    "Nurses Week was lovely, thank you",
    "Love the new Okafor Pavilion",
    "thank you nurses, doctors, techs, everyone",
    "",
)


def thanked(reader: Reader, text: str) -> list[str]:
    """What is found where a post is praise, whatever the encoder makes of it."""
    doc = reader.doc(Text(text, about_us=True))
    doc._.kind = "praise"
    return list(staff(doc)._.staff)


@pytest.mark.parametrize(("text", "names"), THANKED.items())
def test_who_is_thanked(reader: Reader, text: str, names: list[str]) -> None:
    assert thanked(reader, text) == names


@pytest.mark.parametrize("text", NOT_TO_BE_PASSED_ON)
def test_nobody_elses_name(reader: Reader, rules: Reader, text: str) -> None:
    assert thanked(reader, text) == []
    assert thanked(rules, text) == []


def test_there_are_enough_of_both() -> None:
    assert len(THANKED) >= 40
    assert len(NOT_TO_BE_PASSED_ON) >= 40


def test_in_the_reading_it_is_praise_alone_that_names_staff(reader: Reader) -> None:
    praise, complaint, own = reader.read(
        [
            Text("Thank you nurse Amy, you were wonderful to us", about_us=True),
            Text("nurse Amy was rude and left my mother in the hallway for hours", about_us=True),
            Text("Thank you nurse Amy, you were wonderful to us", about_us=True, own=True),
        ]
    )
    assert (praise["kind"], praise["staff"]) == ("praise", ["nurse Amy"])
    assert praise["redacted_text"] == "Thank you nurse [name], you were wonderful to us"
    assert (complaint["staff"], own["staff"]) == ([], [])


def test_no_more_than_a_handful(reader: Reader) -> None:
    text = "Thank you nurse Amy, nurse Keisha, nurse Maria, nurse Tomasz, nurse Yolanda, nurse Walter, nurse Ana!"
    assert thanked(reader, text) == ["nurse Amy", "nurse Keisha", "nurse Maria", "nurse Tomasz", "nurse Yolanda"]


PIECES = st.sampled_from(
    [
        *("Thank you ", "Dr. ", "Dr.", "nurse ", "nurses ", "the nurse ", "our nurse, ", "my nurse was ", "a nurse named "),
        *("Rosa", "Chen", "Amy", "Leo", "Zsófia", "Mary-Jo", "O'Neill", "van der Berg", " and ", ", ", ". ", "\n", "- ", "'s ", " (RN)"),
        *(", RN", " the porter", " in billing", " was our nurse", " at the front desk", "my mom ", "\u200b", "\u202e", "🙏", " "),
    ]
)  # fmt: skip


@given(pieces=st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=14))
@settings(max_examples=150)
def test_what_is_found_stands_in_the_post(reader: Reader, pieces: list[str]) -> None:
    text = "".join(pieces)
    found = thanked(reader, text)
    assert all(name and name in visible(text) for name in found)
    assert len(found) == len(set(found)) <= 5
