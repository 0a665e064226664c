package spring

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration reads a duration as Spring writes it: a number alone is in milliseconds, 10s has its unit, PT10S is ISO-8601's.
func Duration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if parts := regexp.MustCompile(`^([+-]?\d{1,15})\s*([a-zA-Z]{0,2})$`).FindStringSubmatch(text); parts != nil {
		number, _ := strconv.ParseInt(parts[1], 10, 64)
		units := map[string]time.Duration{"": time.Millisecond, "ns": 1, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second,
			"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
		unit, known := units[strings.ToLower(parts[2])]
		if known && number <= math.MaxInt64/int64(unit) && number >= -math.MaxInt64/int64(unit) {
			return time.Duration(number) * unit, nil
		}
		return 0, errDuration
	}
	return iso(text)
}

var errDuration = errors.New("it is not a duration")

// iso reads days, hours, minutes and seconds: P1DT2H, PT1M30.5S.
func iso(text string) (time.Duration, error) {
	parts := regexp.MustCompile(`^([+-]?)P(?:(\d{1,5})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,10}(?:[.,]\d{1,9})?)S)?)?$`).FindStringSubmatch(strings.ToUpper(text))
	if parts == nil || !strings.ContainsAny(text, "0123456789") {
		return 0, errDuration
	}
	var whole time.Duration
	for i, unit := range []string{"h", "h", "m", "s"} {
		number := strings.Replace(parts[i+2], ",", ".", 1)
		if number == "" {
			continue
		}
		part, err := time.ParseDuration(number + unit)
		if err != nil {
			return 0, errDuration
		}
		if i == 0 {
			part *= 24
		}
		whole += part
	}
	if parts[1] == "-" {
		whole = -whole
	}
	return whole, nil
}

// Size reads a number of bytes as Spring writes it: 16384, 16KB, 1MB; its units are powers of 1,024.
func Size(text string) (int64, error) {
	parts := regexp.MustCompile(`^(\d{1,15})\s*([a-zA-Z]{0,2})$`).FindStringSubmatch(strings.TrimSpace(text))
	if parts != nil {
		number, _ := strconv.ParseInt(parts[1], 10, 64)
		shift, known := map[string]uint{"": 0, "B": 0, "KB": 10, "MB": 20, "GB": 30, "TB": 40}[strings.ToUpper(parts[2])]
		if known && number <= math.MaxInt64>>shift {
			return number << shift, nil
		}
	}
	return 0, errors.New("it is not a size")
}

// Switch reads true or false in each of Spring's ways.
func Switch(text string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "on", "yes", "1":
		return true, nil
	case "false", "off", "no", "0":
		return false, nil
	default:
		return false, errors.New("it is neither true nor false")
	}
}
