"""Two parts of a page tree with the same objects, and a person for each role of the matrix."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.utils import timezone
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Collection, GroupPagePermission, Locale, Site, Task, Workflow

from careers.backoffice import roles
from careers.jobs.taxonomy import Department, Location
from careers.pipeline.kinds import ARCHIVE, MAIL_HR
from careers.pipeline.models import BulkAct, Pause
from tests.support.factories import (
    ApplicationFactory,
    HeartbeatFactory,
    HomePageFactory,
    JobIndexPageFactory,
    JobPageFactory,
    StepFactory,
)
from tests.support.translating import in_french

OWN, FOREIGN = "own", "foreign"
#: Our permissions that are given without a group.
OURS = (
    "view_application",
    "change_application",
    "view_step",
    "retry_step",
    "cancel_step",
    "pause_step",
)
EDITS = ("add", "change", "publish")


def build() -> dict[str, Any]:
    """Two parts of a page tree with the same objects, and a person for each role.

    Returns:
        "own", "foreign": the objects of each part, with those of the whole site.
        "people": the user of each role; None for no login.
    """
    Group.objects.filter(name__in=roles.ROLES).delete()
    roles.make_roles(apps)
    shared = _shared()
    own, foreign = (_part(name, shared) for name in (OWN, FOREIGN))
    return {OWN: own, FOREIGN: foreign, "people": _people(own, foreign)}


def _shared() -> dict[str, Any]:
    home = HomePageFactory(as_site=True)
    # Without it, nobody is sent to Flower.
    HeartbeatFactory(kind="flower", name="flower@host", queues="")
    document = get_document_model().objects.create(
        title="Plan", file=ContentFile(b"x", name="plan.txt")
    )
    now = timezone.now()
    image = get_image_model().objects.create(title="Boat", file=get_test_image_file())
    other_user = get_user_model().objects.create_user("somebody")
    other_passkey = Authenticator.objects.create(
        user=other_user, type=Authenticator.Type.WEBAUTHN, data={"name": "Key"}
    )
    return {
        "home": home,
        "site": Site.objects.get(is_default_site=True).pk,
        "document": document.pk,
        # Storage chooses another name when a file has this one.
        "document_name": document.filename,
        "image": image.pk,
        "department": Department.objects.create(
            name="Tools", slug="tools", locale=Locale.get_default()
        ).pk,
        "location": Location.objects.create(name="Bergen", slug="bergen", country="NO").pk,
        "locale": Locale.objects.get_or_create(language_code="fr")[0].pk,
        "collection": Collection.get_first_root_node().add_child(name="Press").pk,
        "workflow": Workflow.objects.create(name="Two steps").pk,
        "task": Task.objects.create(name="Second reading").pk,
        "other_user": other_user.pk,
        "other_passkey": other_passkey.pk,
        "group": Group.objects.create(name="some group").pk,
        "pause": Pause.objects.create(
            scope="kind:archive", reason="Repair", since=now, until=now + dt.timedelta(hours=1)
        ).pk,
        # Of nobody, so only operators see it.
        "bulk": BulkAct.objects.create(
            act="retry",
            key="key",
            chosen={"kind": ARCHIVE, "code": "", "jobs": None},
            total=1,
            last=1,
            created_at=now,
        ).pk,
    }


def _part(name: str, shared: dict[str, Any]) -> SimpleNamespace:
    index = JobIndexPageFactory(parent=shared["home"], title=f"{name} jobs", slug=name)
    spare = JobIndexPageFactory(parent=shared["home"], title=f"{name} spare", slug=f"{name}-2")
    job = JobPageFactory(parent=index, title=f"{name} job", slug="job")
    revision = job.save_revision()
    revision.publish()
    french = in_french(job, {})
    application = ApplicationFactory(page=job, in_quarantine=True, with_files=True)
    step = StepFactory(application=application, kind=ARCHIVE, failed=True)
    mail = StepFactory(
        application=application, kind=MAIL_HR, failed=True, recipient="hr@example.com"
    )
    source = apps.get_model("wagtail_localize", "TranslationSource").objects.get(
        object_id=job.translation_key
    )
    return SimpleNamespace(
        **shared,
        job=job,
        french=french,
        index_page=index,
        index=index.pk,
        spare=spare.pk,
        page=job.pk,
        page_path=f"{name}/job/",
        revision=revision.pk,
        job_key=job.translation_key,
        reference=application.reference,
        secret=application.receipt_secret,
        step=step.pk,
        mail=mail.pk,
        file=application.files.first().public_id,
        source=source.pk,
        translation=source.translations.get().pk,
        string_segment=source.stringsegment_set.first().pk,
        application=application,
    )


def _people(own: SimpleNamespace, foreign: SimpleNamespace) -> dict[str, Any]:
    mine = [own.index_page, own.french.get_parent()]
    root = own.home.get_root()
    reads = _group("reads own", ("view_application",), [own.job], ("view",))
    edits_all = _group("edits all", (), [root], EDITS)
    leads = _role(roles.LEAD, mine)
    operates = _role(roles.OPERATOR, [])
    direct = _person("direct", edits_all)
    direct.user_permissions.set(_permissions("careers", OURS))
    return {
        "anonymous": None,
        "guest": get_user_model().objects.create_user("guest"),
        "editor": _person("editor", _group("edits own", (), mine, EDITS)),
        "reader": _person("reader", reads),
        "author": _person("author", _role(roles.AUTHOR, mine)),
        "lead": _person("lead", leads),
        "reviewer": _person("reviewer", _role(roles.REVIEWER, mine)),
        "operator": _person("operator", operates),
        "administrator": _person("administrator", _role(roles.ADMINISTRATOR, [])),
        "reader+editor": _person("reader+editor", reads, edits_all),
        "lead+reader": _person(
            "lead+reader",
            leads,
            _group("reads foreign", ("view_application",), [foreign.job], ("view",)),
        ),
        "operator+reader": _person("operator+reader", operates, reads),
        "direct": direct,
    }


def _role(name: str, pages: list[Any]) -> Group:
    group = Group.objects.get(name=name)
    for page in pages:
        roles.give_page(apps, group, page.pk)
    return group


def _group(name: str, ours: tuple[str, ...], pages: list[Any], on_pages: tuple[str, ...]) -> Group:
    group = Group.objects.create(name=name)
    group.permissions.set(
        [*_permissions("careers", ours), *_permissions("wagtailadmin", ("access_admin",))]
    )
    for page in pages:
        for action in on_pages:
            GroupPagePermission.objects.create(group=group, page=page, permission_type=action)
    return group


def _permissions(app: str, codenames: tuple[str, ...]) -> list[Permission]:
    return list(Permission.objects.filter(content_type__app_label=app, codename__in=codenames))


def _person(name: str, *groups: Group) -> Any:
    person = get_user_model().objects.create_user(name, f"{name}@example.com".replace("+", "-"))
    person.groups.set(groups)
    return person
