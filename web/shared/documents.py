"""Answers with a PDF: shown by the browser, or saved with `?download`."""

from django.http import HttpRequest, HttpResponse


def pdf_response(request: HttpRequest, name: str, content: bytes) -> HttpResponse:
    """A document called `<name>.pdf`."""
    kind = "attachment" if "download" in request.GET else "inline"
    filename = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    headers = {"Content-Disposition": f'{kind}; filename="{filename}.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)
