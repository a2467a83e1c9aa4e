"""The REST face described as an OpenAPI 3.1 document, made from the same catalog as every other face."""
