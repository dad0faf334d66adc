"""XML: the other API, addressed as /bucket/object, which Go reads by and signed URLs point to."""

from functools import wraps
from xml.etree import ElementTree

from jobs.emulator.errors import ApiError, Unserved
from jobs.emulator.storage.blobs import Blobs
from jobs.emulator.storage.buckets import Buckets
from jobs.emulator.storage.checksums import declared_in
from jobs.emulator.storage.conditions import from_headers
from jobs.emulator.storage.creation import Creation, Draft
from jobs.emulator.storage.downloads import Downloads
from jobs.emulator.storage.parts import Parts, xml_response
from jobs.emulator.storage.uploads import pieces_of
from jobs.emulator.wire import Answer, Handler, Request, Response, Route

_PATH = "/{bucket}/{object*}"
_METADATA = {
    "Content-Type": "contentType",
    "Content-Encoding": "contentEncoding",
    "Content-Disposition": "contentDisposition",
    "Content-Language": "contentLanguage",
    "Cache-Control": "cacheControl",
    "x-goog-storage-class": "storageClass",
    "x-goog-custom-time": "customTime",
}
_CUSTOM = "x-goog-meta-"
_CODES = {400: "InvalidArgument", 403: "AccessDenied", 404: "NoSuchKey", 412: "PreconditionFailed"}


class Xml:
    """Reading, writing whole, and writing in parts; listing and deleting are left to JSON."""

    def __init__(
        self,
        blobs: Blobs,
        buckets: Buckets,
        creation: Creation,
        downloads: Downloads,
        parts: Parts,
    ) -> None:
        self._blobs, self._buckets, self._creation = blobs, buckets, creation
        self._downloads, self._parts = downloads, parts

    def routes(self) -> list[Route]:
        handlers: dict[str, Handler] = {
            "GET": self._downloads.get_xml,
            "PUT": self._put,
            "POST": self._post,
            "DELETE": self._delete,
        }
        return [Route(method, _PATH, self._xml(each)) for method, each in handlers.items()]

    def _xml(self, handler: Handler) -> Handler:
        """Errors as XML; an address of no bucket may be meant for any service: it is unserved."""

        @wraps(handler)
        def answer(request: Request) -> Answer:
            if not self._buckets.exists(request.params["bucket"]):
                message = f"No bucket and no service at {request.path}."
                raise Unserved(404, message, "notFound", "NOT_FOUND")
            try:
                return handler(request)
            except ApiError as error:
                return _error(error)

        return answer

    def _put(self, request: Request) -> Answer:
        if "uploadId" in request.query:
            return self._parts.put(request)
        draft = draft_of(request)
        self._creation.check(draft)
        new = self._creation.create(draft, self._blobs.write(pieces_of(request.body)))
        headers = {"ETag": f'"{new.etag}"', "x-goog-generation": str(new.generation)}
        return Response(200, None, {**headers, "x-goog-hash": new.hashes})

    def _post(self, request: Request) -> Answer:
        if "uploads" in request.query:
            return self._parts.start(request, draft_of(request))
        if "uploadId" in request.query:
            return self._parts.complete(request)
        raise ApiError(400, "The emulator serves no form uploads.", "InvalidArgument")

    def _delete(self, request: Request) -> Answer:
        if "uploadId" in request.query:
            return self._parts.abort(request)
        raise ApiError(400, "The emulator deletes objects by the JSON API only.", "InvalidArgument")


def draft_of(request: Request) -> Draft:
    """What an XML upload says of its object stands in the headers."""
    custom = {
        name.lower().removeprefix(_CUSTOM): value
        for name, value in request.headers.items()
        if name.lower().startswith(_CUSTOM)
    }
    metadata = {key: request.headers.get(header) for header, key in _METADATA.items()}
    return Draft(
        request.params["bucket"],
        request.params["object"],
        {**metadata, "metadata": custom},
        from_headers(request.headers),
        declared_in(request.headers),
    )


def _error(error: ApiError) -> Response:
    if error.code == 304:
        return Response(304)
    root = ElementTree.Element("Error")
    code = error.reason if error.reason[0].isupper() else _CODES.get(error.code, "InvalidRequest")
    for name, text in (("Code", code), ("Message", error.message), ("Details", error.message)):
        ElementTree.SubElement(root, name).text = text
    return xml_response(root, error.code)
