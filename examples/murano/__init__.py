"""How Murano's services talk to each other: over plain queues, and over oslo.messaging."""
