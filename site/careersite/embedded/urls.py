"""URLs that exist only while the embedded mail catcher is the mail server."""

from django.urls import path

from careersite.embedded import mail_pages

app_name = "embedded"
urlpatterns = [
    path("", mail_pages.show_list, name="mails"),
    path("<str:key>/", mail_pages.show_mail, name="mail"),
    path("<str:key>/source/", mail_pages.source, name="source"),
]
