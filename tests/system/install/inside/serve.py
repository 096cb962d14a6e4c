#!/usr/bin/env python3
"""Serves a folder at 127.0.0.1. Usage: serve.py FOLDER PORT [tls | half]; half breaks off in the middle of what is large."""
import functools
import http.server
import os
import ssl
import sys


class Half(http.server.SimpleHTTPRequestHandler):
    def copyfile(self, source, outputfile):
        size = os.fstat(source.fileno()).st_size
        if size < 100_000:
            super().copyfile(source, outputfile)
            return
        outputfile.write(source.read(size // 2))
        outputfile.flush()
        self.connection.close()


folder, port, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
handler = Half if mode == ["half"] else http.server.SimpleHTTPRequestHandler
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(handler, directory=folder))
if mode == ["tls"]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/srv/tls.crt", "/srv/tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
