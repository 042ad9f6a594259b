from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HomeConfig(AppConfig):
    name = "home"
    verbose_name = _("Home")

    def ready(self) -> None:
        from home import (
            pictures,
            site_host,  # noqa: F401 -- connects its signal handler
            site_pages,
        )
        from home.text_fields import use_in_admin

        pictures.install()
        site_pages.install()
        use_in_admin()
