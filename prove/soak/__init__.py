"""Hours at full load: memory, queues, growth. ``bin/prove soak --help`` names the options."""
