package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prantikov/millrace/record"
)

// sender sends what it is given and returns when the brokers have all of it. It is called from several goroutines.
type sender interface {
	send(ctx context.Context, records []*record.Record) error
	close() error
}

// streamer is a sender that is not to be waited for after each call: flush returns when the brokers have everything.
type streamer interface {
	sender
	flush(ctx context.Context) error
}

// openSender opens the publishing side of a peer.
func openSender(t task) (sender, error) {
	open, known := map[string]func(task) (sender, error){
		peerMillrace: openMillraceSender, peerSarama: openSaramaSender, peerWatermill: openWatermillSender, peerFranz: openFranzSender,
	}[t.Peer]
	if !known {
		return nil, fmt.Errorf("%s does not publish", t.Peer)
	}
	return open(t)
}

// publish is a turn of publishing. All records are made before it begins. At the limit it ends with what was sent until then.
func (t task) publish(ctx context.Context) (report, error) {
	s, err := openSender(t)
	if err != nil {
		return report{}, err
	}
	p := *t.Publish
	records := make([]*record.Record, p.Records)
	for number := range records {
		key := fmt.Sprintf("%s%d", keyPrefix, number%p.Keys)
		records[number] = &record.Record{Position: record.Position{Topic: t.Topic}, Key: []byte(key), Value: event(key, number)}
		for _, h := range headers(number) {
			records[number].Headers = append(records[number].Headers, record.Header{Key: h.Key, Value: h.Value})
		}
	}
	// The first call also asks for the topic's metadata, so it is not measured.
	if err := s.send(ctx, records[:1]); err != nil {
		return report{}, err
	}
	begin := now()
	sent, err := sendAll(ctx, s, records, p, begin.at.Add(t.Limit))
	if err != nil {
		return report{}, err
	}
	if stream, ok := s.(streamer); ok {
		if err := stream.flush(ctx); err != nil {
			return report{}, err
		}
	}
	end := now()
	r := report{Records: sent, Complete: sent == int64(len(records)), PeakRSSMiB: peakResident()}
	r.Seconds, r.CPUSeconds = end.at.Sub(begin.at).Seconds(), (end.cpu - begin.cpu).Seconds()
	return r, s.close()
}

// sendAll divides the calls over the goroutines and returns how many records were sent.
func sendAll(ctx context.Context, s sender, records []*record.Record, p publishing, until time.Time) (int64, error) {
	var next, sent atomic.Int64
	var failed firstError
	var all sync.WaitGroup
	for range p.Goroutines {
		all.Go(func() {
			for time.Now().Before(until) {
				from := int(next.Add(int64(p.Call))) - p.Call
				if from >= len(records) {
					return
				}
				calling := records[from:min(from+p.Call, len(records))]
				if err := s.send(ctx, calling); err != nil {
					failed.keep(nil, err)
					return
				}
				sent.Add(int64(len(calling)))
			}
		})
	}
	all.Wait()
	return sent.Load(), failed.err()
}
