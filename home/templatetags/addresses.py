"""The filter ``mailto``: ``<a href="{{ address|mailto }}">``."""

from django import template

from home.values import mail_address

register = template.Library()
register.filter("mailto", mail_address.uri)
