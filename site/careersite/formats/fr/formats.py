"""French as it is printed: Django's own sets a date and a time side by side without a word."""

DATETIME_FORMAT = r"j F Y \à H:i"
SHORT_DATETIME_FORMAT = r"d/m/Y \à H:i"
