package cmd

import (
	"context"
	"time"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/tracing"
)

// lastSpans is how long the end of a command waits for the spans that are not exported yet. With the stop of run it must fit into the 30 s that
// Kubernetes gives.
const lastSpans = 2 * time.Second

// openTracing makes spans from now on, when tracing.enabled says so. The function that is returned exports what is left and ends that.
func (s *session) openTracing(ctx context.Context, count func(tracing.End, int)) (func(), error) {
	settings := s.settings.Tracing
	if !settings.Enabled {
		return func() {}, nil
	}
	opened, err := tracing.Open(ctx, tracing.Settings{
		Endpoint: settings.Endpoint, SampleRatio: settings.SampleRatio, Service: settings.Service, Version: Version(), Count: count, Logger: s.logger,
	})
	if err != nil {
		return func() {}, err
	}
	s.tracing = opened
	return func() {
		// The command's own context may have ended: that is why it stops.
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpans)
		defer cancel()
		if err := opened.Close(closing); err != nil {
			s.logger.Warn("spans were dropped", "error", err)
		}
	}, nil
}

// traceSend begins the span of a record that this program's own producer sends. It is asked when it sends: a plugin has the producer before
// anything is opened.
func (s *session) traceSend(ctx context.Context, r *record.Record) (context.Context, func(record.Position, error)) {
	if s.tracing == nil {
		return ctx, func(record.Position, error) {}
	}
	return s.tracing.Send(ctx, r)
}
