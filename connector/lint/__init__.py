"""A linter for connector packages: the rules of Microsoft's validator, which itself runs online only.

    python -m connector.lint FILE...

takes definitions (``*.swagger.json``), ``apiProperties.json`` and ``icon.png``, prints what it finds and exits 1
where that is anything.
"""

from connector.lint.findings import Finding
from connector.lint.run import RULES, lint_definition, lint_files, lint_properties, lint_text

__all__ = ["RULES", "Finding", "lint_definition", "lint_files", "lint_properties", "lint_text"]
