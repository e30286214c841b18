"""The formats that can be read, by the name that a source gives."""

from collections.abc import Mapping

from cdr.importers.acme_csv.adapter import ADAPTER as ACME_CSV
from cdr.importers.adapter import Adapter
from cdr.importers.asterisk_csv.adapter import ADAPTER as ASTERISK_CSV
from cdr.importers.cucm_csv.adapter import ADAPTER as CUCM_CSV
from cdr.importers.freeswitch_csv.adapter import ADAPTER as FREESWITCH_CSV
from cdr.importers.freeswitch_json.adapter import ADAPTER as FREESWITCH_JSON
from cdr.importers.kamailio_csv.adapter import ADAPTER as KAMAILIO_CSV
from cdr.importers.mapped_csv.adapter import ADAPTER as MAPPED_CSV
from cdr.importers.tollgate_json.adapter import ADAPTER as TOLLGATE_JSON
from cdr.importers.yeti_csv.adapter import ADAPTER as YETI_CSV
from cdr.models import Source

ADAPTERS: Mapping[str, Adapter] = {
    Source.Format.FREESWITCH_CSV: FREESWITCH_CSV,
    Source.Format.FREESWITCH_JSON: FREESWITCH_JSON,
    Source.Format.ASTERISK_CSV: ASTERISK_CSV,
    Source.Format.KAMAILIO_CSV: KAMAILIO_CSV,
    Source.Format.CUCM_CSV: CUCM_CSV,
    Source.Format.ACME_CSV: ACME_CSV,
    Source.Format.YETI_CSV: YETI_CSV,
    Source.Format.MAPPED_CSV: MAPPED_CSV,
    Source.Format.TOLLGATE_JSON: TOLLGATE_JSON,
}
