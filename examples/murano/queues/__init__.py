"""The roles over plain queues."""
