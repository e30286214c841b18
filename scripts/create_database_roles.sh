#!/bin/sh
# Run once by the postgres image, in an empty cluster: the owner, who migrates and works in the
# background, and the web's login, who can be nothing but tollgate_web and tollgate_metrics and is held
# to row-level security in all it does.
set -eu
psql -v ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv web_password WEB_PASSWORD
CREATE ROLE tollgate LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE ROLE tollgate_web NOLOGIN;
GRANT tollgate_web TO tollgate WITH ADMIN OPTION;
CREATE ROLE tollgate_metrics NOLOGIN;
GRANT tollgate_metrics TO tollgate WITH ADMIN OPTION;
CREATE ROLE tollgate_web_login LOGIN PASSWORD :'web_password' IN ROLE tollgate_web;
-- It can become what counts for Prometheus, and sees nothing of that otherwise.
GRANT tollgate_metrics TO tollgate_web_login WITH INHERIT FALSE;
CREATE DATABASE tollgate OWNER tollgate;
SQL
