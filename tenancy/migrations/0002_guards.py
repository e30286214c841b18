from typing import ClassVar

from django.db import migrations

from common.postgres import (
    CURRENT_PROVIDER,
    CURRENT_USER,
    METRICS_ROLE,
    SIGNING_IN,
    WEB_ROLE,
    ProviderTables,
    counted_in_metrics,
    fixed_once,
    group_role,
    shown_to_reseller,
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("tenancy", "0001_initial"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("usersessions", "0001_initial"),
        ("sessions", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(
            f"""
            {group_role(WEB_ROLE)}
            {group_role(METRICS_ROLE)}
            CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                    USING ERRCODE = 'integrity_constraint_violation';
            END $$;
            """,
            "DROP FUNCTION refuse_change();",
        ),
        ProviderTables("BillerEntity", "Logo", "Role", "Invitation"),
        ProviderTables("Membership", own_user=True),
        ProviderTables("ApiToken", "AnsweredCall"),
        # What was handed out stays as it was; only its use and its end are noted.
        fixed_once(
            "tenancy_apitoken",
            "TRUE",
            except_columns=["last_used_at", "last_used_from", "revoked_at", "revoked_by_id"],
        ),
        # A token comes before any provider may be seen: this answers for the hash of one exact
        # secret, and shows nothing else of the tables. What a role holds is read at every call.
        migrations.RunSQL(
            """
            CREATE FUNCTION tenancy_token(secret_hash text) RETURNS TABLE (
                id bigint, provider_id bigint, user_id bigint, scopes varchar[],
                permissions varchar[], networks varchar[], expires_at timestamptz,
                revoked_at timestamptz, is_active boolean, last_used_at timestamptz
            ) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            BEGIN
                RETURN QUERY
                SELECT t.id, t.provider_id, m.user_id, t.scopes, r.permissions, t.networks,
                    t.expires_at, t.revoked_at, coalesce(u.is_active, true), t.last_used_at
                FROM tenancy_apitoken t
                LEFT JOIN tenancy_membership m ON m.id = t.membership_id
                LEFT JOIN tenancy_user u ON u.id = m.user_id
                JOIN tenancy_role r ON r.id = coalesce(t.role_id, m.role_id)
                WHERE t.secret_hash = $1;
            END $$;
            """,
            "DROP FUNCTION tenancy_token(text);",
        ),
        # The seller's name, address and logo, which stand on every document.
        shown_to_reseller("tenancy_billerentity", "true"),
        shown_to_reseller("tenancy_logo", "true"),
        migrations.RunSQL(
            f"""
            ALTER TABLE tenancy_provider ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own_provider ON tenancy_provider
                USING (id = {CURRENT_PROVIDER});
            GRANT SELECT, UPDATE ON tenancy_provider TO {WEB_ROLE};

            ALTER TABLE tenancy_user ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own_user ON tenancy_user
                USING (id = {CURRENT_USER} OR {SIGNING_IN});
            CREATE POLICY staff_of_provider ON tenancy_user USING (EXISTS (
                SELECT 1 FROM tenancy_membership m
                WHERE m.user_id = tenancy_user.id AND m.provider_id = {CURRENT_PROVIDER}));
            GRANT SELECT, INSERT, UPDATE ON tenancy_user TO {WEB_ROLE};

            ALTER TABLE account_emailaddress ENABLE ROW LEVEL SECURITY;
            CREATE POLICY of_visible_user ON account_emailaddress USING (EXISTS (
                SELECT 1 FROM tenancy_user u WHERE u.id = account_emailaddress.user_id));
            ALTER TABLE account_emailconfirmation ENABLE ROW LEVEL SECURITY;
            CREATE POLICY of_visible_address ON account_emailconfirmation USING (EXISTS (
                SELECT 1 FROM account_emailaddress a
                WHERE a.id = account_emailconfirmation.email_address_id));
            ALTER TABLE mfa_authenticator ENABLE ROW LEVEL SECURITY;
            CREATE POLICY of_own_user ON mfa_authenticator
                USING (user_id = {CURRENT_USER} OR {SIGNING_IN});
            ALTER TABLE usersessions_usersession ENABLE ROW LEVEL SECURITY;
            CREATE POLICY of_own_user ON usersessions_usersession
                USING (user_id = {CURRENT_USER} OR {SIGNING_IN});
            GRANT SELECT, INSERT, UPDATE, DELETE ON account_emailaddress,
                account_emailconfirmation, mfa_authenticator, usersessions_usersession,
                django_session TO {WEB_ROLE};
            GRANT SELECT ON django_content_type, django_migrations TO {WEB_ROLE};
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {WEB_ROLE};
            ALTER DEFAULT PRIVILEGES IN SCHEMA public
                GRANT USAGE, SELECT ON SEQUENCES TO {WEB_ROLE};
            """,
            migrations.RunSQL.noop,
        ),
        counted_in_metrics("tenancy_provider", "id", "slug"),
    ]
