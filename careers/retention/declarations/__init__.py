"""What each model of the site stores about people, by whose data it is."""

from careers.retention.declarations import (  # noqa: F401 -- declare when they are imported
    applicants,
    content,
    staff,
    work,
)
