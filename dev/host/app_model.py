"""What an app declares: its functions and their triggers, read from the app object itself."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.functions import AuthLevel
from azure.functions.decorators.http import HttpMethod, HttpOutput, HttpTrigger
from azure.functions.decorators.queue import QueueTrigger
from azure.functions.decorators.timer import TimerTrigger

from dev.host.errors import CannotStart
from dev.host.ncrontab import Schedule
from dev.host.routing import Template
from dev.host.settings_file import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.functions import FunctionApp
    from azure.functions.decorators.function_app import Function

CONTEXT = "context"
"""The parameter's name under which a function gets its invocation's context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One function, and the name of the parameter that its trigger fills."""

    name: str
    call: Callable[..., Any]
    parameter: str
    wants_context: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFunction(Declared):
    """A function with a route."""

    template: Template
    methods: frozenset[str]
    auth_level: AuthLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFunction(Declared):
    """A function that a storage queue feeds."""

    queue: str
    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFunction(Declared):
    """A function that runs by the clock."""

    schedule: Schedule
    run_on_startup: bool


@dataclass(frozen=True, slots=True)
class App:
    """All functions of an app, each kind sorted by name, as the real host tries them."""

    http: tuple[HttpFunction, ...] = ()
    queue: tuple[QueueFunction, ...] = ()
    timer: tuple[TimerFunction, ...] = ()


def read(app: FunctionApp) -> App:
    """Read the functions of an app; this can be done once for an app object.

    Raises:
        CannotStart: A function is declared in a way that the real host, or this one, can't run.
    """
    try:
        functions = sorted(app.get_functions(), key=lambda function: function.get_function_name() or "")
    except (ValueError, TypeError) as error:
        raise CannotStart(f"The app's functions cannot be read: {error}") from error
    http: list[HttpFunction] = []
    queue: list[QueueFunction] = []
    timer: list[TimerFunction] = []
    for function in functions:
        try:
            declared = _declared(function)
        except (ValueError, CannotStart) as error:
            raise CannotStart(f"Function {function.get_function_name()}: {error}") from error
        if isinstance(declared, HttpFunction):
            http.append(declared)
        elif isinstance(declared, QueueFunction):
            queue.append(declared)
        else:
            timer.append(declared)
    return App(tuple(http), tuple(queue), tuple(timer))


def _declared(function: Function) -> HttpFunction | QueueFunction | TimerFunction:
    trigger = function.get_trigger()
    for binding in function.get_bindings():
        if binding is not trigger and not isinstance(binding, HttpOutput):
            raise ValueError(f"this host has no binding of type {binding.type!r}")
    common = _common(function, str(getattr(trigger, "name", "")))
    if isinstance(trigger, HttpTrigger):
        methods = trigger.methods or tuple(HttpMethod)
        return HttpFunction(
            **common,
            template=Template(trigger.route if trigger.route is not None else common["name"]),
            methods=frozenset(str(getattr(method, "value", method)).upper() for method in methods),
            auth_level=trigger.auth_level or AuthLevel.FUNCTION,
        )
    if isinstance(trigger, QueueTrigger):
        return QueueFunction(
            **common,
            queue=resolve(trigger.queue_name),
            connection=resolve(trigger.connection or "AzureWebJobsStorage"),
        )
    if isinstance(trigger, TimerTrigger):
        return TimerFunction(
            **common,
            schedule=Schedule(resolve(trigger.schedule)),
            run_on_startup=bool(trigger.run_on_startup),
        )
    raise ValueError(f"this host has no trigger of type {getattr(trigger, 'type', None)!r}")


def _common(function: Function, parameter: str) -> dict[str, Any]:
    call = function.get_user_function()
    parameters = set(inspect.signature(call).parameters)
    if parameter not in parameters:
        raise ValueError(f"it has no parameter {parameter!r}, which its trigger fills")
    if strangers := parameters - {parameter, CONTEXT}:
        raise ValueError(f"nothing fills its parameters {sorted(strangers)}")
    return {
        "name": function.get_function_name() or "",
        "call": call,
        "parameter": parameter,
        "wants_context": CONTEXT in parameters and parameter != CONTEXT,
    }
