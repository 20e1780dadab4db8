<?php
// What a script is told of its request.
header('Content-Type: application/json');
ksort($_SERVER);
echo json_encode($_SERVER, JSON_UNESCAPED_SLASHES | JSON_PRETTY_PRINT | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
