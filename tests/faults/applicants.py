"""Applications as varied as people are, through the only door but without a form over HTTP.

``python -m tests.faults.applicants COUNT`` puts them into the site that the environment names.
The same number always makes the same application.
"""

from __future__ import annotations

import dataclasses
import hashlib
import random
import sys
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
#: And in scripts that the system has fonts for, or nobody.
FOREIGN = {
    "zh": "潮汐 港口 测量 冬天 海 风 准确",
    "ja": "潮汐 港 測定 冬 海 風 正確",
    "hi": "ज्वार बंदरगाह मापन सर्दी समुद्र हवा",
    "emoji": "🌊 👋🏽 ⚓ 👩‍🔬 🧭 ✓ → ½",
}
#: Most answers are short, as answers are.
LONGEST = (10,) * 120 + (40,) * 66 + (150,) * 11 + (600,) * 2 + (2_000,)
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


def submission(number: int, job: Any) -> Any:
    """One application with one to six questions beside the usual ones."""
    from careers.applications.files import Upload
    from careers.applications.frozen import Option, Question
    from careers.intake.submit import Submission
    from tests.stack import a_cv

    chance = random.Random(number)
    asked: list[Question] = []
    answers: dict[str, Any] = {}
    for n in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
        key, label = f"q{n}", prose(chance, 12)[:200] or "Why?"
        if chance.random() < 0.2:
            options = tuple(Option(f"o{o}", prose(chance, 3)[:80] or "None") for o in range(6))
            asked.append(Question(key, "multiple_choice", label, options=options))
            answers[key] = [option.key for option in options if chance.random() < 0.4]
        else:
            asked.append(Question(key, "long_text", label, help="In your own words."))
            answers[key] = prose(chance, chance.choice(LONGEST))
    form = job.frozen_form()
    form = dataclasses.replace(form, questions=(*form.questions, *asked))
    name = " ".join(prose(chance, 3).split())[:80] or "Ada"
    content = a_cv(f"applicant {number}", 400)
    cv = Upload("cv", "CV.pdf", "application/pdf", content, hashlib.sha256(content).hexdigest())
    return Submission(
        page_id=job.pk,
        job_key=job.job_key,
        revision_id=job.live_revision_id,
        form=form,
        answers={"name": name, "email": f"a{number}@example.org", "phone": "", **answers},
        uploads=(cv,),
        recipients=("hr@example.org",),
    )


def main(count: int) -> None:
    import django

    django.setup()
    from careers.intake.submit import submit
    from careers.jobs.models import JobPage
    from tests.stack import PLAIN_JOB

    job = JobPage.objects.get(slug=PLAIN_JOB, locale__language_code="en")
    for number in range(count):
        submit(submission(number, job))


if __name__ == "__main__":
    main(int(sys.argv[1]))
