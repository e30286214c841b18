"""The PostgreSQL and Valkey servers a checkout brings along, so that nothing need be installed.

Free of Django: the settings ask :mod:`embedded.engines` for the URLs, ``python -m embedded``
starts and stops the servers. ``DATABASE_URL`` and ``REDIS_URL`` replace them by real ones.
"""
