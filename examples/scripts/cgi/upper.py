#!/usr/bin/env python3
import os
import sys
from html import escape
from urllib.parse import parse_qs

if os.environ["REQUEST_METHOD"] != "POST":
    print("Status: 303 See Other\nLocation: /\n")
    sys.exit()

form = parse_qs(sys.stdin.buffer.read(int(os.environ.get("CONTENT_LENGTH", 0))).decode())
print("Content-Type: text/html; charset=utf-8\n")
print(f"<!doctype html>\n<h1>{escape(form.get('text', [''])[0].upper())}</h1>")
print(f"{os.environ['REMOTE_ADDR']} asked", file=sys.stderr)
