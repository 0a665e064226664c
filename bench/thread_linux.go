package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the processor time of the thread that runs now, to the nanosecond; getrusage's is only brought up to date at each tick.
func threadTime() (time.Duration, bool) {
	var at unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at)
	return time.Duration(at.Nano()), err == nil
}
