"""Signing in to the admin: limits on wrong passwords, second factors, single sign-on, sessions.

django-allauth does the work. This package decides what it may do here, adds the rule that a session
counts only when both factors were shown, and keeps a log.
"""
