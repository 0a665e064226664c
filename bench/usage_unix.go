//go:build linux || darwin

package main

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processorTime is what this process has used, in user and system mode.
func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// peakResident is the largest resident size of this process in MiB.
//
// On Linux it is not getrusage's: there a child begins with the peak of the process that started it, which has just written the input.
func peakResident() float64 {
	if runtime.GOOS == "linux" {
		return statusMiB(os.Getpid(), "VmHWM")
	}
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return float64(used.Maxrss) / (1 << 20)
}

// residentOf is the resident size of another process in MiB, 0 where that cannot be asked.
func residentOf(pid int) float64 { return statusMiB(pid, "VmRSS") }

// statusMiB reads a size from a process's status, which has it in KiB.
func statusMiB(pid int, field string) float64 {
	file, err := os.Open("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), field+":"); ok {
			size, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 64)
			return size / 1024
		}
	}
	return 0
}
