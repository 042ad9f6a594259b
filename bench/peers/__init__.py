"""What the site is compared with: the same work, done in the usual way.

Each peer is served by gunicorn with the site's own settings (``server``), and uses the same
database server.
"""
