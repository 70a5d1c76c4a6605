"""What an app declares: its functions and their triggers, read from the app object as the Functions worker reads it."""

from __future__ import annotations

import inspect
import json
import os
import typing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.functions import AuthLevel
from azure.functions.decorators.http import HttpMethod, HttpOutput, HttpTrigger
from azure.functions.decorators.queue import QueueTrigger
from azure.functions.decorators.timer import TimerTrigger
from cronsim import CronSim, CronSimError

from dev.host.errors import CannotStart
from dev.host.routing import Template
from dev.host.settings_file import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from azure.functions import FunctionApp
    from azure.functions.decorators.function_app import Function

CONTEXT = "context"
"""The parameter by which a function asks for its invocation's context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One function, and the name of the parameter that its trigger fills."""

    name: str
    call: Callable[..., Any]
    parameter: str
    wants_context: bool
    bindings: tuple[dict[str, Any], ...]
    """As the worker sends them to the host."""

    @property
    def is_disabled(self) -> bool:
        """Whether a setting turns the function off."""
        return os.environ.get(f"AzureWebJobs.{self.name}.Disabled", "").strip().lower() in {"true", "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFunction(Declared):
    """A function with a route."""

    template: Template
    methods: frozenset[str]
    auth_level: AuthLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFunction(Declared):
    """A function that takes the messages of a storage queue."""

    queue: str
    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFunction(Declared):
    """A function that runs on a schedule, in UTC."""

    schedule: str

    def next_after(self, now: datetime) -> datetime:
        """Return the first time after ``now`` at which the function is due."""
        return next(CronSim(self.schedule, now))


@dataclass(frozen=True, slots=True)
class App:
    """All functions of an app, each kind sorted by name, which is the order in which the real host tries routes."""

    http: tuple[HttpFunction, ...] = ()
    queue: tuple[QueueFunction, ...] = ()
    timer: tuple[TimerFunction, ...] = ()

    def __iter__(self) -> Iterator[Declared]:
        return iter((*self.http, *self.queue, *self.timer))


def read(app: FunctionApp) -> App:
    """Read the functions of an app; this can be done once for an app object.

    Raises:
        CannotStart: A function is declared in a way that the real worker refuses, or that this host doesn't have.
    """
    declared: list[Declared] = []
    try:
        functions = sorted(app.get_functions(), key=lambda function: function.get_function_name() or "")
    except (ValueError, TypeError) as error:
        raise CannotStart(f"The app's functions cannot be read: {error}") from error
    for function in functions:
        try:
            declared.append(_declared(function))
        except (ValueError, CronSimError, CannotStart) as error:
            raise CannotStart(f"Function {function.get_function_name()}: {error}") from error
    return App(
        tuple(each for each in declared if isinstance(each, HttpFunction)),
        tuple(each for each in declared if isinstance(each, QueueFunction)),
        tuple(each for each in declared if isinstance(each, TimerFunction)),
    )


def _declared(function: Function) -> Declared:
    trigger = function.get_trigger()
    for binding in function.get_bindings():
        if binding is not trigger and not isinstance(binding, HttpOutput):
            raise ValueError(f"this host has no binding of type {binding.type!r}")
    parameter = str(getattr(trigger, "name", ""))
    common: dict[str, Any] = {
        "name": function.get_function_name() or "",
        "call": function.get_user_function(),
        "parameter": parameter,
        "wants_context": _check(function.get_user_function(), parameter),
        "bindings": tuple(json.loads(text) for text in function.get_raw_bindings()),
    }
    if isinstance(trigger, HttpTrigger):
        methods = trigger.methods or tuple(HttpMethod)
        return HttpFunction(
            **common,
            template=Template(trigger.route if trigger.route is not None else common["name"]),
            methods=frozenset(str(getattr(method, "value", method)).upper() for method in methods),
            auth_level=trigger.auth_level or AuthLevel.FUNCTION,
        )
    if isinstance(trigger, QueueTrigger):
        connection = resolve(trigger.connection or "AzureWebJobsStorage")
        return QueueFunction(**common, queue=resolve(trigger.queue_name), connection=connection)
    if isinstance(trigger, TimerTrigger) and not trigger.run_on_startup:
        timer = TimerFunction(**common, schedule=resolve(trigger.schedule))
        timer.next_after(datetime.now(UTC))
        return timer
    raise ValueError(f"this host has no trigger of type {getattr(trigger, 'type', None)!r}, or not with these options")


def _check(call: Callable[..., Any], parameter: str) -> bool:
    """Refuse what makes the real worker lose the whole app, and return whether the function asks for its context."""
    if not inspect.isfunction(call):
        raise ValueError("the handler must be a plain function")
    names = set(inspect.signature(call).parameters)
    if parameter not in names:
        raise ValueError(f"it has no parameter {parameter!r}, which its trigger fills")
    if strangers := names - {parameter, CONTEXT}:
        raise ValueError(f"nothing fills its parameters {sorted(strangers)}")
    for name, hint in typing.get_type_hints(call).items():
        if not isinstance(hint, type):
            raise ValueError(f"the annotation of {name!r} must be a plain class")  # noqa: TRY004 - as every other fault here
    return CONTEXT in names and parameter != CONTEXT
