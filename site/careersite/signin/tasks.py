"""What Celery finds of this package."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from careersite.signin import log
from careersite.signin.models import Memory


@shared_task(name="careers.clean_up_sign_ins")
def clean_up_sign_ins(**_: Any) -> None:
    """Delete ended sessions, old entries of the log, and counts that no longer matter."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    keys = Session.objects.values("session_key")
    UserSession.objects.exclude(session_key__in=keys).delete()
    Memory.objects.filter(expires__lt=timezone.now()).delete()
    log.delete_old()
