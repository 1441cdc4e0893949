"""A little Hugging Face hub for tests: one repository, served over HTTP as the real one does."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = '0123456789abcdef0123456789abcdef01234567'


class LittleHub:
    """Serves the files of a folder as `name` at `COMMIT`; `main` points there."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.lies: dict[str, bytes] = {}  # file -> what is sent instead
        self.lost: set[str] = set()  # files that are listed and not sent
        self.sent: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                hub.answer(self, body=True)

            def do_HEAD(self):
                hub.answer(self, body=False)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f'http://127.0.0.1:{self.server.server_address[1]}'

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def files(self):
        return sorted(
            str(path.relative_to(self.folder)) for path in self.folder.rglob('*') if path.is_file()
        )

    def answer(self, request, body):
        path = request.path.partition('?')[0].lstrip('/')
        api, resolve = f'api/models/{self.name}', f'{self.name}/resolve/'
        if path.startswith(f'{api}/revision/'):
            return self.info(request, path.rpartition('/')[2])
        if path.startswith(f'{api}/tree/'):
            return self.json(request, [self.entry(name) for name in self.files()])
        if path.startswith(resolve):
            revision, _, name = path.removeprefix(resolve).partition('/')
            return self.file(request, revision, name, body)
        return self.json(request, {'error': 'Repository not found'}, 404, 'RepoNotFound')

    def info(self, request, revision):
        if revision not in ('main', COMMIT):
            return self.json(request, {'error': 'no revision'}, 404, 'RevisionNotFound')
        siblings = [{'rfilename': name, **self.entry(name)} for name in self.files()]
        content = {'id': self.name, 'modelId': self.name, 'sha': COMMIT, 'siblings': siblings,
                   'private': False, 'tags': [], 'downloads': 0, 'likes': 0}  # fmt: skip
        return self.json(request, content)

    def entry(self, name):
        data = (self.folder / name).read_bytes()
        entry = {'type': 'file', 'path': name, 'size': len(data),
                 'oid': hashlib.sha1(data).hexdigest()}  # fmt: skip
        entry['blobId'] = entry['oid']
        if name.endswith('.safetensors'):
            digest = hashlib.sha256(data).hexdigest()
            entry['lfs'] = {'oid': digest, 'sha256': digest, 'size': len(data), 'pointerSize': 134}
        return entry

    def file(self, request, revision, name, body):
        if name not in self.files() or name in self.lost:
            return self.json(request, {'error': 'no file'}, 404, 'EntryNotFound')
        data = self.lies.get(name, (self.folder / name).read_bytes())
        request.send_response(200)
        request.send_header('X-Repo-Commit', COMMIT)
        request.send_header('ETag', f'"{hashlib.sha256(data).hexdigest()}"')
        request.send_header('Content-Length', str(len(data)))
        request.end_headers()
        if body:
            self.sent.append(name)
            request.wfile.write(data)

    def json(self, request, content, status=200, code=None):
        data = json.dumps(content).encode()
        request.send_response(status)
        if code:
            request.send_header('X-Error-Code', code)
        request.send_header('Content-Type', 'application/json')
        request.send_header('Content-Length', str(len(data)))
        request.end_headers()
        if request.command == 'GET':
            request.wfile.write(data)
