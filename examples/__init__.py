"""Programs that show how something is done with Sukkal."""
