"""The roles over oslo.messaging with Sukkal's driver."""
