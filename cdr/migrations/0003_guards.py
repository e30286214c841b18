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

# What every xDR of the API asks for, and every batch: PostgreSQL keeps the plans of a function's
# statements, and of an xDR that comes alone, planning took most of its time (2026-11-22). They run as
# whoever calls them, so that row-level security holds as for any statement. What is partitioned is
# not read by them: a kept plan opens all partitions, another only those that are meant.
READING = """
CREATE FUNCTION cdr_source_terms(asked bigint) RETURNS TABLE (
    name text, is_enabled boolean, provider_id bigint, product_id bigint, format text,
    time_zone text, day_zone text, country_prefix text, default_vendor_id bigint,
    allows_foreign_vendors boolean, oldest_days integer, tags text, identified_by text[],
    volume_rounding text, mapping text, kind text, last_retired date, has_allowances boolean,
    trunks text
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT s.name::text, s.is_enabled, s.provider_id, s.product_id, s.format::text,
        s.time_zone::text, p.time_zone::text, s.country_prefix::text, s.default_vendor_id,
        s.allows_foreign_vendors, s.oldest_days::integer, s.tags::text, s.identified_by::text[],
        s.volume_rounding::text, s.mapping::text, r.kind::text,
        (SELECT max(m.first_day) FROM cdr_retiredmonth m),
        EXISTS (SELECT FROM catalogue_catalogueversionitemallowance a
            WHERE a.provider_id = s.provider_id AND a.usage_product_id = s.product_id),
        (SELECT json_agg(json_build_array(t.tech_prefix, t.vendor_id, t.tags)
            ORDER BY t.tech_prefix) FROM cdr_trunk t WHERE t.source_id = s.id)::text
    FROM cdr_source s JOIN tenancy_provider p ON p.id = s.provider_id
    JOIN catalogue_product r ON r.id = s.product_id
    WHERE s.id = asked;
END $$;

CREATE FUNCTION cdr_source_named(of_provider bigint, named text)
RETURNS TABLE (id bigint, slug text, format text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT s.id, s.slug::text, s.format::text FROM cdr_source s
    WHERE s.provider_id = of_provider AND (s.slug = named OR s.format = named)
    ORDER BY s.name, s.id;
END $$;

CREATE FUNCTION cdr_named_customers(
    of_provider bigint, kinds text[], among text[], addresses inet[])
RETURNS TABLE (kind text, value text, customer_id bigint, subscription_id bigint, tags text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT i.kind::text, i.value::text, i.customer_id, i.subscription_id, i.tags::text
    FROM cdr_customeridentifier i
    WHERE i.provider_id = of_provider AND i.kind = ANY(kinds) AND i.value = ANY(among);
    IF cardinality(addresses) = 0 THEN
        RETURN;
    END IF;
    -- Networks by an index of their own, which is empty where there are none; no other is cast.
    RETURN QUERY
    SELECT i.kind::text, i.value::text, i.customer_id, i.subscription_id, i.tags::text
    FROM cdr_customeridentifier i
    WHERE i.provider_id = of_provider AND i.kind = 'IP' AND i.value LIKE '%/%'
        AND CASE WHEN i.kind = 'IP' THEN i.value::inet >>= ANY(addresses) END;
END $$;

CREATE FUNCTION cdr_microseconds(instant timestamptz) RETURNS bigint LANGUAGE sql STABLE
RETURN (extract(epoch FROM instant) * 1000000)::bigint;

CREATE FUNCTION cdr_party_terms(of_provider bigint, of_product bigint, customer_ids bigint[],
    first_start timestamptz, last_start timestamptz)
RETURNS TABLE (parents text, vendors text, customers text, modes text, versions text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    WITH c AS MATERIALIZED (
        SELECT m.id, m.reseller_id, m.currency, m.rate_table_id,
            coalesce(m.custom_catalogue_id, d.id) AS catalogue_id
        FROM customers_customer m LEFT JOIN catalogue_catalogue d
            ON d.provider_id = of_provider AND d.is_default
        WHERE m.provider_id = of_provider AND m.id = ANY(customer_ids)
    )
    SELECT
        (SELECT json_agg(json_build_array(r.id, r.parent_id))
            FROM resellers_reseller r WHERE r.provider_id = of_provider)::text,
        (SELECT json_agg(json_build_array(v.id, v.name, v.owner_id, v.rate_table_id))
            FROM resellers_vendor v WHERE v.provider_id = of_provider)::text,
        (SELECT json_agg(json_build_array(
            c.id, c.reseller_id, c.currency, c.rate_table_id, c.catalogue_id)) FROM c)::text,
        (SELECT json_agg(json_build_array(b.reseller_id, b.rate_table_id, b.policy,
                b.internal_rate_table_id, cdr_microseconds(b.valid_from),
                cdr_microseconds(b.valid_to)))
            FROM resellers_billingmodeassignment b
            WHERE b.provider_id = of_provider AND b.product_id = of_product
                AND b.valid_from <= last_start
                AND (b.valid_to IS NULL OR b.valid_to > first_start))::text,
        (SELECT json_agg(json_build_array(
                v.catalogue_id, cdr_microseconds(v.effective_at), v.number, i.currency,
                i.rate_table_id) ORDER BY v.catalogue_id, v.effective_at, v.number)
            FROM catalogue_catalogueversion v LEFT JOIN catalogue_catalogueversionitem i
                ON i.version_id = v.id AND i.product_id = of_product
                AND i.rate_table_id IS NOT NULL
            WHERE v.provider_id = of_provider AND v.effective_at <= last_start
                AND v.catalogue_id IN (
                    SELECT c.catalogue_id FROM c WHERE c.rate_table_id IS NULL))::text;
END $$;

CREATE FUNCTION cdr_held_tables(of_provider bigint, table_ids bigint[]) RETURNS TABLE (
    id bigint, revision bigint, name text, currency text, time_zone text, parent_id bigint,
    rounding text, decimals integer, increment_base text, boundary text, connection_fee_due text,
    rating_unit text, volume_unit text
) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT t.id, t.revision::bigint, t.name::text, t.currency::text, t.time_zone::text,
        t.parent_id, t.rounding::text, t.decimals::integer, t.increment_base::text,
        t.boundary::text, t.connection_fee_due::text, p.rating_unit::text, p.volume_unit::text
    FROM catalogue_ratetable t JOIN catalogue_product p ON p.id = t.product_id
    WHERE t.provider_id = of_provider AND t.id = ANY(table_ids)
    ORDER BY t.id FOR KEY SHARE OF t SKIP LOCKED;
END $$;

CREATE FUNCTION cdr_lock_open_chunk(chunk bigint, of_provider bigint, fingerprint text,
    most_lines integer, opened_after timestamptz)
RETURNS TABLE (id bigint, first_line bigint, line_count bigint) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT c.id, c.first_line::bigint, c.line_count::bigint
    FROM cdr_xdrchunk c JOIN cdr_xdrfile f ON f.id = c.file_id
    WHERE c.id = chunk AND c.provider_id = of_provider AND f.sha256 = fingerprint
        AND c.line_count <= most_lines AND c.queued_at > opened_after
    FOR NO KEY UPDATE OF c SKIP LOCKED;
END $$;

CREATE FUNCTION cdr_add_counts(chunk bigint, lines integer, rated integer, zero integer,
    duplicate integer, suspended integer, partly_suspended integer, blank integer, at timestamptz,
    newest timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE cdr_xdrchunk c SET
        line_count = c.line_count + lines,
        rated_count = c.rated_count + rated,
        zero_count = c.zero_count + zero,
        duplicate_count = c.duplicate_count + duplicate,
        suspended_count = c.suspended_count + suspended,
        partly_suspended_count = c.partly_suspended_count + partly_suspended,
        blank_count = c.blank_count + blank,
        finished_at = at,
        newest_started_at = greatest(c.newest_started_at, newest)
    WHERE c.id = chunk;
END $$;
"""

NOT_READING = """
DROP FUNCTION cdr_add_counts(bigint, integer, integer, integer, integer, integer, integer,
    integer, timestamptz, timestamptz);
DROP FUNCTION cdr_lock_open_chunk(bigint, bigint, text, integer, timestamptz);
DROP FUNCTION cdr_held_tables(bigint, bigint[]);
DROP FUNCTION cdr_party_terms(bigint, bigint, bigint[], timestamptz, timestamptz);
DROP FUNCTION cdr_microseconds(timestamptz);
DROP FUNCTION cdr_named_customers(bigint, text[], text[], inet[]);
DROP FUNCTION cdr_source_named(bigint, text);
DROP FUNCTION cdr_source_terms(bigint);
"""


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
            "XdrIdentity",
            "Suspense",
            "Rerating",
            "ReratingSlice",
            "ReratingDelta",
            "ReratingMove",
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
        migrations.RunSQL(READING, NOT_READING),
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
        counted_in_metrics("cdr_whatif", "id", "provider_id", "state"),
        counted_in_metrics("cdr_reratingslice", "id", "provider_id", "rerating_id", "state"),
    ]
