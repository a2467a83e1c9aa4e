"""Files over HTTP: which paths take them, how requests are read, and how the bytes reach a server."""
