from typing import ClassVar

from django.db import migrations

from cdr.rules.parties import Charge, Party
from common.postgres import (
    WEB_ROLE,
    ProviderTables,
    append_only,
    counted_in_metrics,
    shown_to_reseller,
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("cdr", "0002_partitioned_tables"),
        ("subscriptions", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables(
            "Source",
            "Trunk",
            "CustomerIdentifier",
            "XdrFile",
            "XdrChunk",
            "Mending",
            "XdrCorrection",
            "Suspense",
            "Rerating",
            "ReratingSlice",
            "ReratingDelta",
            "WhatIf",
            "WhatIfReseller",
            "WhatIfMargin",
            "AllowanceCounter",
            "TierTotal",
        ),
        ProviderTables(
            "Xdr", "Leg", "ReplacedLeg", "UsageCharge", "AllowanceUse", references=False
        ),
        # What a reseller pays its parent, and what those below pay it.
        shown_to_reseller(
            "cdr_usagecharge",
            f"kind = {Charge.RESELLER:d}"
            f" AND (payer_kind = {Party.RESELLER:d} AND payer_id = {{reseller}}"
            f" OR payee_kind = {Party.RESELLER:d} AND payee_id = {{reseller}})",
        ),
        shown_to_reseller(
            "cdr_usagecharge",
            f"kind = {Charge.CUSTOMER:d} AND payer_kind = {Party.CUSTOMER:d}"
            " AND (SELECT resellers_opens('sees_usage_totals'))"
            " AND payer_id IN (SELECT customers_seen_by_reseller())",
            name="opened_totals",
        ),
        append_only("cdr_usagecharge"),
        # An identifier can be tied to a subscription of its own customer only.
        migrations.RunSQL(
            "ALTER TABLE cdr_customeridentifier ADD CONSTRAINT identifier_subscription_of_customer"
            " FOREIGN KEY (provider_id, customer_id, subscription_id)"
            " REFERENCES subscriptions_subscription (provider_id, customer_id, id)"
            " DEFERRABLE INITIALLY DEFERRED",
            migrations.RunSQL.noop,
        ),
        # Of no provider: which months are stored is the same for all of them.
        migrations.RunSQL(f"GRANT SELECT ON cdr_retiredmonth TO {WEB_ROLE}"),
        # What usage charges refer to is checked once per COPY: foreign keys, which check row by
        # row, took two thirds of the time of writing them (8 of 13 us a row, 2026-11-22).
        migrations.RunSQL(
            """
            CREATE FUNCTION cdr_check_usage_references() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM
                        (SELECT DISTINCT provider_id, chunk_id, rerating_id, product_id
                         FROM added) AS a
                    LEFT JOIN cdr_xdrchunk c ON c.provider_id = a.provider_id AND c.id = a.chunk_id
                    LEFT JOIN cdr_rerating r
                        ON r.provider_id = a.provider_id AND r.id = a.rerating_id
                    LEFT JOIN catalogue_product p
                        ON p.provider_id = a.provider_id AND p.id = a.product_id
                    WHERE c.id IS NULL AND r.id IS NULL OR p.id IS NULL
                ) THEN
                    RAISE EXCEPTION 'a usage charge refers to no batch or product of its provider'
                        USING ERRCODE = 'foreign_key_violation';
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER usage_charge_references AFTER INSERT ON cdr_usagecharge
                REFERENCING NEW TABLE AS added
                FOR EACH STATEMENT EXECUTE FUNCTION cdr_check_usage_references();
            -- A chunk names the source of its file.
            ALTER TABLE cdr_xdrfile
                ADD CONSTRAINT cdr_xdrfile_of_source UNIQUE (id, source_id);
            ALTER TABLE cdr_xdrchunk
                ADD CONSTRAINT cdr_xdrchunk_source_of_file FOREIGN KEY (file_id, source_id)
                REFERENCES cdr_xdrfile (id, source_id) DEFERRABLE INITIALLY DEFERRED;
            CREATE TRIGGER chunk_is_kept BEFORE DELETE ON cdr_xdrchunk
                FOR EACH ROW EXECUTE FUNCTION refuse_change();
            """,
            migrations.RunSQL.noop,
        ),
        counted_in_metrics("cdr_source", "id", "provider_id", "slug", "is_enabled"),
        counted_in_metrics("cdr_xdrfile", "id", "provider_id", "source_id", "state", "received_at"),
        counted_in_metrics(
            "cdr_xdrchunk",
            *("id", "provider_id", "source_id", "file_id", "state"),
            *("rated_count", "zero_count", "duplicate_count", "suspended_count"),
            "newest_started_at",
        ),
        counted_in_metrics("cdr_suspense", "id", "provider_id", "chunk_id", "state", "reason"),
        counted_in_metrics("cdr_mending", "id", "provider_id", "state"),
        counted_in_metrics("cdr_rerating", "id", "provider_id", "state"),
        counted_in_metrics("cdr_reratingslice", "id", "provider_id", "rerating_id", "state"),
    ]
