"""A worker in one file: it says every few seconds that it works, and ends with 0 on SIGTERM."""

import os
import signal
import threading

INSTANCE = os.environ.get("ASHLAR_INSTANCE", "worker")
SECONDS = 5

stopping = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopping.set())

print(f"{INSTANCE} begins")
done = 0
while not stopping.wait(SECONDS):
    done += 1
    print(f"{INSTANCE} has done {done} of its jobs")
print(f"{INSTANCE} has finished")
