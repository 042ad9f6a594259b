"""What Celery finds of this package."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from celery import shared_task
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from careersite.signin import log
from careersite.signin.adapters import encrypted_anew
from careersite.signin.models import Memory

#: What allauth encrypts in the data of an authenticator app and of recovery codes.
ENCRYPTED = ("secret", "seed")


@shared_task(name="careers.clean_up_sign_ins")
def clean_up_sign_ins(**_: Any) -> None:
    """Delete ended sessions, old entries of the log, and counts that no longer matter.

    It also encrypts secrets of second factors anew after a change of ``SECRET_KEY``, so that the
    old key may be removed from ``SECRET_KEY_FALLBACKS``.
    """
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    keys = Session.objects.values("session_key")
    UserSession.objects.exclude(session_key__in=keys).delete()
    Memory.objects.filter(expires__lt=timezone.now()).delete()
    log.delete_old()
    _encrypt_anew()


def _encrypt_anew() -> None:
    for pk in Authenticator.objects.values_list("pk", flat=True):
        with transaction.atomic():
            factor = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if factor is None:
                continue
            anew = {
                name: encrypted_anew(value) if name in ENCRYPTED else value
                for name, value in factor.data.items()
            }
            if anew != factor.data:
                factor.data = anew
                factor.save(update_fields=["data"])
