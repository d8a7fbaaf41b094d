"""For those who write an engine: what every engine has to pass, and the tools to write such tests.

``StoreContract`` has an example for each sentence of the contract, ``DurableStoreContract`` those about reopening, and
``store_machine`` compares an engine with the one in memory over random histories. It needs the extra ``testing``.
"""

from sukkal.testing.clock import FakeClock
from sukkal.testing.ids import counting_ids
from sukkal.testing.store_contract import DurableStoreContract, StoreContract
from sukkal.testing.store_machine import store_machine

__all__ = ["DurableStoreContract", "FakeClock", "StoreContract", "counting_ids", "store_machine"]
