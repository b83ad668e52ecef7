"""Uploads of load jobs: multipart/related in one request, or resumable in pieces (308 and Range). Source: "Upload data" of the BigQuery API (facts C2)."""

import email.parser
import email.policy
import gzip
import json
import os
import re
import uuid

from errors import ApiError, invalid

PIECE_BYTES = 256 << 10


class Answer:
    """An answer that is not plain JSON with code 200."""

    def __init__(self, code, headers=None, body=""):
        self.code, self.headers, self.body = code, headers or {}, body


class Uploads:
    """The resumable ones that are under way. A piece that does not begin where the last one ended is refused."""

    def __init__(self, jobs, folder):
        self.jobs, self.folder, self.sessions = jobs, folder, {}

    def begin(self, request, project):
        kind = request.query.get("uploadType")
        if kind == "multipart":
            metadata, data = _parts(request)
            return self.jobs.insert(request, project, metadata, data.splitlines(keepends=True))
        if kind != "resumable":
            raise invalid(f"Invalid upload type: {kind}")
        if request.method != "POST":
            raise invalid("A resumable upload begins with POST")
        upload = {"metadata": request.json(), "size": 0, "total": request.headers.get("X-Upload-Content-Length"),
                  "path": os.path.join(self.folder, f"upload-{uuid.uuid4().hex}"), "answer": None}
        open(upload["path"], "wb").close()
        identity = uuid.uuid4().hex
        self.sessions[identity] = upload
        host = request.headers.get("Host", "")
        return Answer(200, {"Location": f"http://{host}/upload/bigquery/v2/projects/{project}/jobs?uploadType=resumable&upload_id={identity}"})

    def piece(self, request, project):
        upload = self.sessions.get(request.query.get("upload_id", ""))
        if upload is None:
            raise ApiError("notFound", "Upload session is unknown or has ended")
        if upload["answer"] is not None:  # the last piece again, since its answer got lost
            return upload["answer"]
        asked = request.headers.get("Content-Range", "")
        if re.fullmatch(r"bytes \*/(\d+|\*)", asked):
            return self._how_far(upload)
        body = request.body()
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", asked)
        first, last, total = (int(match[1]), int(match[2]), match[3]) if match else (0, len(body) - 1, str(len(body)))
        if (asked and match is None) or last - first + 1 != len(body):
            raise invalid(f"Invalid Content-Range: {asked}")
        if first > upload["size"]:
            raise ApiError("badRequest", f"Invalid request. There were {upload['size']} byte(s) received, and the piece begins at {first}", code=503)
        final = total != "*" and last + 1 == int(total)
        if not final and len(body) % PIECE_BYTES:
            raise invalid(f"Invalid piece of {len(body)} bytes: all but the last are multiples of {PIECE_BYTES}")
        with open(upload["path"], "r+b") as file:
            file.seek(first)
            file.write(body)
        upload["size"] = max(upload["size"], last + 1)
        return self._finish(request, project, upload) if final else self._how_far(upload)

    @staticmethod
    def _how_far(upload):
        return Answer(308, {"Range": f"bytes=0-{upload['size'] - 1}"} if upload["size"] else {})

    def _finish(self, request, project, upload):
        if upload["total"] not in (None, str(upload["size"])):
            raise invalid(f"Upload has {upload['size']} bytes and was announced with {upload['total']}")
        with open(upload["path"], "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with (gzip.open if packed else open)(upload["path"], "rb") as lines:
            answer = self.jobs.insert(request, project, upload["metadata"], lines)
        os.remove(upload["path"])
        upload["answer"] = answer
        return answer


def _parts(request):
    """(metadata, data) of a multipart/related body."""
    kind = request.headers.get("Content-Type", "")
    match = re.search(r'boundary="?([^";]+)"?', kind)
    if not kind.startswith("multipart/related") or match is None:
        raise invalid(f"Invalid Content-Type of a multipart upload: {kind}")
    boundary = b"--" + match[1].encode()
    pieces = (b"\r\n" + request.body()).split(b"\r\n" + boundary)
    if len(pieces) != 4 or pieces[3][:2] != b"--":
        raise invalid(f"A multipart upload has two parts, not {len(pieces) - 2}")
    found = []
    for piece in pieces[1:3]:
        head, separator, body = piece.lstrip(b" \t")[2:].partition(b"\r\n\r\n")
        if not separator:
            raise invalid("A part of the upload has no end of its headers")
        headers = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + b"\r\n\r\n")
        found.append((headers, body))
    if not (found[0][0].get("Content-Type") or "").startswith("application/json"):
        raise invalid("The first part of a multipart upload is its metadata, application/json")
    data = found[1][1]
    try:
        return json.loads(found[0][1]), gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except ValueError as error:
        raise ApiError("badRequest", f"Metadata part: {error}") from error
