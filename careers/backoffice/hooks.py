"""What the back office adds to Wagtail: addresses, menu, home page, permissions."""

from wagtail import hooks

from careers.backoffice import accounts, inert_scripts, menu, outage, pauses, permissions, urls
from careers.backoffice.job_summary import job_summary, show_translator

hooks.register("register_admin_urls", urls.admin_urls)
hooks.register("register_admin_menu_item", menu.applications_item)
hooks.register("register_admin_menu_item", menu.tasks_item)
hooks.register("register_reports_menu_item", menu.access_log_item)
hooks.register("register_reports_menu_item", menu.personal_data_item)
hooks.register("job_summary", job_summary)
# Before wagtail-localize, which answers with its own editor: no later hook runs.
hooks.register("before_edit_page", show_translator, order=-1)
hooks.register("construct_homepage_summary_items", menu.add_summaries)
hooks.register("construct_homepage_panels", outage.add_panel)
hooks.register("construct_homepage_panels", pauses.add_home_panel)
hooks.register("register_permissions", permissions.grantable)
hooks.register("before_create_user", accounts.guard_new)
hooks.register("before_edit_user", accounts.guard_edit)
hooks.register("before_bulk_action", accounts.guard_bulk)
hooks.register("register_page_header_buttons", menu.page_buttons)
hooks.register("register_page_listing_more_buttons", menu.page_buttons)
hooks.register("insert_global_admin_js", inert_scripts.starter)
