"""Settings of Flower and of the metrics."""

from careersite.settings import env

FLOWER_PORT = env.port("FLOWER_PORT", env.DEFAULT_FLOWER_PORT)
FLOWER_BIND_ADDRESS = env.address("FLOWER_BIND_ADDRESS", "127.0.0.1")
FLOWER_USER = "admin"
FLOWER_PASSWORD = env.given("FLOWER_PASSWORD")
#: Flower takes its password, which only the proxy gets, besides the site's session.
FLOWER_TAKES_PASSWORD = True
#: The token with which other hosts may read /metrics; without one they may not.
METRICS_TOKEN = env.given("METRICS_TOKEN")
FLOWER_URL = env.url("FLOWER_URL", f"http://localhost:{FLOWER_PORT}/flower/", "http", "https")
