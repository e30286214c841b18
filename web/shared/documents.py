"""Answers with a PDF: shown by the browser, or saved with `?download`."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing.documents.kept import DocumentNotMade


def pdf_response(request: HttpRequest, name: str, pdf: Callable[[], bytes]) -> HttpResponse:
    """A document called `<name>.pdf`, or a page that says that there is none yet."""
    try:
        content = pdf()
    except DocumentNotMade:
        context = {"name": name}
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return render(request, "shared/document_not_made.html", context, status=status)
    kind = "attachment" if "download" in request.GET else "inline"
    filename = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    headers = {"Content-Disposition": f'{kind}; filename="{filename}.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)
