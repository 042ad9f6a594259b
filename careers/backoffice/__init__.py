"""What HR and administrators see in the Wagtail admin: the task status and the applications.

Imported by the manifests only. Every view fetches its objects through
``permissions.visible_applications`` or, for the task status, shows nothing personal.
"""
