"""A Microsoft Graph for one machine: Entra ID's tokens, invites into calls, signed callbacks, and faults on demand.

It knows nothing of the app, so that it can contradict it.
"""

from simulator.examples import EXAMPLES
from simulator.options import Behaviour, OptionError, Reporting
from simulator.postman import Delivery
from simulator.simulator import Simulator

__all__ = ["EXAMPLES", "Behaviour", "Delivery", "OptionError", "Reporting", "Simulator"]
