"""The forms that are sent, on the site and on the plain project."""

from __future__ import annotations

import base64
import io
import os
import re

from bench.sites import JOB, Bench, Web
from bench.traffic import NUMBER, post
from careers.management.commands.seed_demo import JOBS, key
from tests.support.stack import a_cv

#: A text as long as many people write.
SENTENCE = "For six years I have kept measurements on time in places without a good network. "


def small_cv() -> bytes:
    """A CV of 20 KB."""
    return a_cv(f"CV {NUMBER}")


def real_cv(size: int = 1_000_000) -> bytes:
    """A PDF of two pages with text, fonts and a photo, about ``size`` bytes in all."""
    import pikepdf
    from PIL import Image
    from weasyprint import HTML

    # Noise does not compress, so a quarter of its pixels has the size of the file.
    side = int((size * 0.92) ** 0.5)
    photo = io.BytesIO()
    Image.frombytes("L", (side, side), os.urandom(side * side)).save(photo, "PNG")
    source = f"data:image/png;base64,{base64.b64encode(photo.getvalue()).decode()}"
    text = f"<h2>Work</h2><p>{SENTENCE * 20}</p>" * 3
    html = f'<h1>Curriculum vitae</h1><img src="{source}" style="width: 5cm">{text}'
    done = io.BytesIO()
    with pikepdf.open(io.BytesIO(HTML(string=html).write_pdf())) as pdf:
        # Each CV of a run is another file.
        pdf.docinfo["/Title"] = f"CV {NUMBER}"
        pdf.save(done, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return done.getvalue()


def our_form(bench: Bench, web: Web, cv: bytes) -> bytes:
    """The form of the measured job, with a CV."""
    questions = next(job for job in JOBS if job["slug"] == JOB)["questions"]
    answers = {"multiple_choice": "", "number": "6", "date": "2027-03-01"}
    fields: dict[str, str | list[str]] = {
        "name": "Ada Prøve",
        "email": f"ada-{NUMBER}@example.org",
        "phone": "+47 22 33 44 55",
    }
    for kind, label, more in questions:
        chosen = [key(JOB, label, option) for option in more.get("options", [])[:2]]
        fields[f"q-{key(JOB, label)}"] = chosen or answers[kind]
    _status, _headers, page = bench.site.get(f"/careers/{JOB}/", port=web.port)
    path = re.search('action="(/apply/[^"#]+)', page.decode())
    edition = re.search('name="edition" value="([^"]+)"', page.decode())
    assert path, "the page has no form"
    # A field that only robots fill in, and the mark of the form that the page shows.
    fields |= {"more": "", "edition": edition[1] if edition else ""}
    return post(path[1], web.port, fields, {"cv": ("CV.pdf", cv)})


def plain_form(bench: Bench) -> bytes:
    """The form of the plain project, which has no file."""
    _status, headers, page = bench.site.get("/job/", port=bench.plain.port)
    cookie = headers["Set-Cookie"].partition(";")[0]
    names = dict.fromkeys(re.findall(r'<(?:input|textarea)[^>]* name="([^"]+)"', page.decode()))
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page.decode())
    assert token, "the plain form has no token"
    values: list[str | list[str]] = [
        "Ada Prøve",
        f"ada-{NUMBER}@example.org",
        "+47 22 33 44 55",
        ["PostgreSQL", "Kafka"],
        "6",
        "2027-03-01",
        SENTENCE * 3,
    ]
    own = [name for name in names if name != "csrfmiddlewaretoken"]
    fields = dict(zip(own, values, strict=True)) | {"csrfmiddlewaretoken": token[1]}
    return post("/job/", bench.plain.port, fields, {}, {"Cookie": cookie})
