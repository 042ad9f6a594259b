"""English as it is read everywhere: Django's own "en" is the English of the United States."""

DATE_FORMAT = "j F Y"
SHORT_DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j F Y, H:i"
SHORT_DATETIME_FORMAT = "j M Y, H:i"

# What is typed has the same order: the day comes first.
DATE_INPUT_FORMATS = [
    "%Y-%m-%d",
    *("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %B %Y", "%d %b %Y"),
    *("%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y"),
]
DATETIME_INPUT_FORMATS = [
    f"{day} {time}"
    for day in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %B %Y", "%d %b %Y")
    for time in ("%H:%M:%S", "%H:%M")
]
