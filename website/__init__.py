"""The documentation as a site: pages from the folders, references from the documents that the service serves."""
