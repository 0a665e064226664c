package main

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prantikov/millrace/messages"
)

func TestMeterCountsEachRecordOnce(t *testing.T) {
	t.Parallel()
	m := newMeter([]int64{100, 0, 70}, time.Hour)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for offset := range int64(120) {
				m.start()
				m.count(0, offset)
				m.count(2, offset)
			}
		})
	}
	all.Wait()
	<-m.over
	r := m.report()
	if r.Records != 170 || r.Repeats != 3*170 || !r.Complete {
		t.Errorf("got %d records, %d repeats, complete %t, want 170, 510, true", r.Records, r.Repeats, r.Complete)
	}
}

func TestMeterEndsAtItsLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMeter([]int64{2}, time.Millisecond)
		m.start()
		m.count(0, 0)
		<-m.over
		if r := m.report(); r.Records != 1 || r.Complete {
			t.Errorf("got %d records, complete %t, want 1, false", r.Records, r.Complete)
		}
	})
}

func TestInputIsWhatItSays(t *testing.T) {
	t.Parallel()
	for _, distribution := range []string{roundRobin, uniform, zipf} {
		in := input{records: 10_000, keys: 100, partitions: 6, distribution: distribution}
		sum := int64(0)
		for _, end := range in.ends() {
			sum += end
		}
		if sum != 10_000 || !slices.Equal(in.ends(), in.ends()) {
			t.Errorf("%s: got %d records, want 10000, the same each time", distribution, sum)
		}
		times := map[string]int{}
		for next, n := in.sequence(), 0; n < in.records; n++ {
			times[next()]++
		}
		if most := times[keyPrefix+"0"]; (distribution == zipf) != (most > 1000) || distribution == roundRobin && most != 100 {
			t.Errorf("%s: got %d records of the first key of 100", distribution, most)
		}
	}
	in := input{records: 10_000, keys: 100, partitions: 6, distribution: uniform, hot: keyPrefix + "hot", hotShare: .2}
	hot := 0
	for next, n := in.sequence(), 0; n < in.records; n++ {
		if next() == in.hot {
			hot++
		}
	}
	if hot < 1700 || hot > 2300 {
		t.Errorf("got %d records of the hot key, want about 2000", hot)
	}
}

func TestEventsAreRealOnes(t *testing.T) {
	t.Parallel()
	for number := range 4 {
		value := event(keyPrefix+"4711", number)
		decoded, err := messages.Appointments.Decode(value)
		if err != nil || decoded.EntityID != keyPrefix+"4711" || decoded.Check() != nil {
			t.Errorf("got %+v, %v, want a good appointment", decoded, err)
		}
		if err := decodePlain[plainAppointment](value); err != nil {
			t.Errorf("got %v from the stock decoder, want none", err)
		}
		if len(value) < 210 || len(value) > 250 {
			t.Errorf("got %d bytes, want about 230", len(value))
		}
	}
	if got, ok := messages.TypeNamed(typeID, messages.Types()); !ok || got.Topic() != messages.Appointments.Topic() {
		t.Errorf("got a type header that names %v, want appointments", got)
	}
	at := time.Now()
	if got := sentTime(sentAt(at).Value); got != at.UnixNano() {
		t.Errorf("got %d, want %d", got, at.UnixNano())
	}
}

func TestStockDecodersReadOurSamplesAndRefuseTheBad(t *testing.T) {
	t.Parallel()
	for _, declared := range messages.Types() {
		decode, ok := plainDecoder(declared.Name())
		if !ok {
			t.Fatalf("got no decoder of %s", declared.Name())
		}
		for _, action := range declared.Actions() {
			sample := declared.Sample(action)
			if err := decode(sample); err != nil {
				t.Errorf("%s %s: got %v, want none", declared.Name(), action, err)
			}
			for _, bad := range [][]byte{{}, sample[:len(sample)/2], []byte(strings.Replace(string(sample), `"action":"`, `"action":"un`, 1))} {
				if decode(bad) == nil {
					t.Errorf("%s: got no error of %q, want one", declared.Name(), bad)
				}
			}
		}
	}
}

func TestFailingKeyFailsTwiceAndThenSucceeds(t *testing.T) {
	t.Parallel()
	w := newWork(task{Handler: behaviour{Kind: doFail, FailingKeys: 2}}, newMeter([]int64{10}, time.Hour))
	handle := w.function()
	first := call{key: []byte(keyPrefix + "1")}
	for try, want := range []bool{true, true, false} {
		if got := handle(first) != nil; got != want {
			t.Errorf("try %d: got failed %t, want %t", try+1, got, want)
		}
	}
	if err := handle(call{key: []byte(keyPrefix + "1"), offset: 1}); err != nil {
		t.Errorf("got %v of the next record of the key, want none", err)
	}
	if err := handle(call{key: []byte(keyPrefix + "2"), offset: 2}); err != nil {
		t.Errorf("got %v of another key, want none", err)
	}
}

func TestRateThatFollowsATurn(t *testing.T) {
	t.Parallel()
	const second = int(time.Second / slice)
	var turned turns
	turned.slowAt.Store(int64(2 * time.Second))
	turned.backAt.Store(int64(5 * time.Second))
	for at := range 8 * second {
		calls := int64(1000)
		switch {
		case at > 2*second && at < 2*second+10:
			calls = 0
		case at >= 2*second+10 && at < 5*second:
			calls = 20
		case at >= 5*second && at < 5*second+4:
			calls = 20
		}
		turned.slices[at].Store(calls)
	}
	if got := turned.follow(400); got != .45 {
		t.Errorf("got %g s, want 0.45: nine slices without a call after the turn to slow", got)
	}
	var stuck turns
	stuck.slowAt.Store(int64(time.Second))
	stuck.backAt.Store(int64(4 * time.Second))
	stuck.slices[2].Store(1000)
	if got := stuck.follow(400); got != never {
		t.Errorf("got %g, want never", got)
	}
}
