"""Name the field of custom questions, in place of the blocks that it has today."""

from django.db import migrations

import careers.forms.questions_field


class Migration(migrations.Migration):
    dependencies = [("careers", "0014_job_words")]

    # The column is the same, so nothing changes in the database.
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "jobpage",
                    "questions",
                    careers.forms.questions_field.QuestionsField(
                        blank=True, verbose_name="custom questions"
                    ),
                )
            ]
        )
    ]
