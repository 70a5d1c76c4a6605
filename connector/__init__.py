"""The Power Platform connector: its definition (generated), its linter, its icon and the sample flows."""
