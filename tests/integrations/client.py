"""A client of a language server on standard input and output, as small as can be."""

import json
import os
import subprocess


class Client:
    def __init__(self, command, root, capabilities=None, options=None, env=None, settings=None):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root, env=env
        )
        self.root = root
        self.next = 0
        self.diagnostics = {}
        self.versions = {}
        self.published = []
        # What the editor answers when it is asked for its settings, and what it is told and asked.
        self.settings = settings
        self.told = []
        self.asked = []
        uri = "file://" + root
        answer = self.request("initialize", {
            "processId": os.getpid(),
            "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": "root"}],
            "capabilities": capabilities or {},
            "initializationOptions": options or {},
        })
        self.capabilities = answer["result"]["capabilities"]
        self.notify("initialized", {})

    def send(self, message):
        text = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(text) + text)
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def read(self):
        length = None
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise EOFError("the server has gone")
            if line == b"\r\n":
                break
            name, value = line.decode().split(":")
            if name.lower() == "content-length":
                length = int(value)
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            params = message["params"]
            self.diagnostics[params["uri"]] = params["diagnostics"]
            self.versions[params["uri"]] = params.get("version")
            self.published.append(params["uri"])
        elif "method" in message and "id" not in message:
            self.told.append((message["method"], message.get("params")))
        elif "method" in message and "id" in message:
            self.asked.append((message["method"], message.get("params")))
            items = message.get("params", {}).get("items", []) if isinstance(message.get("params"), dict) else []
            self.send({"id": message["id"], "result": [self.settings] * len(items) if items else None})
        return message

    def request(self, method, params):
        self.next += 1
        self.send({"id": self.next, "method": method, "params": params})
        while True:
            message = self.read()
            if message.get("id") == self.next and "method" not in message:
                return message

    def open(self, path, text, language="rust"):
        uri = "file://" + path
        self.notify("textDocument/didOpen", {
            "textDocument": {"uri": uri, "languageId": language, "version": 1, "text": text}
        })
        return uri

    def change(self, uri, text, version):
        self.notify("textDocument/didChange", {
            "textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]
        })

    def wait(self, uri, version):
        """The diagnostics of a version of an open file."""
        while self.versions.get(uri) != version:
            self.read()
        return self.diagnostics[uri]

    def until(self, method, count=1):
        """What was told under a name, when it was told so often."""
        while len(found := [params for name, params in self.told if name == method]) < count:
            self.read()
        return found

    def close(self):
        self.request("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(timeout=20)
