"""A Microsoft Graph for one machine: Entra ID's tokens, calls and invitations, signed callbacks, faults on demand.

It imports nothing of the app, so that it can contradict it.
"""

from dev.simulator.examples import EXAMPLES
from dev.simulator.options import Behaviour, OptionError, Reporting
from dev.simulator.postman import Delivery
from dev.simulator.simulator import Simulator

__all__ = ["EXAMPLES", "Behaviour", "Delivery", "OptionError", "Reporting", "Simulator"]
