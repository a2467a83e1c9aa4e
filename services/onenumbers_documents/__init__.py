"""Files of many kinds as documents: text, Markdown, HTML, PDF, DOCX, CSV and JSON. Pure: no gRPC, no network.

`reader.Reader` is the way in. It parses in a child process, so that a broken or hostile file can neither hang nor kill
its caller.
"""
