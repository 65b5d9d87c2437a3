"""Where on the way from door to discharge it happened."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.heads import STAGE

Doc.set_extension("stage", default=None, force=True)

# The first that fits: what is said of a later stage says more than the words of an earlier one.
_STAGES = (
    (
        "after",
        r"\bbill(?:s|ed|ing)?\b|invoice|collections|insurance|copay|test results|lab results|biopsy results|results|follow ?up|after (?:my|her|his|our) (?:surgery|discharge|visit|stay)|two weeks later|weeks later|records|factura|refund|statement|itemized|\bcharged",
    ),
    (
        "discharge",
        r"discharg\w*|sent (?:us|me|him|her) home|going home|de alta|wheelchair to leave|took hours to leave",
    ),
    (
        "booking",
        r"appointment\w*|appt|schedul\w*|book(?:ing|ed)?\b|on hold|referral|waitlist|cancel\w*|earliest|next available|\bcita\b|phone tree|voicemail|reach anyone|call center",
    ),
    (
        "waiting",
        r"waiting|wait(?:ed)? |\bwait\b|waiting room|hours? (?:in|later)|hour \d|triage|\blobby\b|been here since|still here|esper\w+",
    ),
    (
        "arrival",
        r"park\w*|garage|shuttle|valet|registration|register\w*|check ?in|front desk|kiosk|entrance|quay|overflow lot|circling|security guard|estacion\w*",
    ),
    (
        "stay",
        r"\broom \d|overnight|\bnight nurse|nights?\b.*\b(?:stay|room|here)|stay\b|admitted|inpatient|bed ?rail|call (?:light|button|bell)|\bward\b|\bunit\b|\bicu\b|\bnicu\b|tray|roommate|floor \d|\d(?:st|nd|rd|th) floor|hallway bed|maternity|postpartum|breakfast|psych",
    ),
    (
        "treatment",
        r"surger\w*|surgeon|operation|procedure|\bnurses?\b|doctor|\bdr\b|x ?ray|\bmri\b|\bct\b|\biv\b|blood draw|stitches|epidural|delivery|chemo|infusion|treat\w*|therap\w*|er\b|emergency|enfermera|urgencias|scan|medication|meds",
    ),
)
_COMPILED = tuple((name, re.compile(pattern)) for name, pattern in _STAGES)


@Language.component("stage", requires=["doc._.scores"], assigns=["doc._.stage"])
def stage(doc: Doc) -> Doc:
    """Set doc._.stage, or leave it None."""
    if doc._.scores is not None:
        likely = doc._.scores.one(STAGE)
        best = max(likely, key=likely.__getitem__)
        doc._.stage = None if best == "none" else best
        return doc
    text = " ".join(token.norm_ for token in doc[:2000])
    doc._.stage = next((name for name, pattern in _COMPILED if pattern.search(text)), None)
    return doc
