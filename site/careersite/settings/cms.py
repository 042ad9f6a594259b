"""Settings of Wagtail and of public pages, which depend on no other settings."""

from careersite.settings import env

#: Megabytes of finished pages that each web process keeps; 0 for none (``careersite.page_cache``).
PAGE_CACHE_MEMORY = env.number("PAGE_CACHE_MEMORY", 32, least=0)

WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "careersite.search"}}
#: Decoding takes four bytes for each pixel. The largest photos of phones have 50 million.
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 60_000_000
WAGTAILIMAGES_IMAGE_FORM_BASE = "home.uploads.PictureForm"
WAGTAILDOCS_DOCUMENT_FORM_BASE = "home.uploads.DocumentForm"
WAGTAILADMIN_RICH_TEXT_EDITORS = {"default": {"WIDGET": "home.rich_text.Editor"}}
# No block shows embedded media, and pages load nothing from others.
WAGTAILEMBEDS_FINDERS: list[dict[str, str]] = []
WAGTAILDOCS_EXTENSIONS = ["csv", "docx", "odt", "pdf", "pptx", "rtf", "txt", "xlsx", "zip"]
WAGTAILDOCS_MAX_UPLOAD_SIZE = 20 * 1024 * 1024
# Both would tell third parties who uses this site and which version runs.
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
