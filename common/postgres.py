"""Migration operations for what PostgreSQL itself guards: tenancy, append-only and fixed rows."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunSQL
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import ForeignKey, Model

WEB_ROLE = "tollgate_web"
METRICS_ROLE = "tollgate_metrics"
CURRENT_PROVIDER = "nullif(current_setting('app.provider_id', true), '')::bigint"
CURRENT_RESELLER = "nullif(current_setting('app.reseller_id', true), '')::bigint"
CURRENT_TOKEN = "nullif(current_setting('app.token_id', true), '')::bigint"  # noqa: S105
CURRENT_USER = "nullif(current_setting('app.user_id', true), '')::bigint"
# As a subquery PostgreSQL reads the setting once per statement, not once per row. As IS NOT NULL
# the planner takes it to hold, as it mostly does; of IS NULL it expects half a percent of all rows.
NO_RESELLER = f"(SELECT CASE WHEN {CURRENT_RESELLER} IS NULL THEN true END) IS NOT NULL"
SIGNING_IN = "current_setting('app.phase', true) = 'sign_in'"


def group_role(name: str) -> str:
    """SQL that makes a role nobody logs in as, where it is missing, and lets the owner become it.

    Databases of one server may be migrated at once, and all grant the same.
    """
    return f"""
        DO $$ BEGIN
            CREATE ROLE {name} NOLOGIN NOBYPASSRLS;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$;
        -- Only trying tells: a role's maker is a member of it, yet need not be able to become it.
        DO $$ BEGIN
            SET LOCAL ROLE {name};
            SET LOCAL ROLE NONE;
        EXCEPTION WHEN insufficient_privilege THEN
            BEGIN
                GRANT {name} TO current_user;
            EXCEPTION WHEN unique_violation OR internal_error THEN NULL;
            END;
        END $$;
    """


class ProviderTables(Operation):
    """Put both halves of the database's tenancy lock on the named models' tables.

    Row-level security: the web role sees and writes only rows of the provider in
    `app.provider_id`, and none of them while `app.reseller_id` says that a reseller asks; what such
    a request sees is added table by table (`shown_to_reseller`). Composite foreign keys: a row can
    only refer to rows of its own provider, whichever role writes it. `own_user` also shows a row to
    the user it belongs to while they sign in and no provider is known yet (memberships).
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, *models: str, own_user: bool = False, references: bool = True) -> None:
        self.models = models
        self.own_user = own_user
        self.references = references

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (
            type(self).__name__,
            self.models,
            {
                "own_user": self.own_user,
                "references": self.references,
            },
        )

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models themselves do not change."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        models = [to_state.apps.get_model(app_label, name) for name in self.models]
        for model in models:
            schema_editor.execute(self._lock(model))
        if self.references:
            for model in models:
                for sql in _same_provider_references(model):
                    schema_editor.execute(sql)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Dropping the tables, which comes next on the way back, drops all of it."""

    def describe(self) -> str:
        return f"Lock {', '.join(self.models)} to their provider"

    def _lock(self, model: type[Model]) -> str:
        table = model._meta.db_table
        condition = f"provider_id = {CURRENT_PROVIDER} AND {NO_RESELLER}"
        own_user = (
            f"CREATE POLICY own_user ON {table} FOR SELECT"
            f" USING ({SIGNING_IN} AND user_id = {CURRENT_USER});"
            if self.own_user
            else ""
        )
        key = (
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_of_provider UNIQUE (provider_id, id);"
            if self.references
            else ""
        )
        return f"""
            {key}
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own_provider ON {table} USING ({condition});
            {own_user}
            GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {WEB_ROLE};
        """


def _same_provider_references(model: type[Model]) -> list[str]:
    table = model._meta.db_table
    statements = []
    for field in model._meta.local_fields:
        target = field.remote_field.model if isinstance(field, ForeignKey) else None
        if target is None or not any(f.name == "provider" for f in target._meta.local_fields):
            continue
        statements.append(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_{field.column}_same_provider"
            f" FOREIGN KEY (provider_id, {field.column})"
            f" REFERENCES {target._meta.db_table} (provider_id, id)"
            " DEFERRABLE INITIALLY DEFERRED"
        )
    return statements


def shown_to_reseller(table: str, condition: str, *, name: str = "own_reseller") -> RunSQL:
    """Show a reseller's request those rows of its provider for which `condition` (SQL) holds.

    `{reseller}` in it stands for the id of the reseller. Other tables are asked by functions that
    act as the owner (`owner_function`): as plain subqueries, with policies of their own, they took
    each statement of everybody up to 6 ms to plan (2026-11-22). Nothing becomes writable.
    """
    current = f"(SELECT {CURRENT_RESELLER})"
    return RunSQL(
        f"CREATE POLICY {name} ON {table} FOR SELECT USING (provider_id = {CURRENT_PROVIDER}"
        f" AND {current} IS NOT NULL AND ({condition.format(reseller=current)}))",
        RunSQL.noop,
    )


def counted_in_metrics(table: str, *columns: str) -> RunSQL:
    """Show the role of the metrics these columns of every provider's rows, and nothing else."""
    return RunSQL(
        f"GRANT SELECT ({', '.join(columns)}) ON {table} TO {METRICS_ROLE};"
        f" CREATE POLICY counted_in_metrics ON {table} FOR SELECT TO {METRICS_ROLE} USING (true)",
        RunSQL.noop,
    )


def owner_function(signature: str, returns: str, query: str) -> RunSQL:
    """A function for policies that sees all rows: its query must keep to who asks.

    `{provider}` and `{reseller}` in the query stand for their ids.
    """
    name = signature.partition("(")[0]
    sql = query.format(provider=CURRENT_PROVIDER, reseller=CURRENT_RESELLER)
    return RunSQL(
        f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE sql STABLE PARALLEL SAFE"
        f" SECURITY DEFINER SET search_path = public, pg_temp BEGIN ATOMIC {sql}; END",
        f"DROP FUNCTION {name}",
    )


def append_only(table: str) -> RunSQL:
    """Refuse every update, delete and truncate of `table`, whoever asks."""
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        {_no_truncate(table)}
        """,
        RunSQL.noop,
    )


def kept_once_done(table: str) -> list[RunSQL]:
    """Refuse every change of rows of `table` whose state is DONE, and every truncate."""
    fixed = fixed_once(table, "OLD.state = 'DONE'")
    return [fixed, RunSQL(_no_truncate(table), RunSQL.noop)]


def _no_truncate(table: str) -> str:
    return f"""
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    """


def fixed_once(table: str, condition: str, *, except_columns: Sequence[str] = ()) -> RunSQL:
    """Refuse changes to rows of `table` for which `condition` (SQL over `OLD`) holds.

    `except_columns` may still change; a delete is refused.
    """
    kept = ", ".join(f"'{name}'" for name in except_columns) or "''"
    return RunSQL(
        f"""
        CREATE FUNCTION {table}_refuse_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF ({condition}) AND (TG_OP = 'DELETE'
                OR to_jsonb(OLD) - ARRAY[{kept}] IS DISTINCT FROM to_jsonb(NEW) - ARRAY[{kept}])
            THEN
                RAISE EXCEPTION '% row % is fixed and cannot be changed', TG_TABLE_NAME,
                    coalesce(to_jsonb(OLD) ->> 'id', to_jsonb(OLD)::text)
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER {table}_fixed BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_refuse_fixed();
        """,
        f"DROP TRIGGER {table}_fixed ON {table}; DROP FUNCTION {table}_refuse_fixed();",
    )
