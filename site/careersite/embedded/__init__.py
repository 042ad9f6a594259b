"""What ``bin/run`` starts: the site, and on this machine every service that nobody named."""
