"""Processes that are forks of one process, which has loaded the site.

Every process of the site needs the same hundred megabytes of code and seconds to import it. Here
one process imports it; the others share its memory and start at once.
"""

import atexit
import ctypes
import gc
import os
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

#: What the processes share besides the site itself. Most of it is imported by what first needs it,
#: in each process anew. Celery's pools have cffi set a signal, for which it parses C.
SHARED = (
    "babel.dates",
    "celery.app.amqp",
    "celery.app.events",
    "celery.app.log",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.contrib.django.task",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.strategy",
    "cffi.cparser",
    "django.contrib.messages.storage.fallback",
    "django.contrib.sessions.serializers",
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "kombu.transport.redis",
)
#: The templates that the processes share: those of pages, mails and PDFs.
TEMPLATES = ("careers", "home")
PR_SET_NAME = 15


def load(commands: Iterable[Sequence[str]], between: Callable[[], None]) -> None:
    """Import the site into this process.

    Args:
        commands: those of the processes. Libraries read some of their variables when imported.
        between: called between two imports, which take a second each.
    """
    # The collector would visit all objects again and again, and find nothing: a fifth of the time.
    gc.disable()
    for command in commands:
        os.environ.update(split(command)[0])
    # `prepare` runs Django's checks, once for all processes.
    os.environ["SKIP_CHECKS"] = "1"
    import django

    django.setup()
    between()
    from careersite import celery_app

    celery_app.loader.import_default_modules()
    between()
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018 -- reading it is what imports
    between()
    for name in SHARED:
        import_module(name)
    between()
    from careers import archive
    from careers.applications.errors import EffectError

    # Without an archive each step says so itself.
    with suppress(EffectError):
        archive.load()


def share(between: Callable[[], None]) -> None:
    """Fill what the code keeps in memory, so that the processes have it in common.

    It needs no service and no database, and keeps nothing of the content.

    Args:
        between: called between two parts, which take some tenths of a second each.
    """
    from django.conf import settings
    from django.db import connections
    from django.utils import translation

    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            _speak()
    between()
    _know_questions_and_models()
    between()
    _read_templates()
    between()
    # A connection that two processes share is broken for both.
    connections.close_all()
    # The garbage collector writes into each object that it visits, and a fork would get a copy of
    # that memory. It leaves frozen objects alone. Garbage stays: new objects in its place would
    # be on pages that are shared until then.
    gc.freeze()
    gc.enable()


def _speak() -> None:
    """Read what formats, words and addresses of the active language need."""
    from babel.dates import format_datetime
    from django.urls import reverse
    from django.utils import formats, timezone, translation

    now = timezone.now()
    formats.date_format(now)
    formats.number_format(1000)
    format_datetime(now, locale=translation.to_locale(translation.get_language() or ""))
    # The first address that is looked up fills a table of all.
    reverse("wagtailadmin_home")


def _know_questions_and_models() -> None:
    from django.apps import apps

    from careers.applications import question_types
    from careers.forms import types

    question_types.names()
    types.choosable()
    for model in apps.get_models():
        # The first query of a model fills 7 MB of caches. This one is not sent.
        str(model._default_manager.all().query)


def _read_templates() -> None:
    from django.template import Engine, TemplateDoesNotExist, TemplateSyntaxError

    engine = Engine.get_default()
    for folder in TEMPLATES:
        for directory in engine.dirs:
            for path in Path(directory, folder).rglob("*.*"):
                # A company's own template may be wrong. The page that needs it says so.
                with suppress(TemplateDoesNotExist, TemplateSyntaxError):
                    engine.get_template(str(path.relative_to(directory)))


def split(command: Sequence[str]) -> tuple[dict[str, str], int, list[str]]:
    """The variables, the niceness and the program that a command of the Procfile names.

    ``env NAME=VALUE`` and ``nice -n NUMBER`` come before the program.
    """
    words, variables, niceness = list(command), {}, 0
    while words[0] in ("env", "nice"):
        if words.pop(0) == "nice":
            niceness += int(words[1])
            del words[:2]
        else:
            while "=" in words[0]:
                name, _, value = words.pop(0).partition("=")
                variables[name] = value
    return variables, niceness, words


def run(command: Sequence[str]) -> None:
    """Run a command of the Procfile in this process: ``python …``, or a script of a package."""
    variables, niceness, (program, *arguments) = split(command)
    os.environ.update(variables)
    os.nice(niceness)
    if program not in ("python", sys.executable):
        (script,) = entry_points(group="console_scripts", name=program)
        sys.argv = [program, *arguments]
        sys.exit(script.load()())
    elif arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


class Forked:
    """A process that runs a command in a fork, with the methods of ``subprocess.Popen``.

    Args:
        name: shown by ``ps`` and ``top``.
        keep: the open file that it keeps; it closes the others.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, stdout: int, stderr: int, keep: int
    ) -> None:
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            _live(name, command, (stdout, stderr), keep)

    def poll(self) -> int | None:
        """Its exit code, negative for a signal, or None while it runs."""
        return self._ended(os.WNOHANG)

    def wait(self) -> int:
        """Wait for its end; returns the same as ``poll``."""
        code = self._ended(0)
        assert code is not None
        return code

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _ended(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def _live(name: str, command: Sequence[str], output: tuple[int, int], keep: int) -> None:
    """The life of a fork; does not return."""
    code = 1
    try:
        os.setsid()
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        for number, file in enumerate(output, start=1):
            os.dup2(file, number)
        # Among them are the lock of this run and the pipe that tells the guard about its end.
        os.closerange(3, keep)
        os.closerange(keep + 1, os.sysconf("SC_OPEN_MAX"))
        os.set_inheritable(keep, True)
        with suppress(AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_NAME, f"careers-{name}".encode()[:15])
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        run(command)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else bool(end.code)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        # As the interpreter ends. To return would run the code of the process that forked.
        with suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
