"""Calls as each switch writes them, of the size that its lines really have."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import cdr.importers
from cdr.rules.column_mapping import ColumnMapping

STARTED_AT = datetime(2026, 10, 1, 8, tzinfo=UTC)
MAPPING = ColumnMapping(
    columns={
        "started_at": "start",
        "caller_number": "from",
        "destination_number": "to",
        "volume": "seconds",
        "account_code": "account",
        "call_id": "id",
    },
    separator=";",
)
_MAPPED_HEADER = "id;start;from;to;seconds;account;trunk;rate;note\n"
# FreeSWITCH gives a call some 150 variables.
_JSON_VARIABLES = {f"variable_of_a_call_{number}": "some value of it" for number in range(120)}
# CUCM 15 writes 133 columns.
_CUCM_MORE_COLUMNS = 91


class _Call(NamedTuple):
    number: int
    local: str
    answered: str
    ended: str
    epoch: int
    seconds: int

    @property
    def caller(self) -> str:
        return f"+4930{self.number % 10**7:07}"

    @property
    def called(self) -> str:
        return f"+44207{self.number * 7919 % 10**7:07}"

    @property
    def account(self) -> str:
        return f"A{self.number % 200:04}"


def content_of(format_: str, lines: int) -> bytes:
    """A file of so many calls, with the header that the format has."""
    write = _WRITERS[format_]
    return (_header(format_) + "".join(f"{write(_call(n))}\n" for n in range(lines))).encode()


def _call(number: int) -> _Call:
    start = STARTED_AT + timedelta(seconds=number)
    local = start + timedelta(hours=2)
    talked = 5 + number % 300
    answered, ended = local + timedelta(seconds=5), local + timedelta(seconds=5 + talked)
    return _Call(
        number,
        f"{local:%Y-%m-%d %H:%M:%S}",
        f"{answered:%Y-%m-%d %H:%M:%S}",
        f"{ended:%Y-%m-%d %H:%M:%S}",
        int(start.timestamp()),
        talked,
    )


def _header(format_: str) -> str:
    if format_ == "mapped-csv":
        return _MAPPED_HEADER
    sample = _sample(format_)
    if format_ == "cucm-csv":
        names, types = sample[:2]
        more = "".join(f',"column{number}"' for number in range(_CUCM_MORE_COLUMNS))
        return f"{names}{more}\n{types}{',INTEGER' * _CUCM_MORE_COLUMNS}\n"
    return f"{sample[0]}\n" if format_ in ("kamailio-csv", "yeti-csv") else ""


def _sample(format_: str) -> list[str]:
    folder = Path(cdr.importers.__path__[0]) / format_.replace("-", "_")
    return next(folder.glob("sample.*")).read_text().splitlines()


def _freeswitch_csv(call: _Call) -> str:
    return (
        f'"Anna Berg","{call.caller}","{call.called}","default","{call.local}","{call.answered}",'
        f'"{call.ended}","{call.seconds + 5}","{call.seconds}","NORMAL_CLEARING",'
        f'"3f0c2a10-e752-11e3-8bfb-{call.number:012x}","","{call.account}","PCMA","PCMA"'
    )


def _freeswitch_json(call: _Call) -> str:
    start = call.epoch * 1_000_000
    variables = {
        **_JSON_VARIABLES,
        "uuid": f"3f0c2a10-e752-11e3-8bfb-{call.number:012x}",
        "start_uepoch": str(start),
        "answer_uepoch": str(start + 5_000_000),
        "end_uepoch": str(start + (5 + call.seconds) * 1_000_000),
        "billusec": str(call.seconds * 1_000_000),
        "hangup_cause": "NORMAL_CLEARING",
        "accountcode": call.account,
        "sip_network_ip": "10.1.2.3",
        "start_stamp": quote(call.local),
    }
    profile = {
        "caller_id_number": quote(call.caller),
        "destination_number": quote(call.called),
        "network_addr": "10.1.2.3",
    }
    return json.dumps({"variables": variables, "callflow": [{"caller_profile": profile}]})


def _asterisk_csv(call: _Call) -> str:
    return (
        f'"{call.account}","{call.caller}","{call.called}","from-internal",'
        f'"""Anna Berg"" <{call.caller}>","PJSIP/acme-{call.number:08x}",'
        f'"PJSIP/carrier-{call.number + 1:08x}","Dial","PJSIP/{call.called}@carrier,60",'
        f'"{call.local}","{call.answered}","{call.ended}",{call.seconds + 5},{call.seconds},'
        f'"ANSWERED","DOCUMENTATION","{call.epoch}.{call.number}",""'
    )


def _kamailio_csv(call: _Call) -> str:
    return (
        f"{call.number},{call.caller},example.org,{call.called},10.9.0.1,{call.called},"
        f"{call.answered},{call.seconds},{call.number:032x}@pc33.example.org,9fxced76sl,314159,"
        f"10.1.2.3,0,0,{call.ended}"
    )


def _cucm_csv(call: _Call) -> str:
    answered = call.epoch + 5
    return (
        f'1,1,{call.number},{2 * call.number},{call.epoch},1,0,-1139627840,"{call.caller}","",0,0,'
        f'{2 * call.number + 1},1,0,16777226,"{call.called}","{call.called}","",0,16,{answered},'
        f'{answered + call.seconds},"","7c1e5a60-e752-11e3-8bfb-{call.number:012x}","PT","PT","PT",'
        f'"",{call.seconds},"SEP001122334455","PSTN-GW",0,12,"StandAloneCluster",0,"","",0,'
        f'"{call.account}","",""' + ",0" * _CUCM_MORE_COLUMNS
    )


def _acme_csv(call: _Call) -> str:
    start = STARTED_AT + timedelta(seconds=call.number)
    times = [start, start + timedelta(seconds=5), start + timedelta(seconds=5 + call.seconds)]
    setup, connect, disconnect = (f"{at:%H:%M:%S}.250 UTC {at:%b %d %Y}".upper() for at in times)
    session = f"SD{call.number:012x}-1@10.1.2.3"
    return (
        f'2,"10.0.0.1",5060,"{session}","{session}","out-{session}","SIP","","",'
        f'"<sip:{call.caller}@10.1.2.3:5060>;tag=a1","<sip:{call.called}@10.0.0.1:5060>",1,'
        f'{call.seconds},"{setup}","{connect}","{disconnect}",1,0,0,0,0,"peer-realm",'
        '"access-realm","localhost:67108906","PCMA","access-realm","10.1.2.3",20000,"10.0.0.1",'
        '30000,"peer-realm","10.0.0.2",30002,"10.9.0.1",40000' + ",0" * 90
    )


def _yeti_csv(call: _Call) -> str:
    return (
        f"{call.number},{call.local}.123456+02,{call.answered}.123456+02,{call.ended}.123456+02,"
        f"{call.seconds},t,{call.caller},{call.caller[1:]},{call.called},{call.called[1:]},17,"
        f"Acme SIP,10.1.2.3,Bye,1,t,6f9a4b4e-e752-11e3-8bfb-{call.number:012x}"
    )


def _mapped_csv(call: _Call) -> str:
    return (
        f"{call.number};{call.local};{call.caller};{call.called};{call.seconds};{call.account};"
        "west-1;0.012;no note"
    )


def _tollgate_json(call: _Call) -> str:
    return json.dumps(
        {
            "started_at": f"{call.local.replace(' ', 'T')}+02:00",
            "destination_number": call.called,
            "caller_number": call.caller,
            "volume": call.seconds,
            "account_code": call.account,
            "call_id": f"call-{call.number:012x}",
        }
    )


_WRITERS: Mapping[str, Callable[[_Call], str]] = {
    "freeswitch-csv": _freeswitch_csv,
    "freeswitch-json": _freeswitch_json,
    "asterisk-csv": _asterisk_csv,
    "kamailio-csv": _kamailio_csv,
    "cucm-csv": _cucm_csv,
    "acme-csv": _acme_csv,
    "yeti-csv": _yeti_csv,
    "mapped-csv": _mapped_csv,
    "tollgate-json": _tollgate_json,
}
FORMATS = tuple(_WRITERS)
