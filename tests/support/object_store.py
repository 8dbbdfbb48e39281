"""An object store: moto's S3, as a server in this process that counts requests and can be made to fail."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request, urlopen

from moto.server import DomainDispatcherApplication, create_backend_app
from pyarrow import fs
from werkzeug.serving import make_server

from exporter.storage_url import StorageUrl, parse_storage_url

KEY, SECRET = "AKIAKEYOFTHETESTS", "secret-of-the-tests"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
# What a failing store says; its text holds what must not be repeated.
ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>about {secret}</Message></Error>"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its method, the object's path with the bucket, the query, and how many there were with it."""

    method: str
    path: str
    query: str
    number: int

    @property
    def writes(self) -> bool:
        """Whether it makes an object appear: a whole one, or the last request of one in parts."""
        return (self.method == "PUT" and "uploadId" not in self.query) or (
            self.method == "POST" and "uploadId" in self.query
        )


# The status and the code of a failure, or None to answer as always.
Fault = Callable[[Asked], tuple[str, str] | None]


@dataclass
class ObjectStore:
    """The server, what it was asked, and how it fails."""

    port: int = 0
    bucket: str = ""
    asked: list[Asked] = field(default_factory=list)
    fault: Fault | None = None
    application: Any = field(default_factory=lambda: DomainDispatcherApplication(create_backend_app))
    lock: Any = field(default_factory=threading.Lock)

    def __call__(self, environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with self.lock:
            path, query = environment["PATH_INFO"], environment.get("QUERY_STRING", "")
            asked = Asked(environment["REQUEST_METHOD"], path, query, len(self.asked) + 1)
            self.asked.append(asked)
        if fault := self.fault and self.fault(asked):
            status, code = fault
            ended = environment.get("wsgi.input_terminated")
            environment["wsgi.input"].read(*(() if ended else (int(environment.get("CONTENT_LENGTH") or 0),)))
            start(status, [("Content-Type", "application/xml")])
            return [ERROR.format(code=code, secret=SECRET).encode()]
        answer: Iterable[bytes] = self.application(environment, start)
        return answer

    def url(self, path: str) -> StorageUrl:
        """The URL of a bucket, or of what is in it."""
        return parse_storage_url(f"s3://{path}?endpoint_override=127.0.0.1:{self.port}&scheme=http")

    def client(self) -> Any:
        """pyarrow's client, for what tests look at."""
        return fs.S3FileSystem(endpoint_override=f"127.0.0.1:{self.port}", scheme="http", region="us-east-1",
                               access_key=KEY, secret_key=SECRET, allow_delayed_open=True)  # fmt: skip

    def make_bucket(self, name: str) -> None:
        with urlopen(Request(f"http://127.0.0.1:{self.port}/{name}", method="PUT")):
            pass

    def objects(self, path: str) -> dict[str, int]:
        """The objects below a path with their bytes, by their names below it."""
        found = self.client().get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
        return {info.path.removeprefix(f"{path}/"): info.size for info in found if info.type == fs.FileType.File}

    def read(self, path: str) -> bytes:
        with self.client().open_input_stream(path, compression=None) as stream:
            content: bytes = stream.read()
        return content

    def write(self, path: str, content: bytes, content_type: str = "text/plain") -> None:
        stream = self.client().open_output_stream(path, compression=None, metadata={"Content-Type": content_type})
        stream.write(content)
        stream.close()

    def remove(self, path: str) -> None:
        self.client().delete_file(path)

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """While the block runs, some requests fail."""
        self.fault = fault
        try:
            yield
        finally:
            self.fault = None


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """A server while the block runs."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    store = ObjectStore()
    server = make_server("127.0.0.1", 0, store, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]  # a request that hangs is not waited for
    server.log = lambda *_: None  # type: ignore[method-assign]  # a client that was killed is no error
    store.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
