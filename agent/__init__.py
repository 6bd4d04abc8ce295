"""The service on a managed host: it only calls out."""
