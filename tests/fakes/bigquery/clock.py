"""Time as the fake tells it, and how a run is timed that nobody waits for.

now = real time + leaps. POST /_fake/advance adds a leap, so that tables expire and buffers empty.

HOW SIMULATED TIME IS COUNTED (--call-ms C, --job-seconds J). A request that arrives at `t` is done at once, and its answer is held until `t + C` (a job
is RUNNING until `t + J`; a call that waits for it is held so long). Nobody sleeps for that: when the client is quiet, that is, every request it has sent
is being held and for QUIET_MS no new one came, time leaps to the moment at which the first of the held answers is due, and that one is sent. So
requests that the client has in flight at the same time overlap, as they would in reality, and requests that it sends one after the other add up,
whatever thread or connection they use: the sum is the union of their intervals. What the client computes in between counts as it passes, since real
time goes on; the QUIET_MS before each leap counts against the client too. What the fake itself works (a Python program, far slower than what it
imitates) is stood for by C and J and is taken out: while it works, its clock stands. GET /_fake/time tells both: "simulated_seconds" without and
"own_work_seconds" beside it.
"""

import threading
import time

QUIET_MS = 4


class Clock:
    def __init__(self, call_ms=0, job_seconds=0.0):
        self.call_ms, self.job_ms = call_ms, int(job_seconds * 1000)
        self._start = time.time()
        self._start_mono = time.monotonic()
        self._leap = 0.0           # seconds added
        self._mu = threading.Condition()
        self._working = 0          # requests that the fake is working on
        self._worked_since = 0.0   # real time at which the first of them began
        self._own_work = 0.0       # seconds in which at least one was worked on
        self._held = {}            # request: (due, event)
        self._last_change = time.monotonic()
        self.simulates = call_ms > 0 or job_seconds > 0
        if self.simulates:
            threading.Thread(target=self._leaper, name="clock", daemon=True).start()

    def _elapsed(self):
        now = time.monotonic()
        work = self._own_work + (now - self._worked_since if self._working else 0.0)
        return now - self._start_mono - (work if self.simulates else 0.0) + self._leap

    def now(self):
        """Seconds since 1970."""
        with self._mu:
            return self._start + self._elapsed()

    def now_ms(self):
        return int(self.now() * 1000)

    def now_micros(self):
        return int(self.now() * 1_000_000)

    def advance(self, seconds):
        with self._mu:
            self._leap += seconds

    def report(self):
        with self._mu:
            work = self._own_work + (time.monotonic() - self._worked_since if self._working else 0.0)
            return {"simulated_seconds": self._elapsed(), "own_work_seconds": work, "real_seconds": time.monotonic() - self._start_mono,
                    "now_ms": int((self._start + self._elapsed()) * 1000)}

    # ---- requests

    def begin(self):
        """A request arrived and is being worked on: the moment, in ms."""
        with self._mu:
            moment = int((self._start + self._elapsed()) * 1000)
            if self._working == 0:
                self._worked_since = time.monotonic()
            self._working += 1
            return moment

    def end(self):
        """It is worked off."""
        with self._mu:
            self._working -= 1
            if self._working == 0:
                self._own_work += time.monotonic() - self._worked_since
            self._last_change = time.monotonic()
            self._mu.notify_all()

    def hold(self, due_ms):
        """Waits until that moment. Only where time is simulated; else it returns at once."""
        if not self.simulates or due_ms <= self.now_ms():
            return
        event = threading.Event()
        with self._mu:
            self._held[event] = due_ms
            self._last_change = time.monotonic()
            self._mu.notify_all()
        event.wait()

    def _leaper(self):
        with self._mu:
            while True:
                if not self._held:
                    self._mu.wait()
                    continue
                due, event = min((due, id(event), event) for event, due in self._held.items())[::2]
                late = due - (self._start + self._elapsed()) * 1000
                quiet_for = time.monotonic() - self._last_change
                if late > 0 and (self._working or quiet_for < QUIET_MS / 1000):
                    self._mu.wait(QUIET_MS / 1000 if self._working else QUIET_MS / 1000 - quiet_for)
                    continue
                self._leap += max(0.0, late) / 1000
                del self._held[event]
                self._last_change = time.monotonic()
                event.set()
