"""The data of people with an account."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from careers.retention.data_map import Erasure, Kept, Personal, Purpose, Reader, Subject, declare

ACCOUNT = Personal(
    _("Account"),
    Purpose.ACCOUNT,
    Kept.ACCOUNT,
    (Reader.OWNER, Reader.ADMINISTRATORS),
    Erasure.ACCOUNT,
)
SECRET = ACCOUNT.but(_("Secret"), readers=(), exported=False)
#: Who changed content. The entry stays when the account is deleted.
AUTHOR = Personal(
    _("Account of the author"),
    Purpose.HISTORY,
    Kept.LOG,
    (Reader.EDITORS, Reader.ADMINISTRATORS),
    Erasure.DETACHED,
)

declare(
    "auth.User",
    _("Account"),
    subject=Subject.STAFF,
    personal={
        "username": ACCOUNT.but(_("User name")),
        "first_name": ACCOUNT.but(_("First name")),
        "last_name": ACCOUNT.but(_("Last name")),
        "email": ACCOUNT.but(_("E-mail address")),
        "password": SECRET.but(_("Hash of the password")),
        "last_login": ACCOUNT.but(_("Last sign-in")),
        "date_joined": ACCOUNT.but(_("When the account was made")),
    },
    plain="is_superuser is_staff is_active",
)
declare(
    "auth.User_groups",
    _("Group of an account"),
    subject=Subject.STAFF,
    personal={"user": ACCOUNT},
)
declare(
    "auth.User_user_permissions",
    _("Permission of an account"),
    subject=Subject.STAFF,
    personal={"user": ACCOUNT},
)
declare(
    "account.EmailAddress",
    _("E-mail address of an account"),
    subject=Subject.STAFF,
    personal={"user": ACCOUNT, "email": ACCOUNT.but(_("E-mail address"))},
    plain="verified primary",
)
declare(
    "account.EmailConfirmation",
    _("Confirmation of an address"),
    subject=Subject.STAFF,
    personal={"key": SECRET.but(_("Secret of the link"))},
    plain="created sent",
)
declare(
    "mfa.Authenticator",
    _("Second factor"),
    subject=Subject.STAFF,
    personal={
        "user": ACCOUNT,
        "data": SECRET.but(_("Key of the second factor")),
        "last_used_at": ACCOUNT.but(_("Last use")),
    },
    plain="type created_at",
)
declare(
    "socialaccount.SocialAccount",
    _("Account at a sign-in service"),
    subject=Subject.STAFF,
    personal={
        "user": ACCOUNT,
        "uid": ACCOUNT.but(_("Number of the person there")),
        "extra_data": ACCOUNT.but(_("What the service tells about the person")),
        "last_login": ACCOUNT.but(_("Last sign-in")),
        "date_joined": ACCOUNT.but(_("First sign-in")),
    },
    plain="provider",
)
declare(
    "socialaccount.SocialToken",
    _("Token of a sign-in service"),
    subject=Subject.STAFF,
    personal={
        "token": SECRET.but(_("Token")),
        "token_secret": SECRET.but(_("Secret of the token")),
    },
    plain="expires_at",
)
declare(
    "usersessions.UserSession",
    _("Session"),
    subject=Subject.STAFF,
    personal={
        "user": ACCOUNT.but(_("Account"), kept=Kept.SESSION),
        "ip": ACCOUNT.but(_("Network address"), kept=Kept.SESSION, purpose=Purpose.SECURITY),
        "user_agent": ACCOUNT.but(_("Browser"), kept=Kept.SESSION, purpose=Purpose.SECURITY),
        "last_seen_at": ACCOUNT.but(_("Last request"), kept=Kept.SESSION),
        "session_key": SECRET.but(_("Secret of the session"), kept=Kept.SESSION),
        "data": ACCOUNT.but(_("More about the session"), kept=Kept.SESSION, exported=False),
    },
    plain="created_at",
)
declare(
    "sessions.Session",
    _("Content of a session"),
    subject=Subject.STAFF,
    personal={
        "session_key": SECRET.but(_("Secret of the session"), kept=Kept.SESSION),
        "session_data": SECRET.but(_("Who is signed in, and unsaved choices"), kept=Kept.SESSION),
    },
    plain="expire_date",
)
declare(
    "wagtailusers.UserProfile",
    _("Profile of an account"),
    subject=Subject.STAFF,
    personal={
        "user": ACCOUNT,
        "avatar": ACCOUNT.but(_("Picture"), readers=(Reader.EDITORS,)),
        "preferred_language": ACCOUNT.but(_("Language")),
        "current_time_zone": ACCOUNT.but(_("Time zone")),
    },
    plain=(
        "submitted_notifications approved_notifications rejected_notifications "
        "updated_comments_notifications dismissibles theme contrast density keyboard_shortcuts"
    ),
)
declare(
    "wagtailcore.APIToken",
    _("Token for the API"),
    subject=Subject.STAFF,
    personal={
        "user": ACCOUNT,
        "name": ACCOUNT.but(_("Name of the token")),
        "key_hash": SECRET.but(_("Hash of the token")),
        "last_used_at": ACCOUNT.but(_("Last use")),
    },
    plain="prefix created revoked_at",
)
declare(
    "wagtailadmin.EditingSession",
    _("Page that somebody edits now"),
    subject=Subject.STAFF,
    personal={"user": AUTHOR.but(_("Account"), kept=Kept.MOMENTS, erased=Erasure.EXPIRES)},
    plain="object_id last_seen_at is_editing",
)
declare(
    "wagtailadmin.FormState",
    _("Unsaved form"),
    subject=Subject.STAFF,
    personal={"user": ACCOUNT, "data": ACCOUNT.but(_("What was typed"))},
    plain="object_id parent_object_id last_updated_at",
)
declare(
    "wagtailcore.ModelLogEntry",
    _("Entry of the site history"),
    subject=Subject.STAFF,
    personal={"user": AUTHOR},
    plain="label action data timestamp uuid content_changed deleted object_id",
)
declare(
    "wagtailcore.PageLogEntry",
    _("Entry of a page’s history"),
    subject=Subject.STAFF,
    personal={"user": AUTHOR},
    plain="label action data timestamp uuid content_changed deleted",
)
declare(
    "wagtailcore.Revision",
    _("Version of a page"),
    subject=Subject.STAFF,
    personal={"user": AUTHOR},
    plain="object_id created_at object_str content approved_go_live_at",
)
declare(
    "wagtailcore.WorkflowState",
    _("Approval"),
    subject=Subject.STAFF,
    personal={"requested_by": AUTHOR.but(_("Account of the person who asks"))},
    plain="object_id status created_at",
)
declare(
    "wagtailcore.TaskState",
    _("Step of an approval"),
    subject=Subject.STAFF,
    personal={
        "finished_by": AUTHOR.but(_("Account of the person who decided")),
        "comment": AUTHOR.but(_("Text of the comment"), erased=Erasure.EDIT),
    },
    plain="status started_at finished_at",
)
declare(
    "wagtailcore.Comment",
    _("Comment on a page"),
    subject=Subject.STAFF,
    personal={
        "user": AUTHOR.but(_("Account of the author"), erased=Erasure.ACCOUNT),
        "text": AUTHOR.but(_("Text of the comment"), erased=Erasure.ACCOUNT),
        "resolved_by": AUTHOR.but(_("Account of the person who closed it")),
    },
    plain="contentpath position created_at updated_at resolved_at",
)
declare(
    "wagtailcore.CommentReply",
    _("Reply to a comment"),
    subject=Subject.STAFF,
    personal={
        "user": AUTHOR.but(_("Account of the author"), erased=Erasure.ACCOUNT),
        "text": AUTHOR.but(_("Reply"), erased=Erasure.ACCOUNT),
    },
    plain="created_at updated_at",
)
declare(
    "wagtailcore.PageSubscription",
    _("Subscription to comments"),
    subject=Subject.STAFF,
    personal={"user": ACCOUNT},
    plain="comment_notifications",
)
declare(
    "wagtail_localize.StringTranslation",
    _("Translation of a text"),
    subject=Subject.STAFF,
    personal={"last_translated_by": AUTHOR.but(_("Account of the translator"))},
    plain="data translation_type tool_name created_at updated_at has_error field_error",
)
declare(
    "wagtail_localize.SegmentOverride",
    _("Translation of a picture or setting"),
    subject=Subject.STAFF,
    personal={"last_translated_by": AUTHOR.but(_("Account of the translator"))},
    plain="created_at updated_at data_json has_error field_error",
)
declare(
    "wagtailcore.UploadedFile",
    _("Upload that is not saved yet"),
    subject=Subject.STAFF,
    personal={"uploaded_by_user": AUTHOR.but(_("Account of the person"))},
    plain="file",
)
