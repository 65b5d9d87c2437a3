"""Colours, light and dark, and fonts of the page and of its charts.

Every mark stands out from the paper by 3:1, every word by 4.5:1. After Okabe and Ito's colours for the colour-blind, made lighter or darker until each differs in lightness too.
"""

# name: (on light paper, on dark paper)
COLOURS = {
    "paper": ("#fdfdfb", "#12181e"),
    "ink": ("#1b2733", "#e6ebf0"),
    "soft": ("#55636f", "#a3b1bd"),
    "line": ("#d5dbe1", "#34414d"),
    "accent": ("#0b5f8a", "#7cc4ec"),
    "usual": ("#dde4ea", "#2b3640"),  # the band: its middle line is drawn in ink
    "alarm": ("#a3141b", "#d32f2f"),  # the ground of danger
    "danger": ("#a3141b", "#ff8077"),  # how urgent something is: these five are words as often as marks
    "here_now": ("#9a4b00", "#ffb861"),
    "serious": ("#6d3a9c", "#c9a6f2"),
    "routine": ("#0b5f8a", "#7cc4ec"),
    "low": ("#5a6771", "#98a5b0"),
    "only": ("#0071b0", "#58aadf"),
    "series-1": ("#0f3553", "#76baeb"),
    "series-2": ("#cf5b00", "#db741a"),
    "series-3": ("#793e89", "#debeea"),
    "series-4": ("#00a27e", "#2e8f74"),
    "series-5": ("#782831", "#ffddcf"),
    "series-6": ("#5e6a75", "#96a2ab"),
    "good": ("#0071b0", "#58aadf"),
    "bad": ("#832a04", "#ffc29a"),
    "plain": ("#879099", "#747f8b"),
    "heat-1": ("#e3eef6", "#1b2a38"),
    "heat-2": ("#bcd7ea", "#24435f"),
    "heat-3": ("#86b6d8", "#2f648f"),
    "heat-4": ("#4a8fc0", "#4a8fc0"),
    "heat-5": ("#1f6299", "#86bfe6"),
    "heat-6": ("#0d3f69", "#cfe8fa"),
}
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SERIES = tuple(name for name in COLOURS if name.startswith("series-"))
HEAT = tuple(name for name in COLOURS if name.startswith("heat-"))
URGENT = ("danger", "here_now", "serious", "routine", "low")
_WORDS = ("#ffffff", "#05090c")


def on(colour: str) -> tuple[str, str]:
    """The colours of words that stand on one, on light and on dark paper."""
    light, dark = (max(_WORDS, key=lambda words: contrast(words, ground)) for ground in COLOURS[colour])
    return light, dark


def contrast(one: str, other: str) -> float:
    """Between two colours as WCAG 2 counts it, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def variables() -> dict[str, tuple[str, str]]:
    """Every colour by the name of its variable, without the dashes; on-X is that of words on X."""
    grounds = ("only", "good", "bad", "plain", "accent", "alarm", *URGENT, *SERIES, *HEAT)
    return COLOURS | {f"on-{name}": on(name) for name in grounds}


def fills() -> str:
    """The rules by which shapes of a chart have the page's colours."""
    return "\n".join(f".fill-{name} {{ fill: var(--{name}); }}" for name in variables())
