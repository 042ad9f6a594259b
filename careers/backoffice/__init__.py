"""What HR and administrators see in the Wagtail admin: the task status and the applications.

Imported by the manifests only. Every view fetches its objects through ``permissions``, so that
an object outside the reader's part of the page tree is not found.
"""
