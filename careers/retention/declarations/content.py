"""What pages, files and settings say about people.

Free texts and pictures of pages may show people, too. Their editors know; the site does not.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from careers.retention.data_map import Erasure, Kept, Personal, Purpose, Reader, Subject, declare

CONTACT = Personal(
    _("Contact"),
    Purpose.CONTACT,
    Kept.CONTENT,
    (Reader.PUBLIC,),
    Erasure.EDIT,
)
RECIPIENTS = CONTACT.but(_("Recipients of mails about applications"), readers=(Reader.EDITORS,))
AUTHOR = Personal(
    _("Account of the author"),
    Purpose.HISTORY,
    Kept.CONTENT,
    (Reader.EDITORS,),
    Erasure.DETACHED,
)

declare(
    "careers.JobPage",
    _("Job"),
    subject=Subject.CONTACT,
    personal={
        "contact_name": CONTACT.but(_("Name of the contact")),
        "contact_email": CONTACT.but(_("E-mail address of the contact")),
        "hr_recipients": RECIPIENTS,
    },
    plain=(
        "opens_at closes_at time_zone opened_at closed_at privacy_notice ask_phone ask_cv "
        "ask_cover_letter questions pay_from pay_to pay_currency pay_unit summary body workplace "
        "employment_type hiring_organisation"
    ),
)
declare(
    "careers.JobIndexPage",
    _("List of jobs"),
    subject=Subject.CONTACT,
    personal={"hr_recipients": RECIPIENTS},
    plain="intro privacy_notice",
)
declare(
    "home.SiteSettings",
    _("Company"),
    subject=Subject.CONTACT,
    personal={
        "contact_email": CONTACT.but(_("E-mail address of the company")),
        "hr_recipients": RECIPIENTS,
        "operators": RECIPIENTS.but(_("Recipients of mails about the site")),
    },
    plain=(
        "company_name tagline organisation_url accent_colour recipient_domains daily_digest "
        "time_zone closing_grace active_content two_factors privacy_notice"
    ),
)
declare(
    "wagtailcore.Page",
    _("Page"),
    subject=Subject.STAFF,
    personal={
        "owner": AUTHOR,
        "locked_by": AUTHOR.but(_("Account of the person who locked it")),
    },
    plain=(
        "path depth numchild translation_key live has_unpublished_changes first_published_at "
        "last_published_at go_live_at expire_at expired locked locked_at title draft_title slug "
        "url_path latest_revision_created_at show_in_menus seo_title search_description"
    ),
)
declare(
    "wagtailimages.Image",
    _("Picture"),
    subject=Subject.STAFF,
    personal={"uploaded_by_user": AUTHOR.but(_("Account of the person who added it"))},
    plain=(
        "title file description width height created_at focal_point_x focal_point_y "
        "focal_point_width focal_point_height file_size file_hash"
    ),
)
declare(
    "wagtaildocs.Document",
    _("Document"),
    subject=Subject.STAFF,
    personal={"uploaded_by_user": AUTHOR.but(_("Account of the person who added it"))},
    plain="title file created_at file_size file_hash",
)
declare(
    "wagtailembeds.Embed",
    _("Embedded media"),
    subject=Subject.CONTACT,
    personal={"author_name": CONTACT.but(_("Author, as the other site names them"))},
    plain=(
        "url max_width hash type html title provider_name thumbnail_url width height last_updated "
        "cache_until"
    ),
)

declare("careers.ContentTerms", plain="terms version object_id title")
declare("careers.Department", plain="translation_key name slug")
declare("careers.Location", plain="name slug region postal_code country")
declare("home.CompanyTranslation", plain="language tagline privacy_notice")
declare("home.ContentVersion", plain="version")
declare("home.HomePage", plain="hero_title intro body")
declare("home.PlainPage", plain="intro body")
declare("socialaccount.SocialApp", plain="provider provider_id name client_id secret key settings")
declare("auth.Group", plain="name")
declare("auth.Permission", plain="name codename")
declare("contenttypes.ContentType", plain="app_label model")
declare("taggit.Tag", plain="name slug")
declare("taggit.TaggedItem", plain="object_id")
declare("wagtailcore.Collection", plain="path depth numchild name")
declare("wagtailcore.CollectionViewRestriction", plain="restriction_type password")
declare("wagtailcore.Locale", plain="language_code")
declare("wagtailcore.PageViewRestriction", plain="restriction_type password")
declare(
    "wagtailcore.ReferenceIndex",
    plain="object_id to_object_id model_path content_path content_path_hash",
)
declare("wagtailcore.Site", plain="hostname port site_name is_default_site")
declare("wagtailcore.Task", plain="name active")
declare("wagtailcore.Workflow", plain="name active")
declare("wagtailcore.WorkflowTask", plain="sort_order")
# The site has no page that writes it: forms of applicants are stored as applications.
declare("wagtailforms.FormSubmission", plain="form_data submit_time")
declare("wagtailimages.Rendition", plain="filter_spec file width height focal_point_key")
declare(
    "wagtailredirects.Redirect",
    plain=(
        "old_path is_permanent redirect_page_route_path redirect_link automatically_created "
        "created_at"
    ),
)
# The last two exist on PostgreSQL only.
declare(
    "wagtailsearch.IndexEntry",
    plain="object_id title_norm autocomplete title body title_text body_text",
)
declare("wagtailsearch.SQLiteFTSIndexEntry", plain="autocomplete title body")
declare("wagtail_localize.OverridableSegment", plain="order data_json")
declare("wagtail_localize.RelatedObjectSegment", plain="order")
declare("wagtail_localize.String", plain="data_hash data")
declare("wagtail_localize.StringSegment", plain="order attrs")
declare("wagtail_localize.Template", plain="uuid template template_format string_count")
declare("wagtail_localize.TemplateSegment", plain="order")
declare("wagtail_localize.TranslatableObject", plain="translation_key")
declare(
    "wagtail_localize.Translation",
    plain=("uuid created_at translations_last_updated_at destination_last_updated_at enabled"),
)
declare("wagtail_localize.TranslationContext", plain="path_id path field_path")
declare("wagtail_localize.TranslationLog", plain="created_at")
declare(
    "wagtail_localize.TranslationSource",
    plain="object_repr content_json schema_version created_at last_updated_at",
)
