from typing import ClassVar

from django.db import migrations

from common.postgres import (
    CURRENT_PROVIDER,
    ProviderTables,
    fixed_once,
    owner_function,
    shown_to_reseller,
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("resellers", "0001_initial"),
        ("catalogue", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables(
            "Reseller", "ResellerCode", "ResellerModule", "Vendor", "BillingModeAssignment"
        ),
        ProviderTables("ResellerUser", own_user=True),
        # The resellers whose customers one sees: itself, and those below where that is opened.
        owner_function(
            "resellers_seen_branch()",
            "SETOF bigint",
            """
            WITH RECURSIVE branch AS (
                SELECT id, sees_branch AS is_open FROM resellers_reseller
                WHERE id = {reseller} AND provider_id = {provider}
                UNION
                SELECT r.id, branch.is_open FROM resellers_reseller r
                JOIN branch ON r.parent_id = branch.id AND branch.is_open)
            SELECT id FROM branch
            """,
        ),
        # Whether something is opened, named by its column.
        owner_function(
            "resellers_opens(opening text)",
            "boolean",
            """
            SELECT (to_jsonb(r) ->> opening)::boolean FROM resellers_reseller r
            WHERE id = {reseller} AND provider_id = {provider}
            """,
        ),
        owner_function(
            "resellers_in_billing_mode()",
            "boolean",
            "SELECT EXISTS (SELECT FROM resellers_billingmodeassignment"
            " WHERE reseller_id = {reseller} AND provider_id = {provider})",
        ),
        shown_to_reseller("resellers_reseller", "id IN (SELECT resellers_seen_branch())"),
        shown_to_reseller(
            "resellers_resellercode", "reseller_id IN (SELECT resellers_seen_branch())"
        ),
        # The names of products, and the unit that volumes count.
        shown_to_reseller(
            "catalogue_product",
            "(SELECT resellers_opens('sees_usage_totals')) OR (SELECT resellers_in_billing_mode())",
        ),
        fixed_once(
            "resellers_resellercode",
            "OLD.published_at IS NOT NULL",
            except_columns=["campaign", "expires_at"],
        ),
        migrations.RunSQL(
            f"""
            CREATE POLICY viewer_of_provider ON tenancy_user USING (EXISTS (
                SELECT 1 FROM resellers_reselleruser r
                WHERE r.user_id = tenancy_user.id AND r.provider_id = {CURRENT_PROVIDER}));

            -- For references to a code together with the reseller it belongs to.
            ALTER TABLE resellers_resellercode
                ADD CONSTRAINT reseller_code_of_reseller UNIQUE (id, reseller_id);

            CREATE FUNCTION resellers_refuse_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.parent_id IS NULL THEN RETURN NEW; END IF;
                -- One tree change of a provider at a time, or two moves could close a cycle.
                PERFORM pg_advisory_xact_lock(hashtextextended('reseller_tree', NEW.provider_id));
                IF EXISTS (
                    WITH RECURSIVE up AS (
                        SELECT id, parent_id FROM resellers_reseller WHERE id = NEW.parent_id
                        UNION
                        SELECT r.id, r.parent_id FROM resellers_reseller r
                        JOIN up ON r.id = up.parent_id)
                    SELECT 1 FROM up WHERE id = NEW.id
                ) THEN
                    RAISE EXCEPTION 'reseller % cannot be its own ancestor', NEW.id
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER reseller_tree BEFORE INSERT OR UPDATE OF parent_id ON resellers_reseller
                FOR EACH ROW EXECUTE FUNCTION resellers_refuse_cycle();
            """,
            migrations.RunSQL.noop,
        ),
    ]
