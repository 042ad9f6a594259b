"""The labels and help texts of jobs; nothing changes in the database."""

import django.db.models.deletion
import home.models
import modelcluster.fields
import wagtail.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("careers", "0013_findings"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterModelOptions(
                    name="location",
                    options={
                        "ordering": ["name"],
                        "verbose_name": "location",
                        "verbose_name_plural": "locations",
                    },
                ),
                migrations.AlterField(
                    model_name="jobindexpage",
                    name="hr_recipients",
                    field=models.TextField(
                        blank=True,
                        help_text="Who is notified of each application: e-mail addresses, one per line. A job can name its own recipients instead.",
                        validators=[home.models.validate_addresses],
                        verbose_name="notification recipients",
                    ),
                ),
                migrations.AlterField(
                    model_name="jobpage",
                    name="hiring_organisation",
                    field=models.CharField(
                        blank=True,
                        help_text="Only if it is not the company itself.",
                        max_length=120,
                        verbose_name="hiring organization",
                    ),
                ),
                migrations.AlterField(
                    model_name="jobpage",
                    name="hr_recipients",
                    field=models.TextField(
                        blank=True,
                        help_text="Who is notified of each application: e-mail addresses, one per line. If left empty, the recipients of the list of jobs or of the company.",
                        validators=[home.models.validate_addresses],
                        verbose_name="notification recipients",
                    ),
                ),
                migrations.AlterField(
                    model_name="jobpage",
                    name="locations",
                    field=modelcluster.fields.ParentalManyToManyField(
                        blank=True,
                        related_name="jobs",
                        to="careers.location",
                        verbose_name="locations",
                    ),
                ),
                migrations.AlterField(
                    model_name="jobpage",
                    name="privacy_notice",
                    field=wagtail.fields.RichTextField(
                        blank=True,
                        help_text="If left empty, the notice of the list of jobs or of the company is shown.",
                        verbose_name="privacy notice",
                    ),
                ),
                migrations.AlterField(
                    model_name="jobpage",
                    name="questions",
                    field=wagtail.fields.StreamField(
                        [
                            ("short_text", 3),
                            ("long_text", 4),
                            ("single_choice", 7),
                            ("multiple_choice", 8),
                            ("yes_no", 9),
                            ("number", 10),
                            ("date", 11),
                            ("link", 12),
                            ("file", 13),
                            ("consent", 16),
                            ("note", 19),
                        ],
                        blank=True,
                        block_lookup={
                            0: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"label": "Question", "max_length": 200},
                            ),
                            1: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"label": "Hint", "max_length": 300, "required": False},
                            ),
                            2: (
                                "wagtail.blocks.BooleanBlock",
                                (),
                                {"label": "Must be answered", "required": False},
                            ),
                            3: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 0), ("help_text", 1), ("required", 2)]],
                                {"icon": "edit", "label": "Short text"},
                            ),
                            4: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 0), ("help_text", 1), ("required", 2)]],
                                {"icon": "pilcrow", "label": "Long text"},
                            ),
                            5: ("wagtail.blocks.CharBlock", (), {"max_length": 150}),
                            6: (
                                "wagtail.blocks.ListBlock",
                                (5,),
                                {"label": "Options", "max_num": 50, "min_num": 2},
                            ),
                            7: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 0), ("help_text", 1), ("required", 2), ("options", 6)]],
                                {"icon": "radio-full", "label": "One of several"},
                            ),
                            8: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 0), ("help_text", 1), ("required", 2), ("options", 6)]],
                                {"icon": "tick-inverse", "label": "Any of several"},
                            ),
                            9: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 0), ("help_text", 1), ("required", 2)]],
                                {"icon": "help", "label": "Yes or no"},
                            ),
                            10: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 0), ("help_text", 1), ("required", 2)]],
                                {"icon": "order", "label": "Number"},
                            ),
                            11: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 0), ("help_text", 1), ("required", 2)]],
                                {"icon": "date", "label": "Date"},
                            ),
                            12: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 0), ("help_text", 1), ("required", 2)]],
                                {"icon": "link", "label": "Link"},
                            ),
                            13: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 0), ("help_text", 1), ("required", 2)]],
                                {"icon": "doc-full", "label": "File"},
                            ),
                            14: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "One purpose only, such as “Keep my application for other jobs for a year”.",
                                    "label": "What the applicant agrees to",
                                    "max_length": 300,
                                },
                            ),
                            15: (
                                "wagtail.blocks.BooleanBlock",
                                (),
                                {
                                    "help_text": "Consent that must be given is not freely given. Leave this off if you can.",
                                    "label": "Must be ticked",
                                    "required": False,
                                },
                            ),
                            16: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 14), ("help_text", 1), ("required", 15)]],
                                {"icon": "check", "label": "Consent"},
                            ),
                            17: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"label": "Heading", "max_length": 200},
                            ),
                            18: (
                                "wagtail.blocks.TextBlock",
                                (),
                                {"label": "Text", "max_length": 1000, "required": False},
                            ),
                            19: (
                                "wagtail.blocks.StructBlock",
                                [[("label", 17), ("help_text", 18)]],
                                {"icon": "info-circle", "label": "Note"},
                            ),
                        },
                        verbose_name="custom questions",
                    ),
                ),
                migrations.AlterField(
                    model_name="jobpage",
                    name="share_image",
                    field=models.ForeignKey(
                        blank=True,
                        help_text="Messaging apps and social networks show it with a link to the job, cropped to 1200 × 630 pixels. If left empty, the site draws one with the title.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailimages.image",
                        verbose_name="picture for sharing",
                    ),
                ),
                migrations.AlterField(
                    model_name="jobpage",
                    name="time_zone",
                    field=models.CharField(
                        blank=True,
                        choices=home.models.time_zones,
                        help_text="Visitors read the dates in this time zone. If left empty, in that of the company.",
                        max_length=64,
                        verbose_name="time zone",
                    ),
                ),
            ]
        )
    ]
