from typing import ClassVar

from django.db import migrations

from common.postgres import ProviderTables, append_only, counted_in_metrics

WORK_ON_RATES = {
    "catalogue_rateimport": ("try_count",),
    "catalogue_ratebatchedit": ("try_count",),
    "catalogue_relabelling": (),
    "catalogue_rateexport": (),
    "catalogue_ratenotice": ("recipient_count",),
}


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("catalogue", "0001_initial"),
        ("tenancy", "0002_guards"),
    ]

    operations: ClassVar = [
        ProviderTables(
            "Product",
            "CodeDeck",
            "CodeDeckEntry",
            "TimeProfile",
            "RateTable",
            "Rate",
            "Catalogue",
            "CatalogueItem",
            "CatalogueItemAllowance",
            "CatalogueVersion",
            "CatalogueVersionItem",
            "CatalogueVersionItemAllowance",
            "ExchangeRate",
            "RateBatchEdit",
            "Relabelling",
            "RateExport",
            "RateFileTemplate",
            "RateImport",
            "RateNotice",
            "RateNoticeFile",
        ),
        # Rows by the hundred thousand, written by workers of one import: without keys to check.
        ProviderTables("RateImportRow", references=False),
        append_only("catalogue_catalogueversion"),
        append_only("catalogue_catalogueversionitem"),
        append_only("catalogue_catalogueversionitemallowance"),
        migrations.RunSQL(
            """
            CREATE FUNCTION catalogue_bump_revision() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE catalogue_ratetable SET revision = revision + 1
                    WHERE id IN (SELECT DISTINCT rate_table_id FROM changed);
                RETURN NULL;
            END $$;
            CREATE TRIGGER rate_inserted AFTER INSERT ON catalogue_rate
                REFERENCING NEW TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION catalogue_bump_revision();
            CREATE TRIGGER rate_updated AFTER UPDATE ON catalogue_rate
                REFERENCING NEW TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION catalogue_bump_revision();
            CREATE TRIGGER rate_deleted AFTER DELETE ON catalogue_rate
                REFERENCING OLD TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION catalogue_bump_revision();
            CREATE FUNCTION catalogue_table_changed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF to_jsonb(OLD) - 'revision' IS DISTINCT FROM to_jsonb(NEW) - 'revision' THEN
                    NEW.revision = OLD.revision + 1;
                END IF;
                RETURN NEW;
            END $$;
            CREATE FUNCTION catalogue_profile_changed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE catalogue_ratetable SET revision = revision + 1
                    WHERE id IN (SELECT rate_table_id FROM catalogue_rate
                        WHERE time_profile_id = NEW.id);
                RETURN NULL;
            END $$;
            CREATE TRIGGER time_profile_updated AFTER UPDATE ON catalogue_timeprofile
                FOR EACH ROW WHEN (OLD.ranges <> NEW.ranges OR OLD.weight <> NEW.weight)
                EXECUTE FUNCTION catalogue_profile_changed();
            CREATE TRIGGER rate_table_updated BEFORE UPDATE ON catalogue_ratetable
                FOR EACH ROW EXECUTE FUNCTION catalogue_table_changed();
            """,
            migrations.RunSQL.noop,
        ),
        # The id that a row's rate will have, so that what was written is known without asking.
        migrations.RunSQL(
            "ALTER TABLE catalogue_rateimportrow"
            " ALTER COLUMN rate_id SET DEFAULT nextval('catalogue_rate_id_seq')",
            migrations.RunSQL.noop,
        ),
        *(
            counted_in_metrics(table, "id", "provider_id", "rate_table_id", "state", *columns)
            for table, columns in WORK_ON_RATES.items()
        ),
    ]
