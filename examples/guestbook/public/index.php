<?php
// The front controller: every path that is no file of this folder comes here.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$book = getenv('GUESTBOOK') ?: sys_get_temp_dir() . '/guestbook-' . md5(__DIR__) . '.txt';

if ($_SERVER['REQUEST_METHOD'] === 'POST' && $path === '/sign') {
    file_put_contents($book, str_replace("\n", ' ', $_POST['name'] ?? 'somebody') . "\n", FILE_APPEND | LOCK_EX);
    header('Location: /', true, 303);
    exit;
}

if ($path === '/upload') {
    $file = $_FILES['file'] ?? null;
    echo $file ? $file['size'] . ' ' . hash_file('sha256', $file['tmp_name']) : strlen(file_get_contents('php://input'));
    exit;
}

if ($path === '/count') {
    session_start();
    echo $_SESSION['count'] = ($_SESSION['count'] ?? 0) + 1;
    exit;
}

if ($path !== '/') {
    http_response_code(404);
    echo 'There is no page ' . htmlspecialchars($path) . '.';
    exit;
}
?>
<!doctype html>
<html lang="en">
<title>Guest book</title>
<link rel="stylesheet" href="/assets/book.css">
<h1>Guest book</h1>
<form method="post" action="/sign"><input name="name" aria-label="Name" required> <button>Sign</button></form>
<ul>
<?php foreach (is_file($book) ? array_reverse(file($book, FILE_IGNORE_NEW_LINES)) : [] as $name): ?>
<li><?= htmlspecialchars($name) ?></li>
<?php endforeach ?>
</ul>
<p>Written by PHP <?= PHP_VERSION ?> in <?= htmlspecialchars(getenv('ASHLAR_INSTANCE') ?: 'nobody') ?>.</p>
