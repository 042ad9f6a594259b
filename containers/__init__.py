"""``bin/compose-check``: builds, starts and uses the containers of ``docker-compose.yml``."""
