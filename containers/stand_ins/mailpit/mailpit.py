"""Keeps mails in memory: SMTP on port 1025, ``GET /api/v1/messages`` on port 8025."""

import email.policy
import http.server
import json
import signal
import sys
import uuid

from aiosmtpd.controller import Controller

MAILS = []


class Catcher:
    async def handle_DATA(self, server, session, envelope):  # noqa: N802 -- aiosmtpd's name
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        MAILS.append(
            {
                "ID": uuid.uuid4().hex,
                "MessageID": parsed["message-id"].strip("<>"),
                "To": [{"Address": address} for address in envelope.rcpt_tos],
                "Subject": parsed["subject"],
            }
        )
        return "250 2.0.0 Ok: queued"


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path.partition("?")[0] == "/api/v1/messages"
        body = json.dumps({"total": len(MAILS), "messages": MAILS[::-1]} if found else {}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit())
Controller(Catcher(), hostname="0.0.0.0", port=1025, data_size_limit=50 * 1024 * 1024).start()
http.server.ThreadingHTTPServer(("0.0.0.0", 8025), Pages).serve_forever()
