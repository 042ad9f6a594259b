"""Applications as varied as people are; the same number always makes the same one."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

#: Words in scripts that the site brings fonts for.
WORDS = {
    "en": "tide gauge harbour winter boat charts nobody measures carefully since childhood why",
    "fr": "marée île être façade œuvre où déjà mesurer naïveté garçon reçu hôpital",
    "de": "Gezeitenpegelüberwachungsanlage Straße Übung größer Hafenmeister prüfen täglich",
    "vi": "thủy triều cảng biển đo lường chính xác mùa đông thuyền",
    "el": "παλίρροια λιμάνι μέτρηση χειμώνας θάλασσα άνεμος ακρίβεια",
    "uk": "приплив гавань вимірювання зима море вітер точність їжак",
    "ar": "المد والجزر ميناء قياس البحر الشتاء رياح دقة",
    "he": "גאות ושפל נמל מדידה ים חורף רוח דיוק",
}
#: Words in scripts for which only the system may have fonts.
FOREIGN = {
    "zh": "潮汐 港口 测量 冬天 海 风 准确",
    "ja": "潮汐 港 測定 冬 海 風 正確",
    "hi": "ज्वार बंदरगाह मापन सर्दी समुद्र हवा",
    "emoji": "🌊 👋🏽 ⚓ 👩‍🔬 🧭 ✓ → ½",
}
#: Most answers are short, as answers are.
LONGEST = (10,) * 150 + (40,) * 40 + (150,) * 8 + (600, 2_000)
#: The longest line that a held-down key makes.
UNBROKEN = "x" * 5_000


def prose(chance: random.Random, longest: int) -> str:
    """Up to so many words, mostly of one script, in paragraphs."""
    known = FOREIGN if chance.random() < 0.003 else WORDS
    first, second = (known[chance.choice(list(known))].split() for _ in range(2))
    said = [
        chance.choice(first if chance.random() < 0.9 else second)
        + chance.choice((" ", " ", " ", ", ", ". ", ".\n", "\n\n"))
        for _ in range(chance.randint(0, longest))
    ]
    return "".join(said).strip() + UNBROKEN * (chance.random() < 0.001)


def application(number: int) -> Any:
    """One application that is in no database, with one to six questions beside the usual ones."""
    from careers.applications.frozen import CV, EMAIL, NAME, FrozenForm, Option, Question
    from careers.applications.models import Application, ApplicationFile

    chance = random.Random(number)
    asked = [Question(NAME, "name", "Full name"), Question(EMAIL, "email", "E-mail")]
    answers: dict[str, Any] = {}
    for n in range(chance.choice((1, 1, 1, 1, 2, 2, 6))):
        key, label = f"q{n}", prose(chance, 12)[:200] or "Why?"
        if chance.random() < 0.2:
            options = tuple(Option(f"o{o}", prose(chance, 3)[:80] or "None") for o in range(6))
            asked.append(Question(key, "multiple_choice", label, options=options))
            answers[key] = [option.key for option in options if chance.random() < 0.4]
        else:
            asked.append(Question(key, "long_text", label, help="In your own words."))
            answers[key] = prose(chance, chance.choice(LONGEST))
    form = FrozenForm(
        job_title="Production planner",
        company="Tidewater Instruments",
        language=chance.choice(("en", "en", "fr")),
        time_zone="Europe/Oslo",
        questions=tuple(asked),
        facts=(("Place", "Bergen"), ("Pay", "€72,000–€88,000 a year")),
    )
    made = Application(
        pk=number + 1,
        language=form.language,
        form=form.to_json(),
        answers=answers,
        name=" ".join(prose(chance, 3).split())[:80] or "Ada",
        email=f"a{number}@example.org",
        reference=f"{number:08d}",
        received_at=dt.datetime(2026, 11, 22, 15, 3, tzinfo=dt.UTC) + dt.timedelta(hours=number),
    )
    cv = ApplicationFile(
        kind="cv", question_key=CV, filename="CV.pdf", size=48_211, sha256=f"{number:064x}"
    )
    # As after prefetch_related("files").
    made._prefetched_objects_cache = {"files": [cv]}  # type: ignore[attr-defined]
    return made
