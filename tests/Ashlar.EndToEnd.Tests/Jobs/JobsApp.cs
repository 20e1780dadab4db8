namespace Ashlar.EndToEnd.Tests.Jobs;

/// <summary>A stack that enqueues by psql in the app's own transactions, and does its jobs in a service and by a command.</summary>
internal static class JobsApp
{
    public const string Stack = """
        name: shop
        dashboard: off
        release: psql "$DATABASE_URL" -qAtc "select ashlar.enqueue('commands', '{\"from\":\"release\"}')"
        services:
          web: {run: python3 -u app.py, route: /, health: /up}
        edge:
          listen: {http: "127.0.0.1:@PORT@"}
        database: {}
        jobs:
          emails: {to: web, path: /jobs/emails, attempts: 2, timeout: 60s}
          slow: {to: web, path: /jobs/slow, timeout: 60s}
          long: {to: web, path: /jobs/long, lease: 3s}
          commands: {run: python3 command.py, timeout: 20s}
        schedule:
          minutely: {cron: "* * * * *", run: python3 command.py}
        """;

    /// <summary>Tells the service what it got: its input and what stands in its environment.</summary>
    public const string Command = """
        import json, os, sys, urllib.request
        said = {"payload": json.load(sys.stdin), "queue": os.environ["ASHLAR_QUEUE"], "job": os.environ["ASHLAR_JOB"], "attempt": os.environ["ASHLAR_ATTEMPT"], "trace": os.environ.get("TRACEPARENT")}
        urllib.request.urlopen(os.environ["WEB_URL"] + "/ran", json.dumps(said).encode(), timeout=10).read()
        """;

    public const string Service = """
        import base64, hashlib, hmac, http.server, json, os, subprocess, threading, urllib.parse

        secret = base64.b64decode(os.environ["ASHLAR_JOBS_SECRET"].removeprefix("whsec_"))
        seen, go, well = [], threading.Event(), threading.Event()

        def sql(text):
            ended = subprocess.run(["psql", os.environ["DATABASE_URL"], "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", text], capture_output=True, text=True, timeout=30)
            return (200, ended.stdout) if ended.returncode == 0 else (500, ended.stderr)

        class App(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                asked = dict(urllib.parse.parse_qsl(url.query))
                if url.path == "/seen":
                    self.answer(200, json.dumps(seen))
                elif url.path == "/go":
                    go.set()
                    self.answer(200, "")
                elif url.path == "/well":
                    well.set()
                    self.answer(200, "")
                elif url.path == "/enqueue":
                    trace = self.headers.get("traceparent")
                    values = "'%s', '%s'%s" % (asked["queue"], asked["payload"], ", trace => '%s'" % trace if trace else "")
                    self.answer(*sql("begin; select ashlar.enqueue(%s); %s" % (values, asked.get("then", "commit"))))
                elif url.path == "/sql":
                    self.answer(*sql(asked["text"]))
                else:
                    self.answer(200, "up")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/ran":
                    seen.append(json.loads(body) | {"by": "command"})
                    return self.answer(200, "")
                of = self.headers
                signed = "%s.%s." % (of["webhook-id"], of["webhook-timestamp"])
                right = "v1," + base64.b64encode(hmac.new(secret, signed.encode() + body, hashlib.sha256).digest()).decode()
                payload = json.loads(body)
                seen.append({"by": "service", "payload": payload, "id": of["webhook-id"], "attempt": of["ashlar-attempt"], "trace": of["traceparent"], "lease": of["ashlar-lease"],
                    "right": hmac.compare_digest(of["webhook-signature"], right)})
                if payload.get("hangs"):
                    go.wait(60)
                if payload.get("fails") and not well.is_set():
                    return self.answer(500, "not well")
                self.answer(202 if self.path == "/jobs/long" else 200, "")

            def answer(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
        """;
}
