"""Reading what was told of rate tables."""

from catalogue.models import RateNotice, RateNoticeFile, RateTable
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def rate_notices(scope: Scope, table: RateTable) -> ProviderQuerySet[RateNotice]:
    """The notices of a table, the latest first, without what they compare with."""
    rows = RateNotice.objects.visible_to(scope).filter(rate_table=table).defer("snapshot")
    return rows.select_related("requested_by").order_by("-requested_at", "-pk")


def rate_notice(scope: Scope, notice_id: int) -> RateNotice:
    """One notice with its table.

    :raises RateNotice.DoesNotExist: it is not in the scope.
    """
    rows = RateNotice.objects.visible_to(scope).select_related("rate_table__product")
    return rows.defer("snapshot").get(pk=notice_id)


def notice_files(scope: Scope, notice: RateNotice) -> list[RateNoticeFile]:
    """The files of a notice without what is in them: that for newcomers, then by last notice."""
    rows = RateNoticeFile.objects.visible_to(scope).filter(notice=notice).select_related("notice")
    rows = rows.select_related("notice", "since").defer(
        "content", "notice__snapshot", "since__snapshot"
    )
    return list(rows.order_by("pk"))


def notice_file(scope: Scope, file_id: int) -> RateNoticeFile:
    """One file with its notice.

    :raises RateNoticeFile.DoesNotExist: it is not in the scope.
    """
    rows = RateNoticeFile.objects.visible_to(scope).select_related("notice__rate_table")
    return rows.defer("notice__snapshot").get(pk=file_id)
