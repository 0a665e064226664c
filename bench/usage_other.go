//go:build !linux && !darwin

package main

import "time"

// processorTime is 0: this system has no getrusage, so processor times are not measured on it.
func processorTime() time.Duration { return 0 }

// peakResident is 0: not measured.
func peakResident() float64 { return 0 }

// residentOf is 0: not measured.
func residentOf(int) float64 { return 0 }
