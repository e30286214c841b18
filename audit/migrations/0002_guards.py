from typing import ClassVar

from django.db import migrations

from common.postgres import (
    CURRENT_PROVIDER,
    CURRENT_TOKEN,
    CURRENT_USER,
    ProviderTables,
    append_only,
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("audit", "0001_initial"),
        ("tenancy", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables("Entry"),
        append_only("audit_entry"),
        # Whoever writes an entry, the token that asks stands in it.
        migrations.RunSQL(
            f"""
            CREATE FUNCTION audit_note_token() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.token_id := {CURRENT_TOKEN};
                RETURN NEW;
            END $$;
            CREATE TRIGGER audit_note_token BEFORE INSERT ON audit_entry
                FOR EACH ROW EXECUTE FUNCTION audit_note_token();
            """,
            "DROP TRIGGER audit_note_token ON audit_entry; DROP FUNCTION audit_note_token();",
        ),
        # Roles and memberships lie below this app, so the database itself records their changes.
        # Built-in roles come with the provider: nobody decided on them. Whether people may sign in
        # is recorded for whom they work for.
        migrations.RunSQL(
            f"""
            -- Who did something stays named, also once they have left.
            CREATE POLICY actor_of_provider ON tenancy_user FOR SELECT USING (EXISTS (
                SELECT 1 FROM audit_entry e
                WHERE e.actor_id = tenancy_user.id AND e.provider_id = {CURRENT_PROVIDER}));

            -- For who reads it later: numbers of roles and people say nothing.
            CREATE FUNCTION audit_with_names(recorded jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
                SELECT CASE WHEN recorded ? 'role_id' THEN recorded || jsonb_build_object(
                    'role', (SELECT name FROM tenancy_role
                             WHERE id = (recorded ->> 'role_id')::bigint),
                    'user', (SELECT email FROM tenancy_user
                             WHERE id = (recorded ->> 'user_id')::bigint))
                ELSE recorded END
            $$;

            CREATE FUNCTION audit_permissions() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                changed jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD)
                    ELSE to_jsonb(NEW) END;
            BEGIN
                INSERT INTO audit_entry (
                    provider_id, at, actor_id, action, object_type, object_id, before, after)
                VALUES (
                    (changed ->> 'provider_id')::bigint, now(), {CURRENT_USER},
                    TG_ARGV[0] || CASE TG_OP WHEN 'INSERT' THEN '.created'
                        WHEN 'UPDATE' THEN '.changed' ELSE '.removed' END,
                    'tenancy.' || TG_ARGV[0], changed ->> 'id',
                    CASE WHEN TG_OP <> 'INSERT' THEN audit_with_names(to_jsonb(OLD)) END,
                    CASE WHEN TG_OP <> 'DELETE' THEN audit_with_names(to_jsonb(NEW)) END);
                RETURN NULL;
            END $$;
            CREATE TRIGGER audit_membership AFTER INSERT OR UPDATE OR DELETE ON tenancy_membership
                FOR EACH ROW EXECUTE FUNCTION audit_permissions('membership');
            CREATE TRIGGER audit_role_created AFTER INSERT ON tenancy_role
                FOR EACH ROW WHEN (NOT NEW.is_built_in)
                EXECUTE FUNCTION audit_permissions('role');
            CREATE FUNCTION audit_access() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO audit_entry (
                    provider_id, at, actor_id, action, object_type, object_id, before, after)
                SELECT m.provider_id, now(), {CURRENT_USER},
                    CASE WHEN NEW.is_active THEN 'membership.access_restored'
                        ELSE 'membership.access_withdrawn' END,
                    'tenancy.membership', m.id::text,
                    jsonb_build_object('is_active', OLD.is_active),
                    jsonb_build_object('is_active', NEW.is_active)
                FROM tenancy_membership m WHERE m.user_id = NEW.id;
                RETURN NULL;
            END $$;
            CREATE TRIGGER audit_access AFTER UPDATE ON tenancy_user
                FOR EACH ROW WHEN (OLD.is_active <> NEW.is_active)
                EXECUTE FUNCTION audit_access();
            -- Who is invited first is a member only afterwards, which is recorded by itself.
            CREATE FUNCTION audit_invited_again() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO audit_entry (
                    provider_id, at, actor_id, action, object_type, object_id)
                SELECT m.provider_id, now(), NEW.requested_by_id, 'membership.invited_again',
                    'tenancy.membership', m.id::text
                FROM tenancy_membership m
                WHERE m.user_id = NEW.user_id AND m.provider_id = NEW.provider_id;
                RETURN NULL;
            END $$;
            CREATE TRIGGER audit_invited_again AFTER INSERT ON tenancy_invitation
                FOR EACH ROW EXECUTE FUNCTION audit_invited_again();
            -- What somebody takes off their own sign-in is their affair.
            CREATE FUNCTION audit_second_factor() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO audit_entry (
                    provider_id, at, actor_id, action, object_type, object_id, before)
                SELECT m.provider_id, now(), {CURRENT_USER}, 'membership.second_factor_removed',
                    'tenancy.membership', m.id::text, jsonb_build_object('second_factor', OLD.type)
                FROM tenancy_membership m
                WHERE m.user_id = OLD.user_id AND m.user_id <> {CURRENT_USER};
                RETURN NULL;
            END $$;
            CREATE TRIGGER audit_second_factor AFTER DELETE ON mfa_authenticator
                FOR EACH ROW WHEN (OLD.type <> 'recovery_codes')
                EXECUTE FUNCTION audit_second_factor();
            -- What a program may do from now on, or no longer; of its secret, nothing.
            CREATE FUNCTION audit_api_token() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO audit_entry (
                    provider_id, at, actor_id, action, object_type, object_id, after)
                VALUES (
                    NEW.provider_id, now(), {CURRENT_USER},
                    CASE TG_OP WHEN 'INSERT' THEN 'api_token.created'
                        ELSE 'api_token.revoked' END,
                    'tenancy.apitoken', NEW.id::text,
                    CASE WHEN TG_OP = 'INSERT' THEN jsonb_build_object(
                        'name', NEW.name,
                        'scopes', array_to_string(NEW.scopes, ', '),
                        'networks', array_to_string(NEW.networks, ', '),
                        'role', (SELECT name FROM tenancy_role WHERE id = NEW.role_id),
                        'expires_at', NEW.expires_at)
                    END);
                RETURN NULL;
            END $$;
            CREATE TRIGGER audit_api_token_created AFTER INSERT ON tenancy_apitoken
                FOR EACH ROW EXECUTE FUNCTION audit_api_token();
            CREATE TRIGGER audit_api_token_revoked AFTER UPDATE ON tenancy_apitoken
                FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
                EXECUTE FUNCTION audit_api_token();
            CREATE TRIGGER audit_role_changed AFTER UPDATE OR DELETE ON tenancy_role
                FOR EACH ROW EXECUTE FUNCTION audit_permissions('role');
            """,
            migrations.RunSQL.noop,
        ),
    ]
