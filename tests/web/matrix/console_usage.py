from cdr.models import Mending, Suspense, Xdr, XdrFile
from cdr.rules.mending import Choice
from cdr.services.mending import ask_for_mending
from cdr.services.rerating import ask_for_rerating
from tenancy.models import Provider
from tests.factories import make_customer, make_identifier, make_product, make_source
from tests.factories.cdr import Call, import_lines
from tests.factories.mending import MENDED_AT, mend
from tests.factories.rerating import OCTOBER_FROM, OCTOBER_TO, RERATED_AT, measure
from tests.web.matrix import Page, actions, staff


def imported(provider: Provider) -> XdrFile:
    """A file of one xDR of nobody known and a line that cannot be read."""
    return import_lines(make_source(make_product(provider)), [Call(account="nobody"), "junk"])


def file(provider: Provider) -> dict[str, object]:
    return {"file_id": imported(provider).pk}


def source(provider: Provider) -> dict[str, object]:
    return {"source_id": make_source(make_product(provider)).pk}


def mapped_source(provider: Provider) -> dict[str, object]:
    return {"source_id": make_source(make_product(provider), format="mapped-csv").pk}


def xdr(provider: Provider) -> dict[str, object]:
    imported(provider)
    return {"xdr_key": Xdr.objects.get(provider=provider).pk}


def unreadable(provider: Provider) -> dict[str, object]:
    imported(provider)
    return {"suspense_id": Suspense.objects.get(provider=provider, reason="unparsable").pk}


def unknown(provider: Provider) -> dict[str, object]:
    imported(provider)
    return {"suspense_id": Suspense.objects.get(provider=provider, reason="unknown_customer").pk}


def vendorless(provider: Provider) -> dict[str, object]:
    make_identifier(make_customer(provider), "carla")
    import_lines(make_source(make_product(provider)), [Call(account="carla")])
    return {"suspense_id": Suspense.objects.get(provider=provider, reason="unknown_vendor").pk}


def mending(provider: Provider) -> dict[str, object]:
    imported(provider)
    return {"mending_id": mend(provider, Mending.Kind.DISCARD, note="A test.").pk}


def mending_at_work(provider: Provider) -> dict[str, object]:
    imported(provider)
    asked = ask_for_mending(
        provider_id=provider.pk,
        kind=Mending.Kind.RETRY,
        choice=Choice(),
        at=MENDED_AT,
        actor_id=None,
    )
    return {"mending_id": asked.pk}


def at_work(provider: Provider) -> dict[str, object]:
    """One that waits for a worker, which its page of progress is about."""
    asked = ask_for_rerating(
        provider_id=provider.pk,
        reason="A rate was wrong.",
        started_from=OCTOBER_FROM,
        started_to=OCTOBER_TO,
        at=RERATED_AT,
        actor_id=None,
    )
    return {"rerating_id": asked.pk}


def rerating(provider: Provider) -> dict[str, object]:
    return {"rerating_id": measure(provider).pk}


PAGES = {
    "console_reratings": Page(staff("usage.read")),
    "console_rerating_create": Page(staff("usage.write")),
    "console_rerating": Page(staff("usage.read"), rerating),
    "console_rerating_progress": Page(staff("usage.read"), at_work),
    "console_rerating_deltas": Page(staff("usage.read"), rerating),
    "console_rerating_apply": Page(staff("usage.write"), rerating),
    "console_rerating_discard": Page(staff("usage.write"), rerating),
    "console_usage_metrics": Page(staff("usage.read")),
    "console_usage_metrics_figures": Page(staff("usage.read")),
    "console_xdr_files": Page(staff("usage.read")),
    "console_xdr_file_upload": Page(staff("usage.write")),
    "console_xdr_file": Page(staff("usage.read"), file),
    "console_xdr_file_progress": Page(staff("usage.read"), file),
    "console_xdr_file_again": Page(staff("usage.write"), file),
    "console_sources": Page(staff("usage.read")),
    "console_source_create": Page(staff("usage.write")),
    "console_source_edit": Page(staff("usage.write"), source),
    "console_source_switch": Page(staff("usage.write"), source),
    "console_source_mapping": Page(staff("usage.write"), mapped_source),
    "console_source_mapping_preview": Page(actions(), mapped_source),
    "console_source_try": Page(staff("usage.write"), source),
    "console_xdrs": Page(staff("usage.read")),
    "console_xdr": Page(staff("usage.read"), xdr),
    "console_suspense": Page(staff("usage.read")),
    "console_suspense_rows": Page(staff("usage.read")),
    "console_suspense_row": Page(staff("usage.read"), unreadable),
    "console_suspense_retry": Page(staff("usage.write")),
    "console_suspense_accept": Page(staff("usage.write")),
    "console_suspense_discard": Page(staff("usage.write")),
    "console_suspense_give": Page(staff("customers.write"), unknown),
    "console_suspense_trunk": Page(staff("usage.write"), vendorless),
    "console_suspense_correct": Page(staff("usage.write")),
    "console_suspense_line": Page(staff("usage.write"), unreadable),
    "console_suspense_lines": Page(staff("usage.read")),
    "console_mendings": Page(staff("usage.read")),
    "console_mending": Page(staff("usage.read"), mending),
    "console_mending_progress": Page(staff("usage.read"), mending_at_work),
    "console_mending_again": Page(staff("usage.write"), mending),
    "console_mending_take_back": Page(staff("usage.write"), mending),
}
