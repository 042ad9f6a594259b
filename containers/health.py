"""Runs the health checks of containers at their intervals, which podman leaves to systemd."""

from __future__ import annotations

import threading
import time

from containers.engine import Engine


class Health:
    """One thread for each container; podman itself counts failures and start periods."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._watched: dict[str, threading.Event] = {}
        self._healthy_after: dict[str, float] = {}
        #: Each time that a check of a container that had been healthy failed: container and words.
        self.failures: list[tuple[str, str]] = []

    def watch(self, name: str, service: str, interval: float) -> None:
        """Check the container ``name`` every ``interval`` seconds, at first more often."""
        self.forget(name)
        stop = threading.Event()
        with self._lock:
            self._watched[name] = stop
            self._healthy_after.pop(name, None)
        threading.Thread(target=self._check, args=(name, interval, stop), daemon=True).start()

    def forget(self, name: str) -> None:
        """Stop checking a container that is stopped on purpose."""
        with self._lock:
            if stop := self._watched.pop(name, None):
                stop.set()
            self._healthy_after.pop(name, None)

    def is_watched(self, name: str) -> bool:
        with self._lock:
            return name in self._watched

    def healthy_after(self, name: str) -> float | None:
        """Seconds from the start to the first check that passed; None before."""
        with self._lock:
            return self._healthy_after.get(name)

    def _check(self, name: str, interval: float, stop: threading.Event) -> None:
        started = time.monotonic()
        while not stop.is_set():
            done = self._engine.start("healthcheck", "run", name)
            with self._lock:
                was_healthy = name in self._healthy_after
                if done.returncode == 0 and not stop.is_set():
                    self._healthy_after.setdefault(name, time.monotonic() - started)
                elif was_healthy and not stop.is_set():
                    self.failures.append((name, (done.stdout + done.stderr).strip()))
            stop.wait(interval if was_healthy else 1)
