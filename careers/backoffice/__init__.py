"""What HR and admins see in the Wagtail admin: how the work goes, and who applied.

Imported by the manifests only. Every view fetches its objects through
``permissions.visible_applications`` or, for the task status, shows nothing personal.
"""
