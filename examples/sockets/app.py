import os


def app(environ, start_response):
    """The smallest WSGI app there is."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['PATH_INFO']} by {os.environ['ASHLAR_INSTANCE']} on {os.environ['SOCKET'].rsplit('/', 1)[1]}\n".encode()]
