#!/bin/sh
printf 'Content-Type: text/html; charset=utf-8\n\n'
cat <<PAGE
<!doctype html>
<title>Scripts</title>
<h1>It is $(date +%H:%M) on $(uname -n)</h1>
<form method="post" action="/upper.py"><input name="text"><button>Louder</button></form>
PAGE
