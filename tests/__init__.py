"""The tests of Sukkal."""
