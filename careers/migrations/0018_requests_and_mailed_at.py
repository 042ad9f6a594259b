"""Plain names in the code; tables and columns keep the names they have."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "0017_replaced_by_rows")]

    # Nothing changes in the database, so old code runs beside new.
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterModelTable("translationerrand", "careers_translationerrand"),
                migrations.RenameModel("TranslationErrand", "TranslationRequest"),
                migrations.RenameField("alert", "told_at", "mailed_at"),
                migrations.AlterField(
                    "alert", "mailed_at", models.DateTimeField(null=True, db_column="told_at")
                ),
            ]
        )
    ]
