"""Plain words for the fields of home page and company settings; the database stays as it is."""

import django.core.validators
import django.db.models.deletion
import home.models
import wagtail.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('home', '0004_dark_logo'),
        ('wagtailimages', '0027_image_description'),
    ]

    operations = [
        migrations.AlterField(
            model_name='homepage',
            name='body',
            field=wagtail.fields.StreamField([('heading', 0), ('paragraph', 1), ('facts', 7), ('quote', 11), ('picture', 14), ('call_to_action', 19)], blank=True, block_lookup={0: ('wagtail.blocks.CharBlock', (), {'icon': 'title', 'label': 'Heading', 'max_length': 120, 'template': 'home/blocks/heading.html'}), 1: ('wagtail.blocks.RichTextBlock', (), {'features': ['bold', 'italic', 'ol', 'ul', 'link', 'document-link'], 'icon': 'pilcrow', 'label': 'Text', 'template': 'home/blocks/paragraph.html'}), 2: ('wagtail.blocks.CharBlock', (), {'label': 'Heading', 'max_length': 120, 'required': False}), 3: ('wagtail.blocks.CharBlock', (), {'label': 'In a few words', 'max_length': 80}), 4: ('wagtail.blocks.TextBlock', (), {'label': 'Explanation', 'max_length': 400, 'required': False, 'rows': 2}), 5: ('wagtail.blocks.StructBlock', [[('title', 3), ('text', 4)]], {}), 6: ('wagtail.blocks.ListBlock', (5,), {'label': 'Facts', 'max_num': 24, 'min_num': 1}), 7: ('wagtail.blocks.StructBlock', [[('title', 2), ('items', 6)]], {}), 8: ('wagtail.blocks.TextBlock', (), {'label': 'Words', 'max_length': 600, 'rows': 3}), 9: ('wagtail.blocks.CharBlock', (), {'label': 'Who says it', 'max_length': 120}), 10: ('wagtail.blocks.CharBlock', (), {'label': 'What they do here', 'max_length': 160, 'required': False}), 11: ('wagtail.blocks.StructBlock', [[('text', 8), ('name', 9), ('role', 10)]], {}), 12: ('wagtail.images.blocks.ImageBlock', [], {'label': 'Picture'}), 13: ('wagtail.blocks.CharBlock', (), {'label': 'Caption', 'max_length': 240, 'required': False}), 14: ('wagtail.blocks.StructBlock', [[('image', 12), ('caption', 13)]], {}), 15: ('wagtail.blocks.CharBlock', (), {'label': 'Sentence', 'max_length': 200}), 16: ('wagtail.blocks.CharBlock', (), {'label': 'Words of the link', 'max_length': 60}), 17: ('wagtail.blocks.PageChooserBlock', (), {'label': 'Page of this site', 'required': False}), 18: ('wagtail.blocks.URLBlock', (), {'label': 'Or another address', 'required': False}), 19: ('wagtail.blocks.StructBlock', [[('text', 15), ('label', 16), ('page', 17), ('address', 18)]], {})}, help_text='Shown below the open jobs, for instance about people, teams and offices.', verbose_name='body'),
        ),
        migrations.AlterField(
            model_name='homepage',
            name='hero_title',
            field=models.CharField(help_text='One sentence that only your company could say. It is the page’s main heading.', max_length=140, verbose_name='first sentence'),
        ),
        migrations.AlterField(
            model_name='homepage',
            name='intro',
            field=models.TextField(blank=True, help_text='Two or three plain sentences below the first one.', max_length=400, verbose_name='introduction'),
        ),
        migrations.AlterField(
            model_name='sitesettings',
            name='accent_colour',
            field=models.CharField(default='#0e5c46', help_text='For links and the main button. Where it would be hard to read, the site uses a lighter or darker shade.', max_length=7, validators=[django.core.validators.RegexValidator('^#[0-9a-fA-F]{6}\\Z', 'Enter a colour such as #0e5c46: # and six hexadecimal digits.')], verbose_name='accent colour'),
        ),
        migrations.AlterField(
            model_name='sitesettings',
            name='contact_email',
            field=models.EmailField(blank=True, help_text='Shown in the footer of every page, for people who need help.', max_length=254, verbose_name='contact e-mail'),
        ),
        migrations.AlterField(
            model_name='sitesettings',
            name='daily_digest',
            field=models.BooleanField(default=True, help_text='An e-mail to the recipients of alerts each morning: yesterday’s applications, finished steps, and what needs attention. If it is missing, check that mails are sent.', verbose_name='daily summary'),
        ),
        migrations.AlterField(
            model_name='sitesettings',
            name='dark_logo',
            field=models.ForeignKey(blank=True, help_text='If empty, dark mode shows the logo on a light background.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='wagtailimages.image', verbose_name='logo for dark mode'),
        ),
        migrations.AlterField(
            model_name='sitesettings',
            name='hr_recipients',
            field=models.TextField(blank=True, help_text='E-mail addresses, one per line. A job can have its own recipients instead.', validators=[home.models.validate_addresses], verbose_name='recipients of applications'),
        ),
        migrations.AlterField(
            model_name='sitesettings',
            name='operators',
            field=models.TextField(blank=True, help_text='E-mail addresses of the operators, one per line. If empty, administrators get the alerts. The same people get applications for jobs without recipients.', validators=[home.models.validate_addresses], verbose_name='recipients of alerts'),
        ),
        migrations.AlterField(
            model_name='sitesettings',
            name='organisation_url',
            field=models.URLField(blank=True, help_text='Search engines use it to identify the company.', verbose_name='company website'),
        ),
    ]
