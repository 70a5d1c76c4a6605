"""Microsoft's own workflow engine (the assembly ``Microsoft.Azure.Workflows.Templates``), offline, for ``make prove``.

``data-factory-testing-framework`` brings the assembly and ``dotnetcore2`` the .NET that runs it; that .NET needs
OpenSSL 1.1, which an old wheel of psycopg2 contains. All of it goes into ``.local/workflow-engine``, and runs in a
process of its own. It evaluates expressions and validates definitions; it sends nothing and has no clock.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from tests.connector.expressions import Context

PACKAGES = ["data-factory-testing-framework==1.4.4", "dotnetcore2==3.1.23", "pythonnet==3.2.1", "clr_loader==0.3.1"]
OPENSSL = "psycopg2-binary==2.9.3"
_LINUX = ["--only-binary=:all:", "--python-version=3.10", "--platform=manylinux_2_17_x86_64"]
_VERSION = "2016-06-01"


class NotInstallable(Exception):
    """The packages can't be installed on this machine."""


def install(folder: Path) -> None:
    """Install the engine into a folder, once.

    Raises:
        NotInstallable: pip found no package for this machine.
    """
    done = folder / "runtimeconfig.json"
    if done.exists():
        return
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    for arguments in (PACKAGES, [*_LINUX, OPENSSL]):
        ended = subprocess.run([*pip, *arguments], capture_output=True, text=True, check=False)
        if ended.returncode:
            raise NotInstallable(ended.stderr.strip().rpartition("\n")[2])
    for name in ("libssl", "libcrypto"):
        (library,) = (folder / "psycopg2_binary.libs").glob(f"{name}-*.so.1.1")
        shutil.copy(library, library.with_name(f"{name}.so.1.1"))
    options = {
        "tfm": "netcoreapp3.1",
        "framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"},
        "configProperties": {"System.Globalization.Invariant": True},
    }
    done.write_text(json.dumps({"runtimeOptions": options}), encoding="utf-8")


class Engine:
    """The engine's process.

    Args:
        folder: where it is installed.
    """

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "LD_LIBRARY_PATH": str(folder / "psycopg2_binary.libs")}
        command = [sys.executable, __file__, str(folder)]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def evaluate(self, value: Any, context: Context) -> Any:
        """Return a value of a definition with its expressions evaluated.

        Raises:
            ValueError: the engine fails the action.
        """
        return self._ask("evaluate", value, context)

    def holds(self, expression: Any, context: Context) -> bool:
        """Return whether a condition holds.

        Raises:
            ValueError: the engine fails the condition.
        """
        return bool(self._ask("condition" if isinstance(expression, dict) else "evaluate", expression, context))

    def validate(self, definition: Any) -> None:
        """Return if a definition is valid.

        Raises:
            ValueError: it isn't.
        """
        self._ask("validate", definition, None)

    def _ask(self, kind: str, value: Any, context: Context | None) -> Any:
        names = ("actions", "trigger", "variables", "item", "items", "callback_url")
        values = {name: getattr(context, name) for name in names} if context else {}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"kind": kind, "value": value, "context": values}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["value"]


def _serve(folder: Path) -> None:
    """Answer one question a line."""
    sys.path.insert(0, str(folder))
    runtime = import_module("clr_loader").get_coreclr(
        runtime_config=str(folder / "runtimeconfig.json"), dotnet_root=str(folder / "dotnetcore2" / "bin")
    )
    import_module("pythonnet").load(runtime)
    clr = import_module("clr")
    assemblies = folder / "data_factory_testing_framework" / "_pythonnet" / "bin"
    sys.path.append(str(assemblies))
    for name in ("Newtonsoft.Json", "Microsoft.Azure.Workflows.Templates", "Microsoft.WindowsAzure.ResourceStack"):
        clr.AddReference(str(assemblies / f"{name}.dll"))
    # Without a version the engine takes functions that came later, such as variables(), for unknown ones.
    instrumentation = import_module("Microsoft.WindowsAzure.ResourceStack.Common.Instrumentation")
    instrumentation.RequestCorrelationContext.Current.SetContentVersion(_VERSION)
    for line in sys.stdin:
        try:
            answer = {"value": _answered(**json.loads(line))}
        except Exception as error:  # noqa: BLE001 - whatever the engine raises is its answer
            answer = {"error": str(error).partition("\n")[0]}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _answered(kind: str, value: Any, context: dict[str, Any]) -> Any:
    templates = "Microsoft.Azure.Workflows.Templates"
    convert = import_module("Newtonsoft.Json").JsonConvert
    if kind == "validate":
        template = import_module(f"{templates}.Schema").FlowTemplate
        made = convert.DeserializeObject[template](json.dumps(value))
        import_module(f"{templates}.Engines").TemplateEngine.ValidateTemplate(made)
        return None
    helper = import_module(f"{templates}.Helpers").TemplateExpressionsHelper
    method = helper.EvaluateTemplateLanguageExpressionsRecursive
    if kind == "condition":
        method = helper.EvaluateTemplateLanguageExpression
    found = method(_parsed(value), _context(context, templates))
    return json.loads(convert.SerializeObject(found))


def _parsed(value: Any) -> Any:
    library = import_module("Newtonsoft.Json")
    settings = library.JsonSerializerSettings()
    settings.DateParseHandling = getattr(library.DateParseHandling, "None")  # a date-time stays a string, as in a flow
    token = import_module("Newtonsoft.Json.Linq").JToken
    return library.JsonConvert.DeserializeObject[token](json.dumps(value), settings)


def _context(context: dict[str, Any], templates: str) -> Any:
    system, token = import_module("System"), import_module("Newtonsoft.Json.Linq").JToken
    expressions = import_module(f"{templates}.Expressions")
    actions, variables = (
        {name.casefold(): value for name, value in context[kind].items()} for kind in ("actions", "variables")
    )
    one, none = system.Func[system.String, token], system.Func[token]
    boolean = system.Func[system.String, system.Boolean]
    helper = expressions.TemplateExpressionEvaluationHelper(False)
    helper.OnGetAction = one(lambda name: _parsed({"outputs": actions.get(name.casefold())}))
    helper.OnGetTrigger = one(lambda _: _parsed({"outputs": {"body": context["trigger"]}}))
    helper.OnGetVariable = one(lambda name: _parsed(variables[name.casefold()]))
    helper.OnGetParameter = one(lambda _: _parsed({}))
    helper.OnGetCurrentItem = none(lambda: _parsed(context["item"]))
    helper.OnGetItem = one(lambda name: _parsed(context["items"][name]))
    helper.OnListCallbackUrl = system.Func[system.String](lambda: context["callback_url"])
    helper.OnGetActionIsRepetitive = boolean(lambda _: False)
    helper.OnGetActionHasNonReferenceableAggregatedPartialContent = boolean(lambda _: False)
    return expressions.TemplateExpressionEvaluationContext(helper)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
