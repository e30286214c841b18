from typing import ClassVar

from django.db import migrations

from common.postgres import (
    CURRENT_PROVIDER,
    ProviderTables,
    append_only,
    counted_in_metrics,
    owner_function,
    shown_to_reseller,
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("customers", "0001_initial"),
        ("resellers", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables("Customer", "SignUpSettings", "SignUpTerms", "Consent", "RateNotification"),
        ProviderTables("TeamMember", own_user=True),
        owner_function(
            "customers_seen_by_reseller()",
            "SETOF bigint",
            "SELECT id FROM customers_customer WHERE provider_id = {provider}"
            " AND reseller_id IN (SELECT resellers_seen_branch())",
        ),
        shown_to_reseller("customers_customer", "reseller_id IN (SELECT resellers_seen_branch())"),
        # When somebody signed in last.
        shown_to_reseller(
            "customers_teammember",
            "customer_id IN (SELECT customers_seen_by_reseller())",
        ),
        append_only("customers_signupterms"),
        append_only("customers_consent"),
        migrations.RunSQL(
            f"""
            CREATE POLICY team_of_provider ON tenancy_user USING (EXISTS (
                SELECT 1 FROM customers_teammember t
                WHERE t.user_id = tenancy_user.id AND t.provider_id = {CURRENT_PROVIDER}));

            ALTER TABLE customers_customer ADD CONSTRAINT customer_code_of_its_reseller
                FOREIGN KEY (reseller_code_id, reseller_id)
                REFERENCES resellers_resellercode (id, reseller_id)
                DEFERRABLE INITIALLY DEFERRED;

            CREATE FUNCTION customers_tag_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'the reseller of customer % is fixed', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'customer_tag_is_fixed';
            END $$;
            CREATE TRIGGER customer_tag_is_fixed BEFORE UPDATE ON customers_customer
                FOR EACH ROW WHEN (
                    OLD.reseller_id IS DISTINCT FROM NEW.reseller_id
                    OR OLD.reseller_code_id IS DISTINCT FROM NEW.reseller_code_id)
                EXECUTE FUNCTION customers_tag_is_fixed();
            """,
            migrations.RunSQL.noop,
        ),
        counted_in_metrics(
            "customers_ratenotification", "id", "provider_id", "rate_table_id", "notice_id", "state"
        ),
    ]
