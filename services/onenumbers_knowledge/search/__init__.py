"""From a query to ranked passages with excerpts."""
